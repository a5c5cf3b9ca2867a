// SPDX-License-Identifier: LGPL-2.1-or-later
// Detects a source that no longer delivers data, and a clip that takes too long.
#pragma once

#include "gst/elements/common/elementtools.h"
#include "gst/elements/common/ticker.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

namespace cps {

// Maximum of the properties stall-timeout and timeout, in seconds.
constexpr double kMaxLimit = 1e9;

// Time limits of a bin, in seconds; 0: no limit.
struct TimeLimits {
  double stall = 0; // until the source delivers data
  double whole = 0; // until the bin outputs a buffer
};

// Counts incoming data and posts an element error if none arrives for too long. A GStreamer clock thread checks
// periodically. Time during which downstream blocks the output does not count. Thread-safe.
class StallWatch : public std::enable_shared_from_this<StallWatch> {
public:
  explicit StallWatch(GstElement *element) : element_(element) {}
  StallWatch(const StallWatch &) = delete;
  StallWatch &operator=(const StallWatch &) = delete;

  // Starts measuring time. Call stop() before the element is finalized.
  void start(TimeLimits limits);
  // Stops posting.
  void stop();

  // The source has delivered data.
  void note_data() { data_++; }
  // Elements downstream of the sampler are processing a frame; this may take any amount of time.
  void set_pushing(bool pushing) { is_pushing_ = pushing; }
  // The bin is pushing a buffer; downstream may block for any amount of time.
  void begin_output() { is_leaving_ = true; }
  void end_output();
  // No more data will come unless the application seeks.
  void set_ended(bool ended) { ended_ = ended; }
  // A live source may deliver its next picture at any time.
  void set_live() { live_ = true; }

private:
  void look();
  void post(const char *property, const std::string &sentence);

  GstElement *const element_;

  std::atomic<guint64> data_{0}, outputs_{0};
  std::atomic<bool> is_pushing_{false}, is_leaving_{false}, ended_{false}, live_{false};

  // Protects the members below. Recursive, because an application that receives the error may stop the bin in the same
  // call.
  std::recursive_mutex mutex_;
  TimeLimits limits_;
  Ticker ticker_;
  gint64 interval_ = 0, looked_ = 0; // in µs
  guint64 seen_data_ = 0, seen_outputs_ = 0;
  gint64 idle_ = 0, unproductive_ = 0; // in µs: time without incoming data, time without output
};

} // namespace cps
