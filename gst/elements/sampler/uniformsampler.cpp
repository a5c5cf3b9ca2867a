// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * SECTION:element-uniformsampler
 * @title: uniformsampler
 *
 * Keeps the frames that a plan names, numbers each in its clip with a #CpsFrameMeta, and ends the stream after the last
 * of them. The plan comes from a frameplanner upstream of the decoder, which knows every frame of the stream.
 * Without a frameplanner, it is estimated from #CpsUniformSampler:total-frames, or from duration and frame rate.
 *
 * A clip always has as many buffers as its sequence has positions: frames are repeated if a sequence is longer than the
 * stream, and #CpsUniformSampler:on-error selects how to handle a frame that cannot be decoded.
 *
 * The first of these properties that is set defines the plan: #CpsUniformSampler:frame-ids,
 * #CpsUniformSampler:sample-fps, #CpsUniformSampler:sequence-length (evenly spread frames). The last two sample the
 * section from #CpsUniformSampler:start to #CpsUniformSampler:stop. If a list of frame-ids is not ascending, the
 * element holds decoded frames until their turn.
 *
 * With #CpsUniformSampler:window the section is divided into windows, #CpsUniformSampler:hop from start to start, and
 * each window that has a frame is a clip of its own, sampled as a section of these limits would be. The stream is read
 * and decoded once: a frame of several windows is held until the last of them has it, and nothing is decoded that no
 * window needs. With #CpsUniformSampler:clip-length each sequence is cut into clips of that many positions.
 *
 * With #CpsUniformSampler:apply-rotation frames are marked with the orientation in the stream's image-orientation tag,
 * which phones use, and patchenergy, patchselect and framestack read them in display orientation. Pixels and tags are
 * not changed: all other elements downstream see the frames as stored, and a videoflip there would rotate them a second
 * time.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 filesrc location=v.mp4 ! qtdemux ! h264parse ! frameplanner ! avdec_h264 ! uniformsampler
 *     sequence-length=8 ! videoconvert ! pngenc ! multifilesink location=frame-%d.png
 * ]|
 *
 * Since: 0.1
 */
#include "gst/elements/sampler/uniformsampler.h"

#include "gst/elements/common/frametime.h"
#include "gst/elements/common/memorykind.h"
#include "gst/elements/common/options.h"
#include "gst/elements/common/picture.h"
#include "gst/elements/common/samplingoptions.h"
#include "gst/elements/common/tagorientation.h"
#include "gst/elements/sampler/estimate.h"
#include "gst/elements/sampler/holdlimit.h"
#include "gst/elements/sampler/report.h"
#include "gst/elements/sampler/samplerdebug.h"
#include "gst/elements/sampler/sequence.h"

#include <atomic>
#include <string>

#define GST_CAT_DEFAULT cps::sampler_debug()

using cps::Owned;

#define CPS_TYPE_ON_ERROR (cps_on_error_get_type())
static GType cps_on_error_get_type() {
  static GType type = [] {
    static const GEnumValue values[] = {
        {static_cast<gint>(cps::OnError::Substitute), "Repeat the nearest earlier sampled frame, with a warning",
         "substitute"},
        {static_cast<gint>(cps::OnError::Fail), "Stop with an error", "fail"},
        {0, nullptr, nullptr},
    };
    return g_enum_register_static("CpsOnError", values);
  }();
  return type;
}

namespace {

// The clips of a plan, from the first frame to the end of stream or flush. Used by the streaming thread only.
struct SamplingRun {
  Owned<CpsPlan> plan;                     // all clips, and the options
  std::unique_ptr<cps::Sequence> sequence; // of the plan
  Owned<CpsPlan> clip;                     // the plan that is sent downstream, of the current clip
  guint index = 0;                         // of the current clip in the plan
  bool begun = false;                      // a frame has been pushed
  bool numbering = false;                  // the frames have no identity, so they are counted here
  std::optional<uint64_t> next_number;     // set at the first frame
  bool on_error_fails = false;
  bool apply_rotation = false;
  bool ended = false;   // EOS has been sent
  bool refused = false; // downstream accepts no more data
};

} // namespace

struct CpsUniformSamplerPrivate {
  explicit CpsUniformSamplerPrivate(gpointer object) : options(object) {}

  GstPad *sinkpad = nullptr;
  GstPad *srcpad = nullptr;
  cps::Options options;

  GstSegment segment = {};
  guint32 seqnum = GST_SEQNUM_INVALID; // of the segment event
  GstVideoInfo info = {};
  Owned<GstCaps> caps;      // of incoming frames
  Owned<GstCaps> sent_caps; // the last that were sent downstream
  Owned<CpsPlan> received;  // from a planner upstream
  SamplingRun run;
  guint clip_index = 0;            // of the first clip of `run`
  cps::HoldLimit hold_limit;       // of frames from the decoder's pool
  cps::TagOrientation orientation; // of incoming frames

  std::function<void(bool pushing)> listener; // constant while frames flow

  std::atomic<bool> sought{false}; // by the application, since READY
  GstClockTime origin = 0;         // stream time at which the stream begins, as far as known
};

struct _CpsUniformSampler {
  GstElement parent;
};

G_DEFINE_FINAL_TYPE_WITH_PRIVATE(CpsUniformSampler, cps_uniform_sampler, GST_TYPE_ELEMENT)
GST_ELEMENT_REGISTER_DEFINE(uniformsampler, "uniformsampler", GST_RANK_NONE, CPS_TYPE_UNIFORM_SAMPLER)

static CpsUniformSamplerPrivate &state_of(gpointer self) {
  return *static_cast<CpsUniformSamplerPrivate *>(cps_uniform_sampler_get_instance_private(CPS_UNIFORM_SAMPLER(self)));
}

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS("video/x-raw(ANY)"));
static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS("video/x-raw(ANY)"));

// Caps

// The format of frames, in words.
static std::string format_of(const GstCaps *caps) {
  const gchar *format = gst_structure_get_string(gst_caps_get_structure(caps, 0), "format");
  return std::string(format ? format : "that has no name") + (cps::is_cuda_caps(caps) ? " in CUDA memory" : "");
}

// Checks the caps here, because otherwise unsupported caps only cause a "not negotiated" error somewhere upstream.
static bool send_caps(CpsUniformSampler *self, Owned<GstCaps> caps) {
  CpsUniformSamplerPrivate &state = state_of(self);
  if (!gst_pad_peer_query_accept_caps(state.srcpad, caps.get())) {
    const Owned<GstCaps> accepted(gst_pad_peer_query_caps(state.srcpad, nullptr));
    const Owned<gchar> refused_text(gst_caps_to_string(caps.get())), accepted_text(gst_caps_to_string(accepted.get()));
    GST_ELEMENT_ERROR(self, STREAM, WRONG_TYPE,
                      ("The decoded video is in the format %s, which is not supported downstream: put a %s behind the "
                       "decoder.",
                       format_of(caps.get()).c_str(), cps::is_cuda_caps(caps.get()) ? "cudadownload" : "videoconvert"),
                      ("%s; supported: %s", refused_text.get(), accepted_text.get()));
    return false;
  }
  if (!gst_pad_push_event(state.srcpad, gst_event_new_caps(caps.get())))
    return false;
  state.sent_caps = std::move(caps);
  return true;
}

// Frames that are held may have earlier caps; the new ones are then sent with their first frame.
static gboolean take_caps(CpsUniformSampler *self, const Owned<GstEvent> &event) {
  CpsUniformSamplerPrivate &state = state_of(self);
  GstCaps *caps;
  gst_event_parse_caps(event.get(), &caps);
  if (!cps::video_info_from_caps(state.info, caps))
    gst_video_info_init(&state.info); // only the frame rate is used
  state.caps.reset(gst_caps_ref(caps));
  const bool held = state.run.sequence && state.run.sequence->held() > 0;
  return held || send_caps(self, Owned<GstCaps>(gst_caps_ref(caps)));
}

// The clips

static void set_time(GstStructure *options, const char *name, GstClockTime time) {
  if (GST_CLOCK_TIME_IS_VALID(time))
    gst_structure_set(options, name, G_TYPE_INT64, static_cast<gint64>(time), nullptr);
}

// Sends the plan of a clip downstream. Its options are those by which the clip can be made alone.
static void begin_clip(CpsUniformSampler *self, guint index) {
  CpsUniformSamplerPrivate &state = state_of(self);
  SamplingRun &run = state.run;
  run.index = index;
  run.clip.reset(cps_plan_copy_clip(run.plan.get(), index));
  GstStructure *options = run.clip->options;
  set_time(options, "start", run.clip->clips[0].start);
  set_time(options, "stop", run.clip->clips[0].stop);
  gst_structure_remove_fields(options, "window", "hop", nullptr);
  if (cps::option_uint(options, "clip-length") == 0)
    gst_structure_remove_field(options, "clip-length");
  GST_DEBUG_OBJECT(self, "clip %u: %u frames", state.clip_index + index, run.clip->n_frames);
  cps::push_numbered(state.srcpad, state.seqnum, cps_event_new_plan(cps_plan_ref(run.clip.get())));
}

// Determines the frames of the clips at the first buffer: from the planner's plan, from the frames' identities, or by
// counting. Returns false after posting an error.
static bool begin_run(CpsUniformSampler *self, GstBuffer *buffer) {
  CpsUniformSamplerPrivate &state = state_of(self);
  const CpsFrameMeta *meta = cps_buffer_get_frame_meta(buffer);
  const bool stamped = meta && meta->frame_id != CPS_FRAME_ID_NONE;
  const bool planned = state.received && state.received->n_frames > 0;
  const Owned<GstStructure> options = state.options.snapshot();
  const double fps = cps::frame_rate(state.info);
  // Without a seek the stream begins at the start of its segment, which may be any time.
  if (state.segment.format == GST_FORMAT_TIME && !state.sought)
    state.origin = state.segment.time;

  Owned<CpsPlan> plan;
  if (planned)
    plan.reset(cps_plan_copy(state.received.get()));
  else
    plan = cps::estimate_plan(
        GST_ELEMENT(self), options.get(),
        {stamped ? meta->total : 0, fps, cps::peer_duration(state.sinkpad), state.segment, state.origin});
  if (!plan)
    return false;
  if (state.received)
    cps::merge_options(plan->options, state.received->options);
  cps::merge_options(plan->options, options.get());

  SamplingRun &run = state.run;
  run.sequence = std::make_unique<cps::Sequence>(plan.get());
  run.numbering = !stamped && !planned;
  run.on_error_fails = cps::option_enum(options.get(), "on-error") == static_cast<gint>(cps::OnError::Fail);
  run.apply_rotation = cps::option_bool(options.get(), "apply-rotation");
  run.plan = std::move(plan);
  GST_INFO_OBJECT(self, "%u clips of %u positions, of %" G_GUINT64_FORMAT " frames%s", run.plan->n_clips,
                  run.plan->n_frames, run.plan->total, run.numbering ? ", numbered here" : "");
  begin_clip(self, 0);
  return true;
}

// Gives a frame its place in the clip.
static Owned<GstBuffer> place(const CpsUniformSamplerPrivate &state, cps::Sequence::Item item) {
  const CpsPlan &plan = *state.run.clip;
  const CpsPlanFrame &frame = plan.frames[item.position];
  const bool own = cps::is_own_picture(item.status);

  Owned<GstBuffer> buffer(gst_buffer_make_writable(item.frame.buffer.release()));
  CpsFrameMeta *meta = cps_buffer_get_frame_meta(buffer.get());
  if (!own) {
    meta->frame_id = frame.frame_id;
    meta->pts = frame.pts;
    meta->flags = frame.random_access ? CPS_FRAME_FLAG_RANDOM_ACCESS : CPS_FRAME_FLAG_NONE;
  }
  if (!GST_CLOCK_TIME_IS_VALID(meta->pts) && plan.fps > 0)
    meta->pts = cps::synthesized_pts(state.segment, frame.frame_id, plan.fps);
  meta->flags = static_cast<CpsFrameFlags>(meta->flags | CPS_FRAME_FLAG_WANTED);
  meta->total = plan.total;
  meta->clip_index = state.clip_index + item.clip;
  meta->seq_pos = item.position;
  meta->seq_len = plan.n_frames;
  meta->status = item.status;
  GST_BUFFER_PTS(buffer.get()) = meta->pts;
  GST_BUFFER_DTS(buffer.get()) = GST_CLOCK_TIME_NONE;
  return buffer;
}

// Informs the listener, because downstream may block for any time.
static GstFlowReturn push_frame(CpsUniformSampler *self, cps::Sequence::Item item) {
  const CpsUniformSamplerPrivate &state = state_of(self);
  if (!gst_caps_is_equal(item.frame.caps.get(), state.sent_caps.get()) &&
      !send_caps(self, Owned<GstCaps>(gst_caps_ref(item.frame.caps.get()))))
    return GST_PAD_IS_FLUSHING(state.srcpad) ? GST_FLOW_FLUSHING : GST_FLOW_ERROR;
  Owned<GstBuffer> frame = place(state, std::move(item));
  if (state.listener)
    state.listener(true);
  const GstFlowReturn flow = gst_pad_push(state.srcpad, frame.release());
  if (state.listener)
    state.listener(false);
  return flow;
}

// Pushes all positions whose frames are available, and EOS after the last.
static GstFlowReturn push_ready(CpsUniformSampler *self) {
  CpsUniformSamplerPrivate &state = state_of(self);
  SamplingRun &run = state.run;
  while (std::optional<cps::Sequence::Item> item = run.sequence->pop()) {
    const cps::ItemContext context{GST_ELEMENT(self), *run.plan, state.clip_index, run.on_error_fails};
    if (!item->frame.buffer) {
      if (!cps::report_lost_clip(context, *item))
        return GST_FLOW_ERROR;
      run.sequence->skip_clip();
      continue;
    }
    if (!cps::report_item(context, *item))
      return GST_FLOW_ERROR;
    if (item->clip != run.index)
      begin_clip(self, item->clip);
    const GstFlowReturn flow = push_frame(self, std::move(*item));
    if (flow != GST_FLOW_OK) {
      GST_DEBUG_OBJECT(self, "downstream answers %s", gst_flow_get_name(flow));
      run.refused = true;
      return flow;
    }
    run.begun = true;
  }
  if (!run.sequence->done())
    return GST_FLOW_OK;
  if (!run.begun) {
    cps::post_nothing_decoded(GST_ELEMENT(self));
    return GST_FLOW_ERROR;
  }
  run.ended = true;
  cps::push_numbered(state.srcpad, state.seqnum, gst_event_new_eos());
  return GST_FLOW_EOS;
}

// The number of the first frame in the segment. Decoders cut off the part of a frame that is before the segment, so
// only the middle of the rest is certain to lie within the frame's time.
static uint64_t first_number(const CpsUniformSamplerPrivate &state, GstBuffer *buffer) {
  const GstSegment &segment = state.segment;
  const double fps = state.run.plan->fps;
  if (segment.format != GST_FORMAT_TIME || segment.time <= state.origin || fps <= 0)
    return 0;
  GstClockTime time = GST_CLOCK_TIME_NONE;
  const GstClockTime pts = GST_BUFFER_PTS(buffer), duration = GST_BUFFER_DURATION(buffer);
  const bool lasts = GST_CLOCK_TIME_IS_VALID(pts) && GST_CLOCK_TIME_IS_VALID(duration) && duration > 0;
  if (GST_CLOCK_TIME_IS_VALID(pts))
    time = gst_segment_to_stream_time(&segment, GST_FORMAT_TIME, lasts ? pts + duration / 2 : pts);
  if (!GST_CLOCK_TIME_IS_VALID(time) || time < state.origin)
    return cps::frame_at(segment.time - state.origin, fps);
  const GstClockTime since = time - state.origin;
  return lasts ? static_cast<uint64_t>(static_cast<double>(since) * fps / GST_SECOND) : cps::frame_at(since, fps);
}

// Sets the orientation when the frame arrives, because the frame may be held or may be used as a substitute.
static Owned<GstBuffer> with_orientation(const CpsUniformSamplerPrivate &state, Owned<GstBuffer> buffer) {
  const CpsOrientation orientation = state.run.apply_rotation ? state.orientation.now() : CPS_ORIENTATION_IDENTITY;
  if (cps_buffer_get_frame_meta(buffer.get())->orientation != orientation) {
    buffer.reset(gst_buffer_make_writable(buffer.release()));
    cps_buffer_get_frame_meta(buffer.get())->orientation = orientation;
  }
  return buffer;
}

static GstFlowReturn uniform_sampler_chain(GstPad *, GstObject *parent, GstBuffer *incoming) {
  auto *self = CPS_UNIFORM_SAMPLER(parent);
  CpsUniformSamplerPrivate &state = state_of(self);
  Owned<GstBuffer> buffer(incoming);
  if (state.run.ended)
    return GST_FLOW_EOS;
  if (!state.run.sequence && !begin_run(self, buffer.get()))
    return GST_FLOW_ERROR;

  if (state.run.numbering) {
    if (!cps::in_segment(state.segment, GST_BUFFER_PTS(buffer.get())))
      return GST_FLOW_OK;
    if (!state.run.next_number)
      state.run.next_number = first_number(state, buffer.get());
    const GstClockTime pts = GST_BUFFER_PTS(buffer.get());
    buffer.reset(gst_buffer_make_writable(buffer.release()));
    if (CpsFrameMeta *unknown = cps_buffer_get_frame_meta(buffer.get()))
      gst_buffer_remove_meta(buffer.get(), &unknown->meta);
    cps_buffer_add_frame_meta(buffer.get(), (*state.run.next_number)++, state.run.plan->total, pts,
                              CPS_FRAME_FLAG_NONE);
  }
  const CpsFrameMeta *meta = cps_buffer_get_frame_meta(buffer.get());
  if (!meta || meta->frame_id == CPS_FRAME_ID_NONE) {
    GST_LOG_OBJECT(self, "a frame without a number is dropped");
    return GST_FLOW_OK;
  }
  const guint64 id = meta->frame_id;
  GST_LOG_OBJECT(self, "frame %" G_GUINT64_FORMAT " arrives", id);
  state.run.sequence->arrive(
      id, {with_orientation(state, std::move(buffer)), Owned<GstCaps>(gst_caps_ref(state.caps.get()))});
  const GstFlowReturn flow = push_ready(self);
  if (cps::Frame *held = state.run.sequence->find(id))
    state.hold_limit.keep_apart(held->buffer, state.run.sequence->held());
  return flow;
}

// Pushes the rest of the clips. Returns false after posting an error.
static bool end_run(CpsUniformSampler *self) {
  SamplingRun &run = state_of(self).run;
  if (run.refused) // not an error, because decoders drop their frames on shutdown
    return true;
  if (!run.sequence) {
    GST_ELEMENT_ERROR(self, STREAM, DECODE, ("The stream ended without a decoded frame."), (nullptr));
    return false;
  }
  run.sequence->finish();
  return push_ready(self) != GST_FLOW_ERROR;
}

static void next_run(CpsUniformSamplerPrivate &state) {
  state.clip_index += state.run.index + 1;
  state.run = SamplingRun();
  state.received.reset();
}

// Events and queries

static gboolean uniform_sampler_sink_event(GstPad *pad, GstObject *parent, GstEvent *event) {
  auto *self = CPS_UNIFORM_SAMPLER(parent);
  CpsUniformSamplerPrivate &state = state_of(self);
  if (CpsPlan *plan = cps_event_parse_plan(event)) {
    state.received.reset(cps_plan_ref(plan)); // our own plan, with our options, is sent before the first frame
    gst_event_unref(event);
    return TRUE;
  }
  state.orientation.handle_tags(event);
  gboolean still;
  if (gst_video_event_parse_still_frame(event, &still)) { // it has only made the decoder drain before a gap
    gst_event_unref(event);
    return TRUE;
  }
  switch (GST_EVENT_TYPE(event)) {
  case GST_EVENT_CAPS:
    return take_caps(self, Owned<GstEvent>(event));
  case GST_EVENT_SEGMENT:
    gst_event_copy_segment(event, &state.segment);
    state.seqnum = gst_event_get_seqnum(event);
    break;
  case GST_EVENT_STREAM_START:
    if (state.run.ended)
      next_run(state);
    break;
  case GST_EVENT_FLUSH_STOP:
    state.sought = true; // the seek may have gone through another branch and not reached us yet
    next_run(state);
    gst_segment_init(&state.segment, GST_FORMAT_UNDEFINED);
    break;
  case GST_EVENT_EOS:
  case GST_EVENT_SEGMENT_DONE:
    if (state.run.ended) {
      gst_event_unref(event);
      return TRUE;
    }
    end_run(self);
    if (state.run.ended) {
      gst_event_unref(event);
      return TRUE;
    }
    break;
  default:
    break;
  }
  return gst_pad_event_default(pad, parent, event);
}

static gboolean uniform_sampler_src_event(GstPad *pad, GstObject *parent, GstEvent *event) {
  if (GST_EVENT_TYPE(event) == GST_EVENT_SEEK)
    state_of(parent).sought = true;
  if (GST_EVENT_TYPE(event) == GST_EVENT_QOS) { // because decoders must not skip wanted frames
    gst_event_unref(event);
    return TRUE;
  }
  return gst_pad_event_default(pad, parent, event);
}

static gboolean uniform_sampler_sink_query(GstPad *pad, GstObject *parent, GstQuery *query) {
  if (cps_query_is_plan_request(query)) {
    cps_query_set_plan_request(query, state_of(parent).options.snapshot().get());
    return TRUE;
  }
  if (GST_QUERY_TYPE(query) == GST_QUERY_ACCEPT_CAPS) { // the default handler asks downstream; see send_caps()
    GstCaps *caps;
    gst_query_parse_accept_caps(query, &caps);
    const Owned<GstCaps> known(gst_pad_get_pad_template_caps(pad));
    gst_query_set_accept_caps_result(query, gst_caps_can_intersect(caps, known.get()));
    return TRUE;
  }
  return gst_pad_query_default(pad, parent, query);
}

static GstStateChangeReturn uniform_sampler_change_state(GstElement *element, GstStateChange transition) {
  const GstStateChangeReturn result =
      GST_ELEMENT_CLASS(cps_uniform_sampler_parent_class)->change_state(element, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) {
    CpsUniformSamplerPrivate &state = state_of(element);
    next_run(state);
    state.clip_index = 0;
    state.caps.reset();
    state.sent_caps.reset();
    state.hold_limit = {};
    state.sought = false;
    state.origin = 0;
    state.orientation = {};
    gst_segment_init(&state.segment, GST_FORMAT_UNDEFINED);
    gst_video_info_init(&state.info);
  }
  return result;
}

// GObject

static void uniform_sampler_finalize(GObject *object) {
  state_of(object).~CpsUniformSamplerPrivate();
  G_OBJECT_CLASS(cps_uniform_sampler_parent_class)->finalize(object);
}

static void cps_uniform_sampler_init(CpsUniformSampler *self) {
  CpsUniformSamplerPrivate &state = state_of(self);
  new (&state) CpsUniformSamplerPrivate(self);
  gst_segment_init(&state.segment, GST_FORMAT_UNDEFINED);
  gst_video_info_init(&state.info);

  state.sinkpad = gst_pad_new_from_static_template(&sink_template, "sink");
  gst_pad_set_chain_function(state.sinkpad, GST_DEBUG_FUNCPTR(uniform_sampler_chain));
  gst_pad_set_event_function(state.sinkpad, GST_DEBUG_FUNCPTR(uniform_sampler_sink_event));
  gst_pad_set_query_function(state.sinkpad, GST_DEBUG_FUNCPTR(uniform_sampler_sink_query));
  GST_PAD_SET_PROXY_CAPS(state.sinkpad);
  GST_PAD_SET_PROXY_ALLOCATION(state.sinkpad);
  gst_element_add_pad(GST_ELEMENT(self), state.sinkpad);

  state.srcpad = gst_pad_new_from_static_template(&src_template, "src");
  gst_pad_set_event_function(state.srcpad, GST_DEBUG_FUNCPTR(uniform_sampler_src_event));
  GST_PAD_SET_PROXY_CAPS(state.srcpad);
  gst_element_add_pad(GST_ELEMENT(self), state.srcpad);
}

namespace cps {

void set_sampler_listener(GstElement *sampler, std::function<void(bool pushing)> listener) {
  state_of(sampler).listener = std::move(listener);
}

} // namespace cps

static void cps_uniform_sampler_class_init(CpsUniformSamplerClass *klass) {
  auto *object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = cps::set_option<state_of>;
  object_class->get_property = cps::get_option<state_of>;
  object_class->finalize = uniform_sampler_finalize;

  const auto flags = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);
  guint id = 0;
  auto install = [&](GParamSpec *spec) { g_object_class_install_property(object_class, ++id, spec); };
  install(g_param_spec_uint("sequence-length", "Sequence length",
                            "Frames to sample, spread evenly over the stream or section", 0, G_MAXUINT, 16, flags));
  install(
      g_param_spec_uint64("total-frames", "Total frames",
                          "Frames of the stream, where no frameplanner counts them (0 = from duration and frame rate)",
                          0, G_MAXINT64, 0, flags));
  install(gst_param_spec_array(
      "frame-ids", "Frame ids", "Frames to sample, by index in display order; order and repeats are kept (empty = off)",
      g_param_spec_int("frame-id", "Frame id", "Index in display order", G_MININT, G_MAXINT, 0, flags), flags));
  install(g_param_spec_int64("start", "Start",
                             "Stream time in ns that the sampled section starts at (-1 = of the stream)", -1,
                             G_MAXINT64, -1, flags));
  install(g_param_spec_int64("stop", "Stop",
                             "Stream time in ns that the sampled section ends before (-1 = of the stream)", -1,
                             G_MAXINT64, -1, flags));
  install(gst_param_spec_fraction("sample-fps", "Sample rate",
                                  "Frames to sample per second, instead of sequence-length (0/1 = off)", 0, 1, G_MAXINT,
                                  1, 0, 1, flags));
  install(g_param_spec_uint("max-frames", "Maximum frames",
                            "Where sample-fps gives more frames than this, this many spread evenly (0 = no limit)", 0,
                            G_MAXINT, 0, flags));
  install(g_param_spec_uint64("window", "Window",
                              "Length in ns of the windows of the section, each of which is a clip (0 = off)", 0,
                              G_MAXINT64, 0, flags));
  install(g_param_spec_uint64("hop", "Hop", "Time in ns from the start of a window to that of the next (0 = window)", 0,
                              G_MAXINT64, 0, flags));
  install(g_param_spec_uint("clip-length", "Clip length",
                            "Cut sequences into clips of this many frames, the last of which may be shorter (0 = off)",
                            0, G_MAXUINT, 0, flags));
  install(g_param_spec_enum("on-error", "On error",
                            "What to do about a frame that cannot be decoded: the nearest earlier one among those at "
                            "hand stands in, or an error",
                            CPS_TYPE_ON_ERROR, static_cast<gint>(cps::OnError::Substitute), flags));
  install(g_param_spec_boolean("apply-rotation", "Apply rotation",
                               "Mark frames with the rotation or mirroring that tags ask for, so that patchenergy, "
                               "patchselect and framestack read them as displayed; pixels are not touched (not with a "
                               "videoflip behind this: it would turn them a second time)",
                               FALSE, flags));

  auto *element_class = GST_ELEMENT_CLASS(klass);
  element_class->change_state = GST_DEBUG_FUNCPTR(uniform_sampler_change_state);
  gst_element_class_add_static_pad_template(element_class, &sink_template);
  gst_element_class_add_static_pad_template(element_class, &src_template);
  gst_element_class_set_static_metadata(element_class, "Uniform frame sampler", "Filter/Video",
                                        "Keeps the frames of a stream that a plan names", "The codecpatch developers");
  gst_type_mark_as_plugin_api(CPS_TYPE_ON_ERROR, static_cast<GstPluginAPIFlags>(0));
}
