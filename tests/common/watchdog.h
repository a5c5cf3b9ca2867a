// SPDX-License-Identifier: LGPL-2.1-or-later
// Ends a test that hangs and prints its last steps. Waits with their own limit do not help if a function of GStreamer
// does not return.
#pragma once

#include "tests/common/pipeline.h"

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <thread>

namespace pipes {

class Watchdog {
public:
  Watchdog(GstElement *pipeline, std::string what)
      : pipeline_(pipeline), what_(std::move(what)), thread_([this] { watch(); }) {}
  ~Watchdog() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      stopped_ = true;
      changed_.notify_all();
    }
    thread_.join();
  }
  Watchdog(const Watchdog &) = delete;
  Watchdog &operator=(const Watchdog &) = delete;

  // Records the next step and restarts the time limit.
  void note(const std::string &step) {
    GST_INFO("%s", step.c_str()); // also appears in the log of GST_DEBUG
    const std::lock_guard<std::mutex> lock(mutex_);
    steps_++;
    latest_.push_back(step);
    if (latest_.size() > kRemembered)
      latest_.pop_front();
    changed_.notify_all();
  }

  std::string story() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return tell();
  }

private:
  static constexpr size_t kRemembered = 40;

  std::string tell() const {
    std::string text = what_ + ", step " + std::to_string(steps_) + ", " + state_of(pipeline_) + ", after";
    for (const std::string &step : latest_)
      text += " / " + step;
    return text;
  }

  // Takes no locks, because they may be the cause of the hang.
  static std::string state_of(const GstElement *element) {
    return std::string(gst_element_state_get_name(GST_STATE(element))) + " on the way to " +
           gst_element_state_get_name(GST_STATE_TARGET(element));
  }

  void watch() {
    std::unique_lock<std::mutex> lock(mutex_);
    for (guint64 seen = 0; !stopped_;) {
      const std::chrono::nanoseconds patience(2 * kPatience);
      if (!changed_.wait_for(lock, patience, [&] { return stopped_ || steps_ != seen; })) {
        g_printerr("hangs: %s\n", tell().c_str());
        std::abort();
      }
      seen = steps_;
    }
  }

  GstElement *pipeline_;
  std::string what_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> latest_;
  guint64 steps_ = 0;
  bool stopped_ = false;
  std::thread thread_;
};

} // namespace pipes
