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
#include "gst/elements/common/picture.h"
#include "gst/elements/common/samplingoptions.h"
#include "gst/elements/sampler/samplerdebug.h"
#include "gst/elements/sampler/samplingrun.h"

#include <atomic>

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

#define CPS_TYPE_LEAKY (cps_leaky_get_type())
static GType cps_leaky_get_type() {
  static GType type = [] {
    static const GEnumValue values[] = {
        {static_cast<gint>(cps::Leaky::Auto), "As downstream for windows of a live source, else as no", "auto"},
        {static_cast<gint>(cps::Leaky::No), "Wait for downstream", "no"},
        {static_cast<gint>(cps::Leaky::Downstream), "Drop clips that wait when another one begins", "downstream"},
        {0, nullptr, nullptr},
    };
    return g_enum_register_static("CpsLeaky", values);
  }();
  return type;
}

struct CpsUniformSamplerPrivate {
  CpsUniformSamplerPrivate(gpointer object, GstPad *pad)
      : options(object), srcpad(pad), stream{options}, output(GST_ELEMENT_CAST(object), pad) {}

  cps::Options options;
  GstPad *srcpad;

  // Streaming thread
  cps::SampledStream stream;
  std::unique_ptr<cps::SamplingRun> run;
  guint clip_index = 0; // of the first clip of `run`

  cps::ClipOutput output;
  std::atomic<bool> sought{false};      // by the application, since READY
  std::atomic<GstClockTime> latency{0}; // of `run`; not 0 if it has windows by running time
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

// The run ends with its stream or with a flush.
static void end_run(CpsUniformSampler *self) {
  CpsUniformSamplerPrivate &state = state_of(self);
  state.clip_index = state.run ? state.run->next_index() : state.clip_index + 1;
  state.run.reset();
  state.latency = 0;
  state.stream.planned.reset();
}

static cps::SamplingRun &begin_run(CpsUniformSampler *self) {
  CpsUniformSamplerPrivate &state = state_of(self);
  // Without a seek the stream begins at the start of its segment, which may be any time.
  if (state.stream.segment.format == GST_FORMAT_TIME && !state.sought)
    state.stream.origin = state.stream.segment.time;
  state.run = std::make_unique<cps::SamplingRun>(GST_ELEMENT(self), state.stream, state.output, state.clip_index);
  return *state.run;
}

static GstFlowReturn uniform_sampler_chain(GstPad *, GstObject *parent, GstBuffer *buffer) {
  auto *self = CPS_UNIFORM_SAMPLER(parent);
  CpsUniformSamplerPrivate &state = state_of(self);
  cps::SamplingRun &run = state.run ? *state.run : begin_run(self);
  const GstFlowReturn flow = run.take(Owned<GstBuffer>(buffer));
  if (state.latency.exchange(run.latency()) != run.latency())
    gst_element_post_message(GST_ELEMENT(self), gst_message_new_latency(GST_OBJECT(self)));
  return flow;
}

// Frames that are held may have earlier caps; the new ones are then sent with their first frame.
static gboolean take_caps(CpsUniformSampler *self, GstEvent *event) {
  CpsUniformSamplerPrivate &state = state_of(self);
  GstCaps *caps;
  gst_event_parse_caps(event, &caps);
  if (state.run && !gst_caps_is_equal(caps, state.stream.caps.get()))
    state.run->change_caps();
  if (!cps::video_info_from_caps(state.stream.info, caps))
    gst_video_info_init(&state.stream.info); // only the frame rate is used
  state.stream.caps.reset(gst_caps_ref(caps));
  const bool later = state.output.is_queued() || (state.run && state.run->holds_frames());
  return later || state.output.send_caps(caps);
}

// Events and queries

// Returns true if the event must not be forwarded.
static bool handle_end(CpsUniformSampler *self) {
  cps::SamplingRun &run = state_of(self).run ? *state_of(self).run : begin_run(self);
  if (!run.has_ended())
    run.finish();
  return run.has_ended();
}

// Forwards an event in order with the frames.
static gboolean forward(CpsUniformSampler *self, GstPad *pad, Owned<GstEvent> event) {
  CpsUniformSamplerPrivate &state = state_of(self);
  if (!state.output.is_queued() || !GST_EVENT_IS_SERIALIZED(event.get()))
    return gst_pad_event_default(pad, GST_OBJECT(self), event.release());
  state.output.send(std::move(event));
  return TRUE;
}

static gboolean uniform_sampler_sink_event(GstPad *pad, GstObject *parent, GstEvent *incoming) {
  auto *self = CPS_UNIFORM_SAMPLER(parent);
  CpsUniformSamplerPrivate &state = state_of(self);
  Owned<GstEvent> event(incoming);
  if (CpsPlan *plan = cps_event_parse_plan(incoming)) {
    state.stream.planned.reset(cps_plan_ref(plan)); // our own plans, with our options, are sent before their clips
    return TRUE;
  }
  state.stream.orientation.handle_tags(incoming);
  gboolean still;
  if (gst_video_event_parse_still_frame(incoming, &still)) // it has only made the decoder drain before a gap
    return TRUE;
  switch (GST_EVENT_TYPE(incoming)) {
  case GST_EVENT_CAPS:
    return take_caps(self, incoming);
  case GST_EVENT_SEGMENT:
    gst_event_copy_segment(incoming, &state.stream.segment);
    state.stream.seqnum = gst_event_get_seqnum(incoming);
    if (state.latency > 0)
      return TRUE; // the windows have a segment of their own
    break;
  case GST_EVENT_STREAM_START:
    if (state.run && state.run->has_ended())
      end_run(self);
    break;
  case GST_EVENT_FLUSH_START: {
    state.output.begin_flush();
    const gboolean result = gst_pad_event_default(pad, parent, event.release());
    state.output.end_task(false);
    return result;
  }
  case GST_EVENT_FLUSH_STOP:
    state.sought = true; // the seek may have gone through another branch and not reached us yet
    end_run(self);
    state.output.resume();
    gst_segment_init(&state.stream.segment, GST_FORMAT_UNDEFINED);
    break;
  case GST_EVENT_EOS:
  case GST_EVENT_SEGMENT_DONE:
    if (handle_end(self))
      return TRUE;
    break;
  default:
    break;
  }
  return forward(self, pad, std::move(event));
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

static gboolean answer_latency(CpsUniformSampler *self, GstQuery *query) {
  const CpsUniformSamplerPrivate &state = state_of(self);
  if (!gst_pad_peer_query(state.stream.sinkpad, query))
    return FALSE;
  gboolean live;
  GstClockTime least, most;
  gst_query_parse_latency(query, &live, &least, &most);
  if (const GstClockTime own = state.latency; live)
    gst_query_set_latency(query, TRUE, least + own, GST_CLOCK_TIME_IS_VALID(most) ? most + own : most);
  return TRUE;
}

static gboolean uniform_sampler_src_query(GstPad *pad, GstObject *parent, GstQuery *query) {
  if (GST_QUERY_TYPE(query) == GST_QUERY_LATENCY)
    return answer_latency(CPS_UNIFORM_SAMPLER(parent), query);
  return gst_pad_query_default(pad, parent, query);
}

static gboolean uniform_sampler_sink_query(GstPad *pad, GstObject *parent, GstQuery *query) {
  const CpsUniformSamplerPrivate &state = state_of(parent);
  if (cps_query_is_plan_request(query)) {
    cps_query_set_plan_request(query, state.options.snapshot().get());
    return TRUE;
  }
  if (GST_QUERY_TYPE(query) == GST_QUERY_ACCEPT_CAPS) { // the default handler asks downstream; see ClipOutput
    GstCaps *caps;
    gst_query_parse_accept_caps(query, &caps);
    const Owned<GstCaps> known(gst_pad_get_pad_template_caps(pad));
    gst_query_set_accept_caps_result(query, gst_caps_can_intersect(caps, known.get()));
    return TRUE;
  }
  if (GST_QUERY_IS_SERIALIZED(query) && state.output.is_queued())
    return FALSE; // because it would wait for downstream
  return gst_pad_query_default(pad, parent, query);
}

static gboolean uniform_sampler_src_activate(GstPad *, GstObject *parent, GstPadMode mode, gboolean active) {
  if (mode != GST_PAD_MODE_PUSH)
    return FALSE;
  cps::ClipOutput &output = state_of(parent).output;
  if (active) {
    output.resume();
  } else {
    output.begin_flush();
    output.end_task(true);
  }
  return TRUE;
}

static GstStateChangeReturn uniform_sampler_change_state(GstElement *element, GstStateChange transition) {
  const GstStateChangeReturn result =
      GST_ELEMENT_CLASS(cps_uniform_sampler_parent_class)->change_state(element, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) {
    CpsUniformSamplerPrivate &state = state_of(element);
    end_run(CPS_UNIFORM_SAMPLER(element));
    state.clip_index = 0;
    state.output.forget_caps();
    state.output.queue_clips(false);
    state.sought = false;
    state.stream.origin = 0;
    state.stream.caps.reset();
    state.stream.orientation = {};
    gst_segment_init(&state.stream.segment, GST_FORMAT_UNDEFINED);
    gst_video_info_init(&state.stream.info);
  }
  return result;
}

// GObject

static void uniform_sampler_finalize(GObject *object) {
  state_of(object).~CpsUniformSamplerPrivate();
  G_OBJECT_CLASS(cps_uniform_sampler_parent_class)->finalize(object);
}

static void cps_uniform_sampler_init(CpsUniformSampler *self) {
  GstPad *srcpad = gst_pad_new_from_static_template(&src_template, "src");
  CpsUniformSamplerPrivate &state = *new (&state_of(self)) CpsUniformSamplerPrivate(self, srcpad);
  gst_segment_init(&state.stream.segment, GST_FORMAT_UNDEFINED);
  gst_video_info_init(&state.stream.info);

  GstPad *sinkpad = state.stream.sinkpad = gst_pad_new_from_static_template(&sink_template, "sink");
  gst_pad_set_chain_function(sinkpad, GST_DEBUG_FUNCPTR(uniform_sampler_chain));
  gst_pad_set_event_function(sinkpad, GST_DEBUG_FUNCPTR(uniform_sampler_sink_event));
  gst_pad_set_query_function(sinkpad, GST_DEBUG_FUNCPTR(uniform_sampler_sink_query));
  GST_PAD_SET_PROXY_CAPS(sinkpad);
  GST_PAD_SET_PROXY_ALLOCATION(sinkpad);
  gst_element_add_pad(GST_ELEMENT(self), sinkpad);

  gst_pad_set_activatemode_function(srcpad, GST_DEBUG_FUNCPTR(uniform_sampler_src_activate));
  gst_pad_set_event_function(srcpad, GST_DEBUG_FUNCPTR(uniform_sampler_src_event));
  gst_pad_set_query_function(srcpad, GST_DEBUG_FUNCPTR(uniform_sampler_src_query));
  GST_PAD_SET_PROXY_CAPS(srcpad);
  gst_element_add_pad(GST_ELEMENT(self), srcpad);
}

namespace cps {

void set_sampler_listener(GstElement *sampler, std::function<void(bool pushing)> listener) {
  state_of(sampler).output.set_listener(std::move(listener));
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
  install(g_param_spec_enum("leaky", "Leaky", "What to do where downstream is slower than the stream", CPS_TYPE_LEAKY,
                            static_cast<gint>(cps::Leaky::Auto), flags));
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
  for (GType type : {CPS_TYPE_ON_ERROR, CPS_TYPE_LEAKY})
    gst_type_mark_as_plugin_api(type, static_cast<GstPluginAPIFlags>(0));
}
