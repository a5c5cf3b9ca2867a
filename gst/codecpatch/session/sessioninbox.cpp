// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/codecpatch/session/sessioninbox.h"

#include "gst/codecpatch/json.h"
#include "gst/codecpatch/session/sessionerror.h"

#include <algorithm>

#define GST_CAT_DEFAULT session_debug()
static GstDebugCategory *session_debug() {
  static GstDebugCategory *category = _gst_debug_category_new("codecpatchsession", 0, "sessions");
  return category;
}

namespace cps {

void SessionInbox::clip_queued() {
  const std::lock_guard<std::mutex> lock(mutex_);
  GST_DEBUG("clip %" G_GUINT64_FORMAT " of the session is there%s", clips_,
            error_ ? ", after an error: it does not count" : "");
  if (!error_)
    clips_++;
  changed_.notify_all();
}

void SessionInbox::close() {
  const std::lock_guard<std::mutex> lock(mutex_);
  GST_DEBUG("closed");
  closed_ = true;
  changed_.notify_all();
}

// Elements have no error code for a time limit: a field of the message marks it (gst/elements/bins/stallwatch.cpp).
static void mark_late(GstMessage *message, GError *error) {
  const GstStructure *details = nullptr;
  gst_message_parse_error_details(message, &details);
  if (!details || !gst_structure_has_field(details, "cps-limit"))
    return;
  error->domain = CPS_SESSION_ERROR;
  error->code = CPS_SESSION_ERROR_TIMEOUT;
}

// The text of an error or a warning for users; its details go to the debug log.
static Owned<GError> parse(GstMessage *message) {
  GError *error = nullptr;
  gchar *details = nullptr;
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR)
    gst_message_parse_error(message, &error, &details);
  else
    gst_message_parse_warning(message, &error, &details);
  GST_INFO_OBJECT(GST_MESSAGE_SRC(message), "%s (%s)", error->message, details ? details : "no details");
  g_free(details);
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR)
    mark_late(message, error);
  return Owned<GError>(error);
}

// The warning that the message means; nothing if it means none.
static std::optional<std::string> warning_of(GstMessage *message) {
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_WARNING)
    return parse(message)->message;
  guint clip = 0;
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ELEMENT && gst_message_has_name(message, "clip-dropped") &&
      gst_structure_get_uint(gst_message_get_structure(message), "clip-index", &clip))
    return "Clip " + std::to_string(clip) +
           " is dropped, because the clips of a live source are not read in time; leaky=\"no\" waits.";
  return std::nullopt;
}

void SessionInbox::record_error(Owned<GError> error) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!error_ && !index_)
    error_ = std::move(error);
  changed_.notify_all();
}

void SessionInbox::handle_message(GstMessage *message) {
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR)
    return record_error(parse(message));
  Owned<CpsIndex> index(cps_message_parse_index(message));
  std::optional<std::string> warning = warning_of(message);
  const std::lock_guard<std::mutex> lock(mutex_);
  // Warnings after an error or after close() are consequences, so they are dropped.
  if (warning && !error_ && !closed_ && warnings_.size() < kMaxWarnings)
    warnings_.push_back(std::move(*warning));
  else if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS || index)
    ended_ = true;
  if (index)
    index_ = std::move(index);
  changed_.notify_all();
}

void SessionInbox::opened(Owned<GError> failure) {
  const std::lock_guard<std::mutex> lock(mutex_);
  GST_DEBUG("%s", failure ? failure->message : "opened");
  opened_ = true;
  has_failed_to_open_ = failure != nullptr;
  if (!error_)
    error_ = std::move(failure);
  changed_.notify_all();
}

void SessionInbox::excuse(Clock::duration time) {
  const std::lock_guard<std::mutex> lock(mutex_);
  opening_since_ += time;
  changed_.notify_all();
}

static SessionInbox::Clock::duration duration_of(double seconds) {
  return std::chrono::duration_cast<SessionInbox::Clock::duration>(std::chrono::duration<double>(seconds));
}

static std::string in_words(double seconds) {
  return json_number(seconds) + (seconds == 1 ? " second" : " seconds");
}

// Call with the lock held.
void SessionInbox::end_by_limit(const std::string &sentence) {
  GST_INFO("%s", sentence.c_str());
  if (!error_)
    error_.reset(g_error_new_literal(CPS_SESSION_ERROR, CPS_SESSION_ERROR_TIMEOUT, sentence.c_str()));
  changed_.notify_all();
}

// Call with the lock held. A timeout ends the wait at once; other errors are reported once opened() has been called.
bool SessionInbox::is_opening() const {
  return !opened_ && !closed_ &&
         !(error_ && g_error_matches(error_.get(), CPS_SESSION_ERROR, CPS_SESSION_ERROR_TIMEOUT));
}

bool SessionInbox::is_open() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return opened_ && !has_failed_to_open_;
}

bool SessionInbox::wait_open(Time until) {
  const bool by_timeout = limits_.timeout > 0 && (limits_.stall <= 0 || limits_.timeout <= limits_.stall);
  const double limit = by_timeout ? limits_.timeout : limits_.stall;
  std::unique_lock<std::mutex> lock(mutex_);
  while (is_opening()) {
    const Clock::time_point last = opening_since_ + duration_of(limit), now = Clock::now();
    if (limit > 0 && now >= last)
      end_by_limit(
          by_timeout
              ? "The source was not opened within " + in_words(limit) + "; timeout sets how long that may take."
              : "Nothing has come from the source for " + in_words(limit) + "; stall-timeout sets how long to wait.");
    else if (until && now >= *until)
      return false;
    else
      wait_until(lock, limit > 0 ? Time(last) : std::nullopt, until);
  }
  return true;
}

// Waits for a change until the earlier of both times, or without limit if there is none.
void SessionInbox::wait_until(std::unique_lock<std::mutex> &lock, Time one, Time other) {
  if (one && other)
    changed_.wait_until(lock, std::min(*one, *other));
  else if (one || other)
    changed_.wait_until(lock, one ? *one : *other);
  else
    changed_.wait(lock);
}

// Call with the lock held. The time limit counts from the first call that waits for a clip.
bool SessionInbox::wait_for_next(std::unique_lock<std::mutex> &lock, Time until) {
  if (!waiting_since_)
    waiting_since_ = Clock::now();
  const Time last = limits_.timeout > 0 ? Time(*waiting_since_ + duration_of(limits_.timeout)) : std::nullopt;
  while (!is_next()) {
    const Clock::time_point now = Clock::now();
    if (last && now >= *last)
      end_by_limit("There was no clip within " + in_words(limits_.timeout) + "; timeout sets how long to wait.");
    else if (until && now >= *until)
      return false;
    else
      wait_until(lock, last, until);
  }
  return true;
}

bool SessionInbox::wait_next(Time until) {
  std::unique_lock<std::mutex> lock(mutex_);
  return wait_for_next(lock, until);
}

SessionInbox::Event SessionInbox::wait() {
  std::unique_lock<std::mutex> lock(mutex_);
  wait_for_next(lock, std::nullopt);
  waiting_since_.reset();
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

Owned<CpsIndex> SessionInbox::index() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return Owned<CpsIndex>(index_ ? cps_index_ref(index_.get()) : nullptr);
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
