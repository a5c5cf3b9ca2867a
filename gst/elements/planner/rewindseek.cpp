// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/planner/rewindseek.h"

#include "gst/elements/common/upstream.h"

#include <chrono>

namespace cps {

struct RewindSeek::Request {
  RewindSeek *self;
  guint flushes; // value of flushes_ at the time of the request
  gint64 start, stop;
  GstSeekFlags flags;
  OnFailure on_failure;
  bool anew; // opens the input again without trying to seek
};

void RewindSeek::request(gint64 start, gint64 stop, GstSegmentFlags segment_flags) {
  enqueue(start, stop, segment_flags, OnFailure::PostError, false);
}

void RewindSeek::request_jump(gint64 start) {
  enqueue(start, -1, GST_SEGMENT_FLAG_NONE, OnFailure::Rewind, false);
}

bool RewindSeek::request_reopen() {
  if (!reopen_ || was_reopened_)
    return false;
  enqueue(0, -1, GST_SEGMENT_FLAG_NONE, OnFailure::PostError, true);
  return true;
}

void RewindSeek::enqueue(gint64 start, gint64 stop, GstSegmentFlags segment_flags, OnFailure on_failure, bool anew) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    pending_++;
  }
  int kept = segment_flags & GST_SEGMENT_FLAG_SEGMENT ? GST_SEEK_FLAG_SEGMENT : 0;
  if (start > 0 || stop >= 0) // otherwise tsdemux ignores the section
    kept |= GST_SEEK_FLAG_ACCURATE;
  auto *request = g_new(Request, 1);
  *request = {this, flushes_, start, stop, static_cast<GstSeekFlags>(GST_SEEK_FLAG_FLUSH | kept), on_failure, anew};
  gst_element_call_async(element_, run, request, g_free);
}

// mpegpsdemux (1.22) computes positions from a rate that streams of a single pack do not have.
static bool seeks_badly(GstElement *demuxer) {
  return is_made_by(demuxer, "mpegpsdemux");
}

bool RewindSeek::send(const Request &request) {
  const std::lock_guard<std::mutex> lock(seeking_);
  if (flushes_ != request.flushes)
    return true;
  // A stop of type NONE would keep the stop of the application's earlier seek.
  GstEvent *seek = gst_event_new_seek(1.0, GST_FORMAT_TIME, request.flags, GST_SEEK_TYPE_SET, request.start,
                                      GST_SEEK_TYPE_SET, request.stop);
  seqnum_ = gst_event_get_seqnum(seek);
  seeker_ = g_thread_self();
  bool sent = false;
  if (request.anew || (request.start == 0 && reopen_ && seeks_badly(find_demuxer(sinkpad_).get())))
    gst_event_unref(seek);
  else
    sent = gst_pad_push_event(sinkpad_, seek);
  if (!sent && !is_over(request) && request.start == 0)
    sent = reopen();
  seeker_ = nullptr;
  return sent || is_over(request);
}

// True if the result no longer matters, because the element stops or the application has sought.
bool RewindSeek::is_over(const Request &request) const {
  return interrupted_ || flushes_ != request.flushes;
}

// Opens the input again, with the flush events of a seek. The input may have started to flush before it refused.
bool RewindSeek::reopen() {
  if (!reopen_)
    return false;
  const auto flush = [this](GstEvent *event) {
    gst_event_set_seqnum(event, seqnum_);
    gst_pad_send_event(sinkpad_, event);
  };
  if (!is_flushing_)
    flush(gst_event_new_flush_start());
  return reopen_([&] {
    reopened_ = was_reopened_ = true;
    flush(gst_event_new_flush_stop(TRUE));
  });
}

void RewindSeek::handle_failure(const Request &failed) {
  // Any failed attempt is an error if the input has started to flush, because no data arrive any more.
  if (failed.on_failure == OnFailure::Rewind && !is_flushing_) {
    refuses_jumps_ = true;
    request(0, -1);
    return;
  }
  if (failed.on_failure == OnFailure::Nothing && !is_flushing_)
    return;
  GST_ELEMENT_ERROR(
      element_, RESOURCE, SEEK,
      ("The video cannot be read a second time, for it does not seek; its frames can only be told apart that way."),
      ("%s", GST_OBJECT_NAME(element_)));
  const auto push_eos = [](GstElement *, GstPad *pad, gpointer) {
    return gst_pad_push_event(pad, gst_event_new_eos());
  };
  gst_element_foreach_src_pad(element_, push_eos, nullptr);
}

void RewindSeek::run(GstElement *, gpointer data) {
  const auto *request = static_cast<Request *>(data);
  RewindSeek *self = request->self;
  if (!self->send(*request))
    self->handle_failure(*request);
  const std::lock_guard<std::mutex> lock(self->mutex_);
  self->pending_--;
  self->changed_.notify_all();
}

bool RewindSeek::try_rewind() {
  guint flushes_before;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    flushes_before = own_flushes_;
  }
  const guint application_before = flushes_;
  enqueue(0, -1, GST_SEGMENT_FLAG_NONE, OnFailure::Nothing, false);
  // The wait is limited, because an input might neither flush nor refuse. If it seeks later, that works as well.
  constexpr std::chrono::seconds kPatience(2);
  std::unique_lock<std::mutex> lock(mutex_);
  const auto begun = [&] { return own_flushes_ != flushes_before || flushes_ != application_before; };
  changed_.wait_for(lock, kPatience, [&] { return begun() || pending_ == 0 || interrupted_; });
  return begun() || interrupted_;
}

// Applications may flush during our seek without a seek of their own. To tell the flushes apart: most elements flush on
// the thread that seeks, and most give the events the sequence number of the seek.
bool RewindSeek::is_own(GstEvent *flush) const {
  GThread *seeker = seeker_;
  return seeker && (seeker == g_thread_self() || gst_event_get_seqnum(flush) == seqnum_);
}

bool RewindSeek::begin_flush(GstEvent *event) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const bool own = is_own(event);
  is_flushing_ = own;
  if (own)
    own_flushes_++;
  else
    flushes_++; // makes our pending seeks obsolete
  changed_.notify_all();
  return own;
}

bool RewindSeek::end_flush(GstEvent *event) {
  const bool own = is_own(event);
  is_flushing_ = false;
  if (!own)
    flushes_++;
  return own;
}

void RewindSeek::interrupt() {
  const std::lock_guard<std::mutex> lock(mutex_);
  interrupted_ = true;
  changed_.notify_all();
}

gboolean RewindSeek::forward(GstPad *srcpad, GstEvent *event) {
  sought_ = true;
  was_reopened_ = false;
  const std::lock_guard<std::mutex> lock(seeking_);
  application_seqnum_ = gst_event_get_seqnum(event);
  const gboolean sent = gst_pad_event_default(srcpad, GST_OBJECT_CAST(element_), event);
  application_seqnum_ = GST_SEQNUM_INVALID;
  return sent;
}

void RewindSeek::wait() {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [this] { return pending_ == 0; });
}

} // namespace cps
