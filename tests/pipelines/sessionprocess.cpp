// SPDX-License-Identifier: LGPL-2.1-or-later
// Sessions and processes: what loading the library does, forks, and where the plugin is found. No test framework, for
// that initialises GStreamer; each case has a process of its own.
#include "gst/codecpatch/codecpatch.h"
#include "tests/common/tempdir.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <filesystem>
#include <functional>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

// Far above what anything here takes. A process that hangs is killed, which fails the test.
constexpr unsigned kPatienceSeconds = 60;

void check(bool good, const std::string &what) {
  if (good)
    return;
  std::fprintf(stderr, "failed: %s\n", what.c_str());
  std::_Exit(1);
}

// Runs `work` in a fork of this process, and waits for it.
void in_fork(const char *what, const std::function<void()> &work) {
  const pid_t child = fork();
  check(child >= 0, "fork");
  if (child == 0) {
    alarm(kPatienceSeconds);
    work();
    std::fflush(nullptr);
    std::_Exit(0);
  }
  int status = 0;
  check(waitpid(child, &status, 0) == child, "waitpid");
  check(WIFEXITED(status),
        std::string(what) + (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM ? ": hangs" : ": dies"));
  check(WEXITSTATUS(status) == 0, what);
}

void write_clip(const std::string &path) {
  gst_init(nullptr, nullptr);
  GstElement *line = gst_parse_launch(("videotestsrc num-buffers=30 ! video/x-raw,width=160,height=96 ! x264enc ! "
                                       "h264parse ! mp4mux ! filesink location=" +
                                       path)
                                          .c_str(),
                                      nullptr);
  GstBus *bus = gst_element_get_bus(line);
  gst_element_set_state(line, GST_STATE_PLAYING);
  GstMessage *message = gst_bus_timed_pop_filtered(bus, GST_CLOCK_TIME_NONE,
                                                   static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR));
  check(GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS, "writing a clip");
  gst_message_unref(message);
  gst_element_set_state(line, GST_STATE_NULL);
  gst_object_unref(bus);
  gst_object_unref(line);
}

CpsSession *open_clip(const std::string &path) {
  GError *error = nullptr;
  CpsSession *session = cps_session_open_path(path.c_str(), nullptr, &error);
  check(session != nullptr, error ? error->message : "no error");
  return session;
}

CpsTensors *take_clip(CpsSession *session) {
  GError *error = nullptr;
  CpsTensors *clip = cps_session_next(session, &error);
  check(clip != nullptr, error ? error->message : "end of stream");
  return clip;
}

void read_clip(const std::string &path) {
  CpsSession *session = open_clip(path);
  cps_tensors_free(take_clip(session));
  cps_session_free(session);
}

void check_error(GError *error, int code, const char *text) {
  check(error && error->domain == CPS_SESSION_ERROR && error->code == code && strstr(error->message, text),
        error ? error->message : "no error");
  cps_error_free(error);
}

// Everything that can be called, in a fork of a process with a session and a clip.
void check_forked(const std::string &path, CpsSession *session, CpsTensors *clip) {
  GError *error = nullptr;
  check(!cps_session_open_path(path.c_str(), nullptr, &error), "opens in a fork");
  check_error(error, CPS_SESSION_ERROR_FORKED, "multiprocessing_context=\"spawn\"");
  error = nullptr;
  int released = 0;
  check(!cps_session_open_bytes(
            "x", 1, [](gpointer count) { ++*static_cast<int *>(count); }, &released, "bytes", nullptr, &error),
        "opens in a fork");
  check_error(error, CPS_SESSION_ERROR_FORKED, "bytes: This process is a fork");
  check(released == 1, "released");
  error = nullptr;
  check(!cps_session_next(session, &error), "reads in a fork");
  check_error(error, CPS_SESSION_ERROR_FORKED, "exec");
  error = nullptr;
  check(!cps_tensors_to_dlpack(clip, "patches", &error), "lends in a fork");
  check_error(error, CPS_SESSION_ERROR_FORKED, "exec");
  check(!cps_session_get(session, "output") && !cps_session_pop_warning(session), "answers in a fork");
  check(cps_tensors_get_metadata(clip, "source") == path, "metadata");
  cps_tensors_free(clip);
  cps_session_close(session);
  cps_session_free(session);
}

void fork_after_session(const std::string &path) {
  CpsSession *session = open_clip(path);
  CpsTensors *clip = take_clip(session);
  in_fork("fork of a process with a session", [&] { check_forked(path, session, clip); });
  GError *error = nullptr;
  check(!cps_session_next(session, &error) && !error, "the parent goes on");
  cps_session_free(session);
  cps_tensors_free(clip);
  in_fork("fork of a process that had a session", [&] {
    check(!cps_session_open_uri("file:///x", nullptr, &error), "opens in a fork");
    check_error(error, CPS_SESSION_ERROR_FORKED, "file:///x: This process is a fork");
  });
  read_clip(path);
}

// With the locks of GStreamer and GLib in any state.
void fork_while_busy(const std::string &path) {
  CpsSession *session = open_clip(path);
  CpsTensors *clip = take_clip(session);
  std::atomic<bool> stop{false};
  std::vector<std::thread> busy;
  for (int i = 0; i < 3; i++)
    busy.emplace_back([&] {
      while (!stop)
        read_clip(path);
    });
  for (int i = 0; i < 40; i++)
    in_fork("fork of a busy process", [&] { check_forked(path, session, clip); });
  stop = true;
  for (std::thread &thread : busy)
    thread.join();
  cps_session_free(session);
  cps_tensors_free(clip);
}

void first_sessions_at_once(const std::string &path) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; i++)
    threads.emplace_back([&] { read_clip(path); });
  for (std::thread &thread : threads)
    thread.join();
}

void hide_plugin(const std::string &folder) {
  for (const char *name : {"GST_PLUGIN_PATH", "GST_PLUGIN_PATH_1_0"})
    unsetenv(name);
  for (const char *name : {"GST_REGISTRY", "GST_REGISTRY_1_0"})
    setenv(name, (folder + "/registry.bin").c_str(), 1);
}

// Another copy of the library, with nothing beside it.
void without_plugin(const std::string &folder, const std::string &path) {
  hide_plugin(folder);
  Dl_info info;
  check(dladdr(reinterpret_cast<const void *>(&cps_session_error_quark), &info) != 0, "dladdr");
  const std::string copy = folder + "/library.so";
  std::filesystem::copy_file(info.dli_fname, copy);
  void *library = dlopen(copy.c_str(), RTLD_NOW | RTLD_LOCAL);
  check(library != nullptr, "dlopen");
  auto open = reinterpret_cast<decltype(&cps_session_open_path)>(dlsym(library, "cps_session_open_path"));
  check(open && open != &cps_session_open_path, "dlsym");
  GError *error = nullptr;
  check(!open(path.c_str(), nullptr, &error), "opens without the plugin");
  check_error(error, CPS_SESSION_ERROR_SETUP, "set GST_PLUGIN_PATH");
}

} // namespace

int main() {
  check(!gst_is_initialized(), "the library initialises GStreamer when it is loaded");
  const std::filesystem::directory_iterator threads("/proc/self/task");
  check(std::distance(begin(threads), end(threads)) == 1, "the library starts threads when it is loaded");

  const test::TempDir folder;
  const std::string path = folder.file("clip.mp4");
  in_fork("writing a clip", [&] { write_clip(path); });
  in_fork("fork of a process that has loaded the library", [&] { read_clip(path); });
  in_fork("forks of a process with a session", [&] { fork_after_session(path); });
  in_fork("forks of a busy process", [&] { fork_while_busy(path); });
  in_fork("first sessions at once", [&] { first_sessions_at_once(path); });
  in_fork("a path that is not there is no session", [&] {
    GError *error = nullptr;
    check(!cps_session_open_path("/no/such", nullptr, &error), "opens");
    check_error(error, CPS_SESSION_ERROR_SOURCE, "/no/such: ");
    in_fork("fork after an error", [&] { read_clip(path); });
  });
  in_fork("plugin beside the library", [&] {
    hide_plugin(folder.path());
    read_clip(path);
  });
  in_fork("no plugin", [&] { without_plugin(folder.path(), path); });
  return 0;
}
