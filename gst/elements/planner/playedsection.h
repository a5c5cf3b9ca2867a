// SPDX-License-Identifier: LGPL-2.1-or-later
// Which part of the stream is played, and which segment is sent downstream for it.
#pragma once

#include <gst/gst.h>
#include <optional>

namespace cps {

// Upstream sends segments for the application's seeks, for the planner's seeks, and for edit lists. Exactly one of them
// is used: after an application's seek the segment of that seek, else a segment of the whole stream. Not thread-safe.
class PlayedSection {
public:
  PlayedSection() { stopped(); }

  // Events, in stream order:

  void stopped();        // the element stops: resets all state
  void stream_started(); // another stream begins
  // Upstream has sent a segment. `indexing`: during the first pass, or before it; `empty`: that pass has not indexed
  // any unit yet. False if the segment is ignored because another one has been requested.
  bool received(const GstSegment &segment, bool indexing, bool empty);
  void data_came() { empty_ = false; }
  void flushed_before_indexing();            // by the planner: the stream starts again
  void flushed_by_application(bool indexed); // upstream then sends another segment, unless it was sent before the flush
  void sought_before_indexing();             // remembers the segment, because the whole stream is indexed first
  std::optional<GstSegment> take_remembered(); // once the stream is indexed
  void play(const GstSegment &section);        // plays this segment, regardless of the segments that upstream sends
  void read_from_start() { keeps_ = true; }    // the planner reads the same section from an earlier position
  void second_reading_begins() { whole_sent_ = false; }

  // The last segment from upstream.
  const GstSegment &segment() const { return segment_; }
  // The segment of the application's seek; nullptr: no seek, so the whole stream is played.
  const GstSegment *sought() const { return partial_ ? &segment_ : nullptr; }
  // True if the planner reads from the start of the stream, or from an earlier position than upstream would.
  bool is_read_from_start() const { return keeps_; }

  // The segment to send downstream before the next buffer, if any. `as_it_is`: upstream's segment, as without a
  // planner. Otherwise positions in the segment are stream times, because a stream may have several segments, whose
  // limits are not those of its pictures. `first_time` is the stream time of the first frame, or kUntimed.
  std::optional<GstSegment> due(bool as_it_is, gint64 first_time);

private:
  GstSegment segment_;              // the last from upstream, or the argument of play()
  std::optional<GstSegment> first_; // initial segment of the whole stream; some sources send none
  std::optional<GstSegment> remembered_;
  bool pending_;    // `segment_` has not been sent downstream yet
  bool empty_;      // no data has arrived in this segment yet
  bool whole_sent_; // the segment of the whole stream has been sent downstream
  bool keeps_;      // `segment_` is kept, regardless of the segments from upstream
  bool partial_;    // the application sought: `segment_` is used, not the segments of the first pass
};

} // namespace cps
