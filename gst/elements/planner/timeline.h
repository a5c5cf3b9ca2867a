// SPDX-License-Identifier: LGPL-2.1-or-later
// When the access units of a stream are shown, and which the container cuts off.
#pragma once

#include "gst/bitstream/movieheader.h"
#include "gst/bitstream/streamindex.h"
#include "gst/elements/common/elementtools.h"

#include <string>

namespace cps {

class Timeline {
public:
  // Finds out what the container of the stream that comes to `sinkpad` does to its times.
  void look_upstream(GstPad *sinkpad, const std::string &stream_id);

  // The times of an access unit that came in `segment`.
  UnitTimes times_of(GstBuffer *unit, const GstSegment &segment) const;

  // Does an edit list leave the unit out?
  bool is_cut(GstBuffer *unit, const GstSegment &segment) const;

  // Where the stream ends by the word of its container; GST_CLOCK_TIME_NONE where that does not tell for each stream.
  GstClockTime declared_end(GstPad *sinkpad) const;

  // Are stream times other than the demuxer's? It cannot seek by them then.
  bool is_edited() const { return !track_.edits.empty(); }

private:
  const Edit *find_edit(GstClockTime pts) const;

  MovieTrack track_;
  bool segments_cut_ = true;
};

// The segment in which positions are stream times, from that of `first`, or from `first_time` where that is earlier.
GstSegment whole_stream(const GstSegment &first, int64_t first_time);

} // namespace cps
