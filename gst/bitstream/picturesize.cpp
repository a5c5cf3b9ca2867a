// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/bitstream/picturesize.h"

#include "gst/bitstream/bytes.h"

#include <algorithm>
#include <cstring>

namespace cps {

namespace {

// RFC 6386, 9.1: only key frames contain the size.
PictureSize size_of_vp8(const uint8_t *data, size_t size) {
  constexpr uint8_t kStart[] = {0x9d, 0x01, 0x2a};
  if (size < 10 || (data[0] & 1) != 0 || memcmp(data + 3, kStart, sizeof kStart) != 0)
    return {};
  return {read_le<uint16_t>(data + 6) & 0x3fffU, read_le<uint16_t>(data + 8) & 0x3fffU};
}

// ITU-T T.81, B.2.2: the frame header is one of the segments before the scan.
PictureSize size_of_jpeg(const uint8_t *data, size_t size) {
  for (size_t at = 2; at + 9 <= size && data[at] == 0xff;) {
    const unsigned marker = data[at + 1];
    if (marker == 0xff) { // fill
      ++at;
      continue;
    }
    const bool is_frame = marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
    if (is_frame)
      return {read_be<uint16_t>(data + at + 7), read_be<uint16_t>(data + at + 5)};
    at += 2 + std::max<size_t>(2, read_be<uint16_t>(data + at + 2));
  }
  return {};
}

// ISO/IEC 15948, 11.2.2.
PictureSize size_of_png(const uint8_t *data, size_t size) {
  if (size < 24 || memcmp(data + 12, "IHDR", 4) != 0)
    return {};
  return {read_be<uint32_t>(data + 16), read_be<uint32_t>(data + 20)};
}

constexpr struct {
  const char *media;
  ReadPictureSize read;
} kReaders[] = {
    {"video/x-vp8", size_of_vp8},
    {"image/jpeg", size_of_jpeg},
    {"image/png", size_of_png},
};

} // namespace

ReadPictureSize picture_size_reader(const GstCaps *caps) {
  const GstStructure *media = gst_caps_get_structure(caps, 0);
  for (const auto &reader : kReaders)
    if (gst_structure_has_name(media, reader.media))
      return reader.read;
  return nullptr;
}

} // namespace cps
