// SPDX-License-Identifier: LGPL-2.1-or-later
// A folder for the files of one test.
#pragma once

#include <gst/check/gstcheck.h>

#include <cstdlib>
#include <string>
#include <unistd.h>
#include <vector>

namespace test {

class Folder {
public:
  Folder() {
    gchar *made = g_dir_make_tmp("codecpatch-test-XXXXXX", nullptr);
    fail_unless(made != nullptr);
    path_ = made;
    g_free(made);
  }
  ~Folder() {
    for (const std::string &name : files())
      if (unlink((path_ + "/" + name).c_str()) != 0)
        rmdir((path_ + "/" + name).c_str());
    rmdir(path_.c_str());
  }
  Folder(const Folder &) = delete;
  Folder &operator=(const Folder &) = delete;

  const std::string &path() const { return path_; }
  std::string file(const std::string &name) const { return path_ + "/" + name; }

  // All of them, hidden ones too.
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    GDir *folder = g_dir_open(path_.c_str(), 0, nullptr);
    while (const gchar *name = folder ? g_dir_read_name(folder) : nullptr)
      names.emplace_back(name);
    if (folder)
      g_dir_close(folder);
    return names;
  }

private:
  std::string path_;
};

// Takes the superuser's right to write anywhere for a scope.
class Unprivileged {
public:
  Unprivileged() : was_root_(geteuid() == 0) {
    if (was_root_)
      fail_unless(setresuid(65534, 65534, 0) == 0);
  }
  ~Unprivileged() {
    if (was_root_ && setresuid(0, 0, 0) != 0)
      abort();
  }
  Unprivileged(const Unprivileged &) = delete;
  Unprivileged &operator=(const Unprivileged &) = delete;

private:
  bool was_root_;
};

} // namespace test
