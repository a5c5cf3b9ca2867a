// SPDX-License-Identifier: LGPL-2.1-or-later
// Queue of the events of a session's pipeline. Internal.
#pragma once

#include "gst/codecpatch/owned.h"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <string>

namespace cps {

// Time limits of a session in seconds; 0: no limit.
struct Limits {
  double timeout = 0; // for the source to be opened, and for each clip
  double stall = 0;   // for the source to deliver anything. Once the elements have started, they enforce it
};

// The streaming threads add events, one thread waits for them. It gets all clips first, in any order of arrival, then
// the error or the end of the stream. Thread-safe.
class SessionInbox {
public:
  using Clock = std::chrono::steady_clock;
  using Time = std::optional<Clock::time_point>; // nothing: no limit
  enum class Event { Clip, Error, Closed, End };

  explicit SessionInbox(Limits limits = {}) : limits_(limits) {}

  // Call when the pipeline has started or has failed to start.
  void opened(Owned<GError> failure);
  // Excludes `time` from the time limits of opening, because the source did not cause it.
  void excuse(Clock::duration time);
  // Call when a clip is in the sink's queue. A clip that arrives after an error is an incomplete tail and is discarded;
  // otherwise the result would depend on when the application fetches the error.
  void clip_queued();
  // Records an error that no message reports, or that messages report less precisely.
  void record_error(Owned<GError> error);
  // Handles errors, warnings and the end of the stream; ignores other messages.
  void handle_message(GstMessage *message);
  void close();

  // Waits until opened() or close() is called or a time limit has passed. Returns false if `until` is reached before.
  bool wait_open(Time until = std::nullopt);
  bool is_open() const; // the pipeline has started
  // Waits for the next event; exceeding a time limit is an error event. Returns false if `until` is reached before.
  bool wait_next(Time until = std::nullopt);
  // Waits for the next event. A clip is returned once, any other event again at each call.
  Event wait();
  // The first error, nullptr if there is none. Later errors are its consequences. Valid as long as the inbox.
  const GError *error() const;
  std::optional<std::string> pop_warning();
  // The index, if the session has made one. That ends the session.
  Owned<CpsIndex> index() const;

private:
  // Limits the queue, because a file that is damaged throughout causes a warning at every frame.
  static constexpr size_t kMaxWarnings = 100;

  bool is_next() const { return closed_ || clips_ > 0 || error_ || ended_; }
  bool is_opening() const;
  void end_by_limit(const std::string &sentence);
  void wait_until(std::unique_lock<std::mutex> &lock, Time one, Time other);
  bool wait_for_next(std::unique_lock<std::mutex> &lock, Time until);

  const Limits limits_;

  mutable std::mutex mutex_; // protects the members below
  std::condition_variable changed_;
  Clock::time_point opening_since_ = Clock::now();
  Time waiting_since_; // start of the wait for the next clip
  guint64 clips_ = 0;
  bool opened_ = false, has_failed_to_open_ = false, ended_ = false, closed_ = false;
  Owned<GError> error_;
  Owned<CpsIndex> index_;
  std::deque<std::string> warnings_;
};

} // namespace cps
