// SPDX-License-Identifier: LGPL-2.1-or-later
// What a session's pipeline has to tell. Internal.
#pragma once

#include "gst/common/owned.h"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <string>

namespace cps {

// How long a session waits, in seconds; 0: for ever.
struct Limits {
  double timeout = 0; // for the source to be opened, and for each clip
  double stall = 0;   // for anything to come from the source. The elements see to it once they have been started
};

// The streaming threads put into it what comes of the pipeline, one thread waits for it: clips first, in what order
// ever the rest arrives, then the error or the end. Thread-safe.
class SessionInbox {
public:
  using Clock = std::chrono::steady_clock;
  using Time = std::optional<Clock::time_point>; // nothing: for ever
  enum class Event { Clip, Error, Closed, End };

  explicit SessionInbox(Limits limits = {}) : limits_(limits) {}

  // The pipeline has started, or that has failed.
  void opened(Owned<GError> failure);
  // Opening has taken that long for something that is not the source's.
  void excuse(Clock::duration time);
  // A clip is in the sink's queue. One that comes after an error is what was left of a stream that broke off, and does
  // not count: whether the application had taken the error by then would decide otherwise.
  void clip_queued();
  // Something went wrong that no message tells, or none tells as well.
  void record_error(Owned<GError> error);
  // Errors, warnings and the end of the stream.
  void handle_message(GstMessage *message);
  void close();

  // Waits until opened(), or a limit or close() comes before. False where `until` is over earlier.
  bool wait_open(Time until = std::nullopt);
  bool is_open() const; // the pipeline has started
  // Waits for what is next, or for a limit, which is an error. False where `until` is over earlier.
  bool wait_next(Time until = std::nullopt);
  // Waits for what is next. A clip is told of once, the others again and again.
  Event wait();
  // The first error, nullptr where there is none: those that follow are its consequences. Stays.
  const GError *error() const;
  std::optional<std::string> pop_warning();

private:
  // A file that is damaged all over warns at every frame.
  static constexpr size_t kMaxWarnings = 100;

  bool is_next() const { return closed_ || clips_ > 0 || error_ || ended_; }
  bool is_opening() const;
  void end_by_limit(const std::string &sentence);
  void wait_until(std::unique_lock<std::mutex> &lock, Time one, Time other);
  bool wait_for_next(std::unique_lock<std::mutex> &lock, Time until);

  const Limits limits_;

  mutable std::mutex mutex_; // all below
  std::condition_variable changed_;
  Clock::time_point opening_since_ = Clock::now();
  Time waiting_since_; // for the next clip
  guint64 clips_ = 0;
  bool opened_ = false, has_failed_to_open_ = false, ended_ = false, closed_ = false;
  Owned<GError> error_;
  std::deque<std::string> warnings_;
};

} // namespace cps
