// SPDX-License-Identifier: LGPL-2.1-or-later
// A tensormetasink, and threads that push into it.
#pragma once

#include "tests/common/harness.h"
#include "tests/common/tensors.h"
#include "tests/common/text.h"

#include <gst/codecpatch/codecpatch.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace sink {

using test::Harness;
using test::Owned;

constexpr guint64 kForever = GST_CLOCK_TIME_NONE;

class Sink : public Harness {
public:
  explicit Sink(test::Properties properties = {}) : Harness("tensormetasink", properties, false) { begin(); }

  void begin() const {
    const Owned<GstBuffer> one = test::tensor_buffer();
    start(test::caps_of(one.get()).get());
  }

  GstFlowReturn push_clip(guint index) const {
    Owned<GstBuffer> buffer = test::tensor_buffer(3, index);
    return push(std::move(buffer));
  }

  Owned<GstSample> pull_sample() const {
    GstSample *sample = nullptr;
    g_signal_emit_by_name(element(), "pull-tensors", &sample);
    return Owned<GstSample>(sample);
  }
  Owned<GstSample> try_pull_sample(guint64 timeout) const {
    GstSample *sample = nullptr;
    g_signal_emit_by_name(element(), "try-pull-tensors", timeout, &sample);
    return Owned<GstSample>(sample);
  }

  // The clips in the queue.
  std::vector<guint> drain() const {
    std::vector<guint> indices;
    while (Owned<GstSample> sample = try_pull_sample(0))
      indices.push_back(index_of(sample.get()));
    return indices;
  }

  static guint index_of(GstSample *sample) {
    return cps_buffer_get_tensor_meta(gst_sample_get_buffer(sample))->clip->clip_index;
  }
};

using Indices = std::vector<guint>;

// A thread that pushes clips 0.. until the flow is not OK.
class Pusher {
public:
  Pusher(const Sink &sink, guint count)
      : thread_([this, &sink, count] {
          for (guint i = 0; i < count && flow_ == GST_FLOW_OK; ++i) {
            flow_ = sink.push_clip(i);
            pushed_ += flow_ == GST_FLOW_OK;
          }
        }) {}
  ~Pusher() {
    if (thread_.joinable())
      thread_.join();
  }

  guint pushed() const { return pushed_; }
  void wait_for(guint count) const {
    while (pushed_ < count)
      g_usleep(1000);
  }
  GstFlowReturn join() {
    thread_.join();
    return flow_;
  }

private:
  std::atomic<guint> pushed_{0};
  std::atomic<GstFlowReturn> flow_{GST_FLOW_OK};
  std::thread thread_;
};

// Long enough for a thread to do what it must not; too short only hides a fault, never makes one.
inline void give_time() {
  g_usleep(50 * 1000);
}

// The tests, a file each.
TCase *queue_tests();
TCase *stop_tests();
TCase *file_tests();

} // namespace sink
