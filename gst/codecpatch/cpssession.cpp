// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/codecpatch/cpssession.h"

#include "gst/codecpatch/sessionerror.h"
#include "gst/codecpatch/sessioninbox.h"
#include "gst/codecpatch/sessionoptions.h"
#include "gst/codecpatch/sessionprocess.h"
#include "gst/codecpatch/sessiontensors.h"
#include "gst/codecpatch/streaminput.h"
#include "gst/codecpatch/uritext.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

using cps::Owned;
using cps::SessionInbox;

struct _CpsSession {
  std::string name;                  // of the source, in messages
  std::optional<std::string> source; // in the metadata, where it is not what the elements say
  cps::SessionOptions options;
  Owned<GstElement> pipeline;
  std::vector<GstElement *> elements; // whose properties are the options; the first reads the source. The pipeline's
  GstElement *sink = nullptr;         // the pipeline's
  Owned<GInputStream> stream;         // of functions, where they or a pipe are the source
  // Shared with the handlers, which a thread may be in when they are taken off.
  std::shared_ptr<SessionInbox> inbox = std::make_shared<SessionInbox>();
};

namespace {

// Where a session reads: from a URI, or else from a stream.
struct Source {
  std::string uri;
  Owned<GInputStream> stream;
};

// Tells the application that its data are not needed any more, unless somebody else has taken that over.
class Release {
public:
  Release(GDestroyNotify function, gpointer user_data) : function_(function), user_data_(user_data) {}
  ~Release() {
    if (function_)
      function_(user_data_);
  }
  Release(const Release &) = delete;
  Release &operator=(const Release &) = delete;

  GDestroyNotify hand_over() { return std::exchange(function_, nullptr); }

private:
  GDestroyNotify function_;
  gpointer user_data_;
};

using SharedInbox = std::shared_ptr<SessionInbox>;

gpointer share(const SharedInbox &inbox) {
  return std::make_unique<SharedInbox>(inbox).release();
}

void unshare(gpointer inbox) {
  const std::unique_ptr<SharedInbox> owned(static_cast<SharedInbox *>(inbox));
}

GstBusSyncReply on_message(GstBus *, GstMessage *message, gpointer inbox) {
  (*static_cast<SharedInbox *>(inbox))->take(message);
  gst_message_unref(message);
  return GST_BUS_DROP; // nobody reads the bus
}

GstFlowReturn on_new_tensors(GstElement *, gpointer inbox) {
  (*static_cast<SharedInbox *>(inbox))->clip_queued();
  return GST_FLOW_OK;
}

GstElement *add_element(CpsSession &session, const char *factory) {
  GstElement *element = gst_element_factory_make(factory, nullptr);
  gst_bin_add(GST_BIN(session.pipeline.get()), element);
  return element;
}

// The pipeline, which is not started yet.
bool build(CpsSession &session, const Source &source, GError **error) {
  GstElement *pipeline = gst_pipeline_new(nullptr);
  session.pipeline.reset(GST_ELEMENT(gst_object_ref_sink(pipeline)));
  for (const char *factory : cps::elements_of(session.options.output))
    session.elements.push_back(add_element(session, factory));
  session.sink = add_element(session, "tensormetasink");
  g_object_set(session.sink, "max-buffers", 1, nullptr); // whoever is slow to read makes the stream wait
  g_signal_connect_data(
      session.sink, "new-tensors", G_CALLBACK(on_new_tensors), share(session.inbox),
      [](gpointer inbox, GClosure *) { unshare(inbox); }, static_cast<GConnectFlags>(0));
  const Owned<GstBus> bus(gst_element_get_bus(pipeline));
  gst_bus_set_sync_handler(bus.get(), on_message, share(session.inbox), unshare);

  for (size_t i = 0; i < session.elements.size(); i++) {
    GstElement *next = i + 1 < session.elements.size() ? session.elements[i + 1] : session.sink;
    if (!gst_element_link(session.elements[i], next))
      return cps::fail(error, CPS_SESSION_ERROR_SETUP, "The plugin and the library do not fit together.");
  }
  if (!cps::apply_options(session.options, session.elements, error))
    return false;
  if (source.stream)
    g_object_set(session.elements[0], "stream", source.stream.get(), nullptr);
  else
    g_object_set(session.elements[0], "uri", source.uri.c_str(), nullptr);
  return true;
}

bool start(CpsSession &session, GError **error) {
  if (gst_element_set_state(session.pipeline.get(), GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE)
    return true;
  const GError *failure = session.inbox->error();
  if (failure)
    return cps::fail(error, cps::session_error_code(*failure), failure->message);
  return cps::fail(error, CPS_SESSION_ERROR_FAILED, "The pipeline does not start.");
}

// Stops it and waits for its threads, but for those of GStreamer's pool: one that had to open the source anew may have
// the bin for a moment longer, which is not to have the stream.
void stop(CpsSession &session) {
  if (session.pipeline)
    gst_element_set_state(session.pipeline.get(), GST_STATE_NULL);
  if (!session.elements.empty())
    g_object_set(session.elements.front(), "stream", nullptr, nullptr);
}

// `find` makes the source of a session whose options can be read.
template <typename Find> bool open(CpsSession &session, const gchar *const *options, const Find &find, GError **error) {
  Source source;
  return cps::read_options(options, session.options, error) && find(session, source, error) &&
         cps::start_gstreamer(error) && build(session, source, error) && start(session, error);
}

template <typename Find>
CpsSession *open_session(const std::string &name, const std::optional<std::string> &source, const gchar *const *options,
                         const Find &find, GError **error) {
  auto session = std::make_unique<_CpsSession>();
  session->name = Owned<gchar>(g_utf8_make_valid(name.c_str(), -1)).get();
  session->source = source;
  GError *failure = nullptr;
  // What comes first is safe in a fork, too.
  if (cps::check_fork(&failure) && open(*session, options, find, &failure))
    return session.release();
  const Owned<GError> owned(failure);
  cps::fail_with(error, session->name, *owned);
  stop(*session);
  return nullptr;
}

// Functions of an application as the source.
void read_functions(CpsSession &session, Source &source, const cps::StreamFunctions &functions) {
  source.stream.reset(cps::stream_input_new(functions, [inbox = session.inbox](const std::string &sentence) {
    inbox->fail(Owned<GError>(g_error_new_literal(CPS_SESSION_ERROR, CPS_SESSION_ERROR_SOURCE, sentence.c_str())));
  }));
  session.stream.reset(G_INPUT_STREAM(g_object_ref(source.stream.get())));
}

gssize read_descriptor(gpointer descriptor, gpointer data, gsize size) {
  gssize count = -1;
  do
    count = read(GPOINTER_TO_INT(descriptor), data, size);
  while (count < 0 && errno == EINTR);
  return count;
}

void close_descriptor(gpointer descriptor) {
  close(GPOINTER_TO_INT(descriptor));
}

bool fail_to_open(int problem, GError **error) {
  return cps::fail(error, CPS_SESSION_ERROR_SOURCE, std::string(g_strerror(problem)) + ".");
}

// filesrc would open it twice. Whoever writes to it may be gone after the first time, and the second waits for ever.
bool open_pipe(const gchar *path, CpsSession &session, Source &source, GError **error) {
  const int descriptor = ::open(path, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0)
    return fail_to_open(errno, error);
  read_functions(session, source, {read_descriptor, nullptr, close_descriptor, GINT_TO_POINTER(descriptor)});
  return true;
}

// GLib's way keeps what GStreamer's leaves out: `..` behind a symbolic link.
bool find_file(const gchar *path, CpsSession &session, Source &source, GError **error) {
  struct stat status {};
  if (stat(path, &status) != 0 || access(path, R_OK) != 0)
    return fail_to_open(errno, error);
  if (S_ISDIR(status.st_mode))
    return fail_to_open(EISDIR, error);
  if (S_ISFIFO(status.st_mode))
    return open_pipe(path, session, source, error);
  const Owned<gchar> folder(g_get_current_dir());
  const Owned<gchar> absolute(g_path_is_absolute(path) ? g_strdup(path)
                                                       : g_build_filename(folder.get(), path, nullptr));
  const Owned<gchar> uri(g_filename_to_uri(absolute.get(), nullptr, error));
  if (uri)
    source.uri = uri.get();
  return uri != nullptr;
}

bool check_open(const CpsSession &session, GError **error) {
  GError *failure = nullptr;
  if (cps::check_fork(&failure))
    return true;
  const Owned<GError> owned(failure);
  cps::fail_with(error, session.name, *owned);
  return false;
}

std::string name_or_default(const gchar *name) {
  return name ? name : "stream";
}

} // namespace

/**
 * cps_session_open_path:
 * @path: a file, in the encoding of file names
 * @options: (nullable) (array zero-terminated=1): key, value, key, value..., %NULL. See cps_session_open_uri().
 * @error: (out) (optional): a #CpsSessionError where it fails
 *
 * Starts to read a file. Of a pipe it waits for whoever writes to it, and reads as cps_session_open_stream() does
 * without a function to seek.
 *
 * Returns: (transfer full) (nullable): the session, %NULL on failure
 */
CpsSession *cps_session_open_path(const gchar *path, const gchar *const *options, GError **error) {
  g_return_val_if_fail(path, nullptr);
  return open_session(
      path, path, options,
      [path](CpsSession &session, Source &source, GError **failure) {
        return find_file(path, session, source, failure);
      },
      error);
}

/**
 * cps_session_open_uri:
 * @uri: what GStreamer has a source element for: `file:`, `https:`...
 * @options: (nullable) (array zero-terminated=1): key, value, key, value..., %NULL
 * @error: (out) (optional): a #CpsSessionError where it fails
 *
 * Starts to read a URI, and returns: what goes wrong later, cps_session_next() tells.
 *
 * The option `output` is `patches` (the default), or `frames` for the sampled frames as a whole. The others are the
 * properties of `patchstreambin`, or for frames those of `uniformdecodebin` and `framestack`, with `-` or `_`. Values
 * are text as gst-launch-1.0 takes it: `16`, `true`, `gpu`, `30/1`, `<0, 10, 20>`.
 *
 * The first session of a process initialises GStreamer. From then on no fork of the process can have sessions: all that
 * it gets is %CPS_SESSION_ERROR_FORKED.
 *
 * Returns: (transfer full) (nullable): the session, %NULL on failure
 */
CpsSession *cps_session_open_uri(const gchar *uri, const gchar *const *options, GError **error) {
  g_return_val_if_fail(uri, nullptr);
  return open_session(
      cps::without_credentials(uri), std::nullopt, options,
      [uri](CpsSession &, Source &source, GError **failure) {
        source.uri = uri;
        return gst_uri_is_valid(uri) || cps::fail(failure, CPS_SESSION_ERROR_SOURCE, "This is no URI.");
      },
      error);
}

/**
 * cps_session_open_bytes:
 * @data: (array length=size): a whole file
 * @size: number of bytes
 * @release: (nullable): called once, on any thread, when nothing reads @data any more, also on failure
 * @user_data: passed to @release
 * @name: (nullable): what messages and metadata call it; "stream" with %NULL
 * @options: (nullable) (array zero-terminated=1): key, value, key, value..., %NULL. See cps_session_open_uri().
 * @error: (out) (optional): a #CpsSessionError where it fails
 *
 * Starts to read a file in memory, which is not copied. @release comes at the latest while cps_session_free() frees the
 * session; tensors do without @data.
 *
 * Returns: (transfer full) (nullable): the session, %NULL on failure
 */
CpsSession *cps_session_open_bytes(gconstpointer data, gsize size, GDestroyNotify release, gpointer user_data,
                                   const gchar *name, const gchar *const *options, GError **error) {
  Release owned(release, user_data);
  g_return_val_if_fail(data || size == 0, nullptr);
  const std::string source_name = name_or_default(name);
  return open_session(
      source_name, source_name, options,
      [&](CpsSession &, Source &source, GError **) {
        const Owned<GBytes> bytes(g_bytes_new_with_free_func(data, size, owned.hand_over(), user_data));
        source.stream.reset(g_memory_input_stream_new_from_bytes(bytes.get()));
        return true;
      },
      error);
}

/**
 * cps_session_open_stream:
 * @read: reads
 * @seek: (nullable): moves the position; %NULL where that cannot be done
 * @release: (nullable): called once, on any thread, when @read and @seek will not be called any more, also on failure
 * @user_data: passed to @read, @seek and @release
 * @name: (nullable): what messages and metadata call it; "stream" with %NULL
 * @options: (nullable) (array zero-terminated=1): key, value, key, value..., %NULL. See cps_session_open_uri().
 * @error: (out) (optional): a #CpsSessionError where it fails
 *
 * Starts to read what functions of the application read. Where @seek works the stream is read from its beginning,
 * otherwise from where it is. Frames are then not sampled as exactly, for that takes two readings, and the option
 * `total-frames` may be needed.
 *
 * The functions are called one at a time, on threads of GStreamer and on those that open and close the session. They
 * must not call functions of the session: cps_session_close() waits for them. One that fails ends the session with
 * %CPS_SESSION_ERROR_SOURCE.
 *
 * Returns: (transfer full) (nullable): the session, %NULL on failure
 */
CpsSession *cps_session_open_stream(CpsReadFunc read, CpsSeekFunc seek, GDestroyNotify release, gpointer user_data,
                                    const gchar *name, const gchar *const *options, GError **error) {
  Release owned(release, user_data);
  g_return_val_if_fail(read, nullptr);
  const std::string source_name = name_or_default(name);
  return open_session(
      source_name, source_name, options,
      [&](CpsSession &session, Source &source, GError **) {
        read_functions(session, source, {read, seek, owned.hand_over(), user_data});
        return true;
      },
      error);
}

/**
 * cps_session_next:
 * @session: a session
 * @error: (out) (optional): a #CpsSessionError where it fails
 *
 * Waits for the next clip. At the end of the stream there is none, and no error. After an error, there is the same one
 * again. One thread at a time may wait; cps_session_close() wakes it up.
 *
 * Returns: (transfer full) (nullable): the tensors of the clip, %NULL at the end and on failure
 */
CpsTensors *cps_session_next(CpsSession *session, GError **error) {
  g_return_val_if_fail(session, nullptr);
  if (!check_open(*session, error))
    return nullptr;
  switch (session->inbox->wait()) {
  case SessionInbox::Event::Clip: {
    GstSample *sample = nullptr;
    g_signal_emit_by_name(session->sink, "try-pull-tensors", guint64{0}, &sample);
    if (sample)
      return cps::tensors_new(Owned<GstSample>(sample), session->name, session->source);
    break; // closed in between, which takes what is queued
  }
  case SessionInbox::Event::Error:
    cps::fail_with(error, session->name, *session->inbox->error());
    return nullptr;
  case SessionInbox::Event::End:
    return nullptr;
  case SessionInbox::Event::Closed:
    break;
  }
  cps::fail(error, CPS_SESSION_ERROR_CLOSED, session->name + ": The session has been closed.");
  return nullptr;
}

/**
 * cps_session_get:
 * @session: a session
 * @name: name of an option, `output`, or what can only be read, such as `resolved-decode-backend`
 *
 * Returns: (transfer full) (nullable): its value as text, for cps_free(); %NULL where there is no such thing
 */
gchar *cps_session_get(CpsSession *session, const gchar *name) {
  g_return_val_if_fail(session && name, nullptr);
  if (cps::is_forked())
    return nullptr;
  if (g_str_equal(name, "output"))
    return g_strdup(cps::output_name(session->options.output));
  return cps::option_text(session->elements, name);
}

/**
 * cps_session_pop_warning:
 * @session: a session
 *
 * Takes the oldest warning. Only the first hundred are kept.
 *
 * Returns: (transfer full) (nullable): a sentence that begins with the name of the source, for cps_free(); %NULL where
 * there is none
 */
gchar *cps_session_pop_warning(CpsSession *session) {
  g_return_val_if_fail(session, nullptr);
  if (cps::is_forked())
    return nullptr;
  const std::optional<std::string> warning = session->inbox->pop_warning();
  return warning ? g_strdup((session->name + ": " + *warning).c_str()) : nullptr;
}

/**
 * cps_session_close:
 * @session: (nullable): a session
 *
 * Stops reading, and waits until that has stopped. A cps_session_next() that waits on another thread returns with
 * %CPS_SESSION_ERROR_CLOSED, and so does any later one. Any thread may call this, at any time and more than once, but
 * for the functions that the session calls: it waits for them to return. Does nothing in a fork.
 */
void cps_session_close(CpsSession *session) {
  if (!session || cps::is_forked())
    return;
  session->inbox->close();
  // Before the pipeline goes down: parsebin of GStreamer 1.22 frees what a demuxer that reads on still adds pads to.
  if (session->stream)
    cps::stream_input_stop(session->stream.get());
  stop(*session);
}

/**
 * cps_session_free:
 * @session: (nullable) (transfer full): a session
 *
 * Closes the session and frees it; tensors stay. No other thread may be using it, not even in cps_session_next(): call
 * cps_session_close() and wait for that thread. Does nothing with %NULL, and in a fork, where it leaks.
 */
void cps_session_free(CpsSession *session) {
  if (!session || cps::is_forked())
    return;
  cps_session_close(session);
  std::unique_ptr<_CpsSession>(session).reset();
}
