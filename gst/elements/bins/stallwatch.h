// SPDX-License-Identifier: LGPL-2.1-or-later
// Notices when a source has nothing to give any more, or a clip takes too long.
#pragma once

#include "gst/elements/common/elementtools.h"
#include "gst/elements/common/ticker.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

namespace cps {

// What stall-timeout and timeout take, in seconds.
constexpr double kMaxLimit = 1e9;

// How long a bin may take, in seconds; 0: for ever.
struct TimeLimits {
  double stall = 0; // until anything comes from the source
  double whole = 0; // until anything is put out
};

// Counts what comes, and posts an error of the element where too long nothing has. A thread of GStreamer looks at it
// from time to time. Times in which whoever is downstream takes nothing do not count. Thread-safe.
class StallWatch : public std::enable_shared_from_this<StallWatch> {
public:
  explicit StallWatch(GstElement *element) : element_(element) {}
  StallWatch(const StallWatch &) = delete;
  StallWatch &operator=(const StallWatch &) = delete;

  // From now on time counts. stop() comes before the element goes.
  void start(TimeLimits limits);
  // Posts nothing any more.
  void stop();

  // Data of the source have come.
  void note_data() { data_++; }
  // What has come is being dealt with behind the sampler, for as long as that takes.
  void set_pushing(bool pushing) { is_pushing_ = pushing; }
  // Something is put out, which takes as long as whoever takes it likes.
  void begin_output() { is_leaving_ = true; }
  void end_output();
  // Nothing more is to come, unless the application seeks.
  void set_ended(bool ended) { ended_ = ended; }
  // Nobody knows when the next picture of a live source comes.
  void set_live() { live_ = true; }

private:
  void look();
  void post(const char *property, const std::string &sentence);

  GstElement *const element_;

  std::atomic<guint64> data_{0}, outputs_{0};
  std::atomic<bool> is_pushing_{false}, is_leaving_{false}, ended_{false}, live_{false};

  // All below. Whoever is told of an error may stop the bin right there.
  std::recursive_mutex mutex_;
  TimeLimits limits_;
  Ticker ticker_;
  gint64 interval_ = 0, looked_ = 0; // in µs
  guint64 seen_data_ = 0, seen_outputs_ = 0;
  gint64 idle_ = 0, unproductive_ = 0; // in µs: for so long nothing has come, and nothing has been put out
};

} // namespace cps
