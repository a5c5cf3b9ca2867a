// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/ownseek.h"

#include <chrono>

namespace cps {

struct OwnSeek::Request {
  OwnSeek *self;
  guint flushes; // when the request was made
  gint64 start, stop;
  bool may_fail;
};

void OwnSeek::request(gint64 start, gint64 stop) {
  request(start, stop, false);
}

void OwnSeek::request(gint64 start, gint64 stop, bool may_fail) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    pending_++;
  }
  auto *request = g_new(Request, 1);
  *request = {this, flushes_, start, stop, may_fail};
  gst_element_call_async(element_, run, request, g_free);
}

bool OwnSeek::send(const Request &request) {
  const std::lock_guard<std::mutex> lock(seeking_);
  if (flushes_ != request.flushes)
    return true;
  flushing_ = true;
  const bool sent = gst_pad_push_event(
      sinkpad_, gst_event_new_seek(1.0, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH, GST_SEEK_TYPE_SET, request.start,
                                   request.stop < 0 ? GST_SEEK_TYPE_NONE : GST_SEEK_TYPE_SET, request.stop));
  flushing_ = false;
  return sent || GST_PAD_IS_FLUSHING(sinkpad_); // on shutdown it does not matter
}

void OwnSeek::run(GstElement *element, gpointer data) {
  const auto *request = static_cast<Request *>(data);
  OwnSeek *self = request->self;
  if (!self->send(*request) && !request->may_fail) {
    GST_ELEMENT_ERROR(
        element, RESOURCE, SEEK,
        ("The input cannot be read a second time after it has been indexed: leave %s out.", GST_OBJECT_NAME(element)),
        (nullptr));
    const auto push_eos = [](GstElement *, GstPad *pad, gpointer) {
      return gst_pad_push_event(pad, gst_event_new_eos());
    };
    gst_element_foreach_src_pad(element, push_eos, nullptr);
  }
  const std::lock_guard<std::mutex> lock(self->mutex_);
  self->pending_--;
  self->changed_.notify_all();
}

bool OwnSeek::try_rewind() {
  guint flushes_before;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    flushes_before = own_flushes_;
  }
  request(0, -1, true);
  // An input that neither flushes nor refuses would hold us up for ever; should it seek later, that works as well.
  constexpr std::chrono::seconds kPatience(2);
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait_for(lock, kPatience, [&] { return own_flushes_ != flushes_before || pending_ == 0; });
  return own_flushes_ != flushes_before;
}

bool OwnSeek::begin_flush() {
  if (!flushing_) { // the application's: a seek of ours that has yet to begin is out of date
    flushes_++;
    return false;
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  own_flushes_++;
  changed_.notify_all();
  return true;
}

gboolean OwnSeek::forward(GstPad *srcpad, GstEvent *event) {
  sought_ = true;
  const std::lock_guard<std::mutex> lock(seeking_);
  return gst_pad_event_default(srcpad, GST_OBJECT_CAST(element_), event);
}

void OwnSeek::wait() {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [this] { return pending_ == 0; });
}

} // namespace cps
