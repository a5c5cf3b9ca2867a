// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * CpsAvformatDemux:
 *
 * Reads the videos of files with libavformat, for the bins, if no demuxer of GStreamer reads them well. It pulls, or
 * accepts pushed data, and does not seek, because the bins read the file again.
 *
 * Since: 0.1
 */
#include "gst/elements/libav/avformatdemux.h"

#include "gst/elements/libav/avcodeccaps.h"
#include "gst/elements/libav/avformatcaps.h"
#include "gst/elements/libav/avinput.h"
#include "gst/elements/libav/avowned.h"

#include <algorithm>
#include <cstring>
#include <gst/base/gstflowcombiner.h>
#include <memory>
#include <string>
#include <utility>
#include <vector>

extern "C" {
#include <libavformat/avformat.h>
}

GST_DEBUG_CATEGORY_STATIC(avformat_demux_debug);
#define GST_CAT_DEFAULT avformat_demux_debug

using cps::Owned;

// Formats that keep all of their data in one file. Excluded are formats that name other files or addresses, such as
// playlists, and formats that any text or noise may be mistaken for.
static const char *const kFormats =
    "4xm,amv,anm,apng,asf,asf_o,av1,avi,avr,avs,bethsoftvid,bfi,bink,bmv,c93,cavsvideo,cdxl,dcstr,dfa,dhav,dirac,dnxhd,"
    "dsicin,dv,dxa,ea,film_cpk,filmstrip,flic,flv,frm,gif,gxf,h261,h263,h264,hevc,hnm,idcin,iff,ifv,ipmovie,ipu,iv8,"
    "ivf,ivr,jv,kux,live_flv,lmlm4,lvf,lxf,m4v,matroska,webm,mgsts,mlv,mm,moflex,mov,mp4,m4a,3gp,3g2,"
    "mj2,mpeg,mpegts,mpegvideo,mtv,mv,mvi,mxf,mxg,nc,nsv,nut,nuv,obu,ogg,paf,pmp,pp_bnk,psxstr,pva,r3d,rl2,rm,"
    "roq,rpl,sga,siff,simbiosis_imx,smjpeg,smk,smush,svs,swf,thp,tiertexseq,tmv,txd,ty,vc1,vc1test,vidc,vividas,vivo,"
    "vmd,vqf,wc3movie,wsvqa,wtv,wve,xmv,yop,yuv4mpegpipe";

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("video_%u", GST_PAD_SRC, GST_PAD_SOMETIMES, GST_STATIC_CAPS_ANY);

namespace {

constexpr int kReadAtOnce = 64 << 10;

struct Video {
  GstPad *pad; // owned by the element
  int stream;
  gint64 duration; // nanoseconds, or -1
  bool discont;
};

} // namespace

namespace cps {
CPS_RELEASE(GstFlowCombiner, gst_flow_combiner_free);
} // namespace cps

struct _CpsAvformatDemux {
  GstElement parent;
};

struct CpsAvformatDemuxPrivate {
  GstPad *sinkpad = nullptr; // owned by the element
  cps::AvInput input;

  // Not the pad's task, because threads that push hold that task's lock.
  GRecMutex task_lock{};
  Owned<GstTask> task;
  bool stopping = false; // object lock, which is also held to pause the task

  // Used by the task only, as long as it runs.
  Owned<AVIOContext> io;
  Owned<AVFormatContext> file; // freed before `io`
  Owned<GstFlowCombiner> combiner;
  std::vector<Video> videos; // changed under the object lock
};

using State = CpsAvformatDemuxPrivate;

G_DEFINE_FINAL_TYPE_WITH_PRIVATE(CpsAvformatDemux, cps_avformat_demux, GST_TYPE_ELEMENT)
GST_ELEMENT_REGISTER_DEFINE(avformatdemux, "avformatdemux", GST_RANK_NONE, CPS_TYPE_AVFORMAT_DEMUX)

static State &state_of(gpointer self) {
  return *static_cast<State *>(cps_avformat_demux_get_instance_private(CPS_AVFORMAT_DEMUX(self)));
}

// Reading

static int is_stopping(void *self) {
  return GST_PAD_IS_FLUSHING(state_of(self).sinkpad);
}

// The contents of a file must not cause another file to be opened.
static int refuse_to_open(AVFormatContext *, AVIOContext **, const char *, int, AVDictionary **) {
  return AVERROR(EACCES);
}

// Streams

static GstClockTime nanoseconds(int64_t time, AVRational base) {
  if (time == AV_NOPTS_VALUE)
    return GST_CLOCK_TIME_NONE;
  const int64_t rescaled = av_rescale_q(time, base, AVRational{1, 1000000000});
  return rescaled < 0 ? GST_CLOCK_TIME_NONE : static_cast<GstClockTime>(rescaled);
}

static gboolean src_query(GstPad *pad, GstObject *parent, GstQuery *query) {
  GstFormat format = GST_FORMAT_UNDEFINED;
  if (GST_QUERY_TYPE(query) == GST_QUERY_SEEKING) {
    gst_query_parse_seeking(query, &format, nullptr, nullptr, nullptr);
    gst_query_set_seeking(query, format, FALSE, 0, -1);
    return TRUE;
  }
  if (GST_QUERY_TYPE(query) != GST_QUERY_DURATION)
    return gst_pad_query_default(pad, parent, query);
  gst_query_parse_duration(query, &format, nullptr);
  GST_OBJECT_LOCK(parent);
  gint64 duration = -1;
  for (const Video &video : state_of(parent).videos)
    if (video.pad == pad)
      duration = video.duration;
  GST_OBJECT_UNLOCK(parent);
  if (format == GST_FORMAT_TIME && duration >= 0)
    gst_query_set_duration(query, format, duration);
  return format == GST_FORMAT_TIME && duration >= 0;
}

// Refuses seeks, and does not forward them upstream.
static gboolean src_event(GstPad *pad, GstObject *parent, GstEvent *event) {
  if (GST_EVENT_TYPE(event) != GST_EVENT_SEEK)
    return gst_pad_event_default(pad, parent, event);
  gst_event_unref(event);
  return FALSE;
}

static void push_first_events(CpsAvformatDemux *self, GstPad *pad, GstCaps *caps, int stream) {
  const Owned<gchar> id(gst_pad_create_stream_id_printf(pad, GST_ELEMENT(self), "%03d", stream));
  gst_pad_push_event(pad, gst_event_new_stream_start(id.get()));
  gst_pad_push_event(pad, gst_event_new_caps(caps));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  gst_pad_push_event(pad, gst_event_new_segment(&segment));
}

static void add_video(CpsAvformatDemux *self, const AVStream *stream, GstCaps *caps) {
  State &state = state_of(self);
  const std::string name = "video_" + std::to_string(state.videos.size());
  GstPad *pad = gst_pad_new_from_static_template(&src_template, name.c_str());
  gst_pad_set_query_function(pad, GST_DEBUG_FUNCPTR(src_query));
  gst_pad_set_event_function(pad, GST_DEBUG_FUNCPTR(src_event));
  gst_pad_use_fixed_caps(pad);
  // Many containers declare a common duration of all their streams. If the audio is longer than the video, planners
  // would consider the video truncated.
  const bool guessed =
      state.file->duration_estimation_method == AVFMT_DURATION_FROM_BITRATE || state.file->nb_streams > 1;
  const GstClockTime duration = guessed ? GST_CLOCK_TIME_NONE : nanoseconds(stream->duration, stream->time_base);
  {
    GST_OBJECT_LOCK(self);
    const gint64 known = GST_CLOCK_TIME_IS_VALID(duration) ? static_cast<gint64>(duration) : -1;
    state.videos.push_back({pad, stream->index, known, true});
    GST_OBJECT_UNLOCK(self);
  }
  gst_pad_set_active(pad, TRUE);
  gst_flow_combiner_add_pad(state.combiner.get(), pad);
  push_first_events(self, pad, caps, stream->index); // before the pad is visible, so that it has caps
  gst_element_add_pad(GST_ELEMENT(self), pad);
}

static bool is_film(const AVStream *stream) {
  return stream->codecpar->codec_type == AVMEDIA_TYPE_VIDEO && !(stream->disposition & AV_DISPOSITION_ATTACHED_PIC);
}

// Returns false if there is no video that can be decoded here.
static bool add_videos(CpsAvformatDemux *self) {
  State &state = state_of(self);
  AVFormatContext *file = state.file.get();
  for (unsigned i = 0; i < file->nb_streams; i++) {
    AVStream *stream = file->streams[i];
    const Owned<GstCaps> caps = is_film(stream) ? cps::caps_of_stream(stream) : nullptr;
    stream->discard = caps ? AVDISCARD_DEFAULT : AVDISCARD_ALL;
    if (caps)
      add_video(self, stream, caps.get());
  }
  gst_element_no_more_pads(GST_ELEMENT(self));
  return !state.videos.empty();
}

// The file

static int open_file(CpsAvformatDemux *self) {
  State &state = state_of(self);
  state.input.find_size();
  auto *memory = static_cast<unsigned char *>(av_malloc(kReadAtOnce));
  state.io.reset(avio_alloc_context(memory, kReadAtOnce, 0, &state.input, cps::AvInput::read, nullptr,
                                    state.input.pulls() ? cps::AvInput::seek : nullptr));
  AVFormatContext *file = avformat_alloc_context();
  file->pb = state.io.get();
  file->io_open = refuse_to_open;
  file->interrupt_callback = {is_stopping, self};
  file->format_whitelist = av_strdup(kFormats);
  file->protocol_whitelist = av_strdup("");
  if (const int error = avformat_open_input(&file, "", nullptr, nullptr); error < 0) // on failure this frees `file`
    return error;
  state.file.reset(file);
  GST_INFO_OBJECT(self, "libavformat reads this as %s", file->iformat->name);
  return avformat_find_stream_info(file, nullptr);
}

// Returns false after posting an error, or if the element stops.
static bool begin(CpsAvformatDemux *self) {
  State &state = state_of(self);
  state.combiner.reset(gst_flow_combiner_new());
  const int error = open_file(self);
  if (error == AVERROR_EXIT || is_stopping(self))
    return false;
  if (error < 0) {
    GST_ELEMENT_ERROR(self, STREAM, DEMUX,
                      ("libavformat cannot read the source: %s.", cps::text_of_libav_error(error).c_str()), (nullptr));
    return false;
  }
  if (!add_videos(self)) {
    GST_ELEMENT_ERROR(self, STREAM, WRONG_TYPE, ("There is no video in the source that can be decoded here."),
                      (nullptr));
    return false;
  }
  return true;
}

static Owned<GstBuffer> to_buffer(const AVPacket *packet, const AVStream *stream) {
  Owned<GstBuffer> buffer(gst_buffer_new_memdup(packet->data, static_cast<gsize>(packet->size)));
  GST_BUFFER_PTS(buffer.get()) = nanoseconds(packet->pts, stream->time_base);
  GST_BUFFER_DTS(buffer.get()) = nanoseconds(packet->dts, stream->time_base);
  if (packet->duration > 0)
    GST_BUFFER_DURATION(buffer.get()) = nanoseconds(packet->duration, stream->time_base);
  if (!(packet->flags & AV_PKT_FLAG_KEY))
    GST_BUFFER_FLAG_SET(buffer.get(), GST_BUFFER_FLAG_DELTA_UNIT);
  if (packet->flags & AV_PKT_FLAG_CORRUPT)
    GST_BUFFER_FLAG_SET(buffer.get(), GST_BUFFER_FLAG_CORRUPTED);
  cps::put_side_data(packet, buffer.get());
  return buffer;
}

static void push_eos(CpsAvformatDemux *self) {
  for (const Video &video : state_of(self).videos)
    gst_pad_push_event(video.pad, gst_event_new_eos());
}

static GstFlowReturn push_packet(CpsAvformatDemux *self, const AVPacket *packet) {
  State &state = state_of(self);
  const auto video = std::find_if(state.videos.begin(), state.videos.end(),
                                  [&](const Video &one) { return one.stream == packet->stream_index; });
  if (video == state.videos.end() || packet->size <= 0)
    return GST_FLOW_OK;
  Owned<GstBuffer> buffer = to_buffer(packet, state.file->streams[packet->stream_index]);
  if (std::exchange(video->discont, false))
    GST_BUFFER_FLAG_SET(buffer.get(), GST_BUFFER_FLAG_DISCONT);
  const GstFlowReturn flow =
      gst_flow_combiner_update_pad_flow(state.combiner.get(), video->pad, gst_pad_push(video->pad, buffer.release()));
  if (flow < GST_FLOW_EOS || flow == GST_FLOW_NOT_LINKED) // because jpegdec (1.22) posts no error
    GST_ELEMENT_FLOW_ERROR(self, flow);
  return flow;
}

// Reads and pushes one packet. Any result but OK ends the stream.
static GstFlowReturn read_packet(CpsAvformatDemux *self) {
  State &state = state_of(self);
  const cps::Owned<AVPacket> packet(av_packet_alloc());
  const int error = av_read_frame(state.file.get(), packet.get());
  if (error >= 0)
    return push_packet(self, packet.get());
  if (error == AVERROR_EXIT || is_stopping(self))
    return GST_FLOW_FLUSHING;
  if (error == AVERROR(EAGAIN))
    return GST_FLOW_OK;
  // Several demuxers return another error at the end.
  const bool at_end = error == AVERROR_EOF || avio_feof(state.io.get()) || state.input.is_at_end();
  if (at_end && !state.input.has_failed())
    return GST_FLOW_EOS;
  GST_ELEMENT_ERROR(
      self, STREAM, DEMUX,
      ("The file is damaged or cut off: libavformat says \"%s\".", cps::text_of_libav_error(error).c_str()), (nullptr));
  return GST_FLOW_ERROR;
}

static void loop(gpointer data) {
  auto *self = CPS_AVFORMAT_DEMUX(data);
  State &state = state_of(self);
  GstFlowReturn flow = GST_FLOW_OK;
  if (!state.file)
    flow = begin(self) ? GST_FLOW_OK : GST_FLOW_ERROR;
  if (flow == GST_FLOW_OK)
    flow = read_packet(self);
  if (flow == GST_FLOW_OK)
    return;
  GST_INFO_OBJECT(self, "stops: %s", gst_flow_get_name(flow));
  if (flow != GST_FLOW_FLUSHING)
    push_eos(self);
  state.input.close(flow);
  GST_OBJECT_LOCK(self);
  if (!state.stopping) // a pause would undo the stop
    gst_task_pause(state.task.get());
  GST_OBJECT_UNLOCK(self);
}

// States

static void close_file(CpsAvformatDemux *self) {
  State &state = state_of(self);
  std::vector<Video> videos;
  {
    GST_OBJECT_LOCK(self);
    videos.swap(state.videos);
    GST_OBJECT_UNLOCK(self);
  }
  for (const Video &video : videos) {
    gst_pad_set_active(video.pad, FALSE);
    gst_element_remove_pad(GST_ELEMENT(self), video.pad);
  }
  state.combiner.reset();
  state.file.reset();
  state.io.reset();
}

static GstFlowReturn sink_chain(GstPad *, GstObject *parent, GstBuffer *buffer) {
  return state_of(parent).input.push(Owned<GstBuffer>(buffer));
}

// Drops upstream's events, because they describe bytes and do not apply to the streams of videos.
static gboolean sink_event(GstPad *, GstObject *parent, GstEvent *event) {
  if (GST_EVENT_TYPE(event) == GST_EVENT_EOS)
    state_of(parent).input.end();
  gst_event_unref(event);
  return TRUE;
}

static gboolean sink_activate(GstPad *pad, GstObject *) {
  const Owned<GstQuery> query(gst_query_new_scheduling());
  const bool pulls =
      gst_pad_peer_query(pad, query.get()) &&
      gst_query_has_scheduling_mode_with_flags(query.get(), GST_PAD_MODE_PULL, GST_SCHEDULING_FLAG_SEEKABLE);
  return gst_pad_activate_mode(pad, pulls ? GST_PAD_MODE_PULL : GST_PAD_MODE_PUSH, TRUE);
}

static gboolean sink_activate_mode(GstPad *pad, GstObject *parent, GstPadMode mode, gboolean active) {
  State &state = state_of(parent);
  GST_OBJECT_LOCK(parent);
  state.stopping = !active;
  GST_OBJECT_UNLOCK(parent);
  if (active) {
    state.input.open(pad, mode == GST_PAD_MODE_PULL);
    return gst_task_start(state.task.get());
  }
  gst_task_stop(state.task.get());
  state.input.close(GST_FLOW_FLUSHING);
  return gst_task_join(state.task.get());
}

static GstStateChangeReturn avformat_demux_change_state(GstElement *element, GstStateChange transition) {
  const GstStateChangeReturn result =
      GST_ELEMENT_CLASS(cps_avformat_demux_parent_class)->change_state(element, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    close_file(CPS_AVFORMAT_DEMUX(element));
  return result;
}

// GObject

static void avformat_demux_finalize(GObject *object) {
  State &state = state_of(object);
  state.task.reset();
  g_rec_mutex_clear(&state.task_lock);
  state.~State();
  G_OBJECT_CLASS(cps_avformat_demux_parent_class)->finalize(object);
}

static void cps_avformat_demux_init(CpsAvformatDemux *self) {
  State &state = *new (&state_of(self)) State();
  state.sinkpad = gst_pad_new_from_static_template(&sink_template, "sink");
  gst_pad_set_activate_function(state.sinkpad, GST_DEBUG_FUNCPTR(sink_activate));
  gst_pad_set_activatemode_function(state.sinkpad, GST_DEBUG_FUNCPTR(sink_activate_mode));
  gst_pad_set_chain_function(state.sinkpad, GST_DEBUG_FUNCPTR(sink_chain));
  gst_pad_set_event_function(state.sinkpad, GST_DEBUG_FUNCPTR(sink_event));
  gst_element_add_pad(GST_ELEMENT(self), state.sinkpad);
  g_rec_mutex_init(&state.task_lock);
  state.task.reset(gst_task_new(loop, self, nullptr));
  gst_task_set_lock(state.task.get(), &state.task_lock);
}

static void cps_avformat_demux_class_init(CpsAvformatDemuxClass *klass) {
  GST_DEBUG_CATEGORY_INIT(avformat_demux_debug, "avformatdemux", 0, "demuxer of libavformat");
  G_OBJECT_CLASS(klass)->finalize = avformat_demux_finalize;
  auto *element_class = GST_ELEMENT_CLASS(klass);
  element_class->change_state = GST_DEBUG_FUNCPTR(avformat_demux_change_state);
  gst_element_class_add_static_pad_template(element_class, &sink_template);
  gst_element_class_add_static_pad_template(element_class, &src_template);
  gst_element_class_set_static_metadata(element_class, "Demuxer of libavformat", "Codec/Demuxer",
                                        "Reads videos that no demuxer of GStreamer's reads", "codecpatch");
}
