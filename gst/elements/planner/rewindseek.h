// SPDX-License-Identifier: LGPL-2.1-or-later
// Flushing seeks that an element sends upstream for its own purposes, hidden from downstream.
#pragma once

#include <gst/gst.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>

namespace cps {

// Seeks of the application and of the element exclude each other, so that the origin of each flush is known.
// Thread-safe.
class RewindSeek {
public:
  // Opens the input again from its beginning, on the calling thread. Calls `closed` after the last data of the old
  // input and before the first data of the new one. Returns false on failure.
  using Reopen = std::function<bool(const std::function<void()> &closed)>;

  RewindSeek(GstElement *element, GstPad *sinkpad) : element_(element), sinkpad_(sinkpad) {}

  // Seeks to stream time `start` (up to `stop`, -1 for the end) on another thread, because a flushing seek must not
  // come from the streaming thread. `segment_flags` are the flags of the application's seek. On failure the element
  // posts an error and sends EOS downstream.
  void request(gint64 start, gint64 stop, GstSegmentFlags segment_flags = GST_SEGMENT_FLAG_NONE);

  // As request(), for a position that the element may also reach by reading: if the input refuses, it is read from its
  // start, and refuses_jumps() is true from then on.
  void request_jump(gint64 start);
  bool refuses_jumps() const { return refuses_jumps_; }

  // Fallback for an input that cannot seek to its start. Set while no data flows.
  void set_reopen(Reopen reopen) { reopen_ = std::move(reopen); }
  bool can_reopen() const { return reopen_ != nullptr; }

  // For a seek to the start that arrived elsewhere: opens the input again. Returns false and does nothing if the input
  // has already been opened again, or cannot be.
  bool request_reopen();

  // True if the input has been opened again since the last call. The stream is the same, even if its id differs.
  bool take_reopened() { return reopened_.exchange(false); }

  // Tests whether the input is seekable by a seek to the start, from the streaming thread. True once the seek has
  // started to flush; the buffer that the thread holds is then obsolete. False if the input refuses.
  bool try_rewind();

  // For FLUSH_START. True if the flush results from a seek of this object; the event handler then drops the event.
  bool begin_flush(GstEvent *event);

  // For FLUSH_STOP, as begin_flush(). Requests that the streaming thread made during the flush are then obsolete.
  bool end_flush(GstEvent *event);

  // Sends the application's seek event upstream.
  gboolean forward(GstPad *srcpad, GstEvent *event);

  // Sequence number of the application's current seek; GST_SEQNUM_INVALID if there is none.
  guint32 application_seqnum() const { return application_seqnum_; }

  // The element stops: wakes up all waiting threads.
  void interrupt();

  // True if the application has sought since the last forget().
  bool application_sought() const { return sought_; }
  void forget() { sought_ = interrupted_ = reopened_ = was_reopened_ = refuses_jumps_ = false; }

  // Waits until no seek is in progress.
  void wait();

private:
  struct Request;
  static void run(GstElement *element, gpointer data);
  enum class OnFailure { PostError, Nothing, Rewind };
  void enqueue(gint64 start, gint64 stop, GstSegmentFlags segment_flags, OnFailure on_failure, bool anew);
  void handle_failure(const Request &failed);
  bool send(const Request &request);
  bool is_over(const Request &request) const;
  bool reopen();
  bool is_own(GstEvent *flush) const;

  GstElement *element_;
  GstPad *sinkpad_;
  Reopen reopen_;
  std::atomic<bool> reopened_{false}, was_reopened_{false};
  std::mutex seeking_;                     // held while a seek event travels upstream
  std::atomic<GThread *> seeker_{nullptr}; // the thread that sends a seek of this object
  std::atomic<guint32> seqnum_{GST_SEQNUM_INVALID};
  std::atomic<guint> flushes_{0}; // beginnings and ends of flushes by the application
  std::atomic<guint32> application_seqnum_{GST_SEQNUM_INVALID};
  std::atomic<bool> sought_{false};
  std::atomic<bool> interrupted_{false};
  std::atomic<bool> refuses_jumps_{false};
  std::atomic<bool> is_flushing_{false}; // during a flush started by a seek of this object

  std::mutex mutex_;
  std::condition_variable changed_;
  guint pending_ = 0;     // seeks in progress
  guint own_flushes_ = 0; // flushes started by seeks of this object
};

} // namespace cps
