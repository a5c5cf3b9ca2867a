// SPDX-License-Identifier: LGPL-2.1-or-later
// Objects in the place of a file that prevent it from being written. All are created in the test's own folder, devices
// included: no device of the system is touched.
#pragma once

#include <cstdlib>
#include <cstring>
#include <string>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>
#include <vector>

namespace test {

struct Obstacle {
  const char *name; // as in error messages
  bool (*make)(const std::string &path);
};

inline bool make_socket(const std::string &path) {
  struct sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  const bool made = bind(fd, reinterpret_cast<const struct sockaddr *>(&address), sizeof address) == 0;
  close(fd);
  return made;
}

inline std::vector<Obstacle> obstacles() {
  return {
      {"a folder", [](const std::string &path) { return mkdir(path.c_str(), 0755) == 0; }},
      {"a named pipe", [](const std::string &path) { return mkfifo(path.c_str(), 0644) == 0; }},
      {"a socket", make_socket},
      {"a symbolic link", [](const std::string &path) { return symlink("target", path.c_str()) == 0; }},
      {"a device", [](const std::string &path) { return mknod(path.c_str(), S_IFCHR | 0666, makedev(1, 3)) == 0; }},
      {"a device", [](const std::string &path) { return mknod(path.c_str(), S_IFBLK | 0666, makedev(7, 99)) == 0; }},
  };
}

// Drops the superuser's right to write anywhere, for a scope.
class Unprivileged {
public:
  Unprivileged() : was_root_(geteuid() == 0) {
    if (was_root_ && setresuid(65534, 65534, 0) != 0)
      abort();
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
