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
#include "gst/codecpatch/session/video.h"

#include <utility>

using cps::Owned;
using cps::SessionInbox;
using cps::SessionKeeper;
using cps::SessionPipeline;
using cps::SessionSource;

struct _CpsSession {
  explicit _CpsSession(CpsVideo *of) : video(cps::share(of)), name(of->name) {}

  const Owned<CpsVideo> video;
  const std::string &name; // of the source in messages
  cps::SessionOptions options;
  std::shared_ptr<SessionInbox> inbox;
  std::shared_ptr<SessionPipeline> pipeline;
  std::shared_ptr<SessionKeeper> keeper;
};

namespace {

// Opens the session, on the session's thread, which may outlive the session. Options can be queried from then on.
SessionKeeper::Open opening_of(const std::shared_ptr<SessionInbox> &inbox, CpsVideo *video) {
  return [inbox, held = std::shared_ptr<CpsVideo>(cps::share(video))](SessionPipeline &pipeline, GError **error) {
    SessionSource source;
    source.index = held->index();
    if (!held->find({pipeline, inbox}, source, error))
      return;
    const SessionInbox::Clock::time_point before = SessionInbox::Clock::now();
    if (!cps::start_gstreamer(error))
      return;
    inbox->excuse(SessionInbox::Clock::now() - before); // because the first session of a process scans all plugins
    pipeline.start(source, error);
  };
}

// Starts to open the session. Sets the error and returns false on failure.
bool begin(CpsSession &session, const gchar *const *options, GError **error) {
  if (!cps::check_fork(error) || !cps::read_options(options, session.options, error))
    return false;
  session.inbox = std::make_shared<SessionInbox>(session.options.limits);
  session.pipeline = std::make_shared<SessionPipeline>(session.options, session.inbox);
  session.keeper =
      std::make_shared<SessionKeeper>(session.pipeline, session.inbox, opening_of(session.inbox, session.video.get()));
  return session.keeper->begin(error);
}

// Call after SessionInbox::wait_open(). Sets the error, which begins with the source's name, and returns false unless
// the session is open.
bool check_opened(const CpsSession &session, GError **error) {
  if (session.inbox->is_open())
    return true;
  if (const GError *failure = session.inbox->error())
    cps::wrap_session_error(error, session.name, *failure);
  else
    cps::set_session_error(error, CPS_SESSION_ERROR_CLOSED, session.name + ": The session has been closed.");
  return false;
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

// Takes the reference to `video`.
CpsSession *open_once(CpsVideo *video, const gchar *const *options, GError **error) {
  const Owned<CpsVideo> owned(video);
  return owned ? cps_video_open(owned.get(), options, error) : nullptr;
}

} // namespace

/**
 * cps_video_open:
 * @video: a #CpsVideo
 * @options: (nullable) (array zero-terminated=1): key, value, key, value..., %NULL. See cps_session_open_uri().
 * @error: (out) (optional): a #CpsSessionError on failure
 *
 * Opens a session of the video. With its index, if it has one, the session reads the source once. With the option
 * `output` set to `index` the session has no clip: at its end, cps_video_get_index() has the index.
 *
 * Returns: (transfer full) (nullable): the session, %NULL on failure
 */
CpsSession *cps_video_open(CpsVideo *video, const gchar *const *options, GError **error) {
  g_return_val_if_fail(video, nullptr);
  auto session = std::make_unique<_CpsSession>(video);
  GError *failure = nullptr;
  // The statements before this one are safe in a fork, too.
  if (!begin(*session, options, &failure)) {
    const Owned<GError> owned(failure);
    cps::wrap_session_error(error, session->name, *owned);
    return nullptr;
  }
  if (session->options.background || (session->inbox->wait_open() && check_opened(*session, error)))
    return session.release();
  cps_session_free(session.release());
  return nullptr;
}

/**
 * cps_session_open_path:
 * @path: a file, in the encoding of file names
 * @options: (nullable) (array zero-terminated=1): key, value, key, value..., %NULL. See cps_session_open_uri().
 * @error: (out) (optional): a #CpsSessionError on failure
 *
 * Starts to read a file. A pipe is read as cps_session_open_stream() reads a stream without a seek function; it may
 * still have no writer when this function is called.
 *
 * Returns: (transfer full) (nullable): the session, %NULL on failure
 */
CpsSession *cps_session_open_path(const gchar *path, const gchar *const *options, GError **error) {
  return open_once(cps_video_new_path(path), options, error);
}

/**
 * cps_session_open_uri:
 * @uri: a URI with a scheme that a GStreamer source element supports: `file:`, `https:`...
 * @options: (nullable) (array zero-terminated=1): key, value, key, value..., %NULL
 * @error: (out) (optional): a #CpsSessionError on failure
 *
 * Starts to read a URI and returns when the source has been opened. cps_session_next() reports later errors.
 *
 * The option `output` is `patches` (the default), or `frames` for whole sampled frames, or `index`, see
 * cps_video_open(). The other options are the
 * properties of `patchstreambin`, or with `frames` those of `uniformdecodebin` and `framestack`, with `-` or `_`.
 * Values are text in the syntax of gst-launch-1.0: `16`, `true`, `gpu`, `30/1`, `<0, 10, 20>`.
 *
 * Three more options concern time. With `stall-timeout`, in seconds, 30 by default, the session fails if the source
 * delivers nothing for that time; with 0 and for live sources there is no such limit. `timeout`, in seconds, 0 (off) by
 * default, limits the time to open the source and the time of each cps_session_next(). Both fail with
 * %CPS_SESSION_ERROR_TIMEOUT. With `background`, `true` or `false` (the default), the functions that open a session
 * return before the source has been opened; cps_session_wait_open() returns the result.
 *
 * The first session of a process initialises GStreamer. From then on, sessions in forks of the process fail with
 * %CPS_SESSION_ERROR_FORKED.
 *
 * Returns: (transfer full) (nullable): the session, %NULL on failure
 */
CpsSession *cps_session_open_uri(const gchar *uri, const gchar *const *options, GError **error) {
  return open_once(cps_video_new_uri(uri), options, error);
}

/**
 * cps_session_open_bytes:
 * @data: (array length=size): the bytes of a whole file
 * @size: number of bytes
 * @release: (nullable): called once, on any thread, when @data is no longer needed, also on failure
 * @user_data: passed to @release
 * @name: (nullable): what messages and metadata call it; "stream" with %NULL
 * @options: (nullable) (array zero-terminated=1): key, value, key, value..., %NULL. See cps_session_open_uri().
 * @error: (out) (optional): a #CpsSessionError on failure
 *
 * Starts to read a file in memory, which is not copied. @release is called before cps_session_free() returns, or later
 * if the session is abandoned, see cps_session_abandoned(). Tensors do not need @data.
 *
 * Returns: (transfer full) (nullable): the session, %NULL on failure
 */
CpsSession *cps_session_open_bytes(gconstpointer data, gsize size, GDestroyNotify release, gpointer user_data,
                                   const gchar *name, const gchar *const *options, GError **error) {
  return open_once(cps_video_new_bytes(data, size, release, user_data, name), options, error);
}

/**
 * cps_session_open_stream:
 * @read: the function that reads
 * @seek: (nullable): the function that moves the position; %NULL if the stream cannot seek
 * @release: (nullable): called once, on any thread, when @read and @seek will not be called any more, also on failure
 * @user_data: passed to @read, @seek and @release
 * @name: (nullable): what messages and metadata call it; "stream" with %NULL
 * @options: (nullable) (array zero-terminated=1): key, value, key, value..., %NULL. See cps_session_open_uri().
 * @error: (out) (optional): a #CpsSessionError on failure
 *
 * Starts to read a stream through functions of the application. If @seek works, the stream is read from its beginning,
 * otherwise from its current position. Without @seek, frames are sampled less exactly, because exact sampling needs two
 * passes, and the option `total-frames` may be needed.
 *
 * The functions are called one at a time, on threads of the session. They must not call functions of the session,
 * because cps_session_close() waits for them. A failure of a function ends the session with %CPS_SESSION_ERROR_SOURCE.
 * The options `timeout` and `stall-timeout` limit the wait for a function that does not return; @release is called once
 * it has returned.
 *
 * Returns: (transfer full) (nullable): the session, %NULL on failure
 */
CpsSession *cps_session_open_stream(CpsReadFunc read, CpsSeekFunc seek, GDestroyNotify release, gpointer user_data,
                                    const gchar *name, const gchar *const *options, GError **error) {
  return open_once(cps_video_new_stream(read, seek, release, user_data, name), options, error);
}

/**
 * cps_session_wait_open:
 * @session: a session that was opened with the option `background`
 * @milliseconds: how long to wait
 * @error: (out) (optional): a #CpsSessionError on failure
 *
 * Waits until the source has been opened or the time is over.
 *
 * Returns: 1 if the source is open, 0 if the time is over, -1 if opening has failed: free the session then
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
 * Waits until cps_session_next() has something to return or the time is over. The option `timeout` counts from the
 * first call that waits for a clip.
 *
 * Returns: %TRUE if cps_session_next() will return at once
 */
gboolean cps_session_wait_next(CpsSession *session, guint milliseconds) {
  g_return_val_if_fail(session, TRUE);
  return cps::is_forked() || session->inbox->wait_next(in_milliseconds(milliseconds));
}

/**
 * cps_session_next:
 * @session: a session
 * @error: (out) (optional): a #CpsSessionError on failure
 *
 * Waits for the next clip. Returns %NULL without an error at the end of the stream. After an error, a time limit
 * included, every later call fails with the same error. Only one thread at a time may wait; cps_session_close() wakes
 * it up.
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
      return cps::tensors_new(Owned<GstSample>(sample), session->name, session->video->source);
    break; // the session has been closed meanwhile, which discards queued clips
  }
  case SessionInbox::Event::Error:
    cps::wrap_session_error(error, session->name, *session->inbox->error());
    return nullptr;
  case SessionInbox::Event::End:
    if (Owned<CpsIndex> index = session->inbox->index())
      session->video->set_index(std::move(index));
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
 * @name: name of an option, `output`, or a read-only property such as `resolved-decode-backend`
 *
 * Returns: (transfer full) (nullable): its value as text, to be freed with cps_free(); %NULL if there is none
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
 * Removes and returns the oldest warning. At most 100 warnings are queued; further ones are dropped.
 *
 * Returns: (transfer full) (nullable): a sentence that begins with the name of the source, to be freed with cps_free();
 * %NULL if there is no warning
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
 * Starts to close the session and does not wait, so that many sessions can stop at the same time before the first is
 * waited for. Does nothing with %NULL or in a fork.
 */
void cps_session_interrupt(CpsSession *session) {
  if (!session || cps::is_forked())
    return;
  session->inbox->close();
  // Before the pipeline stops, because parsebin of GStreamer 1.22 frees objects that a demuxer still adds pads to if it
  // continues to read.
  session->pipeline->interrupt();
  session->keeper->request_close();
}

/**
 * cps_session_close:
 * @session: (nullable): a session
 *
 * Stops reading and waits until it has stopped, for at most a second. If a function of the application or an element
 * does not return in time, the session ends later in the background, see cps_session_abandoned(). A cps_session_next()
 * that waits on another thread returns with %CPS_SESSION_ERROR_CLOSED, and so does any later call. Any thread may call
 * this, at any time and more than once, except from the functions that the session calls, because it waits for them to
 * return. Does nothing with %NULL or in a fork.
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
 * Closes the session and frees it; tensors stay valid. No other thread may be using the session, not even in
 * cps_session_next(): call cps_session_close() first and wait for that thread. Both calls together take at most a
 * second. Does nothing with %NULL. Does nothing in a fork, where the session leaks.
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
 * Counts the sessions of this process that were closed but did not stop within the second that cps_session_close()
 * waits. Each keeps its threads, its memory and the application's data. The application's release functions are called
 * if the blocking call returns. If the count grows, end the process and continue in another one, because a thread
 * cannot leave a function that never returns.
 *
 * Returns: the current number of abandoned sessions
 */
guint cps_session_abandoned() {
  return SessionKeeper::abandoned();
}

/**
 * cps_session_forget_functions:
 *
 * From now on no session calls a function of the application any more, release functions included. For an application
 * that ends while abandoned sessions exist and whose functions do not outlive it. Calls in progress continue.
 */
void cps_session_forget_functions() {
  cps::forget_stream_functions();
}
