// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * CpsAvcodecDec:
 *
 * Decodes with libavcodec, for the bins, the streams that the decoders of gst-libav do not decode: codecs without caps
 * there, packets with side data, and frames in formats that GStreamer has no name for, which are converted to a format
 * that holds them.
 *
 * Frames that libavcodec reports as damaged have %GST_BUFFER_FLAG_CORRUPTED. The decoders of gst-libav do not report
 * errors in H.264, MPEG-1, MPEG-2 and MPEG-4; to detect these errors, use this element instead.
 *
 * Since: 0.1
 */
#include "gst/elements/libav/avcodecdec.h"

#include "gst/elements/common/options.h"
#include "gst/elements/libav/avcodeccaps.h"
#include "gst/elements/libav/avowned.h"
#include "gst/elements/libav/avpixels.h"
#include "gst/elements/libav/ffv1checksums.h"

GST_DEBUG_CATEGORY_STATIC(avcodec_dec_debug);
#define GST_CAT_DEFAULT avcodec_dec_debug

using cps::Owned;

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(AVCODEC_CAPS));
static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS("video/x-raw"));

namespace {

constexpr int kDefaultThreads = 0;

// The most frames that a decoder holds: one per frame thread, and B frames. A frame that has waited for longer is lost.
constexpr guint32 kMostInHand = 64;

} // namespace

namespace cps {
CPS_RELEASE(GstVideoCodecState, gst_video_codec_state_unref);
} // namespace cps

struct _CpsAvcodecDec {
  GstVideoDecoder parent;
};

struct CpsAvcodecDecPrivate {
  explicit CpsAvcodecDecPrivate(gpointer object) : options(object) {}

  cps::Options options;

  // Protected by the stream lock.
  Owned<GstVideoCodecState> input, output;
  Owned<AVCodecContext> context;
  cps::AvPixels pixels; // from the decoder's format to that of `output`
};

using State = CpsAvcodecDecPrivate;

G_DEFINE_FINAL_TYPE_WITH_PRIVATE(CpsAvcodecDec, cps_avcodec_dec, GST_TYPE_VIDEO_DECODER)
GST_ELEMENT_REGISTER_DEFINE(avcodecdec, "avcodecdec", GST_RANK_NONE, CPS_TYPE_AVCODEC_DEC)

static State &state_of(gpointer self) {
  return *static_cast<State *>(cps_avcodec_dec_get_instance_private(CPS_AVCODEC_DEC(self)));
}

// Frames

static void take_colors(GstVideoInfo &info, const AVFrame *frame) {
  GstVideoColorimetry &colors = info.colorimetry;
  if (GST_VIDEO_INFO_IS_RGB(&info)) {
    gst_video_colorimetry_from_string(&colors, GST_VIDEO_COLORIMETRY_SRGB);
    return;
  }
  if (cps::is_full_range(frame))
    colors.range = GST_VIDEO_COLOR_RANGE_0_255;
  else if (frame->color_range == AVCOL_RANGE_MPEG)
    colors.range = GST_VIDEO_COLOR_RANGE_16_235;
  if (frame->colorspace != AVCOL_SPC_UNSPECIFIED)
    colors.matrix = gst_video_color_matrix_from_iso(static_cast<guint>(frame->colorspace));
  if (frame->color_primaries != AVCOL_PRI_UNSPECIFIED)
    colors.primaries = gst_video_color_primaries_from_iso(static_cast<guint>(frame->color_primaries));
  if (frame->color_trc != AVCOL_TRC_UNSPECIFIED)
    colors.transfer = gst_video_transfer_function_from_iso(static_cast<guint>(frame->color_trc));
}

// Sets the output format according to `frame`. Returns false after posting an error, or if downstream does not accept
// the format.
static bool negotiate(CpsAvcodecDec *self, const AVFrame *frame) {
  State &state = state_of(self);
  if (state.output && state.pixels.are_of(frame))
    return true;
  if (!state.pixels.set_up(frame)) {
    GST_ELEMENT_ERROR(self, STREAM, FORMAT, ("The video decodes to a pixel format that cannot be converted here."),
                      ("%dx%d of format %d", frame->width, frame->height, frame->format));
    return false;
  }
  auto *decoder = GST_VIDEO_DECODER(self);
  state.output.reset(gst_video_decoder_set_output_state(decoder, state.pixels.format(),
                                                        static_cast<guint>(frame->width),
                                                        static_cast<guint>(frame->height), state.input.get()));
  GstVideoInfo &info = state.output->info;
  take_colors(info, frame);
  const AVRational shape = frame->sample_aspect_ratio;
  if (GST_VIDEO_INFO_PAR_N(&info) == GST_VIDEO_INFO_PAR_D(&info) && shape.num > 0 && shape.den > 0) {
    GST_VIDEO_INFO_PAR_N(&info) = shape.num;
    GST_VIDEO_INFO_PAR_D(&info) = shape.den;
  }
  GST_INFO_OBJECT(self, "%s comes out as %s", state.pixels.name(), GST_VIDEO_INFO_NAME(&info));
  return gst_video_decoder_negotiate(decoder);
}

// The frame that was decoded to `picture`, whose time is the frame's number; nullptr if it has been output before.
static GstVideoCodecFrame *take_frame(GstVideoDecoder *decoder, const AVFrame *picture) {
  if (picture->pts == AV_NOPTS_VALUE)
    return gst_video_decoder_get_oldest_frame(decoder);
  return gst_video_decoder_get_frame(decoder, static_cast<int>(picture->pts));
}

static void drop_lost(GstVideoDecoder *decoder, guint32 number) {
  for (;;) {
    GstVideoCodecFrame *oldest = gst_video_decoder_get_oldest_frame(decoder);
    if (!oldest)
      return;
    if (oldest->system_frame_number + kMostInHand >= number) {
      gst_video_codec_frame_unref(oldest);
      return;
    }
    gst_video_decoder_release_frame(decoder, oldest);
  }
}

static GstFlowReturn put_out(CpsAvcodecDec *self, const AVFrame *picture) {
  auto *decoder = GST_VIDEO_DECODER(self);
  GstVideoCodecFrame *frame = take_frame(decoder, picture);
  if (!frame)
    return GST_FLOW_OK;
  State &state = state_of(self);
  GstFlowReturn flow = negotiate(self, picture) ? GST_FLOW_OK : GST_FLOW_NOT_NEGOTIATED;
  if (flow == GST_FLOW_OK)
    flow = gst_video_decoder_allocate_output_frame(decoder, frame);
  GstVideoFrame memory;
  if (flow == GST_FLOW_OK && gst_video_frame_map(&memory, &state.output->info, frame->output_buffer, GST_MAP_WRITE)) {
    state.pixels.copy(picture, memory);
    gst_video_frame_unmap(&memory);
  } else {
    gst_video_decoder_release_frame(decoder, frame);
    return flow == GST_FLOW_OK ? GST_FLOW_ERROR : flow;
  }
  if (picture->decode_error_flags || (picture->flags & AV_FRAME_FLAG_CORRUPT) ||
      GST_BUFFER_FLAG_IS_SET(frame->input_buffer, GST_BUFFER_FLAG_CORRUPTED))
    GST_BUFFER_FLAG_SET(frame->output_buffer, GST_BUFFER_FLAG_CORRUPTED);
  drop_lost(decoder, frame->system_frame_number);
  return gst_video_decoder_finish_frame(decoder, frame);
}

// Outputs all frames that the decoder has completed.
static GstFlowReturn receive(CpsAvcodecDec *self) {
  const State &state = state_of(self);
  const cps::Owned<AVFrame> picture(av_frame_alloc());
  GstFlowReturn flow = GST_FLOW_OK;
  while (flow == GST_FLOW_OK && avcodec_receive_frame(state.context.get(), picture.get()) >= 0) {
    flow = put_out(self, picture.get());
    av_frame_unref(picture.get());
  }
  return flow;
}

// Access units

static cps::Owned<AVPacket> to_packet(const GstVideoCodecFrame *frame) {
  cps::Owned<AVPacket> packet(av_packet_alloc());
  GstBuffer *unit = frame->input_buffer;
  const gsize size = gst_buffer_get_size(unit);
  if (size > G_MAXINT - AV_INPUT_BUFFER_PADDING_SIZE || av_new_packet(packet.get(), static_cast<int>(size)) < 0)
    return nullptr;
  gst_buffer_extract(unit, 0, packet->data, size);
  packet->pts = packet->dts = frame->system_frame_number;
  if (!GST_BUFFER_FLAG_IS_SET(unit, GST_BUFFER_FLAG_DELTA_UNIT))
    packet->flags |= AV_PKT_FLAG_KEY;
  cps::take_side_data(unit, packet.get());
  return packet;
}

// Flags a damaged access unit, because its decoded picture will not be flagged.
static void mark_damage(const State &state, GstVideoCodecFrame *frame, const AVPacket *packet) {
  const bool may_have_checksums = state.context->codec_id == AV_CODEC_ID_FFV1 && state.context->extradata_size > 0;
  if (!may_have_checksums || !cps::has_wrong_ffv1_checksum(packet->data, static_cast<size_t>(packet->size)))
    return;
  frame->input_buffer = gst_buffer_make_writable(frame->input_buffer);
  GST_BUFFER_FLAG_SET(frame->input_buffer, GST_BUFFER_FLAG_CORRUPTED);
}

static GstFlowReturn avcodec_dec_handle_frame(GstVideoDecoder *decoder, GstVideoCodecFrame *frame) {
  auto *self = CPS_AVCODEC_DEC(decoder);
  const State &state = state_of(self);
  const cps::Owned<AVPacket> packet = to_packet(frame);
  if (packet)
    mark_damage(state, frame, packet.get());
  gst_video_codec_frame_unref(frame);
  GstFlowReturn flow = GST_FLOW_OK;
  int error = packet ? avcodec_send_packet(state.context.get(), packet.get()) : AVERROR(ENOMEM);
  if (error == AVERROR(EAGAIN)) { // the decoder is full
    flow = receive(self);
    error = avcodec_send_packet(state.context.get(), packet.get());
  }
  if (error < 0)
    GST_WARNING_OBJECT(self, "an access unit cannot be decoded: %s", cps::text_of_libav_error(error).c_str());
  return flow == GST_FLOW_OK ? receive(self) : flow;
}

static GstFlowReturn avcodec_dec_drain(GstVideoDecoder *decoder) {
  auto *self = CPS_AVCODEC_DEC(decoder);
  const State &state = state_of(self);
  if (!state.context)
    return GST_FLOW_OK;
  avcodec_send_packet(state.context.get(), nullptr);
  const GstFlowReturn flow = receive(self);
  avcodec_flush_buffers(state.context.get()); // otherwise it accepts no more packets
  return flow;
}

static gboolean avcodec_dec_flush(GstVideoDecoder *decoder) {
  const State &state = state_of(decoder);
  if (state.context)
    avcodec_flush_buffers(state.context.get());
  return TRUE;
}

// States

static gboolean avcodec_dec_set_format(GstVideoDecoder *decoder, GstVideoCodecState *input) {
  State &state = state_of(decoder);
  avcodec_dec_drain(decoder);
  state.output.reset();
  state.input.reset(gst_video_codec_state_ref(input));
  state.context.reset(cps::context_of_caps(input->caps));
  if (!state.context)
    return FALSE;
  state.context->thread_count = cps::option_int(state.options.snapshot().get(), "max-threads");
  const int error = avcodec_open2(state.context.get(), nullptr, nullptr);
  if (error >= 0)
    return TRUE;
  GST_ELEMENT_ERROR(decoder, STREAM, DECODE,
                    ("The headers of the video are damaged: %s.", cps::text_of_libav_error(error).c_str()),
                    ("%s does not open", avcodec_get_name(state.context->codec_id)));
  state.context.reset();
  return FALSE;
}

static gboolean avcodec_dec_stop(GstVideoDecoder *decoder) {
  State &state = state_of(decoder);
  state.context.reset();
  state.output.reset();
  state.input.reset();
  state.pixels = {};
  return TRUE;
}

// GObject

static void avcodec_dec_finalize(GObject *object) {
  state_of(object).~State();
  G_OBJECT_CLASS(cps_avcodec_dec_parent_class)->finalize(object);
}

static void cps_avcodec_dec_init(CpsAvcodecDec *self) {
  new (&state_of(self)) State(self);
  auto *decoder = GST_VIDEO_DECODER(self);
  gst_video_decoder_set_packetized(decoder, TRUE);
  gst_video_decoder_set_needs_format(decoder, TRUE);
  gst_video_decoder_set_use_default_pad_acceptcaps(decoder, TRUE);
  GST_PAD_SET_ACCEPT_TEMPLATE(GST_VIDEO_DECODER_SINK_PAD(decoder)); // the default requires a frame rate
}

static void cps_avcodec_dec_class_init(CpsAvcodecDecClass *klass) {
  GST_DEBUG_CATEGORY_INIT(avcodec_dec_debug, "avcodecdec", 0, "decoder of libavcodec");
  auto *object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = cps::set_option<state_of>;
  object_class->get_property = cps::get_option<state_of>;
  object_class->finalize = avcodec_dec_finalize;
  g_object_class_install_property(
      object_class, 1,
      g_param_spec_int("max-threads", "Maximum threads", "Threads to decode with; 0: as many as there are processors",
                       0, G_MAXINT, kDefaultThreads,
                       static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY)));

  auto *element_class = GST_ELEMENT_CLASS(klass);
  gst_element_class_add_static_pad_template(element_class, &sink_template);
  gst_element_class_add_static_pad_template(element_class, &src_template);
  gst_element_class_set_static_metadata(element_class, "Decoder of libavcodec", "Codec/Decoder/Video",
                                        "Decodes videos that no decoder of GStreamer's puts out", "codecpatch");

  auto *decoder_class = GST_VIDEO_DECODER_CLASS(klass);
  decoder_class->set_format = GST_DEBUG_FUNCPTR(avcodec_dec_set_format);
  decoder_class->handle_frame = GST_DEBUG_FUNCPTR(avcodec_dec_handle_frame);
  decoder_class->drain = GST_DEBUG_FUNCPTR(avcodec_dec_drain);
  decoder_class->finish = GST_DEBUG_FUNCPTR(avcodec_dec_drain);
  decoder_class->flush = GST_DEBUG_FUNCPTR(avcodec_dec_flush);
  decoder_class->stop = GST_DEBUG_FUNCPTR(avcodec_dec_stop);
}
