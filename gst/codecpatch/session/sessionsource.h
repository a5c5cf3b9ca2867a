// SPDX-License-Identifier: LGPL-2.1-or-later
// The sources of sessions: files, pipes, memory and functions of the application. Internal.
#pragma once

#include "gst/codecpatch/session/sessionpipeline.h"
#include "gst/codecpatch/session/streaminput.h"

#include <atomic>
#include <memory>
#include <string>

namespace cps {

// Calls the application's release function when destroyed.
class UserData {
public:
  UserData(GDestroyNotify function, gpointer user_data) : function_(function), user_data_(user_data) {}
  ~UserData();
  UserData(const UserData &) = delete;
  UserData &operator=(const UserData &) = delete;

private:
  GDestroyNotify function_;
  gpointer user_data_;
};

// The functions of an application that several sessions read, one at a time.
struct SharedFunctions {
  SharedFunctions(CpsReadFunc read_function, CpsSeekFunc seek_function, gpointer data, std::shared_ptr<UserData> held)
      : read(read_function), seek(seek_function), user_data(data), release(std::move(held)) {}

  const CpsReadFunc read;
  const CpsSeekFunc seek;
  const gpointer user_data;
  const std::shared_ptr<UserData> release;
  std::atomic<bool> in_use{false};
};

// The pipeline of a session that is being opened, and the inbox that receives errors of its source.
struct Opening {
  SessionPipeline &pipeline;
  const std::shared_ptr<SessionInbox> &inbox;
};

// Each makes the source of a session, on the session's thread. Sets the error and returns false on failure.
bool find_file(const std::string &path, const Opening &opening, SessionSource &source, GError **error);
bool find_uri(const std::string &uri, SessionSource &source, GError **error);
void find_bytes(gconstpointer data, gsize size, std::shared_ptr<UserData> release, SessionSource &source);
void find_functions(const StreamFunctions &functions, const Opening &opening, SessionSource &source);
// Fails while another session reads them.
bool find_shared_functions(const std::shared_ptr<SharedFunctions> &functions, const Opening &opening,
                           SessionSource &source, GError **error);

} // namespace cps
