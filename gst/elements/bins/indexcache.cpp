// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/bins/indexcache.h"

#include "gst/elements/common/elementtools.h"
#include "gst/elements/common/streamdebug.h"
#include "gst/elements/planner/frameplanner.h"

#include <cerrno>
#include <cstdlib>
#include <glib/gstdio.h>

#define GST_CAT_DEFAULT cps::stream_debug()

namespace cps {

struct FreeText {
  void operator()(char *text) const { free(text); } // NOLINT(cppcoreguidelines-no-malloc): of realpath()
};

// The file of the URI without symbolic links; "" if it is none.
static std::string file_of(const std::string &uri) {
  const Owned<gchar> path(g_filename_from_uri(uri.c_str(), nullptr, nullptr));
  const std::unique_ptr<char, FreeText> real(path ? realpath(path.get(), nullptr) : nullptr);
  return real ? real.get() : "";
}

// The name depends on everything that decides on how the stream is divided into access units.
static std::string cache_file(const std::string &folder, const std::string &file, gint track) {
  const Owned<gchar> gstreamer(gst_version_string());
  const std::string text =
      std::string(PACKAGE_VERSION) + "\n" + gstreamer.get() + "\n" + std::to_string(track) + "\n" + file;
  const Owned<gchar> name(g_compute_checksum_for_string(G_CHECKSUM_SHA256, text.c_str(), -1));
  return folder + G_DIR_SEPARATOR_S + name.get() + ".cpsindex";
}

static void save(const std::string &cache, const std::string &file, const CpsIndex *index) {
  if (!index) {
    g_unlink(cache.c_str());
    return;
  }
  const Owned<gchar> folder(g_path_get_dirname(cache.c_str()));
  GError *error = nullptr;
  if (g_mkdir_with_parents(folder.get(), 0777) == 0 && cps_index_save(index, cache.c_str(), file.c_str(), &error)) {
    GST_INFO("saved the index of %s as %s", file.c_str(), cache.c_str());
    return;
  }
  GST_WARNING("the index of %s is not saved: %s", file.c_str(), error ? error->message : g_strerror(errno));
  g_clear_error(&error);
}

void use_index_cache(GstElement *planner, const std::string &folder, const std::string &uri, gint track) {
  const std::string file = folder.empty() ? "" : file_of(uri);
  if (file.empty()) {
    set_planner_cache(planner, nullptr, nullptr);
    return;
  }
  const std::string cache = cache_file(folder, file, track);
  GError *error = nullptr;
  Owned<CpsIndex> cached(cps_index_load(cache.c_str(), file.c_str(), &error));
  GST_INFO("%s", cached ? ("the index is " + cache).c_str() : error->message);
  g_clear_error(&error);
  set_planner_cache(planner, std::move(cached), [cache, file](const CpsIndex *index) { save(cache, file, index); });
}

} // namespace cps
