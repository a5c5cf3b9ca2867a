// SPDX-License-Identifier: LGPL-2.1-or-later
// Sessions and what comes of them.
#pragma once

#include "tests/pipelines/clips.h"

#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <mutex>

namespace pipes {

struct FreeSession {
  void operator()(CpsSession *session) const { cps_session_free(session); }
  void operator()(CpsTensors *tensors) const { cps_tensors_free(tensors); }
};
using Session = std::unique_ptr<CpsSession, FreeSession>;
using Clip = std::unique_ptr<CpsTensors, FreeSession>;

// An error of a session, or none.
class Failure {
public:
  ~Failure() { cps_error_free(error_); }
  Failure() = default;
  Failure(const Failure &) = delete;
  Failure &operator=(const Failure &) = delete;

  operator GError **() { return &error_; }
  int code() const {
    if (!error_)
      return -1;
    fail_unless(error_->domain == CPS_SESSION_ERROR, "%s", error_->message);
    return cps_error_get_code(error_);
  }
  std::string text() const { return error_ ? cps_error_get_message(error_) : ""; }

private:
  GError *error_ = nullptr;
};

// key, value, key, value...
class OptionList {
public:
  OptionList(std::initializer_list<const char *> list) : list_(list) { list_.push_back(nullptr); }
  operator const gchar * const *() const { return list_.data(); }

private:
  std::vector<const gchar *> list_;
};

inline Session open_path(const std::string &path, const OptionList &options = {}) {
  Failure failure;
  Session session(cps_session_open_path(path.c_str(), options, failure));
  fail_unless(session != nullptr, "%s", failure.text().c_str());
  return session;
}

inline Clip next_clip(const Session &session) {
  Failure failure;
  Clip clip(cps_session_next(session.get(), failure));
  fail_unless(clip != nullptr, "no clip: %s", failure.text().c_str());
  return clip;
}

inline void check_end(const Session &session) {
  Failure failure;
  const Clip clip(cps_session_next(session.get(), failure));
  fail_if(clip != nullptr);
  fail_unless(failure.code() == -1, "%s", failure.text().c_str());
}

inline std::string metadata(const Clip &clip, const char *key) {
  const gchar *text = cps_tensors_get_metadata(clip.get(), key);
  return text ? text : "no such entry";
}

inline std::string tensor_bytes(const Clip &clip, const char *name) {
  const auto values = tensor_values<char>(cps_tensors_get_buffer(clip.get()), name);
  return {values.begin(), values.end()};
}

// All tensors, with their names.
inline std::string all_bytes(const Clip &clip) {
  std::string all;
  for (guint i = 0; i < cps_tensors_get_count(clip.get()); i++) {
    const char *name = cps_tensors_get_name(clip.get(), i);
    all += name + tensor_bytes(clip, name);
  }
  return all;
}

// Where a session of cps_session_open_stream() reads; and what an application may do wrong in it.
struct Feed {
  std::string bytes;
  size_t position = 0;
  bool seeks = true;
  size_t fails_at = SIZE_MAX; // reads from there on fail
  gssize failure = -1;
  int good_seeks = G_MAXINT;   // those that come then fail
  size_t blocks_at = SIZE_MAX; // a read from there on waits for go_on()

  std::atomic<int> calls{0}, released{0};

  void go_on() {
    const std::lock_guard<std::mutex> lock(mutex);
    blocks_at = SIZE_MAX;
    changed.notify_all();
  }
  void wait_until_blocked() {
    std::unique_lock<std::mutex> lock(mutex);
    changed.wait(lock, [this] { return blocked; });
  }

  // Of these bytes, by a function that waits at the start or in the middle; with and without one that seeks.
  template <typename Visit> static void each_that_blocks(const std::string &bytes, Visit visit) {
    for (const bool seeks : {true, false})
      for (const size_t at : {size_t{0}, bytes.size() / 2}) {
        Feed feed;
        feed.bytes = bytes;
        feed.seeks = seeks;
        feed.blocks_at = at;
        visit(feed);
      }
  }

  Session open(const OptionList &options, Failure &failure_to_open, const char *name = "feed") {
    opened++;
    return Session(
        cps_session_open_stream(read, seeks ? seek : nullptr, release, this, name, options, failure_to_open));
  }

  void forget() { opened = released; } // cps_session_forget_functions() has been called

  Feed() = default;
  // A session that does not end within a second is closed in the background, and still uses its feed.
  ~Feed() {
    std::unique_lock<std::mutex> lock(mutex);
    changed.wait(lock, [this] { return released == opened; });
  }
  Feed(const Feed &) = delete;
  Feed &operator=(const Feed &) = delete;

private:
  std::mutex mutex;
  std::condition_variable changed;
  bool blocked = false;
  int opened = 0;

  static void release(gpointer data) {
    auto &feed = *static_cast<Feed *>(data);
    const std::lock_guard<std::mutex> lock(feed.mutex);
    feed.released++;
    feed.changed.notify_all();
  }

  static gssize read(gpointer data, gpointer to, gsize size) {
    auto &feed = *static_cast<Feed *>(data);
    fail_unless_equals_int(feed.calls++, 0); // one at a time
    {
      std::unique_lock<std::mutex> lock(feed.mutex);
      feed.blocked = feed.position >= feed.blocks_at;
      feed.changed.notify_all();
      feed.changed.wait(lock, [&] { return feed.position < feed.blocks_at; });
    }
    gssize count = feed.failure;
    if (feed.position < feed.fails_at) {
      const size_t end = std::min(feed.bytes.size(), feed.fails_at);
      count = static_cast<gssize>(std::min(size, end - std::min(end, feed.position)));
      memcpy(to, feed.bytes.data() + feed.position, static_cast<size_t>(count));
      feed.position += static_cast<size_t>(count);
    }
    feed.calls--;
    return count;
  }

  static gint64 seek(gpointer data, gint64 offset, gint whence) {
    auto &feed = *static_cast<Feed *>(data);
    fail_unless_equals_int(feed.calls++, 0);
    gint64 base = 0;
    if (whence == SEEK_END)
      base = static_cast<gint64>(feed.bytes.size());
    else if (whence == SEEK_CUR)
      base = static_cast<gint64>(feed.position);
    const gint64 reached = feed.good_seeks-- > 0 ? base + offset : -1;
    if (reached >= 0)
      feed.position = static_cast<size_t>(reached);
    feed.calls--;
    return reached;
  }
};

} // namespace pipes
