// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/codecpatch/session/sessionprocess.h"

#include "gst/codecpatch/session/sessionerror.h"
#include "gst/codecpatch/session/sessionoptions.h"

#include <algorithm>
#include <atomic>
#include <dlfcn.h>
#include <mutex>
#include <string>
#include <unistd.h>

namespace cps {

// The process that ran the first session, 0 if there has been none.
static std::atomic<pid_t> first_process{0};

bool is_forked() {
  const pid_t first = first_process.load();
  return first != 0 && first != getpid();
}

bool check_fork(GError **error) {
  return !is_forked() ||
         set_session_error(
             error, CPS_SESSION_ERROR_FORKED,
             "This process is a fork of one that has run a session, and GStreamer does not survive that: start it with "
             "exec, as Python does with multiprocessing_context=\"spawn\".");
}

static bool is_registered(const char *name) {
  const Owned<GstElementFactory> factory(gst_element_factory_find(name));
  return factory != nullptr;
}

static bool have_elements() {
  return std::all_of(session_elements().begin(), session_elements().end(), is_registered);
}

// The folder of this library, "" if the dynamic linker does not provide it. Looks up a function that no other library
// can replace.
static std::string library_folder() {
  Dl_info info;
  if (!dladdr(reinterpret_cast<const void *>(&have_elements), &info) || !info.dli_fname)
    return "";
  const Owned<gchar> folder(g_path_get_dirname(info.dli_fname));
  return folder.get();
}

// Loads the plugin from its place relative to this library, installed or in a build directory. On failure `why` is the
// reason, "" if the plugin is in neither place.
static bool load_plugin(std::string &why) {
  const std::string folder = library_folder();
  for (const char *place : {"/gstreamer-1.0/libgstcodecpatch.so", "/../elements/libgstcodecpatch.so"}) {
    const std::string path = folder + place;
    if (folder.empty() || !g_file_test(path.c_str(), G_FILE_TEST_EXISTS))
      continue;
    GError *error = nullptr;
    const Owned<GstPlugin> plugin(gst_plugin_load_file(path.c_str(), &error));
    const Owned<GError> failure(error);
    if (plugin && have_elements())
      return true;
    why = failure ? failure->message : path + " is another version's.";
  }
  return false;
}

bool start_gstreamer(GError **error) {
  if (!check_fork(error))
    return false;
  cps_session_error_quark(); // registers the quark now, because the quark table has a lock
  // From here on, locks may stay locked in a fork.
  pid_t none = 0;
  first_process.compare_exchange_strong(none, getpid());

  static std::mutex mutex;
  static bool started = false;
  const std::lock_guard<std::mutex> lock(mutex);
  if (started)
    return true;
  GError *reason = nullptr;
  if (!gst_init_check(nullptr, nullptr, &reason)) {
    const Owned<GError> failure(reason);
    return set_session_error(error, CPS_SESSION_ERROR_SETUP,
                             std::string("GStreamer could not be initialised: ") +
                                 (failure ? failure->message : "no reason given"));
  }
  std::string why;
  started = have_elements() || load_plugin(why);
  return started ||
         set_session_error(error, CPS_SESSION_ERROR_SETUP,
                           "GStreamer does not find the plugin codecpatch: set GST_PLUGIN_PATH to the folder that "
                           "libgstcodecpatch.so is in." +
                               (why.empty() ? "" : " (" + why + ")"));
}

} // namespace cps
