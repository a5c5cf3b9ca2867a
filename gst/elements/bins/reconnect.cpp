// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/bins/reconnect.h"

#include "gst/elements/common/elementtools.h"
#include "gst/elements/common/streamdebug.h"

#include <algorithm>
#include <cstring>

#define GST_CAT_DEFAULT cps::stream_debug()

namespace cps {

void Reconnect::start(std::shared_ptr<VideoSearch> search, double interval) {
  const std::lock_guard<std::mutex> lock(mutex_);
  live_ = has_come_ = interrupted_ = failed_ = refused_ = closing_ = false;
  search_ = std::move(search);
  interval_ = interval;
}

void Reconnect::stop() {
  const std::lock_guard<std::mutex> lock(mutex_);
  ticker_.stop();
  search_.reset();
}

void Reconnect::note_data() {
  has_come_ = true;
  if (interrupted_.exchange(false))
    GST_INFO_OBJECT(bin_, "the source is back");
}

// True if the message is from the elements before the planner.
static bool is_of_source(GstMessage *message, GstBin *bin) {
  GstObject *part = GST_MESSAGE_SRC(message);
  if (!part || !gst_object_has_as_ancestor(part, GST_OBJECT(bin)))
    return false;
  while (GST_OBJECT_PARENT(part) != GST_OBJECT(bin))
    part = GST_OBJECT_PARENT(part);
  GstElementFactory *factory = GST_IS_ELEMENT(part) ? gst_element_get_factory(GST_ELEMENT(part)) : nullptr;
  const gchar *kind = factory ? gst_element_factory_get_metadata(factory, GST_ELEMENT_METADATA_KLASS) : nullptr;
  return kind && (strstr(kind, "Source") || strstr(kind, "Parser"));
}

bool Reconnect::handle_error(GstMessage *message) {
  if (!may_return() || !is_of_source(message, bin_))
    return false;
  GError *error = nullptr;
  gst_message_parse_error(message, &error, nullptr);
  const Owned<GError> owned(error);
  return closing_ || schedule(error->message);
}

bool Reconnect::handle_end() {
  return may_return() && schedule("it has ended");
}

bool Reconnect::handle_no_video() {
  return may_return() && schedule("it has no video");
}

bool Reconnect::schedule(const std::string &reason) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (interval_ <= 0)
      return false;
    if (!search_) // an attempt that the stop has interrupted
      return true;
    if (!ticker_.is_running())
      ticker_.start(std::max<GstClockTime>(static_cast<GstClockTime>(interval_ * GST_SECOND), GST_MSECOND),
                    while_alive(weak_from_this(), &Reconnect::attempt));
  }
  if (!interrupted_.exchange(true))
    GST_ELEMENT_WARNING(bin_, RESOURCE, READ,
                        ("The source is interrupted (%s): it is opened again until it is back.", reason.c_str()),
                        (nullptr));
  return true;
}

// On the clock's thread, which must not block.
void Reconnect::attempt() {
  const std::lock_guard<std::mutex> lock(mutex_);
  ticker_.stop();
  if (!search_)
    return;
  GST_INFO_OBJECT(bin_, "the source is opened again");
  struct Request {
    std::shared_ptr<Reconnect> self;
    std::shared_ptr<VideoSearch> search;
  };
  auto request = std::make_unique<Request>(Request{shared_from_this(), search_});
  gst_element_call_async(
      GST_ELEMENT(bin_),
      [](GstElement *, gpointer data) {
        const auto &[self, search] = *static_cast<Request *>(data);
        self->closing_ = true;
        const bool opened = search->open_again([reconnect = self.get()] { reconnect->closing_ = false; });
        self->closing_ = false;
        if (!opened && self->may_return()) // not all sources post an error
          self->schedule("it cannot be opened");
      },
      request.release(), [](gpointer data) { const std::unique_ptr<Request> dropped(static_cast<Request *>(data)); });
}

} // namespace cps
