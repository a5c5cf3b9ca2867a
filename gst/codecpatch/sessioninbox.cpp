// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/codecpatch/sessioninbox.h"

#define GST_CAT_DEFAULT session_debug()
static GstDebugCategory *session_debug() {
  static GstDebugCategory *category = _gst_debug_category_new("codecpatchsession", 0, "sessions");
  return category;
}

namespace cps {

void SessionInbox::clip_queued() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!error_)
    clips_++;
  changed_.notify_all();
}

void SessionInbox::close() {
  const std::lock_guard<std::mutex> lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

// The text for people of an error or a warning; its details go to the debug log.
static Owned<GError> parse(GstMessage *message) {
  GError *error = nullptr;
  gchar *details = nullptr;
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR)
    gst_message_parse_error(message, &error, &details);
  else
    gst_message_parse_warning(message, &error, &details);
  GST_INFO_OBJECT(GST_MESSAGE_SRC(message), "%s (%s)", error->message, details ? details : "no details");
  g_free(details);
  return Owned<GError>(error);
}

void SessionInbox::fail(Owned<GError> error) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!error_)
    error_ = std::move(error);
  changed_.notify_all();
}

void SessionInbox::take(GstMessage *message) {
  const bool failed = GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR;
  const bool warned = GST_MESSAGE_TYPE(message) == GST_MESSAGE_WARNING;
  Owned<GError> told = failed || warned ? parse(message) : nullptr;
  if (failed)
    return fail(std::move(told));
  const std::lock_guard<std::mutex> lock(mutex_);
  // What comes behind a failure or the end is of its consequences.
  if (warned && !error_ && !closed_ && warnings_.size() < kMaxWarnings)
    warnings_.emplace_back(told->message);
  else if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS)
    ended_ = true;
  changed_.notify_all();
}

SessionInbox::Event SessionInbox::wait() {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [this] { return closed_ || clips_ > 0 || error_ || ended_; });
  if (closed_)
    return Event::Closed;
  if (clips_ > 0) {
    clips_--;
    return Event::Clip;
  }
  return error_ ? Event::Error : Event::End;
}

const GError *SessionInbox::error() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return error_.get();
}

std::optional<std::string> SessionInbox::pop_warning() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (warnings_.empty())
    return std::nullopt;
  std::string first = std::move(warnings_.front());
  warnings_.pop_front();
  return first;
}

} // namespace cps
