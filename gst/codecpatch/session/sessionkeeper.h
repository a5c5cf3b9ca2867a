// SPDX-License-Identifier: LGPL-2.1-or-later
// The thread that opens a session's pipeline and closes it. Internal.
#pragma once

#include "gst/codecpatch/session/sessionpipeline.h"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

namespace cps {

// Opening and closing may block indefinitely, if a function of the application, a driver or a broken element does not
// return. The session waits for this thread for a limited time and then abandons it; the thread frees the pipeline
// later.
class SessionKeeper : public std::enable_shared_from_this<SessionKeeper> {
public:
  // Sets the error on failure.
  using Open = std::function<void(SessionPipeline &, GError **)>;

  // The longest wait of wait_closed(). It is shorter than the second that an application waits, because closing has
  // other work to do.
  static constexpr std::chrono::milliseconds kPatience{800};

  SessionKeeper(std::shared_ptr<SessionPipeline> pipeline, std::shared_ptr<SessionInbox> inbox, Open open)
      : pipeline_(std::move(pipeline)), inbox_(std::move(inbox)), open_(std::move(open)) {}
  SessionKeeper(const SessionKeeper &) = delete;
  SessionKeeper &operator=(const SessionKeeper &) = delete;

  // Starts the thread, which passes the result of opening to the inbox. Sets the error and returns false if no thread
  // can be created.
  bool begin(GError **error);

  // Requests that the pipeline be stopped. Does not wait.
  void request_close();
  // Waits until the pipeline has stopped, at most until kPatience after request_close(), which must have been called.
  void wait_closed();
  // Releases the session's hold on the thread. Call last.
  void leave();

  // Number of threads in this process that are still running although their session has given up waiting for them.
  static guint abandoned();

private:
  static gpointer run(gpointer keeper);
  void keep();
  void open();
  void wait_for_request();
  void finish();

  // Used by the thread
  std::shared_ptr<SessionPipeline> pipeline_;
  const std::shared_ptr<SessionInbox> inbox_;
  Open open_;

  GThread *thread_ = nullptr;

  std::mutex mutex_; // protects the members below
  std::condition_variable changed_;
  std::optional<std::chrono::steady_clock::time_point> requested_;
  bool closed_ = false;
  bool abandoned_ = false;
};

} // namespace cps
