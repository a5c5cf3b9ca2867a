// SPDX-License-Identifier: LGPL-2.1-or-later
// Presentation times of a stream's access units, and which units the container cuts off.
#pragma once

#include "gst/bitstream/movieheader.h"
#include "gst/bitstream/streamindex.h"
#include "gst/elements/common/elementtools.h"

#include <string>

namespace cps {

class Timeline {
public:
  // Determines how the container of the stream at `sinkpad` changes times.
  void look_upstream(GstPad *sinkpad, const std::string &stream_id);

  // The times of an access unit that arrived in `segment`.
  UnitTimes times_of(GstBuffer *unit, const GstSegment &segment) const;

  // True if an edit list excludes the unit.
  bool is_cut(GstBuffer *unit, const GstSegment &segment) const;

  // End of the stream according to its container; GST_CLOCK_TIME_NONE if the container does not declare it per stream.
  GstClockTime declared_end(GstPad *sinkpad) const;

  // True if stream times differ from the demuxer's, so that the demuxer cannot seek to them.
  bool is_edited() const { return !track_.edits.empty(); }

private:
  const Edit *find_edit(GstClockTime pts) const;

  MovieTrack track_;
  bool segments_cut_ = true;
};

// A segment in which positions are stream times. Starts where `first` does, or at `first_time` if that is earlier.
GstSegment whole_stream(const GstSegment &first, int64_t first_time);

} // namespace cps
