// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/codecpatch/session/sessionkeeper.h"

#include "gst/codecpatch/session/sessionerror.h"

#include <atomic>
#include <utility>

namespace cps {

using Clock = std::chrono::steady_clock;

static std::atomic<guint> abandoned_keepers{0};

guint SessionKeeper::abandoned() {
  return abandoned_keepers;
}

bool SessionKeeper::begin(GError **error) {
  auto self = std::make_unique<std::shared_ptr<SessionKeeper>>(shared_from_this());
  GError *reason = nullptr;
  thread_ = g_thread_try_new("codecpatch", run, self.get(), &reason);
  if (thread_) {
    (void)self.release(); // the thread owns it now
    return true;
  }
  const Owned<GError> owned(reason);
  return set_session_error(error, CPS_SESSION_ERROR_MEMORY,
                           std::string("No thread can be created: ") + owned->message + ".");
}

gpointer SessionKeeper::run(gpointer keeper) {
  const std::unique_ptr<std::shared_ptr<SessionKeeper>> self(static_cast<std::shared_ptr<SessionKeeper> *>(keeper));
  (*self)->keep();
  return nullptr;
}

void SessionKeeper::keep() {
  open();
  wait_for_request();
  pipeline_->stop();
  pipeline_.reset();
  finish();
}

void SessionKeeper::open() {
  GError *error = nullptr;
  open_(*pipeline_, &error);
  open_ = nullptr; // releases the application's data that it holds
  inbox_->opened(Owned<GError>(error));
}

void SessionKeeper::wait_for_request() {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [this] { return requested_.has_value(); });
}

void SessionKeeper::finish() {
  const std::lock_guard<std::mutex> lock(mutex_);
  closed_ = true;
  if (abandoned_)
    abandoned_keepers--;
  changed_.notify_all();
}

void SessionKeeper::request_close() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!requested_)
    requested_ = Clock::now();
  changed_.notify_all();
}

void SessionKeeper::wait_closed() {
  std::unique_lock<std::mutex> lock(mutex_);
  if (changed_.wait_until(lock, *requested_ + kPatience, [this] { return closed_; }) || abandoned_)
    return;
  abandoned_ = true;
  abandoned_keepers++;
}

// Joins a thread that has finished, so that sessions leave no threads; detaches one that is still running.
void SessionKeeper::leave() {
  bool closed = false;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    closed = closed_;
  }
  GThread *thread = std::exchange(thread_, nullptr);
  if (thread && closed && thread != g_thread_self())
    g_thread_join(thread);
  else if (thread)
    g_thread_unref(thread);
}

} // namespace cps
