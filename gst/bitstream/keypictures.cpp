#include "gst/bitstream/keypictures.h"

#include "gst/bitstream/bits.h"

#include <initializer_list>

namespace cps {

namespace {

// Microsoft MPEG-4 version 2 and 3, and WMV1: the picture type comes first.
bool is_msmpeg4_key(const uint8_t *data, size_t) {
  return data[0] >> 6 == 0;
}

// Version 1 has a start code and the number of the frame before it.
bool is_msmpeg4v1_key(const uint8_t *data, size_t size) {
  Bits bits(data, size);
  if (bits.read(32) != 0x100)
    return false;
  bits.skip(5);
  return bits.read(2) == 0;
}

bool is_wmv2_key(const uint8_t *data, size_t) {
  return data[0] >> 7 == 0;
}

// Sorenson's H.263: start code, version, temporal reference, size, type.
bool is_flash_key(const uint8_t *data, size_t size) {
  Bits bits(data, size);
  if (bits.read(17) != 1)
    return false;
  bits.skip(5 + 8);
  const uint32_t format = bits.read(3);
  bits.skip(format == 0 ? 2 * 8 : format == 1 ? 2 * 16 : 0);
  return bits.read(2) == 0;
}

// Rec. ITU-T H.263, 5.1: PSC, TR, PTYPE.
bool is_h263_key(const uint8_t *data, size_t size) {
  constexpr uint32_t kExtended = 7;
  Bits bits(data, size);
  if (bits.read(22) != 0x20)
    return false;
  bits.skip(8 + 2 + 3);
  if (bits.read(3) != kExtended)
    return bits.read(1) == 0;
  const uint32_t full = bits.read(3); // UFEP: with OPPTYPE or without
  bits.skip(full == 1 ? 18 : 0);
  return full <= 1 && bits.read(3) == 0;
}

// Frame code, temporal reference, type.
bool is_svq1_key(const uint8_t *data, size_t size) {
  return size >= 4 && (data[3] & 3) == 0;
}

bool is_theora_key(const uint8_t *data, size_t) {
  return (data[0] & 0x40) == 0; // Theora specification, 7.1
}

bool is_vp6_key(const uint8_t *data, size_t) {
  return data[0] >> 7 == 0;
}

// RFC 9043, 4.3: the first thing that the range coder codes, at even odds. (The other pictures only take over its
// state.)
bool is_ffv1_key(const uint8_t *data, size_t size) {
  return size >= 2 && GST_READ_UINT16_BE(data) >= 0x7f80;
}

constexpr struct {
  const char *media_type;
  const char *field; // with the version of the codec
  std::initializer_list<int> versions;
  IsKeyPicture is_key;
} kReaders[] = {
    {"video/x-msmpeg", "msmpegversion", {42, 43}, is_msmpeg4_key},
    {"video/x-msmpeg", "msmpegversion", {41}, is_msmpeg4v1_key},
    {"video/x-divx", "divxversion", {3}, is_msmpeg4_key},
    {"video/x-wmv", "wmvversion", {1}, is_msmpeg4_key},
    {"video/x-wmv", "wmvversion", {2}, is_wmv2_key},
    {"video/x-flash-video", nullptr, {}, is_flash_key},
    {"video/x-h263", nullptr, {}, is_h263_key},
    {"video/x-svq", "svqversion", {1}, is_svq1_key},
    {"video/x-theora", nullptr, {}, is_theora_key},
    {"video/x-vp6", nullptr, {}, is_vp6_key},
    {"video/x-vp6-flash", nullptr, {}, is_vp6_key},
    {"video/x-ffv", "ffvversion", {1}, is_ffv1_key},
};

} // namespace

IsKeyPicture key_picture_reader(const GstStructure *caps) {
  const char *format = gst_structure_get_string(caps, "format");
  if (format && g_str_has_prefix(format, "MSS")) // screen codecs that go by the name of WMV
    return nullptr;
  for (const auto &reader : kReaders) {
    gint version = 0;
    if (!gst_structure_has_name(caps, reader.media_type))
      continue;
    if (!reader.field)
      return reader.is_key;
    gst_structure_get_int(caps, reader.field, &version);
    for (const int known : reader.versions)
      if (version == known)
        return reader.is_key;
  }
  return nullptr;
}

} // namespace cps
