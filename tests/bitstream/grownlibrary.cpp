// SPDX-License-Identifier: LGPL-2.1-or-later
// A stand-in for a newer codecparsers, whose structures have grown: whatever the library fills in, this writes behind
// it as well, as far as new fields might reach. What is there must be room that was made for it, which is zero before.
#include <gst/check/gstcheck.h>

#include <algorithm>
#include <cstring>
#include <dlfcn.h>

#define GST_USE_UNSTABLE_API
#include <gst/codecparsers/gstav1parser.h>
#include <gst/codecparsers/gsth264parser.h>
#include <gst/codecparsers/gsth265parser.h>
#include <gst/codecparsers/gstmpeg4parser.h>
#include <gst/codecparsers/gstmpegvideoparser.h>
#include <gst/codecparsers/gstvp8parser.h>
#include <gst/codecparsers/gstvp9parser.h>

namespace {

constexpr size_t kGrowth = 4096; // ten times the most that has been seen
constexpr unsigned char kPoison = 0x5a;

int depth = 0; // of calls: what the library hands to itself is its own affair

template <typename T> void grow(const T *structure) {
  if (depth > 0)
    return;
  auto *behind = reinterpret_cast<unsigned char *>(const_cast<T *>(structure + 1));
  fail_unless(std::all_of(behind, behind + kGrowth, [](unsigned char byte) { return byte == 0 || byte == kPoison; }),
              "there is no room behind a structure of %zu bytes", sizeof(T));
  memset(behind, kPoison, kGrowth);
}

template <typename Function> Function *in_the_library(const char *name) {
  auto *function = reinterpret_cast<Function *>(dlsym(RTLD_NEXT, name));
  fail_unless(function != nullptr, "%s", name);
  return function;
}

} // namespace

// Calls `function` of the library, and lets what `grown` points to grow.
#define GROWN(result_type, function, parameters, arguments, grown)                                                     \
  extern "C" result_type function parameters {                                                                         \
    static auto *const library = in_the_library<result_type parameters>(#function);                                    \
    grow(grown);                                                                                                       \
    ++depth;                                                                                                           \
    const result_type result = library arguments;                                                                      \
    --depth;                                                                                                           \
    grow(grown);                                                                                                       \
    return result;                                                                                                     \
  }

GROWN(GstH264ParserResult, gst_h264_parser_parse_sps, (GstH264NalParser * parser, GstH264NalUnit *nal, GstH264SPS *sps),
      (parser, nal, sps), sps)
GROWN(GstH264ParserResult, gst_h264_parser_parse_nal, (GstH264NalParser * parser, GstH264NalUnit *nal), (parser, nal),
      nal)
GROWN(GstH264ParserResult, gst_h264_parser_parse_sei, (GstH264NalParser * parser, GstH264NalUnit *nal, GArray **all),
      (parser, nal, all), nal)
GROWN(GstH264ParserResult, gst_h264_parser_parse_slice_hdr,
      (GstH264NalParser * parser, GstH264NalUnit *nal, GstH264SliceHdr *slice, gboolean weights, gboolean marking),
      (parser, nal, slice, weights, marking), slice)
GROWN(GstH265ParserResult, gst_h265_parser_parse_sps,
      (GstH265Parser * parser, GstH265NalUnit *nal, GstH265SPS *sps, gboolean vui), (parser, nal, sps, vui), sps)
GROWN(GstH265ParserResult, gst_h265_parser_parse_nal, (GstH265Parser * parser, GstH265NalUnit *nal), (parser, nal), nal)
GROWN(GstH265ParserResult, gst_h265_parser_parse_slice_hdr,
      (GstH265Parser * parser, GstH265NalUnit *nal, GstH265SliceHdr *slice), (parser, nal, slice), slice)
GROWN(GstVp8ParserResult, gst_vp8_parser_parse_frame_header,
      (GstVp8Parser * parser, GstVp8FrameHdr *frame, const guint8 *data, gsize size), (parser, frame, data, size),
      frame)
GROWN(GstVp9ParserResult, gst_vp9_parser_parse_frame_header,
      (GstVp9Parser * parser, GstVp9FrameHdr *frame, const guint8 *data, gsize size), (parser, frame, data, size),
      frame)
GROWN(GstVp9ParserResult, gst_vp9_parser_parse_superframe_info,
      (GstVp9Parser * parser, GstVp9SuperframeInfo *info, const guint8 *data, gsize size), (parser, info, data, size),
      info)
GROWN(GstAV1ParserResult, gst_av1_parser_identify_one_obu,
      (GstAV1Parser * parser, const guint8 *data, guint32 size, GstAV1OBU *obu, guint32 *used),
      (parser, data, size, obu, used), obu)
GROWN(GstAV1ParserResult, gst_av1_parser_parse_temporal_delimiter_obu, (GstAV1Parser * parser, GstAV1OBU *obu),
      (parser, obu), obu)
GROWN(GstAV1ParserResult, gst_av1_parser_parse_sequence_header_obu,
      (GstAV1Parser * parser, GstAV1OBU *obu, GstAV1SequenceHeaderOBU *sequence), (parser, obu, sequence), sequence)
GROWN(GstAV1ParserResult, gst_av1_parser_parse_frame_obu,
      (GstAV1Parser * parser, GstAV1OBU *obu, GstAV1FrameOBU *frame), (parser, obu, frame), frame)
GROWN(GstAV1ParserResult, gst_av1_parser_parse_frame_header_obu,
      (GstAV1Parser * parser, GstAV1OBU *obu, GstAV1FrameHeaderOBU *frame), (parser, obu, frame), frame)
GROWN(GstAV1ParserResult, gst_av1_parser_parse_tile_group_obu,
      (GstAV1Parser * parser, GstAV1OBU *obu, GstAV1TileGroupOBU *tiles), (parser, obu, tiles), tiles)
GROWN(gboolean, gst_mpeg_video_packet_parse_gop, (const GstMpegVideoPacket *packet, GstMpegVideoGop *gop),
      (packet, gop), gop)
GROWN(gboolean, gst_mpeg_video_packet_parse_picture_header,
      (const GstMpegVideoPacket *packet, GstMpegVideoPictureHdr *header), (packet, header), header)
GROWN(gboolean, gst_mpeg_video_packet_parse_picture_extension,
      (const GstMpegVideoPacket *packet, GstMpegVideoPictureExt *extension), (packet, extension), extension)
GROWN(GstMpeg4ParseResult, gst_mpeg4_parse_video_object_layer,
      (GstMpeg4VideoObjectLayer * layer, GstMpeg4VisualObject *object, const guint8 *data, gsize size),
      (layer, object, data, size), layer)
GROWN(GstMpeg4ParseResult, gst_mpeg4_parse_video_object_plane,
      (GstMpeg4VideoObjectPlane * plane, GstMpeg4SpriteTrajectory *sprite, GstMpeg4VideoObjectLayer *layer,
       const guint8 *data, gsize size),
      (plane, sprite, layer, data, size), plane)

extern "C" void gst_vp8_parser_init(GstVp8Parser *parser) {
  static auto *const library = in_the_library<void(GstVp8Parser *)>("gst_vp8_parser_init");
  library(parser);
  grow(parser);
}
