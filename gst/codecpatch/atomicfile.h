// SPDX-License-Identifier: LGPL-2.1-or-later
// A file that appears under its name only when it is complete: it is written to a temporary file in the same folder,
// which commit() renames. Without commit() nothing is left. Internal.
#pragma once

#include <cstddef>
#include <string>

namespace cps {

// Returns what exists at `path` and must not be replaced, such as "a device"; nullptr for a regular file or if nothing
// exists there. Does not follow a symbolic link, because the caller did not name its target.
const char *in_the_way(const char *path);

class AtomicFile {
public:
  explicit AtomicFile(std::string path) : path_(std::move(path)) {}
  ~AtomicFile();
  AtomicFile(const AtomicFile &) = delete;
  AtomicFile &operator=(const AtomicFile &) = delete;

  // Each returns false with errno set on failure.
  bool create();
  bool write(const void *data, size_t size);
  // `durable`: returns once the file survives a power failure.
  bool commit(bool durable);

private:
  bool claim() const;
  void discard();

  std::string path_, temporary_;
  int fd_ = -1;
};

} // namespace cps
