// SPDX-License-Identifier: LGPL-2.1-or-later
// A folder for the files of one test. Takes no test framework.
#pragma once

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

namespace test {

// A new folder that goes with everything in it.
class TempDir {
public:
  TempDir() : path_(std::filesystem::temp_directory_path() / "codecpatch-XXXXXX") {
    if (mkdtemp(path_.data()))
      return;
    std::perror(path_.c_str());
    std::abort();
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir &) = delete;
  TempDir &operator=(const TempDir &) = delete;

  const std::string &path() const { return path_; }
  std::string file(const std::string &name) const { return path_ + "/" + name; }

  // The names of all of them, hidden ones too, in order.
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto &entry : std::filesystem::directory_iterator(path_))
      names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    return names;
  }

private:
  std::string path_;
};

} // namespace test
