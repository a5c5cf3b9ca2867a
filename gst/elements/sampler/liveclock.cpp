// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/sampler/liveclock.h"

namespace cps {

// A decoder flags the frame after each lost packet as discontinuous. Only a jump ends what has begun.
static constexpr GstClockTimeDiff kJump = GST_SECOND;

// Times from here on, 146 years, are none: sources that are sought while they are paused count back from 2^64.
static constexpr GstClockTime kNever = GstClockTime{1} << 62;

std::optional<LiveClock::Moment> LiveClock::next(GstBuffer *frame, const GstSegment &segment, GstClockTime interval) {
  const bool begins = !GST_CLOCK_TIME_IS_VALID(last_);
  const GstClockTimeDiff expected = begins ? 0 : static_cast<GstClockTimeDiff>(last_ + interval);
  GstClockTimeDiff time = expected;
  bool continues = !begins;
  if (const GstClockTime pts = GST_BUFFER_PTS(frame); GST_CLOCK_TIME_IS_VALID(pts)) {
    const GstClockTime running =
        segment.format == GST_FORMAT_TIME ? gst_segment_to_running_time(&segment, GST_FORMAT_TIME, pts) : pts;
    if (!GST_CLOCK_TIME_IS_VALID(running))
      return std::nullopt;
    const bool sane =
        running < kNever && static_cast<GstClockTimeDiff>(running) + shift_ < static_cast<GstClockTimeDiff>(kNever);
    time = sane ? static_cast<GstClockTimeDiff>(running) + shift_ : expected;
    const bool back = !begins && time < static_cast<GstClockTimeDiff>(last_);
    if (back) {
      shift_ += expected - time;
      time = expected;
    }
    const bool jumps = GST_BUFFER_FLAG_IS_SET(frame, GST_BUFFER_FLAG_DISCONT) && time - expected > kJump;
    continues &= !back && !jumps;
  }
  last_ = static_cast<GstClockTime>(time);
  return Moment{last_, continues};
}

} // namespace cps
