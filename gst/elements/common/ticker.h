// SPDX-License-Identifier: LGPL-2.1-or-later
// Periodic callbacks on the thread of GStreamer's system clock.
#pragma once

#include <functional>
#include <gst/gst.h>
#include <memory>

namespace cps {

// All tickers of the process share that thread, so callbacks must not block. Not thread-safe.
class Ticker {
public:
  Ticker() = default;
  ~Ticker() { stop(); }
  Ticker(const Ticker &) = delete;
  Ticker &operator=(const Ticker &) = delete;

  // The first call comes after `interval`. Calls never overlap.
  void start(GstClockTime interval, std::function<void()> tick);
  // A call may still be running when this returns.
  void stop();
  bool is_running() const { return id_ != nullptr; }

private:
  GstClockID id_ = nullptr;
};

// Calls a member function if the object still exists.
template <class T> std::function<void()> while_alive(const std::weak_ptr<T> &object, void (T::*member)()) {
  return [object, member] {
    if (const std::shared_ptr<T> alive = object.lock())
      (alive.get()->*member)();
  };
}

} // namespace cps
