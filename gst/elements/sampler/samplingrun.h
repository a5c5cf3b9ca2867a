// SPDX-License-Identifier: LGPL-2.1-or-later
// From decoded frames to clips: what uniformsampler does with one stream, from its first frame to its end or a flush.
#pragma once

#include "gst/elements/common/options.h"
#include "gst/elements/common/tagorientation.h"
#include "gst/elements/sampler/clipoutput.h"
#include "gst/elements/sampler/liveclock.h"

#include <gst/video/video.h>

namespace cps {

// The stream, as far as the element knows it. Changes between frames.
struct SampledStream {
  const Options &options;
  GstPad *sinkpad = nullptr;
  GstSegment segment = {};
  guint32 seqnum = GST_SEQNUM_INVALID; // of the segment event
  GstVideoInfo info = {};
  Owned<GstCaps> caps;        // of incoming frames
  Owned<CpsPlan> planned;     // from a planner upstream
  TagOrientation orientation; // of incoming frames
  GstClockTime origin = 0;    // stream time at which the stream begins, as far as known
};

class LiveWindows;

// Used by the streaming thread only.
class SamplingRun {
public:
  // `first_index`: of the first clip. Keeps references to `stream` and `output`.
  SamplingRun(GstElement *element, const SampledStream &stream, ClipOutput &output, guint first_index)
      : element_(element), stream_(stream), output_(output), first_index_(first_index) {}

  // Pushes the frame, or what it makes available, and EOS after the last clip.
  GstFlowReturn take(Owned<GstBuffer> frame);

  // The end of the stream: pushes the rest of the clips. Returns false after posting an error.
  bool finish();

  // The format of frames is about to change.
  void change_caps();

  bool has_ended() const { return ended_; } // EOS has been sent
  // Of windows of a live stream, which are complete a window and a frame after their first frame; else 0.
  GstClockTime latency() const { return latency_; }
  bool holds_frames() const { return source_ && source_->held() > 0; }
  // The index of the first clip of the next stream.
  guint next_index() const { return first_index_ + index_ + 1; }

private:
  bool begin(GstBuffer *frame);
  bool begin_plan(const GstStructure *options, GstBuffer *frame);
  bool begin_windows(const GstStructure *options);
  bool number(Owned<GstBuffer> &frame);
  guint64 first_number(GstBuffer *frame) const;
  Owned<GstBuffer> with_orientation(Owned<GstBuffer> frame) const;
  void begin_clip(guint index);
  bool leave_out(const ClipSource::Item &item);
  Frame place(ClipSource::Item item) const;
  bool changes_format(const Frame &frame) const;
  GstFlowReturn push_ready();

  GstElement *element_;
  const SampledStream &stream_;
  ClipOutput &output_;
  const guint first_index_;

  std::unique_ptr<ClipSource> source_; // set at the first frame
  LiveWindows *live_ = nullptr;        // `source_` if it is LiveWindows
  GstClockTime latency_ = 0;
  bool several_ = false;               // clips
  bool numbering_ = false;             // the frames have no identity, so they are counted here
  std::optional<guint64> next_number_; // set at the first frame
  guint64 total_ = 0;                  // frames of the stream, 0 if unknown
  double fps_ = 0;
  LiveClock clock_;
  bool on_error_fails_ = false;
  bool apply_rotation_ = false;

  Owned<CpsPlan> clip_;  // the plan that is sent downstream, of the current clip
  Owned<GstCaps> caps_;  // of the current clip
  guint index_ = 0;      // of the current clip
  guint pushed_ = 0;     // frames of it
  guint64 last_id_ = 0;  // the last frame of it
  bool begun_ = false;   // any frame has been pushed
  bool ended_ = false;   // EOS has been sent
  bool refused_ = false; // downstream accepts no more data
};

} // namespace cps
