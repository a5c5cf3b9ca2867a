// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/libav/avcodeccaps.h"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavutil/pixdesc.h>
}

namespace cps {

static const char *const kNamed = "video/x-cps-libav"; // one of PLANNER_CAPS

namespace field {
static const char *const kCodec = "codec", *const kTag = "codec-tag", *const kFormat = "pixel-format",
                         *const kDepth = "depth", *const kIntraOnly = "intra-only", *const kData = "codec_data";
}

// Excludes formats that may have a palette (8 bits at most), because a palette may come with one picture and apply to
// the next.
static bool is_intra_only(const AVCodecParameters *codec) {
  const AVCodecDescriptor *descriptor = avcodec_descriptor_get(codec->codec_id);
  const bool may_have_palette = codec->bits_per_coded_sample > 0 && codec->bits_per_coded_sample <= 8;
  return descriptor && (descriptor->props & AV_CODEC_PROP_INTRA_ONLY) && !may_have_palette;
}

Owned<GstCaps> caps_of_libav_codec(const AVCodecParameters *codec) {
  const AVCodec *decoder = avcodec_find_decoder(codec->codec_id);
  if (!decoder)
    return nullptr;
  const char *format = av_get_pix_fmt_name(static_cast<AVPixelFormat>(codec->format));
  Owned<GstCaps> caps(gst_caps_new_simple(kNamed, field::kCodec, G_TYPE_STRING, decoder->name, field::kTag, G_TYPE_UINT,
                                          codec->codec_tag, field::kDepth, G_TYPE_INT, codec->bits_per_coded_sample,
                                          field::kIntraOnly, G_TYPE_BOOLEAN, is_intra_only(codec), nullptr));
  if (format)
    gst_caps_set_simple(caps.get(), field::kFormat, G_TYPE_STRING, format, nullptr);
  return caps;
}

enum class Choice {
  Only,      // no other decoder is right
  Preferred, // if libavcodec has it
  Possible,
};

struct Codec {
  const char *media_type, *name;
  Choice choice = Choice::Possible;
  gint mpegversion = 0; // if there are several
};

// The codecs of AVCODEC_CAPS, by libavcodec's names.
static constexpr Codec kCodecs[] = {
    {"video/x-vp9", "vp9"},                         // see is_of_avcodec()
    {"video/x-ffv", "ffv1", Choice::Only},          // grey of 9 to 14 bits, alpha of 10 to 16
    {"video/x-cineform", "cfhd", Choice::Only},     // RGB with alpha of 12 bits, raw sensor data
    {"video/x-av1", "libdav1d", Choice::Preferred}, // av1dec ends the stream at the first error
    {"video/x-h264", "h264"},
    {"video/mpeg", "mpeg1video", Choice::Possible, 1},
    {"video/mpeg", "mpeg2video", Choice::Possible, 2},
    {"video/mpeg", "mpeg4", Choice::Possible, 4},
};

static const Codec *codec_of(const GstStructure *stream) {
  gint version = 0;
  gst_structure_get_int(stream, "mpegversion", &version);
  for (const Codec &codec : kCodecs)
    if (gst_structure_has_name(stream, codec.media_type) && codec.mpegversion == version)
      return &codec;
  return nullptr;
}

static const char *codec_name(const GstStructure *stream) {
  if (gst_structure_has_name(stream, kNamed))
    return gst_structure_get_string(stream, field::kCodec);
  const Codec *codec = codec_of(stream);
  return codec ? codec->name : nullptr;
}

bool is_of_avcodec(const GstCaps *caps) {
  const GstStructure *stream = gst_caps_get_structure(caps, 0);
  guint depth = 8;
  gst_structure_get_uint(stream, "bit-depth-luma", &depth);
  if (gst_structure_has_name(stream, "video/x-vp9")) // vp9dec outputs 8 bits as 4:4:4
    return depth > 8 && g_strcmp0(gst_structure_get_string(stream, "chroma-format"), "4:4:0") == 0;
  const Codec *codec = codec_of(stream);
  return codec ? codec->choice == Choice::Only : gst_structure_has_name(stream, kNamed);
}

bool avcodec_has(const GstCaps *caps) {
  const char *name = codec_name(gst_caps_get_structure(caps, 0));
  return name && avcodec_find_decoder_by_name(name);
}

bool is_better_of_avcodec(const GstCaps *caps) {
  const Codec *codec = codec_of(gst_caps_get_structure(caps, 0));
  return codec && codec->choice == Choice::Preferred && avcodec_has(caps);
}

static void set_extradata(AVCodecContext *context, GstBuffer *data) {
  const gsize size = gst_buffer_get_size(data);
  if (size == 0 || size > G_MAXINT - AV_INPUT_BUFFER_PADDING_SIZE)
    return;
  context->extradata = static_cast<uint8_t *>(av_mallocz(size + AV_INPUT_BUFFER_PADDING_SIZE));
  context->extradata_size = context->extradata ? static_cast<int>(size) : 0;
  gst_buffer_extract(data, 0, context->extradata, static_cast<gsize>(context->extradata_size));
}

AVCodecContext *context_of_caps(const GstCaps *caps) {
  const GstStructure *stream = gst_caps_get_structure(caps, 0);
  const char *name = codec_name(stream);
  const AVCodec *decoder = name ? avcodec_find_decoder_by_name(name) : nullptr;
  if (!decoder)
    return nullptr;
  AVCodecContext *context = avcodec_alloc_context3(decoder);
  context->flags |= AV_CODEC_FLAG_OUTPUT_CORRUPT; // as in gst-libav: corrupt frames are flagged, not dropped
  // With frame threads these decoders output frames in which other threads may still find errors.
  if (decoder->id == AV_CODEC_ID_H264 || decoder->id == AV_CODEC_ID_MPEG4)
    context->thread_type = FF_THREAD_SLICE;
  gst_structure_get(stream, "width", G_TYPE_INT, &context->width, nullptr);
  gst_structure_get(stream, "height", G_TYPE_INT, &context->height, nullptr);
  gst_structure_get(stream, field::kTag, G_TYPE_UINT, &context->codec_tag, nullptr);
  gst_structure_get(stream, field::kDepth, G_TYPE_INT, &context->bits_per_coded_sample, nullptr);
  if (const gchar *format = gst_structure_get_string(stream, field::kFormat))
    context->pix_fmt = av_get_pix_fmt(format);
  const GValue *data = gst_structure_get_value(stream, field::kData);
  if (GstBuffer *buffer = data && GST_VALUE_HOLDS_BUFFER(data) ? gst_value_get_buffer(data) : nullptr)
    set_extradata(context, buffer);
  return context;
}

// Side data

static const char *const kPaletteMeta = "cps-palette";

static bool can_carry_palettes() {
  static const GstMetaInfo *info = [] {
    const gchar *no_tags[] = {nullptr};
    return gst_meta_register_custom(kPaletteMeta, no_tags, nullptr, nullptr, nullptr);
  }();
  return info != nullptr;
}

void put_side_data(const AVPacket *packet, GstBuffer *buffer) {
  size_t size = 0;
  const uint8_t *palette = av_packet_get_side_data(packet, AV_PKT_DATA_PALETTE, &size);
  if (!palette || !can_carry_palettes())
    return;
  const Owned<GstBuffer> copy(gst_buffer_new_memdup(palette, size));
  GstCustomMeta *meta = gst_buffer_add_custom_meta(buffer, kPaletteMeta);
  gst_structure_set(gst_custom_meta_get_structure(meta), kPaletteMeta, GST_TYPE_BUFFER, copy.get(), nullptr);
}

void take_side_data(GstBuffer *buffer, AVPacket *packet) {
  GstCustomMeta *meta = can_carry_palettes() ? gst_buffer_get_custom_meta(buffer, kPaletteMeta) : nullptr;
  if (!meta)
    return;
  GstBuffer *palette = gst_value_get_buffer(gst_structure_get_value(gst_custom_meta_get_structure(meta), kPaletteMeta));
  const gsize size = gst_buffer_get_size(palette);
  if (uint8_t *copy = av_packet_new_side_data(packet, AV_PKT_DATA_PALETTE, size))
    gst_buffer_extract(palette, 0, copy, size);
}

std::string text_of_libav_error(int error) {
  char text[AV_ERROR_MAX_STRING_SIZE] = "";
  av_strerror(error, text, sizeof text);
  return text;
}

} // namespace cps
