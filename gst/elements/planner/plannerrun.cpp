// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/planner/plannerrun.h"

#include "gst/elements/common/frametime.h"
#include "gst/elements/common/memorylimit.h"
#include "gst/elements/common/samplingoptions.h"
#include "gst/elements/common/upstream.h"
#include "gst/elements/planner/colorrange.h"
#include "gst/elements/planner/decoderpush.h"
#include "gst/elements/planner/keptindex.h"
#include "gst/elements/planner/planrequest.h"
#include "gst/elements/planner/uniformstrategy.h"

#include <gst/video/video.h>
#include <optional>

GST_DEBUG_CATEGORY_STATIC(frame_planner_debug);
#define GST_CAT_DEFAULT frame_planner_debug

namespace cps {

void init_planner_debug() {
  GST_DEBUG_CATEGORY_INIT(frame_planner_debug, "frameplanner", 0, "frame planner");
}

PlannerRun::PlannerRun(GstElement *element, GstPad *sinkpad, GstPad *srcpad, const Options &options)
    : element_(element), sinkpad_(sinkpad), srcpad_(srcpad), options_(options),
      indexing_(element, "index", "Indexing the stream"), sampling_(element, "sampling", nullptr),
      seek_(element, sinkpad) {}

void PlannerRun::set_phase(Phase phase) {
  if (phase_ != phase)
    GST_DEBUG_OBJECT(element_, "%s -> %s", phase_name(phase_), phase_name(phase));
  phase_ = phase;
}

// Caps

void PlannerRun::read_caps(const GstCaps *caps) {
  const GstStructure *structure = gst_caps_get_structure(caps, 0);
  gint n = 0, d = 1;
  gst_structure_get_fraction(structure, "framerate", &n, &d);
  nominal_fps_ = frame_rate(n, d);
  if (parser_ && parser_->set_caps(caps))
    return;
  // In an indexed stream the old parser stays if there is none for the new caps, because every access unit is parsed.
  std::unique_ptr<PictureParser> parser = PictureParser::create(caps);
  if (parser || phase_ == Phase::Start)
    parser_ = std::move(parser);
  GST_DEBUG_OBJECT(element_, "%s: %" GST_PTR_FORMAT, parser_ ? "parsed here" : "not parsed here", caps);
}

bool PlannerRun::handle_caps(GstCaps *caps) {
  read_caps(caps);
  // During the first pass only the first caps are forwarded, to set up the decoder; the second pass repeats later ones
  // with their frames.
  return phase_ == Phase::Indexing || phase_ == Phase::Rewinding || forward_caps(caps);
}

// Skips caps equal to the last ones, because upstream sends them again in the second pass.
bool PlannerRun::forward_caps(GstCaps *incoming) {
  const bool full_range = indexed_ ? index_.traits().full_range : parser_ && parser_->full_range();
  Owned<GstCaps> caps = with_true_range(incoming, full_range);
  if (caps_ && gst_caps_is_equal(caps_.get(), caps.get()))
    return true;
  caps_ = std::move(caps);
  return gst_pad_push_event(srcpad_, gst_event_new_caps(caps_.get()));
}

// First pass

void PlannerRun::index_unit(GstBuffer *buffer) {
  indexing_.update(index_.units(), 0);
  CodedPicture picture;
  parser_->parse(buffer, picture);
  index_.add(picture, timeline_.times_of(buffer, section_.segment()), timeline_.is_cut(buffer, section_.segment()));
}

void PlannerRun::begin_indexing() {
  index_.clear();
  indexed_ = adopted_ = false;
  if (parser_)
    parser_->reset();
  indexing_.begin();
  set_phase(Phase::Indexing);
}

// Ends the first pass: seeks to the position from which the application wants to play. Returns false after posting an
// error.
bool PlannerRun::end_indexing() {
  if (parser_->loses_last())
    index_.hide_last();
  index_.finish(parser_->orders_by_pts(), nominal_fps_ > 0 ? static_cast<gint64>(GST_SECOND / nominal_fps_) : 0);
  index_.set_traits({parser_->order_window(), parser_->full_range()});
  indexing_.end(true);
  if (index_.frames() == 0) {
    GST_ELEMENT_ERROR(element_, STREAM, FORMAT, ("The stream has no picture."),
                      ("%" G_GSIZE_FORMAT " access units", index_.units()));
    return false;
  }
  indexed_ = true;
  set_phase(Phase::Rewinding);
  GST_INFO_OBJECT(element_, "%u frames in %" G_GSIZE_FORMAT " access units", index_.frames(), index_.units());
  const bool index_only = option_bool(options_.snapshot().get(), "index-only");
  if (save_ || index_only) {
    const Owned<CpsIndex> kept = keep_index(index_, sinkpad_, nominal_fps_);
    if (save_)
      save_(kept.get());
    if (index_only) {
      report_index(kept.get());
      return true;
    }
  }
  const std::optional<GstSegment> section = section_.take_remembered();
  if (!section) {
    seek_.request(0, -1);
    return true;
  }
  if (timeline_.is_edited()) {
    section_.play(*section);
    seek_.request(0, -1, section->flags);
    return true;
  }
  const guint64 stop = gst_segment_to_stream_time(&*section, GST_FORMAT_TIME, section->stop);
  seek_.request(static_cast<gint64>(section->time), GST_CLOCK_TIME_IS_VALID(stop) ? static_cast<gint64>(stop) : -1,
                section->flags);
  return true;
}

// Second pass

void PlannerRun::begin_stamping() {
  may_jump_ = may_jump_ && index_.has_places();
  set_phase(Phase::Stamping);
  planned_ = ended_ = false;
  section_.second_reading_begins();
  sampling_.begin();
  second_pass_.begin(section_.sought() != nullptr);
  parameter_sets_.clear();
}

// Queries the sampler's request and sends the plan for it downstream. Returns false after posting an error.
bool PlannerRun::make_plan() {
  planned_ = true;
  const Owned<GstStructure> request = query_sampling_request(srcpad_);
  if (!request) {
    GST_INFO_OBJECT(element_, "no sampler downstream");
    return true;
  }
  const Owned<GstStructure> options = options_.snapshot();
  gst_structure_remove_fields(options.get(), "index", "index-only", nullptr); // because they do not change the clip
  Owned<CpsPlan> plan;
  if (phase_ == Phase::Stamping) {
    plan =
        plan_for({element_, index_, section_.sought(), nominal_fps_, timeline_.declared_end(sinkpad_)}, request.get());
    if (!plan || !has_room(srcpad_, longest_clip(*plan)))
      return false;
    GST_INFO_OBJECT(element_, "plan: %u clips, %u positions of %u frames, asked for by %" GST_PTR_FORMAT, plan->n_clips,
                    plan->n_frames, index_.frames(), request.get());
    second_pass_.want(planned_frames(*plan), option_enum(options.get(), "uniform-strategy") != STRATEGY_STREAM,
                      index_.traits().order_window);
    GST_INFO_OBJECT(element_, "%" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT " access units are needed", second_pass_.kept(),
                    index_.units());
  } else {
    plan.reset(cps_plan_new(0)); // an empty plan makes the sampler estimate
  }
  merge_options(plan->options, options.get());
  gst_pad_push_event(srcpad_, cps_event_new_plan(plan.release()));
  return true;
}

void PlannerRun::forward_segment() {
  const gint64 first_time = index_.frames() > 0 ? index_.time(0) : kUntimed;
  if (const std::optional<GstSegment> segment = section_.due(phase_ == Phase::Passing, first_time))
    push_numbered(srcpad_, seqnum_, gst_event_new_segment(&*segment));
}

// Call when no wanted frame follows.
GstFlowReturn PlannerRun::end_stream() {
  if (!ended_) {
    ended_ = true;
    sampling_.end(true);
    push_numbered(srcpad_, seqnum_, gst_event_new_eos());
  }
  return GST_FLOW_EOS;
}

// Reads the section again from the start of the stream, because the demuxer started too late for it or stopped too
// early. The decoder has already received the needed access units before `unit`.
void PlannerRun::read_from_start(size_t unit) {
  second_pass_.rewind();
  second_pass_.skip_to(unit);
  section_.read_from_start();
  set_phase(Phase::Rewinding);
  seek_.request(0, -1, section_.segment().flags);
}

// True if the start of the stream is due. After a seek of the application that is so only if the planner reads from the
// start.
bool PlannerRun::at_beginning() const {
  return (!section_.sought() || section_.is_read_from_start()) && second_pass_.position() == 0;
}

// Skips units that are not needed by a seek to the next needed one, if there are many and the demuxer has a table of
// them.
void PlannerRun::jump() {
  if (!may_jump_ || section_.sought() || seek_.refuses_jumps())
    return;
  const std::optional<size_t> target = second_pass_.far_entry();
  if (!target)
    return;
  const StreamIndex::AccessUnit &unit = index_.unit(*target);
  const gint64 time = timeline_.is_edited() ? static_cast<gint64>(unit.pts) : unit.time;
  if (time < 0) // unknown, or before the stream time that can be sought
    return;
  GST_DEBUG_OBJECT(element_, "from access unit %" G_GSIZE_FORMAT " to %" G_GSIZE_FORMAT " at %" GST_TIME_FORMAT,
                   second_pass_.position(), *target, GST_TIME_ARGS(static_cast<GstClockTime>(time)));
  second_pass_.jump_to(*target);
  section_.read_from_start();
  set_phase(Phase::Rewinding);
  seek_.request_jump(time);
}

// For the units after a jump. Returns false if the unit is not used, because its place is unknown or wrong.
bool PlannerRun::lands(size_t at, size_t target) {
  if (at <= target)
    return true;
  if (at == index_.units())
    return false;
  GST_INFO_OBJECT(element_, "the seek landed after the needed access unit");
  may_jump_ = false;
  read_from_start(target);
  return false;
}

// Opens the source again, because some demuxers report that they have rewound but are elsewhere: tsdemux after the
// first pictures if these have no clock, others at the end. Returns false if the source cannot be opened again.
bool PlannerRun::reopen() {
  if (!seek_.request_reopen())
    return false;
  GST_INFO_OBJECT(element_, "the rewind did not lead to the start: the source is opened again");
  section_.read_from_start();
  set_phase(Phase::Rewinding);
  return true;
}

// For a picture that an index lacks which was made by another planner.
GstFlowReturn PlannerRun::meet_other_source() {
  if (cached_ && second_pass_.position() == 0) {
    GST_INFO_OBJECT(element_, "the cached index is not of this stream: another one is made");
    cached_.reset();
    indexed_ = adopted_ = false;
    set_phase(Phase::Rewinding);
    seek_.request(0, -1);
    return GST_FLOW_OK;
  }
  if (cached_ && save_)
    save_(nullptr);
  GST_ELEMENT_ERROR(
      element_, STREAM, FAILED, ("The video is not the one that was indexed, or it has changed since: index it again."),
      ("access unit %" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT " differs", second_pass_.position(), index_.units()));
  return GST_FLOW_ERROR;
}

GstFlowReturn PlannerRun::stamp_and_push(Owned<GstBuffer> buffer) {
  const bool landed = section_.sought() && !second_pass_.located(); // first unit after the application's seek
  const bool begins = at_beginning();
  // The fingerprint covers only slices, because after a seek parsers insert other parameter sets.
  const UnitSummary summary = parser_->summarize(buffer.get());
  const std::optional<size_t> target = second_pass_.jump_target();
  const size_t at = second_pass_.match(summary.fingerprint, GST_BUFFER_PTS(buffer.get()));
  const bool known = at < index_.units();
  if (target && !lands(at, *target))
    return GST_FLOW_OK;
  if (!known && summary.fingerprint != 0 && adopted_)
    return meet_other_source();
  forward_segment();
  if (!planned_ && caps_) // in-band parameter sets have been parsed by now
    forward_caps(Owned<GstCaps>(gst_caps_ref(caps_.get())).get());
  if (!planned_ && !make_plan())
    return GST_FLOW_ERROR;
  if (landed && known && (second_pass_.is_too_late(at) || !index_.stamped())) {
    // The demuxer went to a random-access point, but the first wanted picture depends on an earlier unit; or the stream
    // has no times, so that the position is unknown.
    GST_INFO_OBJECT(element_, "the seek landed after what the first wanted frame depends on");
    read_from_start(0);
    return GST_FLOW_OK;
  }
  if (begins && second_pass_.is_too_late(at) && reopen())
    return GST_FLOW_OK;
  sampling_.update(at, index_.units());
  const SecondPass::Action action = second_pass_.action(at);
  GST_LOG_OBJECT(element_, "access unit %" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT ", frame %d: %s", at, index_.units(),
                 known ? static_cast<int>(index_.unit(at).frame) : -1, SecondPass::text_of(action));
  switch (action) {
  case SecondPass::Action::End:
    return end_stream();
  case SecondPass::Action::Drop:
    parameter_sets_.drop(buffer.get(), summary.parameter_sets);
    jump();
    return GST_FLOW_OK;
  case SecondPass::Action::DrainAndPush:
    gst_pad_push_event(srcpad_, gst_video_event_new_still_frame(TRUE));
    break;
  case SecondPass::Action::Push:
    break;
  }
  if (target) { // because for the decoder the stream goes on
    buffer.reset(gst_buffer_make_writable(buffer.release()));
    GST_BUFFER_FLAG_UNSET(buffer.get(), GST_BUFFER_FLAG_DISCONT);
  }
  if (known)
    buffer = second_pass_.stamp(std::move(buffer), at, section_.sought());
  else
    GST_DEBUG_OBJECT(element_, "unknown access unit at %" GST_TIME_FORMAT, GST_TIME_ARGS(GST_BUFFER_PTS(buffer.get())));
  buffer = parameter_sets_.pass(std::move(buffer), summary.parameter_sets);
  buffer = second_pass_.close(std::move(buffer), at, parser_->end_of_sequence());
  const bool repeats = parser_->holds_last() && second_pass_.is_last(at);
  Owned<GstBuffer> again = repeats ? nameless_copy(buffer.get()) : nullptr;
  const GstFlowReturn flow = push_to_decoder(element_, srcpad_, std::move(buffer));
  if (flow == GST_FLOW_EOS) // the sampler has all of its frames
    sampling_.end(true);
  ended_ |= flow < GST_FLOW_EOS; // because libav's decoders (1.22) crash if they must drain after an error
  return repeats && flow == GST_FLOW_OK ? gst_pad_push(srcpad_, again.release()) : flow;
}

// Data

void PlannerRun::set_cache(Owned<CpsIndex> cached, Save save) {
  cached_ = std::move(cached);
  save_ = std::move(save);
}

// For index-only: the stream ends, and what still arrives is dropped.
void PlannerRun::report_index(CpsIndex *index) {
  gst_element_post_message(element_, cps_message_new_index(GST_OBJECT(element_), index));
  end_stream();
  set_phase(Phase::Rewinding);
}

// Continues with the index that the application has set, or a cached one, without a first pass. Returns false if there
// is none, if it was made by another version, or after a seek of the application, for which the stream is indexed
// afresh.
bool PlannerRun::adopt_index() {
  const Owned<GstStructure> options = options_.snapshot();
  auto *index = static_cast<CpsIndex *>(g_value_get_boxed(gst_structure_get_value(options.get(), "index")));
  if (index)
    cached_.reset();
  else
    index = cached_.get();
  if (!index || !parser_ || seek_.application_sought())
    return false;
  if (option_bool(options.get(), "index-only")) {
    report_index(index);
    return true;
  }
  if (!load_index(*index, index_))
    return false;
  GST_INFO_OBJECT(element_, "the index is there: %u frames in %" G_GSIZE_FORMAT " access units", index_.frames(),
                  index_.units());
  indexed_ = adopted_ = true;
  std::string reason;
  may_jump_ = can_rewind(sinkpad_, reason) == Rewindability::Yes && seeks_by_table(sinkpad_);
  begin_stamping();
  return true;
}

// Decides at the first access unit how to process the stream.
void PlannerRun::start() {
  timeline_.look_upstream(sinkpad_, stream_id_);
  if (adopt_index())
    return;
  std::string reason = parser_ ? "" : "its format is unknown";
  Rewindability rewindability = parser_ ? can_rewind(sinkpad_, reason) : Rewindability::No;
  if (rewindability == Rewindability::Maybe && !seek_.can_reopen()) {
    set_phase(Phase::Rewinding);
    if (seek_.try_rewind())
      return; // the flush starts the indexing
    rewindability = Rewindability::No;
  }
  if (rewindability == Rewindability::No) {
    report_unindexed(element_, srcpad_, reason);
    set_phase(Phase::Passing);
    planned_ = ended_ = false;
    return;
  }
  may_jump_ = rewindability == Rewindability::Yes && seeks_by_table(sinkpad_);
  if (!seek_.application_sought()) {
    begin_indexing();
    return;
  }
  GST_DEBUG_OBJECT(element_, "the application has sought: the whole stream is indexed first");
  section_.sought_before_indexing();
  set_phase(Phase::Rewinding);
  seek_.request(0, -1);
}

GstFlowReturn PlannerRun::chain(Owned<GstBuffer> buffer) {
  section_.data_came();
  if (phase_ == Phase::Start)
    start();
  switch (phase_) {
  case Phase::Indexing:
    index_unit(buffer.get());
    return GST_FLOW_OK;
  case Phase::Stamping:
    return stamp_and_push(std::move(buffer));
  case Phase::Passing:
    forward_segment();
    if (!planned_)
      make_plan();
    return push_to_decoder(element_, srcpad_, std::move(buffer));
  default:
    return ended_ ? GST_FLOW_EOS : GST_FLOW_OK;
  }
}

// Events

// After the flush of a seek of this element.
void PlannerRun::restart() {
  if (section_.is_read_from_start()) {
    section_.data_came();
    set_phase(Phase::Stamping);
    if (second_pass_.jump_target()) // parameter sets that the decoder lacks are kept
      return;
    second_pass_.rewind();
    parameter_sets_.clear();
  } else if (indexed_) {
    section_.data_came();
    begin_stamping();
  } else {
    section_.flushed_before_indexing();
    begin_indexing();
  }
}

bool PlannerRun::handle_flush_stop(GstEvent *event) {
  if (seek_.end_flush(event)) {
    restart();
    return true;
  }
  section_.flushed_by_application(indexed_);
  seqnum_ = seek_.application_seqnum(); // because some demuxers send that of an earlier seek
  if (indexed_) {
    begin_stamping();
  } else {
    set_phase(phase_ == Phase::Passing ? Phase::Passing : Phase::Start);
    planned_ = ended_ = false;
  }
  return false;
}

bool PlannerRun::handle_gap() {
  section_.data_came();
  return phase_ == Phase::Indexing || phase_ == Phase::Rewinding || phase_ == Phase::Start;
}

// The segment is sent downstream with the next buffer.
void PlannerRun::handle_segment(GstEvent *event) {
  const GstSegment *segment;
  gst_event_parse_segment(event, &segment);
  const bool indexing = phase_ == Phase::Start || phase_ == Phase::Indexing;
  if (section_.received(*segment, indexing, index_.units() == 0) && seqnum_ == GST_SEQNUM_INVALID)
    seqnum_ = gst_event_get_seqnum(event);
}

// A second pass sends it again.
bool PlannerRun::handle_stream_start(GstEvent *event) {
  const gchar *id = nullptr;
  gst_event_parse_stream_start(event, &id);
  const bool same = seek_.take_reopened() || (id && stream_id_ == id);
  stream_id_ = id ? id : "";
  if (same)
    return phase_ != Phase::Passing;
  set_phase(Phase::Start);
  index_.clear();
  indexed_ = adopted_ = false;
  section_.stream_started();
  caps_.reset();
  return false;
}

bool PlannerRun::handle_end(GstEvent *event) {
  switch (phase_) {
  case Phase::Indexing:
    return end_indexing();
  case Phase::Rewinding:
    return true;
  default:
    if (phase_ == Phase::Stamping && at_beginning() && reopen())
      return true;
    forward_segment();
    if (phase_ == Phase::Stamping && !planned_)
      make_plan();
    // Demuxers stop at the first key frame after the section, although leading pictures of that frame may belong to it.
    if (phase_ == Phase::Stamping && section_.sought() && !section_.is_read_from_start() && second_pass_.is_short()) {
      read_from_start(second_pass_.position());
      return true;
    }
    sampling_.end(phase_ == Phase::Stamping);
    if (!ended_)
      push_numbered(srcpad_, seqnum_, gst_event_copy(event));
    ended_ |= GST_EVENT_TYPE(event) == GST_EVENT_EOS;
    return true;
  }
}

void PlannerRun::reset() {
  indexing_.end(false);
  sampling_.end(false);
  set_phase(Phase::Start);
  parser_.reset();
  index_.clear();
  indexed_ = adopted_ = false;
  section_.stopped();
  seqnum_ = GST_SEQNUM_INVALID;
  timeline_ = {};
  second_pass_.begin(false);
  parameter_sets_.clear();
  caps_.reset();
  stream_id_.clear();
  planned_ = ended_ = may_jump_ = false;
}

} // namespace cps
