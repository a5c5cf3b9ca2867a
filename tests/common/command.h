// SPDX-License-Identifier: LGPL-2.1-or-later
// Runs other programs.
#pragma once

#include <sstream>
#include <string>
#include <vector>

// Included last, because its macros have the names of functions of the standard library.
#include <gst/check/gstcheck.h>

namespace test {

// The result of a command: success, and its output.
struct Ran {
  bool well = false;
  std::string out, messages;
};

inline Ran run_command(const std::vector<std::string> &command) {
  std::vector<gchar *> arguments;
  for (const std::string &argument : command)
    arguments.push_back(const_cast<gchar *>(argument.c_str()));
  arguments.push_back(nullptr);
  gchar *out = nullptr, *messages = nullptr;
  GError *error = nullptr;
  gint status = 0;
  const bool ran = g_spawn_sync(nullptr, arguments.data(), nullptr,
                                static_cast<GSpawnFlags>(G_SPAWN_SEARCH_PATH | G_SPAWN_STDIN_FROM_DEV_NULL), nullptr,
                                nullptr, &out, &messages, &status, &error);
  const Ran result = {ran && g_spawn_check_wait_status(status, nullptr), out ? out : "",
                      error      ? error->message
                      : messages ? messages
                                 : ""};
  g_clear_error(&error);
  g_free(out);
  g_free(messages);
  return result;
}

// The standard output of a command, which must succeed.
inline std::string output_of(const std::vector<std::string> &command) {
  const Ran ran = run_command(command);
  fail_unless(ran.well, "%s: %s", command[0].c_str(), ran.messages.c_str());
  return ran.out;
}

} // namespace test
