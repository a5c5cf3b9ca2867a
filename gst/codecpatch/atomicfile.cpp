// SPDX-License-Identifier: LGPL-2.1-or-later
// The temporary file is named .codecpatch-BOOT-PID-NUMBER.part. BOOT is the kernel's random boot ID, which tells
// machines and reboots apart; PID is the process ID. The writer holds a lock on the file (flock), which ends with the
// process in every case, and which all processes of a kernel see, in any container. An unlocked file of this kernel
// therefore has no writer and may be removed. Files of other kernels stay, because locks may not work across machines.
#include "gst/codecpatch/atomicfile.h"

#include "gst/codecpatch/descriptor.h"
#include "gst/common/owned.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <fcntl.h>
#include <fstream>
#include <glib.h>
#include <memory>
#include <mutex>
#include <set>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace cps {

namespace {

constexpr size_t kMostFolders = 1024; // folders that are remembered as scanned

// Empty if the system does not provide it.
std::string boot_id() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  file >> id;
  id.erase(std::remove(id.begin(), id.end(), '-'), id.end());
  return id;
}

// Prefix of the temporary files of all processes of this kernel.
const std::string &own_prefix() {
  static const std::string prefix = ".codecpatch-" + boot_id() + "-";
  return prefix;
}

std::string new_part_name() {
  static std::atomic<unsigned> counter{0};
  return own_prefix() + std::to_string(getpid()) + "-" + std::to_string(counter++) + ".part";
}

bool is_of_this_kernel(const std::string &name) {
  static const std::string ending = ".part";
  return own_prefix() != ".codecpatch--" && name.compare(0, own_prefix().size(), own_prefix()) == 0 &&
         name.size() > ending.size() && name.compare(name.size() - ending.size(), ending.size(), ending) == 0;
}

// True for a regular file that still has a name, so that no other process has removed it.
bool is_linked(int fd) {
  struct stat info;
  return fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_nlink > 0;
}

// Only the holder of the lock may remove the name; otherwise the name could already belong to another file.
void remove_if_abandoned(const std::string &path) {
  const Descriptor file(open(path.c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (file.get() >= 0 && flock(file.get(), LOCK_EX | LOCK_NB) == 0 && is_linked(file.get()))
    unlink(path.c_str());
}

// Listing a folder of a million files takes long, so a process scans each folder once.
bool is_first_look(const std::string &folder) {
  static std::mutex mutex;
  static std::set<std::string> seen;
  const std::lock_guard<std::mutex> lock(mutex);
  if (seen.size() >= kMostFolders)
    seen.clear();
  return seen.insert(folder).second;
}

void remove_abandoned(const std::string &folder) {
  if (!is_first_look(folder))
    return;
  const Owned<GDir> entries(g_dir_open(folder.empty() ? "." : folder.c_str(), 0, nullptr));
  while (const gchar *name = entries ? g_dir_read_name(entries.get()) : nullptr)
    if (is_of_this_kernel(name))
      remove_if_abandoned(folder + name);
}

bool sync_folder(const std::string &folder) {
  const Descriptor opened(open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return opened.get() >= 0 && fsync(opened.get()) == 0;
}

// With the trailing slash; empty for the current folder.
std::string folder_of(const std::string &path) {
  return path.substr(0, path.find_last_of('/') + 1); // npos + 1 is 0
}

} // namespace

const char *in_the_way(const char *path) {
  struct stat info;
  if (lstat(path, &info) != 0)
    return nullptr; // opening the file reports any other error
  switch (info.st_mode & S_IFMT) {
  case S_IFREG:
    return nullptr;
  case S_IFDIR:
    return "a folder";
  case S_IFLNK:
    return "a symbolic link";
  case S_IFIFO:
    return "a named pipe";
  case S_IFSOCK:
    return "a socket";
  default:
    return "a device";
  }
}

AtomicFile::~AtomicFile() {
  discard();
}

void AtomicFile::discard() {
  if (!temporary_.empty())
    unlink(temporary_.c_str());
  if (fd_ >= 0)
    close(fd_);
  temporary_.clear();
  fd_ = -1;
}

// Marks the file as one that has a writer. Returns false if another process has considered it abandoned before that. On
// a file system without locks this succeeds, because nobody can lock a file in order to remove it.
bool AtomicFile::claim() const {
  if (flock(fd_, LOCK_EX | LOCK_NB) != 0)
    return errno != EWOULDBLOCK;
  return is_linked(fd_);
}

bool AtomicFile::create() {
  const std::string folder = folder_of(path_);
  remove_abandoned(folder);
  for (;;) {
    temporary_ = folder + new_part_name();
    fd_ = open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd_ >= 0 && claim())
      return true;
    if (fd_ >= 0) {
      discard();
      continue;
    }
    temporary_.clear();
    if (errno != EEXIST) // EEXIST: a process in another container has the same ID
      return false;
  }
}

// NOLINTNEXTLINE(readability-make-member-function-const): it changes the file
bool AtomicFile::write(const void *data, size_t size) {
  const auto *at = static_cast<const char *>(data);
  while (size > 0) {
    const ssize_t done = ::write(fd_, at, size);
    if (done < 0 && errno == EINTR)
      continue;
    if (done < 0)
      return false;
    at += done;
    size -= static_cast<size_t>(done);
  }
  return true;
}

// Network file systems report write errors when a descriptor is closed. The lock needs an open descriptor until the
// file has its name, so a duplicate is closed first.
bool AtomicFile::commit(bool durable) {
  const int second = fcntl(fd_, F_DUPFD_CLOEXEC, 0);
  if (second < 0 || close(second) != 0 || (durable && fsync(fd_) != 0))
    return false;
  if (rename(temporary_.c_str(), path_.c_str()) != 0)
    return false;
  temporary_.clear();
  const bool done = !durable || sync_folder(folder_of(path_));
  const int reason = errno;
  discard();
  errno = reason;
  return done;
}

} // namespace cps
