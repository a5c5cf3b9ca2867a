// SPDX-License-Identifier: LGPL-2.1-or-later
// Flushing seeks that an element in mid-stream sends upstream for its own purposes, without downstream noticing.
#pragma once

#include <gst/gst.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>

namespace cps {

// An application's seeks and the element's own exclude each other, so that it is known whose a flush is. Thread-safe.
class RewindSeek {
public:
  // Opens the input once more from its beginning, on the thread that calls it, and calls `closed` when no data come of
  // the old one any more, and none of the new one yet. False where it cannot.
  using Reopen = std::function<bool(const std::function<void()> &closed)>;

  RewindSeek(GstElement *element, GstPad *sinkpad) : element_(element), sinkpad_(sinkpad) {}

  // Seeks to stream time `start` (up to `stop`, -1 for the end) from another thread, for a flushing seek must not come
  // from the streaming thread. `segment_flags` are those of the segment that the application asked for. Where it fails,
  // the element posts an error and sends EOS downstream.
  void request(gint64 start, gint64 stop, GstSegmentFlags segment_flags = GST_SEGMENT_FLAG_NONE);

  // What to do where the input refuses to go back to its start. To be set while nothing flows.
  void set_reopen(Reopen reopen) { reopen_ = std::move(reopen); }
  bool can_reopen() const { return reopen_ != nullptr; }

  // Where a seek to the start has led elsewhere: opens the input once more, unless that has been done before. False
  // where it is not, and nothing happens.
  bool request_reopen();

  // Has the input been opened once more since this was asked last? Its stream is the same, whatever its id.
  bool take_reopened() { return reopened_.exchange(false); }

  // Tries whether the input seeks, from the streaming thread: a seek to the start. True once that has begun to flush;
  // what the thread has in hand is out of date then. False where the input refuses.
  bool try_rewind();

  // A flush has begun. True where it is due to a seek of ours; the event handler swallows it then.
  bool begin_flush(GstEvent *event);

  // It has ended. What the streaming thread asked for in the meantime is out of date.
  bool end_flush(GstEvent *event);

  // Sends the application's seek event upstream.
  gboolean forward(GstPad *srcpad, GstEvent *event);

  // The number of the application's seek that is under way, GST_SEQNUM_INVALID where there is none.
  guint32 application_seqnum() const { return application_seqnum_; }

  // The element stops: nobody is to wait any longer.
  void interrupt();

  // Has the application sought since the last forget()?
  bool application_sought() const { return sought_; }
  void forget() { sought_ = interrupted_ = reopened_ = was_reopened_ = false; }

  // Until no seek is under way.
  void wait();

private:
  struct Request;
  static void run(GstElement *element, gpointer data);
  void enqueue(gint64 start, gint64 stop, GstSegmentFlags segment_flags, bool may_fail, bool anew);
  bool send(const Request &request);
  bool is_over(const Request &request) const;
  bool reopen();
  bool is_own(GstEvent *flush) const;

  GstElement *element_;
  GstPad *sinkpad_;
  Reopen reopen_;
  std::atomic<bool> reopened_{false}, was_reopened_{false};
  std::mutex seeking_;                     // held while a seek event travels upstream
  std::atomic<GThread *> seeker_{nullptr}; // sends a seek of ours
  std::atomic<guint32> seqnum_{GST_SEQNUM_INVALID};
  std::atomic<guint> flushes_{0}; // by the application, their beginnings and ends
  std::atomic<guint32> application_seqnum_{GST_SEQNUM_INVALID};
  std::atomic<bool> sought_{false};
  std::atomic<bool> interrupted_{false};
  std::atomic<bool> is_flushing_{false}; // a flush goes on that a seek of ours began

  std::mutex mutex_;
  std::condition_variable changed_;
  guint pending_ = 0;     // seeks under way
  guint own_flushes_ = 0; // that seeks of ours began
};

} // namespace cps
