// SPDX-License-Identifier: LGPL-2.1-or-later
// What a session's pipeline has to tell. Internal.
#pragma once

#include "gst/codecpatch/owned.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <string>

namespace cps {

// The streaming threads put into it what comes of the pipeline, one thread waits for it: clips first, in what order
// ever the rest arrives, then the error or the end. Thread-safe.
class SessionInbox {
public:
  enum class Event { Clip, Error, Closed, End };

  // A clip is in the sink's queue. One that comes after an error is what was left of a stream that broke off, and does
  // not count: whether the application had taken the error by then would decide otherwise.
  void clip_queued();
  // Something went wrong that no message tells, or none tells as well.
  void fail(Owned<GError> error);
  // Errors, warnings and the end of the stream.
  void take(GstMessage *message);
  void close();

  // Waits for what is next. A clip is told of once, the others again and again.
  Event wait();
  // The first error, nullptr where there is none: those that follow are its consequences. Stays.
  const GError *error() const;
  std::optional<std::string> pop_warning();

private:
  // A file that is damaged all over warns at every frame.
  static constexpr size_t kMaxWarnings = 100;

  mutable std::mutex mutex_; // all below
  std::condition_variable changed_;
  guint64 clips_ = 0;
  bool ended_ = false, closed_ = false;
  Owned<GError> error_;
  std::deque<std::string> warnings_;
};

} // namespace cps
