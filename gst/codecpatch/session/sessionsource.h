// SPDX-License-Identifier: LGPL-2.1-or-later
// The sources of sessions: files, pipes, memory and functions of the application. Internal.
#pragma once

#include "gst/codecpatch/session/sessionpipeline.h"
#include "gst/codecpatch/session/streaminput.h"

#include <memory>
#include <string>

namespace cps {

// Calls the application's release function when destroyed, unless hand_over() has passed that function on.
class UserData {
public:
  UserData(GDestroyNotify function, gpointer user_data) : function_(function), user_data_(user_data) {}
  ~UserData();
  UserData(const UserData &) = delete;
  UserData &operator=(const UserData &) = delete;

  GDestroyNotify hand_over() { return std::exchange(function_, nullptr); }

private:
  GDestroyNotify function_;
  gpointer user_data_;
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

} // namespace cps
