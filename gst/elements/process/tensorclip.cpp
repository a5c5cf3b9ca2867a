// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/process/tensorclip.h"

#include "gst/common/uritext.h"
#include "gst/elements/common/frametime.h"
#include "gst/elements/common/memorykind.h"
#include "gst/elements/common/memorylimit.h"
#include "gst/elements/common/options.h"
#include "gst/elements/common/sequencefailed.h"

#include "kernels/sampling.h"

#include <algorithm>

using cps::Owned;

namespace {

struct State {
  explicit State(gpointer object) : options(object), context(GST_ELEMENT_CAST(object)) {}

  GstPad *sinkpad = nullptr;
  GstPad *srcpad = nullptr;
  cps::Options options;
  cps::StageContext context;
  cps::Size expected; // size of frames, see expect_frames(); object lock

  // Streaming thread
  GstVideoInfo info = {};
  bool cuda = false; // the caps have CUDA memory
  GstSegment segment = {};
  Owned<GstEvent> segment_event; // to be sent after the caps
  Owned<GstCaps> src_caps;
  Owned<CpsPlan> plan;                           // from the sampler
  std::unique_ptr<cps::ClipAssembler> assembler; // for that kind of memory
  bool collecting = false;                       // a clip has begun and is not complete yet
  cps::SequenceFormat format;                    // of that clip
  std::vector<CpsClipFrame> frames;              // of that clip, so far
  Owned<GstStructure> clip_options;              // the options of that clip
  GstClockTime clip_pts = GST_CLOCK_TIME_NONE;   // of its first frame, in the segment
  Owned<GstBuffer> held;                         // its last frame so far, if that is to be repeated

  guint added() const { return static_cast<guint>(frames.size()); }

  void stop_collecting() {
    collecting = false;
    held.reset();
  }
};

} // namespace

struct CpsTensorClipPrivate {
  State *state; // set in constructed(), because the properties are known only then
};

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE(CpsTensorClip, cps_tensor_clip, GST_TYPE_ELEMENT)

#define GST_CAT_DEFAULT (CPS_TENSOR_CLIP_GET_CLASS(self)->category)

static State &state_of(gpointer self) {
  return *static_cast<CpsTensorClipPrivate *>(cps_tensor_clip_get_instance_private(CPS_TENSOR_CLIP(self)))->state;
}

// The source of the stream: a path or a URI; nullptr if unknown. The caller owns it.
static gchar *stream_source(GstPad *sinkpad) {
  const Owned<GstQuery> query(gst_query_new_uri());
  gchar *uri = nullptr;
  if (gst_pad_peer_query(sinkpad, query.get()))
    gst_query_parse_uri(query.get(), &uri);
  const Owned<gchar> owned(uri);
  gchar *path = uri ? g_filename_from_uri(uri, nullptr, nullptr) : nullptr;
  return path || !uri ? path : g_strdup(cps::without_credentials(uri).c_str());
}

static GstClockTime stream_time(const GstSegment &segment, GstClockTime pts) {
  return segment.format == GST_FORMAT_TIME && GST_CLOCK_TIME_IS_VALID(pts)
             ? gst_segment_to_stream_time(&segment, GST_FORMAT_TIME, pts)
             : pts;
}

// The place of the change, for an error: " in the middle of a clip, between 1.000 and 1.400 s".
static std::string between_frames(const State &state) {
  std::string place = " in the middle of a clip";
  if (!state.plan || state.added() >= state.plan->n_frames)
    return place;
  const GstClockTime before = state.frames.back().pts,
                     after = stream_time(state.segment, state.plan->frames[state.added()].pts);
  if (!GST_CLOCK_TIME_IS_VALID(before) || !GST_CLOCK_TIME_IS_VALID(after))
    return place;
  const Owned<gchar> times(g_strdup_printf(", between %.3f and %.3f s", static_cast<double>(before) / GST_SECOND,
                                           static_cast<double>(after) / GST_SECOND));
  return place + times.get();
}

static Owned<CpsClip> new_clip(CpsTensorClip *self, const CpsFrameMeta &frame) {
  State &state = state_of(self);
  Owned<CpsClip> clip(cps_clip_new(state.added()));
  std::copy(state.frames.begin(), state.frames.end(), clip->frames);
  clip->source_width = static_cast<guint>(state.format.crop.width);
  clip->source_height = static_cast<guint>(state.format.crop.height);
  clip->clip_index = frame.clip_index;
  clip->stream_frames = frame.total;
  clip->source = stream_source(state.sinkpad);
  if (state.plan) {
    clip->fps = state.plan->fps;
    clip->duration = state.plan->duration;
    cps::merge_options(clip->options, state.plan->options);
  } else {
    clip->fps = cps::frame_rate(state.info);
  }
  if (!GST_CLOCK_TIME_IS_VALID(clip->duration) && clip->fps > 0 && frame.total > 0)
    clip->duration = static_cast<GstClockTime>(static_cast<double>(frame.total) / clip->fps * GST_SECOND);
  state.assembler->fill_clip(*clip);
  cps::merge_options(clip->options, state.clip_options.get());
  return clip;
}

// Before the frames of a clip if possible, so that downstream can refuse the tensors early.
static GstFlowReturn send_caps(State &state) {
  const std::vector<CpsTensor> &tensors = state.assembler->tensors();
  if (tensors.empty()) // their shapes depend on the contents of the clip
    return GST_FLOW_OK;
  Owned<GstCaps> caps(cps_tensors_to_caps(tensors.data(), static_cast<guint>(tensors.size()),
                                          state.cuda ? cps::kCudaFeature : nullptr));
  if (!state.src_caps || !gst_caps_is_equal(caps.get(), state.src_caps.get())) {
    if (!gst_pad_push_event(state.srcpad, gst_event_new_caps(caps.get())))
      return GST_PAD_IS_FLUSHING(state.srcpad) ? GST_FLOW_FLUSHING : GST_FLOW_NOT_NEGOTIATED;
    state.src_caps = std::move(caps);
  }
  if (state.segment_event)
    gst_pad_push_event(state.srcpad, state.segment_event.release());
  return GST_FLOW_OK;
}

// Returns false with `error` set if a clip needs more memory than max-memory allows.
static bool check_memory(CpsTensorClip *self, const GstStructure *options, cps::Size frame, guint length,
                         cps::ElementError &error) {
  return cps::fits_memory(options, CPS_TENSOR_CLIP_GET_CLASS(self)->memory(options, frame, length), length, error);
}

// frameplanner sends this query before it sends data to the decoder.
static bool answer_room_query(CpsTensorClip *self, GstQuery *query) {
  const guint length = cps::room_query_length(query);
  if (length == 0)
    return false;
  cps::Size frame;
  {
    const cps::ObjectLock lock(self);
    frame = state_of(self).expected;
  }
  const Owned<GstStructure> options = state_of(self).options.snapshot();
  cps::ElementError error;
  if (frame.width > 0 && frame.height > 0 && !check_memory(self, options.get(), frame, length, error)) {
    cps::post_error(self, error);
    cps::refuse_room(query);
  }
  return true;
}

static GstFlowReturn begin_clip(CpsTensorClip *self, const cps::ReadRegion &crop, const CpsFrameMeta &first) {
  State &state = state_of(self);
  state.clip_options = state.options.snapshot();
  cps::ElementError error;
  if (!check_memory(self, state.clip_options.get(), {crop.width, crop.height}, first.seq_len, error))
    return cps::post_error(self, error);
  for (const char *name : {"cuda-device-id", "max-memory"}) // because they do not affect the contents
    gst_structure_remove_field(state.clip_options.get(), name);
  state.clip_pts = first.pts;
  state.format = {state.info, crop, first.seq_len};
  state.frames.clear();
  state.frames.reserve(first.seq_len);
  if (!state.assembler->begin(state.clip_options.get(), state.format, error))
    return cps::post_error(self, error);
  state.collecting = true;
  GST_DEBUG_OBJECT(self, "clip of %u frames, %dx%d of %dx%d, on the %s", first.seq_len, crop.width, crop.height,
                   state.info.width, state.info.height, state.cuda ? "GPU" : "CPU");
  return send_caps(state);
}

// Returns true if this is the next frame of the clip, else posts an error.
static bool check_frame(CpsTensorClip *self, const CpsFrameMeta *frame, const cps::ReadRegion &crop) {
  const State &state = state_of(self);
  if (!frame || frame->seq_len == 0 || frame->seq_len > cps::kMaxPositions || frame->seq_pos >= frame->seq_len) {
    GST_ELEMENT_ERROR(
        self, STREAM, FORMAT,
        ("The frames belong to no sequence: put a uniformsampler before %s.", CPS_TENSOR_CLIP_GET_CLASS(self)->entry),
        ("no CpsFrameMeta with a sequence position on the buffer"));
    return false;
  }
  const guint expected = state.collecting ? state.added() : 0;
  if (frame->seq_pos != expected || (state.collecting && frame->seq_len != state.format.length)) {
    GST_ELEMENT_ERROR(
        self, STREAM, FAILED,
        ("Frame %u of a sequence of %u came where frame %u was due.", frame->seq_pos, frame->seq_len, expected),
        (nullptr));
    return false;
  }
  const cps::ReadRegion &begun = state.format.crop;
  if (state.collecting && crop.orientation != begun.orientation) {
    GST_ELEMENT_ERROR(self, STREAM, FORMAT,
                      ("The rotation of the video changed%s: sample each part on its own, with start and stop, or "
                       "switch apply-rotation off.",
                       between_frames(state).c_str()),
                      (nullptr));
    return false;
  }
  if (state.collecting && !(crop == begun)) {
    GST_ELEMENT_ERROR(
        self, STREAM, FORMAT,
        ("The resolution changed from %dx%d to %dx%d%s: sample each part on its own, with start and stop, or scale the "
         "frames to one size.",
         begun.width, begun.height, crop.width, crop.height, between_frames(state).c_str()),
        (nullptr));
    return false;
  }
  return true;
}

// docs/spec.md#sampling: if no sampled frame is a random-access point, the first counts as one.
static void mark_random_access(std::vector<CpsClipFrame> &frames) {
  if (std::none_of(frames.begin(), frames.end(), [](const CpsClipFrame &frame) { return frame.is_i; }))
    frames.front().is_i = TRUE;
}

static GstFlowReturn push_clip(CpsTensorClip *self, const CpsFrameMeta &last) {
  State &state = state_of(self);
  state.stop_collecting();
  mark_random_access(state.frames);
  cps::ElementError error;
  Owned<GstBuffer> tensors = state.assembler->finish(state.frames, error);
  if (!tensors)
    return cps::post_error(self, error);
  const GstFlowReturn flow = send_caps(state);
  if (flow != GST_FLOW_OK)
    return flow;
  Owned<CpsClip> clip = new_clip(self, last);
  GST_BUFFER_PTS(tensors.get()) = state.clip_pts;
  GST_BUFFER_OFFSET(tensors.get()) = clip->clip_index;
  const std::vector<CpsTensor> &list = state.assembler->tensors();
  cps_buffer_add_tensor_meta(tensors.get(), list.data(), static_cast<guint>(list.size()), clip.release());
  return gst_pad_push(state.srcpad, tensors.release());
}

// True if the plan has the last frame again at the next position. Only such a frame is held until then, so that its
// memory stays its own, and other frames return to their pool at once.
static bool repeats_next(const State &state) {
  const guint next = state.added();
  return state.plan && next < state.plan->n_frames &&
         state.plan->frames[next].frame_id == state.plan->frames[next - 1].frame_id &&
         state.plan->frames[next].frame_id != CPS_FRAME_ID_NONE; // not known yet, as of a live stream
}

static GstFlowReturn take_frame(CpsTensorClip *self, GstBuffer *incoming) {
  State &state = state_of(self);
  const CpsFrameMeta *frame = cps_buffer_get_frame_meta(incoming);
  cps::ReadRegion crop;
  if (!state.info.finfo || GST_VIDEO_INFO_FORMAT(&state.info) == GST_VIDEO_FORMAT_UNKNOWN)
    return GST_FLOW_NOT_NEGOTIATED;
  if (!cps::crop_of(incoming, state.info, frame, crop)) {
    cps::ElementError error;
    cps::refuse_crop(error);
    return cps::post_error(self, error);
  }
  if (!state.assembler)
    state.assembler = CPS_TENSOR_CLIP_GET_CLASS(self)->make(state.cuda, state.context);
  if (!check_frame(self, frame, crop))
    return GST_FLOW_ERROR;
  if (!state.collecting) {
    const GstFlowReturn flow = begin_clip(self, crop, *frame);
    if (flow != GST_FLOW_OK)
      return flow;
  }
  cps::ElementError error;
  const bool repeated = state.held && cps::same_memory(state.held.get(), incoming);
  if (!state.assembler->add(state.added(), incoming, repeated, error))
    return cps::post_error(self, error);
  state.frames.push_back({frame->frame_id, stream_time(state.segment, frame->pts),
                          (frame->flags & CPS_FRAME_FLAG_RANDOM_ACCESS) != 0, frame->status});
  state.held.reset(repeats_next(state) ? gst_buffer_ref(incoming) : nullptr);
  return state.added() == state.format.length ? push_clip(self, *frame) : GST_FLOW_OK;
}

static GstFlowReturn tensor_clip_chain(GstPad *, GstObject *parent, GstBuffer *incoming) {
  // cppcheck-suppress unreadVariable ; it owns
  const Owned<GstBuffer> buffer(incoming);
  const GstFlowReturn flow = take_frame(CPS_TENSOR_CLIP(parent), incoming);
  if (flow == GST_FLOW_ERROR) // already reported, so the EOS that follows must not cause another error
    state_of(parent).stop_collecting();
  return flow;
}

// Events

static gboolean set_caps(CpsTensorClip *self, GstCaps *caps) {
  State &state = state_of(self);
  GstVideoInfo info;
  if (!cps::video_info_from_caps(info, caps))
    return FALSE;
  const GstVideoInfo &old = state.info;
  const bool cuda = cps::is_cuda_caps(caps);
  if (!state.collecting || (cuda == state.cuda && cps::same_layout(old, info) && cps::same_colors(old, info))) {
    if (cuda != state.cuda)
      state.assembler.reset();
    state.info = info;
    state.cuda = cuda;
    return TRUE;
  }
  const auto format_text = [](const GstVideoInfo &i, bool in_cuda) {
    const Owned<gchar> colors(gst_video_colorimetry_to_string(&i.colorimetry));
    return std::to_string(i.width) + "x" + std::to_string(i.height) + " " + i.finfo->name +
           (colors ? std::string(" ") + colors.get() : "") + (in_cuda ? " in CUDA memory" : "");
  };
  GST_ELEMENT_ERROR(self, STREAM, FORMAT,
                    ("The video changed from %s to %s%s: sample each part on its own, with start and stop, or convert "
                     "the frames to one format.",
                     format_text(old, state.cuda).c_str(), format_text(info, cuda).c_str(),
                     between_frames(state).c_str()),
                    (nullptr));
  return FALSE;
}

static gboolean tensor_clip_sink_event(GstPad *pad, GstObject *parent, GstEvent *incoming) {
  auto *self = CPS_TENSOR_CLIP(parent);
  State &state = state_of(self);
  Owned<GstEvent> event(incoming);
  if (CpsPlan *plan = cps_event_parse_plan(incoming)) {
    state.plan.reset(cps_plan_ref(plan));
    return TRUE;
  }
  switch (GST_EVENT_TYPE(incoming)) {
  case GST_EVENT_CAPS: {
    GstCaps *caps;
    gst_event_parse_caps(incoming, &caps);
    return set_caps(self, caps); // our caps are sent with the clip
  }
  case GST_EVENT_SEGMENT:
    gst_event_copy_segment(incoming, &state.segment);
    state.segment_event = std::move(event);
    return TRUE;
  case GST_EVENT_CUSTOM_DOWNSTREAM:
    if (!cps::is_sequence_failed(incoming))
      break;
    state.stop_collecting();
    return TRUE;
  case GST_EVENT_GAP: // nothing to fill between clips
    return TRUE;
  case GST_EVENT_FLUSH_STOP:
    state.stop_collecting();
    state.segment_event.reset();
    state.plan.reset();
    break;
  case GST_EVENT_EOS:
    if (state.collecting)
      GST_ELEMENT_ERROR(self, STREAM, FAILED,
                        ("The stream ended after %u of the %u frames of a clip.", state.added(), state.format.length),
                        (nullptr));
    state.stop_collecting();
    break;
  default:
    break;
  }
  return gst_pad_event_default(pad, parent, event.release());
}

static gboolean tensor_clip_sink_query(GstPad *pad, GstObject *parent, GstQuery *query) {
  State &state = state_of(parent);
  switch (GST_QUERY_TYPE(query)) {
  case GST_QUERY_ALLOCATION:
    gst_query_add_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr);
    gst_query_add_allocation_meta(query, GST_VIDEO_CROP_META_API_TYPE, nullptr);
    return TRUE;
  case GST_QUERY_CAPS: { // the default handler uses this for ACCEPT_CAPS, too
    GstCaps *filter;
    gst_query_parse_caps(query, &filter);
    gst_query_set_caps_result(query, cps::video_caps_for_peer(pad, state.srcpad, filter).get());
    cps::prefer_other_memory(query);
    return TRUE;
  }
  default:
    return answer_room_query(CPS_TENSOR_CLIP(parent), query) || state.context.answer(query) ||
           gst_pad_query_default(pad, parent, query);
  }
}

static gboolean tensor_clip_src_query(GstPad *pad, GstObject *parent, GstQuery *query) {
  return state_of(parent).context.answer(query) || gst_pad_query_default(pad, parent, query);
}

static void tensor_clip_set_context(GstElement *element, GstContext *context) {
  state_of(element).context.set_context(context);
  GST_ELEMENT_CLASS(cps_tensor_clip_parent_class)->set_context(element, context);
}

static GstStateChangeReturn tensor_clip_change_state(GstElement *element, GstStateChange transition) {
  const GstStateChangeReturn result =
      GST_ELEMENT_CLASS(cps_tensor_clip_parent_class)->change_state(element, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) {
    State &state = state_of(element);
    state.stop_collecting();
    state.assembler.reset();
    state.context.release();
    state.segment_event.reset();
    state.src_caps.reset();
    state.plan.reset();
    gst_video_info_init(&state.info);
    gst_segment_init(&state.segment, GST_FORMAT_UNDEFINED);
    cps::expect_frames(CPS_TENSOR_CLIP(element), {});
  }
  return result;
}

// GObject

static void tensor_clip_constructed(GObject *object) {
  G_OBJECT_CLASS(cps_tensor_clip_parent_class)->constructed(object);
  auto *self = CPS_TENSOR_CLIP(object);
  auto *instance = static_cast<CpsTensorClipPrivate *>(cps_tensor_clip_get_instance_private(self));
  instance->state = new State(self);
  State &state = *instance->state;
  gst_video_info_init(&state.info);
  gst_segment_init(&state.segment, GST_FORMAT_UNDEFINED);

  auto make_pad = [self](const char *name) {
    return gst_pad_new_from_template(gst_element_get_pad_template(GST_ELEMENT(self), name), name);
  };
  state.sinkpad = make_pad("sink");
  gst_pad_set_chain_function(state.sinkpad, GST_DEBUG_FUNCPTR(tensor_clip_chain));
  gst_pad_set_event_function(state.sinkpad, GST_DEBUG_FUNCPTR(tensor_clip_sink_event));
  gst_pad_set_query_function(state.sinkpad, GST_DEBUG_FUNCPTR(tensor_clip_sink_query));
  gst_element_add_pad(GST_ELEMENT(self), state.sinkpad);

  state.srcpad = make_pad("src");
  gst_pad_set_query_function(state.srcpad, GST_DEBUG_FUNCPTR(tensor_clip_src_query));
  gst_pad_use_fixed_caps(state.srcpad);
  gst_element_add_pad(GST_ELEMENT(self), state.srcpad);
}

static void tensor_clip_finalize(GObject *object) {
  delete &state_of(object);
  G_OBJECT_CLASS(cps_tensor_clip_parent_class)->finalize(object);
}

static void cps_tensor_clip_init(CpsTensorClip *) {}

static void cps_tensor_clip_class_init(CpsTensorClipClass *klass) {
  auto *object_class = G_OBJECT_CLASS(klass);
  object_class->constructed = tensor_clip_constructed;
  object_class->finalize = tensor_clip_finalize;

  auto *element_class = GST_ELEMENT_CLASS(klass);
  element_class->change_state = GST_DEBUG_FUNCPTR(tensor_clip_change_state);
  element_class->set_context = GST_DEBUG_FUNCPTR(tensor_clip_set_context);
}

namespace cps {

CpsTensor make_tensor(const char *name, CpsDtype dtype, std::initializer_list<gint64> dims, guint memory) {
  CpsTensor out = {g_quark_from_static_string(name), dtype, static_cast<guint>(dims.size()), {}, memory};
  std::copy(dims.begin(), dims.end(), out.dims);
  return out;
}

void expect_frames(CpsTensorClip *self, Size frame) {
  const ObjectLock lock(self);
  state_of(self).expected = frame;
}

void setup_tensor_clip(CpsTensorClipClass *klass, const char *tensors) {
  auto *object_class = G_OBJECT_CLASS(klass); // these two are not inherited
  object_class->set_property = set_option<state_of>;
  object_class->get_property = get_option<state_of>;
  auto *element_class = GST_ELEMENT_CLASS(klass);
  add_pad_template(element_class, "sink", GST_PAD_SINK, video_template_caps().get());
  add_pad_template(element_class, "src", GST_PAD_SRC, tensor_template_caps(tensors).get());
  gst_type_mark_as_plugin_api(CPS_TYPE_TENSOR_CLIP, static_cast<GstPluginAPIFlags>(0));
}

} // namespace cps
