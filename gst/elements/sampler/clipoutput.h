// SPDX-License-Identifier: LGPL-2.1-or-later
// Sends clips downstream: at once, or from a queue that drops clips where downstream is too slow.
#pragma once

#include "gst/elements/sampler/clipsource.h"

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>

namespace cps {

// Without a queue all calls come from the streaming thread and push on it. With a queue they do not block: a task of
// the pad pushes, and calls return what it got last. The queue has what is left of the clip that downstream takes, one
// clip that waits, and the one that comes in: when another one begins, the one that waits is dropped, and the element
// posts the message "clip-dropped" with its clip-index and the count of clips dropped so far.
class ClipOutput {
public:
  ClipOutput(GstElement *element, GstPad *srcpad) : element_(element), srcpad_(srcpad) {}

  // Called before and after a frame is pushed without a queue, because downstream may block for any time.
  void set_listener(std::function<void(bool pushing)> listener) { listener_ = std::move(listener); }

  // Sets whether clips are queued from now on. Call between streams.
  void queue_clips(bool queued) { queued_ = queued; }
  bool is_queued() const { return queued_; }

  // Sends the caps unless they have been sent; returns false after posting an error. Not if clips are queued.
  bool send_caps(GstCaps *caps);

  // Sends an event in order with the frames.
  void send(Owned<GstEvent> event);
  // The same for the plan that begins clip `clip_index`.
  void begin_clip(guint clip_index, Owned<GstEvent> plan);
  // Sends a frame of that clip, and its caps if they differ from those of the frame before it.
  GstFlowReturn push(guint clip_index, Frame frame);

  // For the pad and the element: discards the queue and ends the task until resume().
  void begin_flush();
  void end_task(bool stop);
  void resume();
  // A stream with other caps may follow.
  void forget_caps() { sent_caps_.reset(); }

private:
  struct Entry {
    guint clip_index;
    bool begins; // the plan of the clip
    Owned<GstEvent> event;
    Frame frame;
  };

  void pass(Entry entry);
  void add(Entry entry);
  size_t queued_frames();
  void drop_waiting();
  void work();
  GstFlowReturn deliver(Entry entry);
  GstFlowReturn push_now(Frame frame);

  GstElement *element_;
  GstPad *srcpad_;
  std::function<void(bool pushing)> listener_; // constant while frames flow
  Owned<GstCaps> sent_caps_;                   // by the thread that pushes
  bool queued_ = false;
  HoldLimit limit_; // of frames in the queue

  std::mutex mutex_; // protects the members below
  std::condition_variable changed_;
  std::deque<Entry> queue_;
  GstFlowReturn flow_ = GST_FLOW_OK; // of the task
  bool flushing_ = false;
  bool has_task_ = false;
  guint64 dropped_ = 0; // clips
};

} // namespace cps
