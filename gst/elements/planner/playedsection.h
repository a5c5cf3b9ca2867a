// SPDX-License-Identifier: LGPL-2.1-or-later
// Which part of the stream is played, and which segment goes downstream for it.
#pragma once

#include <gst/gst.h>
#include <optional>

namespace cps {

// Upstream sends segments for the application's seeks, for those of the planner, and for edit lists. One of them
// counts: the application's after a seek, else one of the whole stream. Not thread-safe.
class PlayedSection {
public:
  PlayedSection() { stopped(); }

  // What happens, in the order of the stream:

  void stopped();        // the element: nothing is known any more
  void stream_started(); // another stream
  // Upstream has sent a segment. `indexing`: on the first reading, or before it; `empty`: that has found nothing yet.
  // False where the segment does not count, because another one has been asked for.
  bool received(const GstSegment &segment, bool indexing, bool empty);
  void data_came() { empty_ = false; }
  void flushed_before_indexing();              // by the planner: the stream comes once more
  void flushed_by_application(bool indexed);   // upstream sends another segment, unless the flush has overtaken it
  void sought_before_indexing();               // remembers the segment, for the whole stream is read first
  std::optional<GstSegment> take_remembered(); // once that has been read
  void play(const GstSegment &section);        // this, whatever upstream says of what it sends
  void read_from_start() { keeps_ = true; }    // the planner reads from further back, for the same section
  void second_reading_begins() { whole_sent_ = false; }

  // What upstream sent last.
  const GstSegment &segment() const { return segment_; }
  // What the application has sought, nullptr: nothing, so that all of the stream is played.
  const GstSegment *sought() const { return partial_ ? &segment_ : nullptr; }
  // Does the planner read it from the start of the stream, or from further back than upstream would?
  bool is_read_from_start() const { return keeps_; }

  // The segment that has to go downstream before the next buffer, if any. `as_it_is`: upstream's, as without a planner.
  // Otherwise it is one in which positions are stream times, because a stream may have several segments, which do not
  // begin and end where their pictures do. `first_time` is the stream time of the first frame, or kUntimed.
  std::optional<GstSegment> due(bool as_it_is, gint64 first_time);

private:
  GstSegment segment_;              // what upstream sent last, or what play() set
  std::optional<GstSegment> first_; // what the stream as a whole begins with; some sources send none at all
  std::optional<GstSegment> remembered_;
  bool pending_;    // `segment_` has yet to go downstream, where it does
  bool empty_;      // nothing has come in it so far
  bool whole_sent_; // the segment of the whole stream has gone downstream
  bool keeps_;      // `segment_` stands, whatever upstream sends
  bool partial_;    // the application sought: `segment_` counts, not those of the first reading
};

} // namespace cps
