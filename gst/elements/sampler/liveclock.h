// SPDX-License-Identifier: LGPL-2.1-or-later
// The times of the frames of a live stream.
#pragma once

#include <gst/gst.h>
#include <optional>

namespace cps {

// Running times that never go back. If those of the frames do, as those of a camera that has been started anew, the
// times continue where they were.
class LiveClock {
public:
  struct Moment {
    GstClockTime time;
    bool continues; // the frame follows the one before it
  };

  // The time of the next frame; nothing if it is outside of its segment. `interval`: of frames, 0 if unknown.
  std::optional<Moment> next(GstBuffer *frame, const GstSegment &segment, GstClockTime interval);

private:
  GstClockTime last_ = GST_CLOCK_TIME_NONE;
  GstClockTimeDiff shift_ = 0; // added to running times
};

} // namespace cps
