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

#include "gst/elements/common/frametime.h"
#include "gst/elements/common/memorylimit.h"
#include "gst/elements/common/options.h"
#include "gst/elements/common/samplingoptions.h"
#include "gst/elements/common/upstream.h"
#include "gst/elements/planner/colorrange.h"
#include "gst/elements/planner/decoderpush.h"
#include "gst/elements/planner/parametersets.h"
#include "gst/elements/planner/phase.h"
#include "gst/elements/planner/plannercaps.h"
#include "gst/elements/planner/planrequest.h"
#include "gst/elements/planner/playedsection.h"
#include "gst/elements/planner/progress.h"
#include "gst/elements/planner/rewindseek.h"
#include "gst/elements/planner/secondpass.h"
#include "gst/elements/planner/timeline.h"
#include "gst/elements/planner/uniformstrategy.h"

#include <gst/video/video.h>

#include <optional>

GST_DEBUG_CATEGORY_STATIC(frame_planner_debug);
#define GST_CAT_DEFAULT frame_planner_debug

using cps::Owned;
using cps::Phase;
using cps::SecondPass;
using cps::StreamIndex;

struct CpsFramePlannerPrivate {
  explicit CpsFramePlannerPrivate(gpointer object)
      : options(object), indexing(GST_ELEMENT(object), "index", "Indexing the stream"),
        sampling(GST_ELEMENT(object), "sampling", nullptr) {}

  GstPad *sinkpad = nullptr;
  GstPad *srcpad = nullptr;
  cps::Options options;

  // Streaming thread
  Phase phase = Phase::Start;
  std::unique_ptr<cps::PictureParser> parser;
  StreamIndex index;
  bool indexed = false; // the index is complete
  // Sequence number of our events: that of the application's last seek, or of the first segment that upstream sent
  // after it.
  guint32 seqnum = GST_SEQNUM_INVALID;
  cps::Timeline timeline;
  cps::PlayedSection section;
  Owned<GstCaps> caps; // the last that were sent downstream
  std::string stream_id;
  double nominal_fps = 0;
  bool planned = false;
  bool ended = false; // EOS has been sent downstream
  SecondPass second_pass{index};
  cps::ParameterSetKeeper parameter_sets;

  cps::Progress indexing, sampling;

  std::unique_ptr<cps::RewindSeek> seek; // for the life of the element
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

static void set_phase(CpsFramePlannerPrivate &state, Phase phase) {
  if (state.phase != phase)
    GST_DEBUG_OBJECT(GST_PAD_PARENT(state.sinkpad), "%s -> %s", cps::phase_name(state.phase), cps::phase_name(phase));
  state.phase = phase;
}

// Caps

static void read_caps(CpsFramePlannerPrivate &state, const GstCaps *caps) {
  const GstStructure *structure = gst_caps_get_structure(caps, 0);
  gint n = 0, d = 1;
  gst_structure_get_fraction(structure, "framerate", &n, &d);
  state.nominal_fps = cps::frame_rate(n, d);
  if (state.parser && state.parser->set_caps(caps))
    return;
  // In an indexed stream the old parser stays if there is none for the new caps, because every access unit is parsed.
  std::unique_ptr<cps::PictureParser> parser = cps::PictureParser::create(caps);
  if (parser || state.phase == Phase::Start)
    state.parser = std::move(parser);
  GST_DEBUG_OBJECT(GST_PAD_PARENT(state.sinkpad), "%s: %" GST_PTR_FORMAT,
                   state.parser ? "parsed here" : "not parsed here", caps);
}

// Skips caps equal to the last ones, because upstream sends them again in the second pass.
static bool forward_caps(CpsFramePlannerPrivate &state, GstCaps *incoming) {
  Owned<GstCaps> caps = cps::with_true_range(incoming, state.parser.get());
  if (state.caps && gst_caps_is_equal(state.caps.get(), caps.get()))
    return true;
  state.caps = std::move(caps);
  return gst_pad_push_event(state.srcpad, gst_event_new_caps(state.caps.get()));
}

// First pass

static void index_unit(CpsFramePlannerPrivate &state, GstBuffer *buffer) {
  state.indexing.update(state.index.units(), 0);
  cps::CodedPicture picture;
  state.parser->parse(buffer, picture);
  state.index.add(picture, state.timeline.times_of(buffer, state.section.segment()),
                  state.timeline.is_cut(buffer, state.section.segment()));
}

static void begin_indexing(CpsFramePlannerPrivate &state) {
  state.index.clear();
  state.indexed = false;
  if (state.parser)
    state.parser->reset();
  state.indexing.begin();
  set_phase(state, Phase::Indexing);
}

// Ends the first pass: seeks to the position from which the application wants to play. Returns false after posting an
// error.
static bool end_indexing(CpsFramePlanner *self) {
  CpsFramePlannerPrivate &state = state_of(self);
  if (state.parser->loses_last())
    state.index.hide_last();
  state.index.finish(state.parser->orders_by_pts(),
                     state.nominal_fps > 0 ? static_cast<gint64>(GST_SECOND / state.nominal_fps) : 0);
  state.indexing.end(true);
  if (state.index.frames() == 0) {
    GST_ELEMENT_ERROR(self, STREAM, FORMAT, ("The stream has no picture."),
                      ("%" G_GSIZE_FORMAT " access units", state.index.units()));
    return false;
  }
  state.indexed = true;
  set_phase(state, Phase::Rewinding);
  GST_INFO_OBJECT(self, "%u frames in %" G_GSIZE_FORMAT " access units", state.index.frames(), state.index.units());
  const std::optional<GstSegment> section = state.section.take_remembered();
  if (!section) {
    state.seek->request(0, -1);
    return true;
  }
  if (state.timeline.is_edited()) {
    state.section.play(*section);
    state.seek->request(0, -1, section->flags);
    return true;
  }
  const guint64 stop = gst_segment_to_stream_time(&*section, GST_FORMAT_TIME, section->stop);
  state.seek->request(static_cast<gint64>(section->time),
                      GST_CLOCK_TIME_IS_VALID(stop) ? static_cast<gint64>(stop) : -1, section->flags);
  return true;
}

// Second pass

static void begin_stamping(CpsFramePlannerPrivate &state) {
  set_phase(state, Phase::Stamping);
  state.planned = state.ended = false;
  state.section.second_reading_begins();
  state.sampling.begin();
  state.second_pass.begin(state.section.sought() != nullptr);
  state.parameter_sets.clear();
}

// Queries the sampler's request and sends the plan for it downstream. Returns false after posting an error.
static bool make_plan(CpsFramePlanner *self) {
  CpsFramePlannerPrivate &state = state_of(self);
  state.planned = true;
  const Owned<GstStructure> request = cps::query_sampling_request(state.srcpad);
  if (!request) {
    GST_INFO_OBJECT(self, "no sampler downstream");
    return true;
  }
  const Owned<GstStructure> options = state.options.snapshot();
  Owned<CpsPlan> plan;
  if (state.phase == Phase::Stamping) {
    plan = cps::plan_for({GST_ELEMENT(self), state.index, state.section.sought(), state.nominal_fps,
                          state.timeline.declared_end(state.sinkpad)},
                         request.get());
    if (!plan || !cps::has_room(state.srcpad, cps::longest_clip(*plan)))
      return false;
    GST_INFO_OBJECT(self, "plan: %u clips, %u positions of %u frames, asked for by %" GST_PTR_FORMAT, plan->n_clips,
                    plan->n_frames, state.index.frames(), request.get());
    state.second_pass.want(cps::planned_frames(*plan),
                           cps::option_enum(options.get(), "uniform-strategy") != STRATEGY_STREAM,
                           state.parser->order_window());
    GST_INFO_OBJECT(self, "%" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT " access units are needed",
                    state.second_pass.kept(), state.index.units());
  } else {
    plan.reset(cps_plan_new(0)); // an empty plan makes the sampler estimate
  }
  cps::merge_options(plan->options, options.get());
  gst_pad_push_event(state.srcpad, cps_event_new_plan(plan.release()));
  return true;
}

static void forward_segment(CpsFramePlannerPrivate &state) {
  const gint64 first_time = state.index.frames() > 0 ? state.index.time(0) : cps::kUntimed;
  if (const std::optional<GstSegment> segment = state.section.due(state.phase == Phase::Passing, first_time))
    cps::push_numbered(state.srcpad, state.seqnum, gst_event_new_segment(&*segment));
}

// Call when no wanted frame follows.
static GstFlowReturn end_stream(CpsFramePlannerPrivate &state) {
  if (!state.ended) {
    state.ended = true;
    state.sampling.end(true);
    cps::push_numbered(state.srcpad, state.seqnum, gst_event_new_eos());
  }
  return GST_FLOW_EOS;
}

// Reads the section again from the start of the stream, because the demuxer started too late for it or stopped too
// early. The decoder has already received the needed access units before `unit`.
static void read_from_start(CpsFramePlannerPrivate &state, size_t unit) {
  state.second_pass.skip_to(unit);
  state.section.read_from_start();
  set_phase(state, Phase::Rewinding);
  state.seek->request(0, -1, state.section.segment().flags);
}

// True if the start of the stream is due. After a seek of the application that is so only if the planner reads from the
// start.
static bool at_beginning(const CpsFramePlannerPrivate &state) {
  return (!state.section.sought() || state.section.is_read_from_start()) && state.second_pass.position() == 0;
}

// Opens the source again, because some demuxers report that they have rewound but are elsewhere: tsdemux after the
// first pictures if these have no clock, others at the end. Returns false if the source cannot be opened again.
static bool reopen(CpsFramePlannerPrivate &state) {
  if (!state.seek->request_reopen())
    return false;
  GST_INFO_OBJECT(GST_PAD_PARENT(state.sinkpad), "the rewind did not lead to the start: the source is opened again");
  state.section.read_from_start();
  set_phase(state, Phase::Rewinding);
  return true;
}

static GstFlowReturn stamp_and_push(CpsFramePlanner *self, Owned<GstBuffer> buffer) {
  CpsFramePlannerPrivate &state = state_of(self);
  const bool landed = state.section.sought() && !state.second_pass.located(); // first unit after the application's seek
  const bool begins = at_beginning(state);
  // The fingerprint covers only slices, because after a seek parsers insert other parameter sets.
  const cps::UnitSummary summary = state.parser->summarize(buffer.get());
  const size_t at = state.second_pass.match(summary.fingerprint, GST_BUFFER_PTS(buffer.get()));
  const bool known = at < state.index.units();
  forward_segment(state);
  if (!state.planned && state.caps) // in-band parameter sets have been parsed by now
    forward_caps(state, Owned<GstCaps>(gst_caps_ref(state.caps.get())).get());
  if (!state.planned && !make_plan(self))
    return GST_FLOW_ERROR;
  if (landed && known && (state.second_pass.is_too_late(at) || !state.index.stamped())) {
    // The demuxer went to a random-access point, but the first wanted picture depends on an earlier unit; or the stream
    // has no times, so that the position is unknown.
    GST_INFO_OBJECT(self, "the seek landed after what the first wanted frame depends on");
    read_from_start(state, 0);
    return GST_FLOW_OK;
  }
  if (begins && state.second_pass.is_too_late(at) && reopen(state))
    return GST_FLOW_OK;
  state.sampling.update(at, state.index.units());
  const SecondPass::Action action = state.second_pass.action(at);
  GST_LOG_OBJECT(self, "access unit %" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT ", frame %d: %s", at, state.index.units(),
                 known ? static_cast<int>(state.index.unit(at).frame) : -1, SecondPass::text_of(action));
  switch (action) {
  case SecondPass::Action::End:
    return end_stream(state);
  case SecondPass::Action::Drop:
    state.parameter_sets.drop(buffer.get(), summary.parameter_sets);
    return GST_FLOW_OK;
  case SecondPass::Action::DrainAndPush:
    gst_pad_push_event(state.srcpad, gst_video_event_new_still_frame(TRUE));
    break;
  case SecondPass::Action::Push:
    break;
  }
  if (known)
    buffer = state.second_pass.stamp(std::move(buffer), at, state.section.sought());
  else
    GST_DEBUG_OBJECT(self, "unknown access unit at %" GST_TIME_FORMAT, GST_TIME_ARGS(GST_BUFFER_PTS(buffer.get())));
  buffer = state.parameter_sets.pass(std::move(buffer), summary.parameter_sets);
  buffer = state.second_pass.close(std::move(buffer), at, state.parser->end_of_sequence());
  const bool repeats = state.parser->holds_last() && state.second_pass.is_last(at);
  Owned<GstBuffer> again = repeats ? cps::nameless_copy(buffer.get()) : nullptr;
  const GstFlowReturn flow = cps::push_to_decoder(GST_ELEMENT(self), state.srcpad, std::move(buffer));
  if (flow == GST_FLOW_EOS) // the sampler has all of its frames
    state.sampling.end(true);
  state.ended |= flow < GST_FLOW_EOS; // because libav's decoders (1.22) crash if they must drain after an error
  return repeats && flow == GST_FLOW_OK ? gst_pad_push(state.srcpad, again.release()) : flow;
}

// Data

// Decides at the first access unit how to process the stream.
static void start(CpsFramePlanner *self) {
  CpsFramePlannerPrivate &state = state_of(self);
  std::string reason = state.parser ? "" : "its format is unknown";
  cps::Rewindability rewindability = state.parser ? cps::can_rewind(state.sinkpad, reason) : cps::Rewindability::No;
  if (rewindability == cps::Rewindability::Maybe && !state.seek->can_reopen()) {
    set_phase(state, Phase::Rewinding);
    if (state.seek->try_rewind())
      return; // the flush starts the indexing
    rewindability = cps::Rewindability::No;
  }
  if (rewindability == cps::Rewindability::No) {
    cps::report_unindexed(GST_ELEMENT(self), state.srcpad, reason);
    set_phase(state, Phase::Passing);
    state.planned = state.ended = false;
    return;
  }
  state.timeline.look_upstream(state.sinkpad, state.stream_id);
  if (!state.seek->application_sought()) {
    begin_indexing(state);
    return;
  }
  GST_DEBUG_OBJECT(self, "the application has sought: the whole stream is indexed first");
  state.section.sought_before_indexing();
  set_phase(state, Phase::Rewinding);
  state.seek->request(0, -1);
}

static GstFlowReturn frame_planner_chain(GstPad *, GstObject *parent, GstBuffer *incoming) {
  auto *self = CPS_FRAME_PLANNER(parent);
  CpsFramePlannerPrivate &state = state_of(self);
  Owned<GstBuffer> buffer(incoming);
  state.section.data_came();
  if (state.phase == Phase::Start)
    start(self);
  switch (state.phase) {
  case Phase::Indexing:
    index_unit(state, incoming);
    return GST_FLOW_OK;
  case Phase::Stamping:
    return stamp_and_push(self, std::move(buffer));
  case Phase::Passing:
    forward_segment(state);
    if (!state.planned)
      make_plan(self);
    return cps::push_to_decoder(GST_ELEMENT(self), state.srcpad, std::move(buffer));
  default:
    return GST_FLOW_OK;
  }
}

// Events

// After the flush of a seek of this element.
static void restart(CpsFramePlannerPrivate &state) {
  if (state.section.is_read_from_start()) {
    state.section.data_came();
    set_phase(state, Phase::Stamping);
    state.second_pass.rewind();
    state.parameter_sets.clear();
  } else if (state.indexed) {
    state.section.data_came();
    begin_stamping(state);
  } else {
    state.section.flushed_before_indexing();
    begin_indexing(state);
  }
}

// Returns true if the event must not be forwarded.
static bool handle_flush_stop(CpsFramePlannerPrivate &state, GstEvent *event) {
  if (state.seek->end_flush(event)) {
    restart(state);
    return true;
  }
  state.section.flushed_by_application(state.indexed);
  state.seqnum = state.seek->application_seqnum(); // because some demuxers send that of an earlier seek
  if (state.indexed) {
    begin_stamping(state);
  } else {
    set_phase(state, state.phase == Phase::Passing ? Phase::Passing : Phase::Start);
    state.planned = state.ended = false;
  }
  return false;
}

// The segment is sent downstream with the next buffer.
static void handle_segment(CpsFramePlannerPrivate &state, GstEvent *event) {
  const GstSegment *segment;
  gst_event_parse_segment(event, &segment);
  const bool indexing = state.phase == Phase::Start || state.phase == Phase::Indexing;
  if (state.section.received(*segment, indexing, state.index.units() == 0) && state.seqnum == GST_SEQNUM_INVALID)
    state.seqnum = gst_event_get_seqnum(event);
}

// Returns true if the event must not be forwarded, because a second pass sends it again.
static bool handle_stream_start(CpsFramePlannerPrivate &state, GstEvent *event) {
  const gchar *id = nullptr;
  gst_event_parse_stream_start(event, &id);
  const bool same = state.seek->take_reopened() || (id && state.stream_id == id);
  state.stream_id = id ? id : "";
  if (same)
    return state.phase != Phase::Passing;
  set_phase(state, Phase::Start);
  state.index.clear();
  state.indexed = false;
  state.section.stream_started();
  state.caps.reset();
  return false;
}

// Handles the end of the stream, or of the segment. Returns true if the event must not be forwarded.
static bool handle_end(CpsFramePlanner *self, GstEvent *event) {
  CpsFramePlannerPrivate &state = state_of(self);
  switch (state.phase) {
  case Phase::Indexing:
    return end_indexing(self);
  case Phase::Rewinding:
    return true;
  default:
    if (state.phase == Phase::Stamping && at_beginning(state) && reopen(state))
      return true;
    forward_segment(state);
    if (state.phase == Phase::Stamping && !state.planned)
      make_plan(self);
    // Demuxers stop at the first key frame after the section, although leading pictures of that frame may belong to it.
    if (state.phase == Phase::Stamping && state.section.sought() && !state.section.is_read_from_start() &&
        state.second_pass.is_short()) {
      read_from_start(state, state.second_pass.position());
      return true;
    }
    state.sampling.end(state.phase == Phase::Stamping);
    if (!state.ended)
      cps::push_numbered(state.srcpad, state.seqnum, gst_event_copy(event));
    state.ended |= GST_EVENT_TYPE(event) == GST_EVENT_EOS;
    return true;
  }
}

static gboolean frame_planner_sink_event(GstPad *pad, GstObject *parent, GstEvent *incoming) {
  auto *self = CPS_FRAME_PLANNER(parent);
  CpsFramePlannerPrivate &state = state_of(self);
  Owned<GstEvent> event(incoming);
  bool done = false;
  switch (GST_EVENT_TYPE(incoming)) {
  case GST_EVENT_STREAM_START:
    done = handle_stream_start(state, incoming);
    break;
  case GST_EVENT_CAPS: {
    GstCaps *caps;
    gst_event_parse_caps(incoming, &caps);
    read_caps(state, caps);
    // During the first pass only the first caps are forwarded, to set up the decoder; the second pass repeats later
    // ones with their frames.
    return state.phase == Phase::Indexing || state.phase == Phase::Rewinding || forward_caps(state, caps);
  }
  case GST_EVENT_SEGMENT:
    handle_segment(state, incoming);
    done = true;
    break;
  case GST_EVENT_GAP:
    state.section.data_came();
    done = state.phase == Phase::Indexing || state.phase == Phase::Rewinding || state.phase == Phase::Start;
    break;
  case GST_EVENT_FLUSH_START:
    done = state.seek->begin_flush(incoming);
    break;
  case GST_EVENT_FLUSH_STOP:
    done = handle_flush_stop(state, incoming);
    break;
  case GST_EVENT_EOS:
  case GST_EVENT_SEGMENT_DONE:
    done = handle_end(self, incoming);
    break;
  default:
    break;
  }
  return done || gst_pad_event_default(pad, parent, event.release());
}

static gboolean frame_planner_src_event(GstPad *pad, GstObject *parent, GstEvent *event) {
  if (GST_EVENT_TYPE(event) == GST_EVENT_SEEK)
    return state_of(parent).seek->forward(pad, event);
  return gst_pad_event_default(pad, parent, event);
}

static void reset(CpsFramePlannerPrivate &state) {
  state.indexing.end(false);
  state.sampling.end(false);
  set_phase(state, Phase::Start);
  state.parser.reset();
  state.index.clear();
  state.indexed = false;
  state.section.stopped();
  state.seqnum = GST_SEQNUM_INVALID;
  state.timeline = {};
  state.second_pass.begin(false);
  state.parameter_sets.clear();
  state.caps.reset();
  state.stream_id.clear();
  state.planned = state.ended = false;
}

static GstStateChangeReturn frame_planner_change_state(GstElement *element, GstStateChange transition) {
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    state_of(element).seek->interrupt();
  const GstStateChangeReturn result =
      GST_ELEMENT_CLASS(cps_frame_planner_parent_class)->change_state(element, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) {
    state_of(element).seek->wait();
    state_of(element).seek->forget();
    reset(state_of(element));
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

  state.sinkpad = gst_pad_new_from_static_template(&sink_template, "sink");
  gst_pad_set_chain_function(state.sinkpad, GST_DEBUG_FUNCPTR(frame_planner_chain));
  gst_pad_set_event_function(state.sinkpad, GST_DEBUG_FUNCPTR(frame_planner_sink_event));
  GST_PAD_SET_PROXY_CAPS(state.sinkpad);
  GST_PAD_SET_PROXY_ALLOCATION(state.sinkpad);
  gst_element_add_pad(GST_ELEMENT(self), state.sinkpad);
  state.seek = std::make_unique<cps::RewindSeek>(GST_ELEMENT(self), state.sinkpad);

  state.srcpad = gst_pad_new_from_static_template(&src_template, "src");
  gst_pad_set_event_function(state.srcpad, GST_DEBUG_FUNCPTR(frame_planner_src_event));
  GST_PAD_SET_PROXY_CAPS(state.srcpad);
  gst_element_add_pad(GST_ELEMENT(self), state.srcpad);
}

namespace cps {

void set_planner_reopen(GstElement *planner, RewindSeek::Reopen reopen) {
  state_of(planner).seek->set_reopen(std::move(reopen));
}

double planner_progress(GstElement *planner) {
  return state_of(planner).sampling.fraction();
}

} // namespace cps

static void cps_frame_planner_class_init(CpsFramePlannerClass *klass) {
  GST_DEBUG_CATEGORY_INIT(frame_planner_debug, "frameplanner", 0, "frame planner");
  auto *object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = cps::set_option<state_of>;
  object_class->get_property = cps::get_option<state_of>;
  object_class->finalize = frame_planner_finalize;
  g_object_class_install_property(
      object_class, 1,
      g_param_spec_enum(
          "uniform-strategy", "Uniform strategy", "Which access units go to the decoder", CPS_TYPE_UNIFORM_STRATEGY,
          STRATEGY_AUTO,
          static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY)));

  auto *element_class = GST_ELEMENT_CLASS(klass);
  element_class->change_state = GST_DEBUG_FUNCPTR(frame_planner_change_state);
  gst_element_class_add_static_pad_template(element_class, &sink_template);
  gst_element_class_add_static_pad_template(element_class, &src_template);
  gst_element_class_set_static_metadata(element_class, "Frame planner", "Filter/Video",
                                        "Numbers the frames of a coded stream before they are decoded",
                                        "The codecpatch developers");
  gst_type_mark_as_plugin_api(CPS_TYPE_UNIFORM_STRATEGY, static_cast<GstPluginAPIFlags>(0));
}
