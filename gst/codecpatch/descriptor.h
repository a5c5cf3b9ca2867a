// SPDX-License-Identifier: LGPL-2.1-or-later
// Owner of a file descriptor. Internal.
#pragma once

#include <unistd.h>

namespace cps {

class Descriptor {
public:
  explicit Descriptor(int fd) : fd_(fd) {} // -1: none
  ~Descriptor() {
    if (fd_ >= 0)
      close(fd_);
  }
  Descriptor(const Descriptor &) = delete;
  Descriptor &operator=(const Descriptor &) = delete;

  int get() const { return fd_; }

private:
  const int fd_;
};

} // namespace cps
