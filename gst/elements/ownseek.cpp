// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/ownseek.h"

namespace cps {

struct OwnSeek::Request {
  OwnSeek *self;
  guint flushes; // when the request was made
  gint64 start, stop;
};

void OwnSeek::request(gint64 start, gint64 stop) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    pending_++;
  }
  auto *request = g_new(Request, 1);
  *request = {this, flushes_, start, stop};
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
  if (!self->send(*request)) {
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
  self->finished_.notify_all();
}

gboolean OwnSeek::forward(GstPad *srcpad, GstEvent *event) {
  const std::lock_guard<std::mutex> lock(seeking_);
  return gst_pad_event_default(srcpad, GST_OBJECT_CAST(element_), event);
}

void OwnSeek::wait() {
  std::unique_lock<std::mutex> lock(mutex_);
  finished_.wait(lock, [this] { return pending_ == 0; });
}

} // namespace cps
