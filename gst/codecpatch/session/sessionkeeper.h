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

// Opening and closing may take for ever: a function of the application, a driver or a broken element does not return.
// The session waits for this thread as long as it likes, and leaves it alone then; the thread frees the pipeline when
// it can.
class SessionKeeper : public std::enable_shared_from_this<SessionKeeper> {
public:
  // Sets the error where it fails.
  using Open = std::function<void(SessionPipeline &, GError **)>;

  // How long close() waits: with what else there is to do, an application waits no longer than a second.
  static constexpr std::chrono::milliseconds kPatience{800};

  SessionKeeper(std::shared_ptr<SessionPipeline> pipeline, std::shared_ptr<SessionInbox> inbox, Open open)
      : pipeline_(std::move(pipeline)), inbox_(std::move(inbox)), open_(std::move(open)) {}
  SessionKeeper(const SessionKeeper &) = delete;
  SessionKeeper &operator=(const SessionKeeper &) = delete;

  // Starts the thread, which tells the inbox how opening ends. False with an error where there can be no more threads.
  bool begin(GError **error);

  // The pipeline is to be stopped. Waits for nothing.
  void request_close();
  // Waits until that is done, but only so long from the request on.
  void wait_closed();
  // Nobody is going to use the thread any more.
  void leave();

  // How many threads there are in this process that nobody waits for any more.
  static guint abandoned();

private:
  static gpointer run(gpointer keeper);
  void keep();
  void open();
  void wait_for_request();
  void finish();

  // Of the thread
  std::shared_ptr<SessionPipeline> pipeline_;
  const std::shared_ptr<SessionInbox> inbox_;
  Open open_;

  GThread *thread_ = nullptr;

  std::mutex mutex_; // all below
  std::condition_variable changed_;
  std::optional<std::chrono::steady_clock::time_point> requested_;
  bool closed_ = false;
  bool abandoned_ = false;
};

} // namespace cps
