// SPDX-License-Identifier: LGPL-2.1-or-later
// A file that is there under its name only once it is whole: written beside it, renamed by commit(), gone otherwise.
// Internal.
#pragma once

#include <cstddef>
#include <string>

namespace cps {

// What stands where a file is to be written and is not to be replaced, such as "a device"; nullptr where there is
// nothing, or a regular file. A symbolic link is not followed: what it points to was not named.
const char *in_the_way(const char *path);

class AtomicFile {
public:
  explicit AtomicFile(std::string path) : path_(std::move(path)) {}
  ~AtomicFile();
  AtomicFile(const AtomicFile &) = delete;
  AtomicFile &operator=(const AtomicFile &) = delete;

  // Each is false with errno set where it fails.
  bool create();
  bool write(const void *data, size_t size);
  // `durable`: returns when a power failure no longer takes the file away.
  bool commit(bool durable);

private:
  bool claim() const;
  void discard();

  std::string path_, temporary_;
  int fd_ = -1;
};

} // namespace cps
