// SPDX-License-Identifier: LGPL-2.1-or-later
// A folder for the files of one test. Includes no test framework, and no header of the standard library that the macros
// of such a framework break.
#pragma once

#include <algorithm>
#include <cstdio>
#include <ftw.h>
#include <glib.h>
#include <string>
#include <vector>

namespace test {

// A new folder, which is removed with all of its contents.
class TempDir {
public:
  TempDir() {
    GError *error = nullptr;
    gchar *const made = g_dir_make_tmp("codecpatch-XXXXXX", &error);
    if (!made)
      g_error("%s", error->message); // ends the program
    path_ = made;
    g_free(made);
  }
  ~TempDir() {
    constexpr int kDescriptors = 16;
    nftw(path_.c_str(), remove_one, kDescriptors, FTW_DEPTH | FTW_PHYS);
  }
  TempDir(const TempDir &) = delete;
  TempDir &operator=(const TempDir &) = delete;

  const std::string &path() const { return path_; }
  std::string file(const std::string &name) const { return path_ + "/" + name; }

  // The names of all files, including hidden ones, sorted.
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    GDir *const folder = g_dir_open(path_.c_str(), 0, nullptr);
    while (const gchar *name = folder ? g_dir_read_name(folder) : nullptr)
      names.emplace_back(name);
    if (folder)
      g_dir_close(folder);
    std::sort(names.begin(), names.end());
    return names;
  }

private:
  static int remove_one(const char *path, const struct stat *, int, struct FTW *) {
    std::remove(path); // a file that cannot be removed does no harm
    return 0;
  }

  std::string path_;
};

} // namespace test
