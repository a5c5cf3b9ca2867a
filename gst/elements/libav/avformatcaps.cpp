// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/libav/avformatcaps.h"

#include "gst/elements/libav/avcodeccaps.h"

#include <string>

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
}

namespace cps {

namespace {

struct CodecCaps {
  AVCodecID codec;
  const char *caps;
};

// Codecs for which there are parsers or several decoders.
constexpr CodecCaps kCodecs[] = {
    {AV_CODEC_ID_H264, "video/x-h264, alignment=(string)au"},
    {AV_CODEC_ID_HEVC, "video/x-h265, alignment=(string)au"},
    {AV_CODEC_ID_VP8, "video/x-vp8"},
    {AV_CODEC_ID_VP9, "video/x-vp9"},
    {AV_CODEC_ID_AV1, "video/x-av1, stream-format=(string)obu-stream, alignment=(string)tu"},
    {AV_CODEC_ID_MPEG1VIDEO, "video/mpeg, mpegversion=(int)1, systemstream=(boolean)false"},
    {AV_CODEC_ID_MPEG2VIDEO, "video/mpeg, mpegversion=(int)2, systemstream=(boolean)false"},
    {AV_CODEC_ID_MPEG4, "video/mpeg, mpegversion=(int)4, systemstream=(boolean)false"},
    {AV_CODEC_ID_VC1, "video/x-wmv, wmvversion=(int)3, format=(string)WVC1"},
    {AV_CODEC_ID_WMV3, "video/x-wmv, wmvversion=(int)3, format=(string)WMV3"},
    {AV_CODEC_ID_DNXHD, "video/x-dnxhd"},
    {AV_CODEC_ID_MJPEG, "image/jpeg"},
    {AV_CODEC_ID_PNG, "image/png"},
};

bool is_avc_record(const AVCodecParameters *codec) {
  return codec->extradata_size > 0 && codec->extradata[0] == 1;
}

void set_stream_format(GstCaps *caps, const AVCodecParameters *codec) {
  if (codec->codec_id != AV_CODEC_ID_H264 && codec->codec_id != AV_CODEC_ID_HEVC)
    return;
  const char *with_sizes = codec->codec_id == AV_CODEC_ID_H264 ? "avc" : "hvc1";
  gst_caps_set_simple(caps, "stream-format", G_TYPE_STRING, is_avc_record(codec) ? with_sizes : "byte-stream", nullptr);
}

// Byte streams contain their headers.
bool has_codec_data(const AVCodecParameters *codec) {
  switch (codec->codec_id) {
  case AV_CODEC_ID_H264:
  case AV_CODEC_ID_HEVC:
    return is_avc_record(codec);
  case AV_CODEC_ID_MPEG1VIDEO:
  case AV_CODEC_ID_MPEG2VIDEO:
  case AV_CODEC_ID_AV1:
    return false;
  default:
    return codec->extradata_size > 0;
  }
}

void set_codec_data(GstCaps *caps, const AVCodecParameters *codec) {
  if (!has_codec_data(codec))
    return;
  const auto size = static_cast<gsize>(codec->extradata_size);
  const Owned<GstBuffer> data(gst_buffer_new_memdup(codec->extradata, size));
  gst_caps_set_simple(caps, "codec_data", GST_TYPE_BUFFER, data.get(), nullptr);
}

void set_geometry(GstCaps *caps, const AVStream *stream) {
  const AVCodecParameters *codec = stream->codecpar;
  if (codec->width > 0 && codec->height > 0)
    gst_caps_set_simple(caps, "width", G_TYPE_INT, codec->width, "height", G_TYPE_INT, codec->height, nullptr);
  if (stream->avg_frame_rate.num > 0 && stream->avg_frame_rate.den > 0)
    gst_caps_set_simple(caps, "framerate", GST_TYPE_FRACTION, stream->avg_frame_rate.num, stream->avg_frame_rate.den,
                        nullptr);
  const AVRational shape =
      stream->sample_aspect_ratio.num > 0 ? stream->sample_aspect_ratio : codec->sample_aspect_ratio;
  if (shape.num > 0 && shape.den > 0)
    gst_caps_set_simple(caps, "pixel-aspect-ratio", GST_TYPE_FRACTION, shape.num, shape.den, nullptr);
}

// True for codecs that only the tag distinguishes from others of the same name: ATI VCR 2 is MPEG-2 with its chroma
// planes swapped.
bool is_a_dialect(const AVCodecParameters *codec) {
  return codec->codec_tag == MKTAG('V', 'C', 'R', '2');
}

Owned<GstCaps> caps_of_codec(const AVCodecParameters *codec) {
  if (!is_a_dialect(codec))
    for (const CodecCaps &one : kCodecs)
      if (one.codec == codec->codec_id)
        return Owned<GstCaps>(gst_caps_from_string(one.caps));
  return caps_of_libav_codec(codec);
}

} // namespace

Owned<GstCaps> caps_of_stream(const AVStream *stream) {
  Owned<GstCaps> caps = caps_of_codec(stream->codecpar);
  if (!caps)
    return nullptr;
  set_stream_format(caps.get(), stream->codecpar);
  set_codec_data(caps.get(), stream->codecpar);
  set_geometry(caps.get(), stream);
  return caps;
}

} // namespace cps
