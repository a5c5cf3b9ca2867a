// SPDX-License-Identifier: LGPL-2.1-or-later
// A call from time to time, on the thread that GStreamer's clock has for such.
#pragma once

#include <functional>
#include <gst/gst.h>
#include <memory>

namespace cps {

// All tickers of the process share that thread: what they call does not block. Not thread-safe.
class Ticker {
public:
  Ticker() = default;
  ~Ticker() { stop(); }
  Ticker(const Ticker &) = delete;
  Ticker &operator=(const Ticker &) = delete;

  // The first call comes when `interval` has passed. No call ever overlaps another one.
  void start(GstClockTime interval, std::function<void()> tick);
  // A call may still be under way when this returns.
  void stop();
  bool is_running() const { return id_ != nullptr; }

private:
  GstClockID id_ = nullptr;
};

// A call to a member, as long as the object is there.
template <class T> std::function<void()> while_alive(const std::weak_ptr<T> &object, void (T::*member)()) {
  return [object, member] {
    if (const std::shared_ptr<T> alive = object.lock())
      (alive.get()->*member)();
  };
}

} // namespace cps
