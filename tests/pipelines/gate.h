// SPDX-License-Identifier: LGPL-2.1-or-later
// Downstream of an element that is slow, or is no sink.
#pragma once

#include "tests/common/pipeline.h"

#include <condition_variable>
#include <mutex>

namespace pipes {

// Blocks a pad, and lets go of it when the pad is flushed or stopped.
class Gate {
public:
  Gate(const Line &line, const char *element, const char *pad_name) {
    const Owned<GstElement> owner = line.get(element);
    pad_.reset(gst_element_get_static_pad(owner.get(), pad_name));
  }
  ~Gate() { open(); }
  Gate(const Gate &) = delete;
  Gate &operator=(const Gate &) = delete;

  void close() {
    if (!probe_)
      probe_ = gst_pad_add_probe(
          pad_.get(), static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BLOCK | GST_PAD_PROBE_TYPE_BUFFER),
          [](GstPad *, GstPadProbeInfo *, gpointer) { return GST_PAD_PROBE_OK; }, nullptr, nullptr);
  }
  void open() {
    if (probe_)
      gst_pad_remove_probe(pad_.get(), std::exchange(probe_, 0));
  }

private:
  Owned<GstPad> pad_;
  gulong probe_ = 0;
};

// Takes the frames of a pad. Not a sink, because sinks post messages while they hold locks that a flush needs, and
// bins need locks for the messages.
class Taker {
public:
  Taker(const Line &line, const char *element) : pad_(GST_PAD(gst_object_ref_sink(gst_pad_new("sink", GST_PAD_SINK)))) {
    gst_pad_set_chain_function_full(pad_.get(), take, this, nullptr);
    gst_pad_set_active(pad_.get(), TRUE);
    const Owned<GstElement> owner = line.get(element);
    const Owned<GstPad> src(gst_element_get_static_pad(owner.get(), "src"));
    fail_unless(gst_pad_link(src.get(), pad_.get()) == GST_PAD_LINK_OK);
  }
  ~Taker() { gst_pad_set_active(pad_.get(), FALSE); }
  Taker(const Taker &) = delete;
  Taker &operator=(const Taker &) = delete;

  void wait_for_frames(size_t count) {
    std::unique_lock<std::mutex> lock(mutex_);
    const std::chrono::nanoseconds patience(kPatience);
    const size_t least = frames_ + count;
    fail_unless(changed_.wait_for(lock, patience, [&] { return frames_ >= least; }), "no frames");
  }

private:
  static GstFlowReturn take(GstPad *pad, GstObject *, GstBuffer *frame) {
    auto *self = static_cast<Taker *>(pad->chaindata);
    gst_buffer_unref(frame);
    const std::lock_guard<std::mutex> lock(self->mutex_);
    self->frames_++;
    self->changed_.notify_all();
    return GST_FLOW_OK;
  }

  Owned<GstPad> pad_;
  std::mutex mutex_; // protects the members below
  std::condition_variable changed_;
  size_t frames_ = 0;
};

} // namespace pipes
