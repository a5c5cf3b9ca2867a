// SPDX-License-Identifier: LGPL-2.1-or-later
// What sessions read: files, pipes, memory and functions of the application. Internal.
#pragma once

#include "gst/codecpatch/session/sessionpipeline.h"
#include "gst/codecpatch/session/streaminput.h"

#include <memory>
#include <string>

namespace cps {

// Tells the application that its data are not needed any more, unless somebody else has taken that over.
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

// Where a session is being opened, and who is told of what goes wrong.
struct Opening {
  SessionPipeline &pipeline;
  const std::shared_ptr<SessionInbox> &inbox;
};

// Each makes the source of a session, on the session's thread. False with an error.
bool find_file(const std::string &path, const Opening &opening, SessionSource &source, GError **error);
bool find_uri(const std::string &uri, SessionSource &source, GError **error);
void find_bytes(gconstpointer data, gsize size, std::shared_ptr<UserData> release, SessionSource &source);
void find_functions(const StreamFunctions &functions, const Opening &opening, SessionSource &source);

} // namespace cps
