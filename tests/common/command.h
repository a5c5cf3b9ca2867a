// Other programs.
#pragma once

#include <sstream>
#include <string>
#include <vector>

// Last, for its macros are called as parts of the standard library are.
#include <gst/check/gstcheck.h>

namespace test {

// What a command prints on its standard output.
inline std::string output_of(const std::vector<std::string> &command) {
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
  fail_unless(ran, "%s: %s", command[0].c_str(), error ? error->message : "");
  fail_unless(g_spawn_check_wait_status(status, nullptr), "%s: %s", command[0].c_str(), messages);
  std::string text = out;
  g_free(out);
  g_free(messages);
  return text;
}

} // namespace test
