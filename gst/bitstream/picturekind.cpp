// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/bitstream/picturekind.h"

#include "gst/bitstream/bytes.h"

#include "gst/bitstream/bits.h"

#include <initializer_list>

namespace cps {

namespace {

PictureKind key_if(bool key) {
  return key ? PictureKind::I : PictureKind::P;
}

// Microsoft MPEG-4 versions 2 and 3, and WMV1: starts with the picture type.
PictureKind read_msmpeg4(const uint8_t *data, size_t) {
  return key_if(data[0] >> 6 == 0);
}

// Version 1: start code, frame number, picture type.
PictureKind read_msmpeg4v1(const uint8_t *data, size_t size) {
  Bits bits(data, size);
  if (bits.read(32) != 0x100)
    return PictureKind::Broken;
  bits.skip(5);
  return key_if(bits.read(2) == 0);
}

// WMV2 and VP6: the first bit is the type.
PictureKind read_first_bit(const uint8_t *data, size_t) {
  return key_if(data[0] >> 7 == 0);
}

// Sorenson H.263: start code, version, temporal reference, size, type.
PictureKind read_flash(const uint8_t *data, size_t size) {
  Bits bits(data, size);
  if (bits.read(17) != 1)
    return PictureKind::Broken;
  bits.skip(5 + 8);
  const uint32_t format = bits.read(3);
  bits.skip(format == 0 ? 2 * 8 : format == 1 ? 2 * 16 : 0);
  return key_if(bits.read(2) == 0);
}

// Rec. ITU-T H.263, 5.1: PSC, TR, PTYPE.
PictureKind read_h263(const uint8_t *data, size_t size) {
  constexpr uint32_t kExtended = 7;
  Bits bits(data, size);
  if (bits.read(22) != 0x20)
    return PictureKind::Broken;
  bits.skip(8 + 2 + 3);
  if (bits.read(3) != kExtended)
    return key_if(bits.read(1) == 0);
  const uint32_t full = bits.read(3); // UFEP: whether OPPTYPE is present
  bits.skip(full == 1 ? 18 : 0);
  return key_if(full <= 1 && bits.read(3) == 0);
}

// Frame code, temporal reference, type.
PictureKind read_svq1(const uint8_t *data, size_t size) {
  return key_if(size >= 4 && (data[3] & 3) == 0);
}

PictureKind read_theora(const uint8_t *data, size_t) {
  return key_if((data[0] & 0x40) == 0); // Theora specification, 7.1
}

// RFC 9043, 4.3: the first bit of the range coder, with even probability. (Other pictures only inherit the coder's
// state.)
PictureKind read_ffv1(const uint8_t *data, size_t size) {
  return key_if(size >= 2 && read_be<uint16_t>(data) >= 0x7f80);
}

// RealVideo: the number of slices minus one, 8 bytes for each slice, then the first slice. In RealVideo 1, the type is
// one bit.
PictureKind read_real(const uint8_t *data, size_t size, unsigned before, unsigned type_bits) {
  const size_t at = 1 + 8 * (size_t{data[0]} + 1);
  if (at >= size)
    return PictureKind::Broken;
  Bits bits(data + at, size - at);
  bits.skip(before);
  const uint32_t type = bits.read(type_bits);
  if (type_bits == 1)
    return key_if(type == 0);
  constexpr PictureKind kinds[] = {PictureKind::I, PictureKind::I, PictureKind::P, PictureKind::B};
  return kinds[type & 3];
}

PictureKind read_real1(const uint8_t *data, size_t size) {
  return read_real(data, size, 1, 1);
}

PictureKind read_real2(const uint8_t *data, size_t size) {
  return read_real(data, size, 0, 2);
}

PictureKind read_real3(const uint8_t *data, size_t size) {
  return read_real(data, size, 3, 2);
}

PictureKind read_real4(const uint8_t *data, size_t size) {
  return read_real(data, size, 1, 2);
}

constexpr struct {
  const char *media_type;
  const char *field; // contains the codec version
  std::initializer_list<int> versions;
  ReadPictureKind read;
  bool holds_last = false;
} kReaders[] = {
    {"video/x-msmpeg", "msmpegversion", {42, 43}, read_msmpeg4},
    {"video/x-msmpeg", "msmpegversion", {41}, read_msmpeg4v1},
    {"video/x-divx", "divxversion", {3}, read_msmpeg4},
    {"video/x-wmv", "wmvversion", {1}, read_msmpeg4},
    {"video/x-wmv", "wmvversion", {2}, read_first_bit},
    {"video/x-flash-video", nullptr, {}, read_flash},
    {"video/x-h263", nullptr, {}, read_h263},
    {"video/x-pn-realvideo", "rmversion", {1}, read_real1},
    {"video/x-pn-realvideo",
     "rmversion",
     {2},
     read_real2,
     true}, // libavcodec's decoder does so if there are B pictures
    {"video/x-pn-realvideo", "rmversion", {3}, read_real3},
    {"video/x-pn-realvideo", "rmversion", {4}, read_real4},
    {"video/x-svq", "svqversion", {1}, read_svq1},
    {"video/x-theora", nullptr, {}, read_theora},
    {"video/x-vp6", nullptr, {}, read_first_bit},
    {"video/x-vp6-flash", nullptr, {}, read_first_bit},
    {"video/x-ffv", "ffvversion", {1}, read_ffv1},
};

// libavcodec's names, as in the caps of its demuxers (video/x-cps-libav).
constexpr struct {
  const char *codec;
  PictureKindReader reader;
} kNamed[] = {
    {"rv10", {read_real1}},
    {"rv20", {read_real2, true}},
    {"rv30", {read_real3}},
    {"rv40", {read_real4}},
};

// RealVideo 2 streams may have B pictures since version 2.2; libavcodec's decoder then delays pictures. Caps contain
// the version as `format` (rmdemux), or after four bytes of codec_data (libavformat).
bool may_have_b_pictures(const GstStructure *caps) {
  const GValue *data = gst_structure_get_value(caps, "codec_data");
  gint format = 0;
  auto version = gst_structure_get_int(caps, "format", &format) ? static_cast<uint32_t>(format) : 0;
  if (version == 0 && data && GST_VALUE_HOLDS_BUFFER(data)) {
    uint8_t bytes[8] = {};
    gst_buffer_extract(gst_value_get_buffer(data), 0, bytes, sizeof bytes);
    version = read_be<uint32_t>(bytes + 4);
  }
  return (version >> 20 & 0xff) >= 2;
}

PictureKindReader kind_reader(const GstStructure *caps) {
  const char *codec = gst_structure_get_string(caps, "codec");
  for (const auto &named : kNamed)
    if (g_strcmp0(codec, named.codec) == 0)
      return named.reader;
  const char *format = gst_structure_get_string(caps, "format");
  if (format && g_str_has_prefix(format, "MSS")) // screen codecs with the media type of WMV
    return {};
  for (const auto &reader : kReaders) {
    gint version = 0;
    if (!gst_structure_has_name(caps, reader.media_type))
      continue;
    if (!reader.field)
      return {reader.read, reader.holds_last};
    gst_structure_get_int(caps, reader.field, &version);
    for (const int known : reader.versions)
      if (version == known)
        return {reader.read, reader.holds_last};
  }
  return {};
}

} // namespace

PictureKindReader picture_kind_reader(const GstStructure *caps) {
  PictureKindReader reader = kind_reader(caps);
  reader.loses_last = reader.holds_last && may_have_b_pictures(caps);
  return reader;
}

} // namespace cps
