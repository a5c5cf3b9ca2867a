// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/codecpatch/session/sessionsource.h"

#include "gst/codecpatch/descriptor.h"
#include "gst/codecpatch/session/sessionerror.h"

#include <cerrno>
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

namespace cps {

UserData::~UserData() {
  if (function_ && !stream_functions_forgotten())
    function_(user_data_);
}

static bool fail_to_open(int problem, GError **error) {
  return set_session_error(error, CPS_SESSION_ERROR_SOURCE, std::string(g_strerror(problem)) + ".");
}

// Functions

void find_functions(const StreamFunctions &functions, const Opening &opening, SessionSource &source) {
  source.stream.reset(stream_input_new(functions, [inbox = opening.inbox](const std::string &sentence) {
    inbox->record_error(
        Owned<GError>(g_error_new_literal(CPS_SESSION_ERROR, CPS_SESSION_ERROR_SOURCE, sentence.c_str())));
  }));
  opening.pipeline.set_interruptible(source.stream.get());
  stream_input_rewind(source.stream.get());
}

static SharedFunctions &shared_by(gpointer session) {
  return **static_cast<std::shared_ptr<SharedFunctions> *>(session);
}

static gssize read_shared(gpointer session, gpointer to, gsize size) {
  const SharedFunctions &functions = shared_by(session);
  return functions.read(functions.user_data, to, size);
}

static gint64 seek_shared(gpointer session, gint64 offset, gint whence) {
  const SharedFunctions &functions = shared_by(session);
  return functions.seek(functions.user_data, offset, whence);
}

static void leave_shared(gpointer session) {
  shared_by(session).in_use = false;
  const std::unique_ptr<std::shared_ptr<SharedFunctions>> owned(
      static_cast<std::shared_ptr<SharedFunctions> *>(session)); // cppcheck-suppress unreadVariable ; it owns
}

bool find_shared_functions(const std::shared_ptr<SharedFunctions> &functions, const Opening &opening,
                           SessionSource &source, GError **error) {
  if (functions->in_use.exchange(true))
    return set_session_error(error, CPS_SESSION_ERROR_SOURCE,
                             "Another session reads this stream: close that one first, for both would move its "
                             "position.");
  auto session = std::make_unique<std::shared_ptr<SharedFunctions>>(functions);
  find_functions({read_shared, functions->seek ? seek_shared : nullptr, leave_shared, nullptr, session.release()},
                 opening, source);
  return true;
}

// Pipes

namespace {

struct Pipe {
  Descriptor data;
  Descriptor wake_up; // readable once reading must stop
};

} // namespace

// Waits for data, or until a writer has come and gone. Returns false if reading must stop.
static bool wait_for_data(const Pipe &pipe) {
  pollfd polled[] = {{pipe.data.get(), POLLIN, 0}, {pipe.wake_up.get(), POLLIN, 0}};
  while (poll(polled, 2, -1) < 0)
    if (errno != EINTR)
      return false;
  return polled[1].revents == 0;
}

static gssize read_pipe(gpointer data, gpointer to, gsize size) {
  const auto &pipe = *static_cast<const Pipe *>(data);
  while (wait_for_data(pipe)) {
    const gssize count = read(pipe.data.get(), to, size);
    if (count >= 0 || (errno != EINTR && errno != EAGAIN))
      return count;
  }
  return -1;
}

static void wake_pipe(gpointer data) {
  eventfd_write(static_cast<const Pipe *>(data)->wake_up.get(), 1);
}

static void close_pipe(gpointer data) {
  const std::unique_ptr<Pipe> owned(static_cast<Pipe *>(data)); // cppcheck-suppress unreadVariable ; it owns
}

// Opens the pipe here, because filesrc would open it twice and the second open blocks forever if the writer is gone by
// then. O_NONBLOCK and poll() are used because opening would block until a writer comes, and reading until it writes.
static bool open_pipe(const std::string &path, const Opening &opening, SessionSource &source, GError **error) {
  std::unique_ptr<Pipe> pipe(new Pipe{Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)),
                                      Descriptor(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))});
  if (pipe->data.get() < 0 || pipe->wake_up.get() < 0)
    return fail_to_open(errno, error);
  find_functions({read_pipe, nullptr, close_pipe, wake_pipe, pipe.release()}, opening, source);
  return true;
}

// Files

// g_filename_to_uri() keeps `..` after a symbolic link; GStreamer's function removes it textually, which names another
// file.
bool find_file(const std::string &path, const Opening &opening, SessionSource &source, GError **error) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0 || access(path.c_str(), R_OK) != 0)
    return fail_to_open(errno, error);
  if (S_ISDIR(status.st_mode))
    return fail_to_open(EISDIR, error);
  if (S_ISFIFO(status.st_mode))
    return open_pipe(path, opening, source, error);
  const Owned<gchar> folder(g_get_current_dir());
  const Owned<gchar> absolute(g_path_is_absolute(path.c_str()) ? g_strdup(path.c_str())
                                                               : g_build_filename(folder.get(), path.c_str(), nullptr));
  const Owned<gchar> uri(g_filename_to_uri(absolute.get(), nullptr, error));
  if (uri)
    source.uri = uri.get();
  return uri != nullptr;
}

bool find_uri(const std::string &uri, SessionSource &source, GError **error) {
  source.uri = uri;
  return gst_uri_is_valid(uri.c_str()) || set_session_error(error, CPS_SESSION_ERROR_SOURCE, "This is not a URI.");
}

// Memory

void find_bytes(gconstpointer data, gsize size, std::shared_ptr<UserData> release, SessionSource &source) {
  const auto free = [](gpointer held) {
    const std::unique_ptr<std::shared_ptr<UserData>> owned(static_cast<std::shared_ptr<UserData> *>(held));
  };
  auto held = std::make_unique<std::shared_ptr<UserData>>(std::move(release));
  const Owned<GBytes> bytes(g_bytes_new_with_free_func(data, size, free, held.release()));
  source.stream.reset(g_memory_input_stream_new_from_bytes(bytes.get()));
}

} // namespace cps
