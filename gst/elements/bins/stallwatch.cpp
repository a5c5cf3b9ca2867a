// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/bins/stallwatch.h"

#include <algorithm>
#include <utility>

namespace cps {

static gint64 in_microseconds(double seconds) {
  return static_cast<gint64>(seconds * G_USEC_PER_SEC);
}

static std::string in_words(double seconds) {
  char number[G_ASCII_DTOSTR_BUF_SIZE];
  return std::string(g_ascii_formatd(number, sizeof number, "%g", seconds)) + (seconds == 1 ? " second" : " seconds");
}

// Interval between checks, short enough for the shorter of the limits.
static gint64 interval_for(TimeLimits limits) {
  double shorter = kMaxLimit;
  for (const double limit : {limits.stall, limits.whole})
    if (limit > 0)
      shorter = std::min(shorter, limit);
  return std::clamp(in_microseconds(shorter / 8), gint64{G_USEC_PER_SEC / 100}, gint64{G_USEC_PER_SEC / 2});
}

void StallWatch::start(TimeLimits limits) {
  const std::lock_guard<std::recursive_mutex> lock(mutex_);
  limits_ = limits;
  idle_ = unproductive_ = 0;
  is_leaving_ = is_pushing_ = ended_ = live_ = false;
  if (limits.stall <= 0 && limits.whole <= 0)
    return;
  interval_ = interval_for(limits);
  looked_ = g_get_monotonic_time();
  ticker_.start(static_cast<GstClockTime>(interval_) * GST_USECOND, while_alive(weak_from_this(), &StallWatch::look));
}

void StallWatch::stop() {
  const std::lock_guard<std::recursive_mutex> lock(mutex_);
  ticker_.stop();
}

void StallWatch::end_output() {
  is_leaving_ = false;
  outputs_++;
}

// True if the number has changed since the last call.
static bool is_new(guint64 &seen, guint64 now) {
  return std::exchange(seen, now) != now;
}

void StallWatch::look() {
  const std::lock_guard<std::recursive_mutex> lock(mutex_);
  if (!ticker_.is_running())
    return;
  // The step is limited, because time during which the process was stopped does not count.
  const gint64 now = g_get_monotonic_time(), passed = std::min(now - looked_, 2 * interval_);
  looked_ = now;
  const bool paused = live_ && GST_STATE(element_) < GST_STATE_PLAYING;
  const bool came = is_new(seen_data_, data_) || is_pushing_ || live_;
  const bool went = is_new(seen_outputs_, outputs_) || is_leaving_ || paused;
  idle_ = came || ended_ ? 0 : idle_ + passed;
  unproductive_ = went || ended_ ? 0 : unproductive_ + passed;
  if (limits_.stall > 0 && idle_ >= in_microseconds(limits_.stall))
    post("stall-timeout",
         "Nothing has come from the source for " + in_words(limits_.stall) + "; stall-timeout sets how long to wait.");
  else if (limits_.whole > 0 && unproductive_ >= in_microseconds(limits_.whole))
    post("timeout",
         "Nothing has come of the video within " + in_words(limits_.whole) + "; timeout sets how long that may take.");
}

// Posts only once, because the element calls set_ended() for any error. Sessions recognise a time limit by the field,
// because GStreamer has no error code for it.
void StallWatch::post(const char *property, const std::string &sentence) {
  GST_ELEMENT_ERROR_WITH_DETAILS(element_, RESOURCE, READ, ("%s", sentence.c_str()), (nullptr),
                                 ("cps-limit", G_TYPE_STRING, property, nullptr));
}

} // namespace cps
