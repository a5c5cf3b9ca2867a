// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/codecpatch/cpssession.h"

#include "gst/codecpatch/json.h"
#include "gst/codecpatch/session/sessionerror.h"
#include "gst/codecpatch/session/sessioninbox.h"
#include "gst/codecpatch/session/sessionkeeper.h"
#include "gst/codecpatch/session/sessionoptions.h"
#include "gst/codecpatch/session/sessionpipeline.h"
#include "gst/codecpatch/session/sessionprocess.h"
#include "gst/codecpatch/session/sessionsource.h"
#include "gst/codecpatch/session/sessiontensors.h"
#include "gst/common/uritext.h"

#include <utility>

using cps::Opening;
using cps::Owned;
using cps::SessionInbox;
using cps::SessionKeeper;
using cps::SessionPipeline;
using cps::SessionSource;
using cps::UserData;

struct _CpsSession {
  std::string name;                  // of the source, in messages
  std::optional<std::string> source; // in the metadata, where it is not what the elements say
  cps::SessionOptions options;
  std::shared_ptr<SessionInbox> inbox;
  std::shared_ptr<SessionPipeline> pipeline;
  std::shared_ptr<SessionKeeper> keeper;
};

namespace {

// `Find` makes the source, on the session's thread. It has copies of all that it needs.
using Find = std::function<bool(const Opening &, SessionSource &, GError **)>;

// The whole of opening, on the session's thread. Options can be read by then.
SessionKeeper::Open opening_of(const std::shared_ptr<SessionInbox> &inbox, const Find &find) {
  return [inbox, find](SessionPipeline &pipeline, GError **error) {
    SessionSource source;
    if (!find({pipeline, inbox}, source, error))
      return;
    const SessionInbox::Clock::time_point before = SessionInbox::Clock::now();
    if (!cps::start_gstreamer(error))
      return;
    inbox->excuse(SessionInbox::Clock::now() - before); // of the first session: it looks at all plugins
    pipeline.start(source, error);
  };
}

// Starts to open it. False with an error.
bool begin(CpsSession &session, const gchar *const *options, const Find &find, GError **error) {
  if (!cps::check_fork(error) || !cps::read_options(options, session.options, error))
    return false;
  session.inbox = std::make_shared<SessionInbox>(session.options.limits);
  session.pipeline = std::make_shared<SessionPipeline>(session.options, session.inbox);
  session.keeper = std::make_shared<SessionKeeper>(session.pipeline, session.inbox, opening_of(session.inbox, find));
  return session.keeper->begin(error);
}

// Once it has been waited for. False with the error, in the words of messages.
bool check_opened(const CpsSession &session, GError **error) {
  if (session.inbox->is_open())
    return true;
  if (const GError *failure = session.inbox->error())
    cps::wrap_session_error(error, session.name, *failure);
  else
    cps::set_session_error(error, CPS_SESSION_ERROR_CLOSED, session.name + ": The session has been closed.");
  return false;
}

CpsSession *open_session(const std::string &name, const std::optional<std::string> &source, const gchar *const *options,
                         const Find &find, GError **error) {
  auto session = std::make_unique<_CpsSession>();
  session->name = Owned<gchar>(g_utf8_make_valid(name.c_str(), -1)).get();
  session->source = source;
  GError *failure = nullptr;
  // What comes first is safe in a fork, too.
  if (!begin(*session, options, find, &failure)) {
    const Owned<GError> owned(failure);
    cps::wrap_session_error(error, session->name, *owned);
    return nullptr;
  }
  if (session->options.background || (session->inbox->wait_open() && check_opened(*session, error)))
    return session.release();
  cps_session_free(session.release());
  return nullptr;
}

bool check_open(const CpsSession &session, GError **error) {
  GError *failure = nullptr;
  if (cps::check_fork(&failure))
    return true;
  const Owned<GError> owned(failure);
  cps::wrap_session_error(error, session.name, *owned);
  return false;
}

SessionInbox::Time in_milliseconds(guint milliseconds) {
  return SessionInbox::Clock::now() + std::chrono::milliseconds(milliseconds);
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
 * Starts to read a file. A pipe is read as cps_session_open_stream() does without a function to seek; nobody need have
 * it open to write by then.
 *
 * Returns: (transfer full) (nullable): the session, %NULL on failure
 */
CpsSession *cps_session_open_path(const gchar *path, const gchar *const *options, GError **error) {
  g_return_val_if_fail(path, nullptr);
  return open_session(
      path, path, options,
      [file = std::string(path)](const Opening &opening, SessionSource &source, GError **failure) {
        return cps::find_file(file, opening, source, failure);
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
 * Three more are of time. With `stall-timeout`, in seconds, 30 unless it is set, the session fails once nothing has
 * come from the source for so long; 0 waits for ever, and so do live sources. With `timeout`, in seconds, off (0)
 * unless it is set, opening may take so long, and each cps_session_next(). Both are %CPS_SESSION_ERROR_TIMEOUT. With
 * `background`, `true` or `false` (the default), the functions that open return at once, before the source has been
 * opened: cps_session_wait_open() tells how that has ended.
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
      [text = std::string(uri)](const Opening &, SessionSource &source, GError **failure) {
        return cps::find_uri(text, source, failure);
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
 * session, or, where that does not wait for it, later, see cps_session_abandoned(); tensors do without @data.
 *
 * Returns: (transfer full) (nullable): the session, %NULL on failure
 */
CpsSession *cps_session_open_bytes(gconstpointer data, gsize size, GDestroyNotify release, gpointer user_data,
                                   const gchar *name, const gchar *const *options, GError **error) {
  auto owned = std::make_shared<UserData>(release, user_data);
  g_return_val_if_fail(data || size == 0, nullptr);
  const std::string source_name = name_or_default(name);
  return open_session(
      source_name, source_name, options,
      [data, size, held = std::move(owned)](const Opening &, SessionSource &source, GError **) {
        cps::find_bytes(data, size, held, source);
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
 * The functions are called one at a time, on threads of the session. They must not call functions of the session:
 * cps_session_close() waits for them, as long as it waits. One that fails ends the session with
 * %CPS_SESSION_ERROR_SOURCE. One that does not return is waited for as long as `timeout` and `stall-timeout` say;
 * @release is called once it has returned.
 *
 * Returns: (transfer full) (nullable): the session, %NULL on failure
 */
CpsSession *cps_session_open_stream(CpsReadFunc read, CpsSeekFunc seek, GDestroyNotify release, gpointer user_data,
                                    const gchar *name, const gchar *const *options, GError **error) {
  auto owned = std::make_shared<UserData>(release, user_data);
  g_return_val_if_fail(read, nullptr);
  const std::string source_name = name_or_default(name);
  return open_session(
      source_name, source_name, options,
      [read, seek, user_data, held = std::move(owned)](const Opening &opening, SessionSource &source, GError **) {
        cps::find_functions({read, seek, held->hand_over(), nullptr, user_data}, opening, source);
        return true;
      },
      error);
}

/**
 * cps_session_wait_open:
 * @session: a session that was opened with the option `background`
 * @milliseconds: how long to wait
 * @error: (out) (optional): a #CpsSessionError where it fails
 *
 * Waits until the source has been opened, but no longer than it is told.
 *
 * Returns: 1 when it is open, 0 where it is not yet, -1 where that has failed: the session is to be freed
 */
gint cps_session_wait_open(CpsSession *session, guint milliseconds, GError **error) {
  g_return_val_if_fail(session, -1);
  if (!check_open(*session, error))
    return -1;
  if (!session->inbox->wait_open(in_milliseconds(milliseconds)))
    return 0;
  return check_opened(*session, error) ? 1 : -1;
}

/**
 * cps_session_wait_next:
 * @session: a session
 * @milliseconds: how long to wait
 *
 * Waits until there is something for cps_session_next() to return, but no longer than it is told. The option `timeout`
 * counts from the first call that waits for a clip.
 *
 * Returns: whether cps_session_next() will return at once
 */
gboolean cps_session_wait_next(CpsSession *session, guint milliseconds) {
  g_return_val_if_fail(session, TRUE);
  return cps::is_forked() || session->inbox->wait_next(in_milliseconds(milliseconds));
}

/**
 * cps_session_next:
 * @session: a session
 * @error: (out) (optional): a #CpsSessionError where it fails
 *
 * Waits for the next clip. At the end of the stream there is none, and no error. After an error, there is the same one
 * again, that of a limit of time included. One thread at a time may wait; cps_session_close() wakes it up.
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
    g_signal_emit_by_name(session->pipeline->sink(), "try-pull-tensors", guint64{0}, &sample);
    if (sample)
      return cps::tensors_new(Owned<GstSample>(sample), session->name, session->source);
    break; // closed in between, which takes what is queued
  }
  case SessionInbox::Event::Error:
    cps::wrap_session_error(error, session->name, *session->inbox->error());
    return nullptr;
  case SessionInbox::Event::End:
    return nullptr;
  case SessionInbox::Event::Closed:
    break;
  }
  cps::set_session_error(error, CPS_SESSION_ERROR_CLOSED, session->name + ": The session has been closed.");
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
  if (g_str_equal(name, "timeout"))
    return g_strdup(cps::json_number(session->options.limits.timeout).c_str());
  return session->inbox->is_open() ? cps::option_text(session->pipeline->elements(), name) : nullptr;
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
 * cps_session_interrupt:
 * @session: (nullable): a session
 *
 * Begins what cps_session_close() does, and waits for nothing: of many sessions, all can be told to end before the
 * first is waited for. Does nothing in a fork.
 */
void cps_session_interrupt(CpsSession *session) {
  if (!session || cps::is_forked())
    return;
  session->inbox->close();
  // Before the pipeline goes down: parsebin of GStreamer 1.22 frees what a demuxer that reads on still adds pads to.
  session->pipeline->interrupt();
  session->keeper->request_close();
}

/**
 * cps_session_close:
 * @session: (nullable): a session
 *
 * Stops reading, and waits until that has stopped, but for no longer than a second: where something does not return, a
 * function of the application or an element, the session goes on to end by itself, see cps_session_abandoned(). A
 * cps_session_next() that waits on another thread returns with %CPS_SESSION_ERROR_CLOSED, and so does any later one.
 * Any thread may call this, at any time and more than once, but for the functions that the session calls: it waits for
 * them to return. Does nothing in a fork.
 */
void cps_session_close(CpsSession *session) {
  if (!session || cps::is_forked())
    return;
  cps_session_interrupt(session);
  session->keeper->wait_closed();
}

/**
 * cps_session_free:
 * @session: (nullable) (transfer full): a session
 *
 * Closes the session and frees it; tensors stay. No other thread may be using it, not even in cps_session_next(): call
 * cps_session_close() and wait for that thread. It takes no longer than cps_session_close(), together with that. Does
 * nothing with %NULL, and in a fork, where it leaks.
 */
void cps_session_free(CpsSession *session) {
  if (!session || cps::is_forked())
    return;
  cps_session_close(session);
  session->keeper->leave();
  std::unique_ptr<_CpsSession>(session).reset();
}

/**
 * cps_session_abandoned:
 *
 * Counts the sessions of this process that have been closed, and have not come to their end within the second that
 * cps_session_close() waits. Each keeps its threads, its memory and what it has of the application's; the functions
 * that release that are called when, and if, what it waits for returns. Where their number grows, end the process and
 * go on in another: no way leads out of a function that never returns.
 *
 * Returns: how many there are now
 */
guint cps_session_abandoned() {
  return SessionKeeper::abandoned();
}

/**
 * cps_session_forget_functions:
 *
 * From now on no session calls a function of the application any more, to release data neither: for an application
 * that ends while sessions have been abandoned, and whose functions do not outlive it. What is under way goes on.
 */
void cps_session_forget_functions() {
  cps::forget_stream_functions();
}
