// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * SECTION:element-frameplanner
 * @title: frameplanner
 *
 * Sits between a parser and a decoder and tells a uniformsampler downstream which frames the stream has. In the first
 * pass it reads the stream without decoding it and numbers its frames in display order. It then resolves the sampler's
 * request, rewinds, and in the second pass stamps every access unit with its frame's identity (#CpsFrameMeta).
 *
 * If the input cannot be read twice (it is not seekable, seeks slowly, is live, or feeds another branch of the
 * pipeline, which would block forever), the stream passes through unstamped, with a warning, and the sampler estimates.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 filesrc location=v.mp4 ! qtdemux ! h264parse ! frameplanner ! avdec_h264
 *     ! uniformsampler sequence-length=16 ! patchenergy ! patchselect ! tensormetasink location=clip-%05d.safetensors
 * ]|
 *
 * Since: 0.1
 */
#include "gst/elements/planner/frameplanner.h"

#include "gst/elements/planner/plannercaps.h"
#include "gst/elements/planner/plannerrun.h"
#include "gst/elements/planner/uniformstrategy.h"

using cps::Owned;

struct CpsFramePlannerPrivate {
  explicit CpsFramePlannerPrivate(gpointer object) : options(object) {}

  cps::Options options;
  std::unique_ptr<cps::PlannerRun> run; // for the life of the element
};

struct _CpsFramePlanner {
  GstElement parent;
};

G_DEFINE_FINAL_TYPE_WITH_PRIVATE(CpsFramePlanner, cps_frame_planner, GST_TYPE_ELEMENT)
GST_ELEMENT_REGISTER_DEFINE(frameplanner, "frameplanner", GST_RANK_NONE, CPS_TYPE_FRAME_PLANNER)

static CpsFramePlannerPrivate &state_of(gpointer self) {
  return *static_cast<CpsFramePlannerPrivate *>(cps_frame_planner_get_instance_private(CPS_FRAME_PLANNER(self)));
}

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(PLANNER_CAPS));
static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(PLANNER_CAPS));

static GstFlowReturn frame_planner_chain(GstPad *, GstObject *parent, GstBuffer *buffer) {
  return state_of(parent).run->chain(Owned<GstBuffer>(buffer));
}

static gboolean frame_planner_sink_event(GstPad *pad, GstObject *parent, GstEvent *incoming) {
  cps::PlannerRun &run = *state_of(parent).run;
  Owned<GstEvent> event(incoming);
  bool done = false;
  switch (GST_EVENT_TYPE(incoming)) {
  case GST_EVENT_STREAM_START:
    done = run.handle_stream_start(incoming);
    break;
  case GST_EVENT_CAPS: {
    GstCaps *caps;
    gst_event_parse_caps(incoming, &caps);
    return run.handle_caps(caps);
  }
  case GST_EVENT_SEGMENT:
    run.handle_segment(incoming);
    done = true;
    break;
  case GST_EVENT_GAP:
    done = run.handle_gap();
    break;
  case GST_EVENT_FLUSH_START:
    done = run.seek().begin_flush(incoming);
    break;
  case GST_EVENT_FLUSH_STOP:
    done = run.handle_flush_stop(incoming);
    break;
  case GST_EVENT_EOS:
  case GST_EVENT_SEGMENT_DONE:
    done = run.handle_end(incoming);
    break;
  default:
    break;
  }
  return done || gst_pad_event_default(pad, parent, event.release());
}

static gboolean frame_planner_src_event(GstPad *pad, GstObject *parent, GstEvent *event) {
  if (GST_EVENT_TYPE(event) == GST_EVENT_SEEK)
    return state_of(parent).run->seek().forward(pad, event);
  return gst_pad_event_default(pad, parent, event);
}

static GstStateChangeReturn frame_planner_change_state(GstElement *element, GstStateChange transition) {
  cps::PlannerRun &run = *state_of(element).run;
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    run.seek().interrupt();
  const GstStateChangeReturn result =
      GST_ELEMENT_CLASS(cps_frame_planner_parent_class)->change_state(element, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) {
    run.seek().wait();
    run.seek().forget();
    run.reset();
  }
  return result;
}

// GObject

static void frame_planner_finalize(GObject *object) {
  state_of(object).~CpsFramePlannerPrivate();
  G_OBJECT_CLASS(cps_frame_planner_parent_class)->finalize(object);
}

static void cps_frame_planner_init(CpsFramePlanner *self) {
  CpsFramePlannerPrivate &state = *new (&state_of(self)) CpsFramePlannerPrivate(self);

  GstPad *sinkpad = gst_pad_new_from_static_template(&sink_template, "sink");
  gst_pad_set_chain_function(sinkpad, GST_DEBUG_FUNCPTR(frame_planner_chain));
  gst_pad_set_event_function(sinkpad, GST_DEBUG_FUNCPTR(frame_planner_sink_event));
  GST_PAD_SET_PROXY_CAPS(sinkpad);
  GST_PAD_SET_PROXY_ALLOCATION(sinkpad);
  gst_element_add_pad(GST_ELEMENT(self), sinkpad);

  GstPad *srcpad = gst_pad_new_from_static_template(&src_template, "src");
  gst_pad_set_event_function(srcpad, GST_DEBUG_FUNCPTR(frame_planner_src_event));
  GST_PAD_SET_PROXY_CAPS(srcpad);
  gst_element_add_pad(GST_ELEMENT(self), srcpad);

  state.run = std::make_unique<cps::PlannerRun>(GST_ELEMENT(self), sinkpad, srcpad, state.options);
}

namespace cps {

void set_planner_reopen(GstElement *planner, RewindSeek::Reopen reopen) {
  state_of(planner).run->seek().set_reopen(std::move(reopen));
}

void set_planner_cache(GstElement *planner, Owned<CpsIndex> cached, PlannerRun::Save save) {
  state_of(planner).run->set_cache(std::move(cached), std::move(save));
}

double planner_progress(GstElement *planner) {
  return state_of(planner).run->progress();
}

} // namespace cps

static void cps_frame_planner_class_init(CpsFramePlannerClass *klass) {
  cps::init_planner_debug();
  auto *object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = cps::set_option<state_of>;
  object_class->get_property = cps::get_option<state_of>;
  object_class->finalize = frame_planner_finalize;
  const auto flags = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);
  guint id = 0;
  auto install = [&](GParamSpec *spec) { g_object_class_install_property(object_class, ++id, spec); };
  install(g_param_spec_enum("uniform-strategy", "Uniform strategy", "Which access units go to the decoder",
                            CPS_TYPE_UNIFORM_STRATEGY, STRATEGY_AUTO, flags));
  install(g_param_spec_boxed("index", "Index",
                             "Index of this stream from a message of index-only, in place of the first pass (NULL = "
                             "none). Another stream is an error",
                             CPS_TYPE_INDEX, flags));
  install(g_param_spec_boolean("index-only", "Index only",
                               "Post the index of the stream as the element message codecpatch-index, and end the "
                               "stream without decoding",
                               FALSE, flags));

  auto *element_class = GST_ELEMENT_CLASS(klass);
  element_class->change_state = GST_DEBUG_FUNCPTR(frame_planner_change_state);
  gst_element_class_add_static_pad_template(element_class, &sink_template);
  gst_element_class_add_static_pad_template(element_class, &src_template);
  gst_element_class_set_static_metadata(element_class, "Frame planner", "Filter/Video",
                                        "Numbers the frames of a coded stream before they are decoded",
                                        "The codecpatch developers");
  gst_type_mark_as_plugin_api(CPS_TYPE_UNIFORM_STRATEGY, static_cast<GstPluginAPIFlags>(0));
}
