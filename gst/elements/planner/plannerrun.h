// SPDX-License-Identifier: LGPL-2.1-or-later
// The two passes of a frameplanner over a stream.
#pragma once

#include "gst/elements/common/options.h"
#include "gst/elements/planner/parametersets.h"
#include "gst/elements/planner/phase.h"
#include "gst/elements/planner/playedsection.h"
#include "gst/elements/planner/progress.h"
#include "gst/elements/planner/rewindseek.h"
#include "gst/elements/planner/secondpass.h"
#include "gst/elements/planner/timeline.h"

#include <functional>
#include <memory>
#include <string>

namespace cps {

// Receives what arrives at `sinkpad` and pushes to `srcpad`. For the streaming thread; exceptions are named.
class PlannerRun {
public:
  PlannerRun(GstElement *element, GstPad *sinkpad, GstPad *srcpad, const Options &options);

  GstFlowReturn chain(Owned<GstBuffer> buffer);

  // Each returns true if the event must not be forwarded.
  bool handle_stream_start(GstEvent *event);
  void handle_segment(GstEvent *event);
  bool handle_gap();
  bool handle_flush_stop(GstEvent *event);
  bool handle_end(GstEvent *event); // EOS or SEGMENT_DONE

  // Forwards the caps, unless they are known downstream.
  bool handle_caps(GstCaps *caps);

  // Call when the element has stopped.
  void reset();

  // A cached index, or nullptr. It is used as the property `index`, but if it is not one of this stream, another one is
  // made. `save` is called on the streaming thread with each index that is made, and with nullptr if the cached one
  // turns out to be wrong too late. Call while no data flows.
  using Save = std::function<void(const CpsIndex *)>;
  void set_cache(Owned<CpsIndex> cached, Save save);

  // Any thread
  RewindSeek &seek() { return seek_; }
  double progress() const { return sampling_.fraction(); }

private:
  void set_phase(Phase phase);
  void read_caps(const GstCaps *caps);
  bool forward_caps(GstCaps *incoming);

  void start();
  bool adopt_index();
  void report_index(CpsIndex *index);
  void restart();
  void begin_indexing();
  void index_unit(GstBuffer *buffer);
  bool end_indexing();

  void begin_stamping();
  bool make_plan();
  void forward_segment();
  GstFlowReturn stamp_and_push(Owned<GstBuffer> buffer);
  GstFlowReturn meet_other_source();
  GstFlowReturn end_stream();
  void read_from_start(size_t unit);
  void jump();
  bool lands(size_t at, size_t target);
  bool at_beginning() const;
  bool reopen();

  GstElement *const element_;
  GstPad *const sinkpad_, *const srcpad_;
  const Options &options_;

  Owned<CpsIndex> cached_;
  Save save_;

  Phase phase_ = Phase::Start;
  std::unique_ptr<PictureParser> parser_;
  StreamIndex index_;
  bool indexed_ = false; // the index is complete
  bool adopted_ = false; // it is the one that the application has set
  // Sequence number of our events: that of the application's last seek, or of the first segment that upstream sent
  // after it.
  guint32 seqnum_ = GST_SEQNUM_INVALID;
  Timeline timeline_;
  PlayedSection section_;
  Owned<GstCaps> caps_; // the last that were sent downstream
  std::string stream_id_;
  double nominal_fps_ = 0;
  bool may_jump_ = false; // see jump()
  bool planned_ = false;
  bool ended_ = false; // EOS has been sent downstream
  SecondPass second_pass_{index_};
  ParameterSetKeeper parameter_sets_;
  Progress indexing_, sampling_;
  RewindSeek seek_;
};

// Call once, before any run.
void init_planner_debug();

} // namespace cps
