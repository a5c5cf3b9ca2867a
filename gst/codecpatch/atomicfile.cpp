// SPDX-License-Identifier: LGPL-2.1-or-later
// The file is written as .codecpatch-BOOT-PID-NUMBER.part: BOOT is the random number that the kernel has had since it
// started, so it tells machines and reboots apart; PID is the process. Its writer holds a lock on it (flock), which
// ends with the process however that ends, and which all processes of a kernel see, in whatever container they are. So
// a file of this kernel that nobody locks has no writer any more, and may go. Files of other kernels stay: locks may
// not reach from one machine to another.
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

constexpr size_t kMostFolders = 1024; // that are remembered to have been looked at

// Empty where the system does not tell.
std::string boot_id() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  file >> id;
  id.erase(std::remove(id.begin(), id.end(), '-'), id.end());
  return id;
}

// What the names of all files begin with that processes of this kernel write.
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

// A file that is still to be found under a name, and nobody else's to remove.
bool is_linked(int fd) {
  struct stat info;
  return fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_nlink > 0;
}

// Who has the lock is the only one who may remove the name, so that it is not that of another file by then.
void remove_if_abandoned(const std::string &path) {
  const Descriptor file(open(path.c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (file.get() >= 0 && flock(file.get(), LOCK_EX | LOCK_NB) == 0 && is_linked(file.get()))
    unlink(path.c_str());
}

// To list a folder of a million files takes a while: once for each process will do.
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

// With the slash; empty for the current one.
std::string folder_of(const std::string &path) {
  return path.substr(0, path.find_last_of('/') + 1); // npos + 1 is 0
}

} // namespace

const char *in_the_way(const char *path) {
  struct stat info;
  if (lstat(path, &info) != 0)
    return nullptr; // whatever else is wrong shows when it is opened
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

// Marks the file as one that has a writer. False where another process has taken it for abandoned before that. A file
// system without locks lets nobody remove anything.
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
    if (errno != EEXIST) // as after a process of the same number in another container
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

// Network file systems tell of errors when a descriptor is closed. The lock, which stays until the file has its name,
// wants one that is open: so a second one is closed first.
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
