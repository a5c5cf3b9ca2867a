/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/codecpatch/codecpatch-prelude.h>
#include <gst/codecpatch/cpsclip.h>
#include <gst/codecpatch/cpsdlpack.h>

G_BEGIN_DECLS

/* From a video to tensors, with one call per clip, without a main loop and without knowledge of GStreamer:
 *
 *   const char *options[] = {"sequence-length", "16", "k-keep", "2048", NULL};
 *   CpsSession *session = cps_session_open_path("v.mp4", options, &error);
 *   CpsTensors *clip = session ? cps_session_next(session, &error) : NULL;
 *   DLManagedTensor *patches = clip ? cps_tensors_to_dlpack(clip, "patches", &error) : NULL;
 *   ...
 *   cps_tensors_free(clip);
 *   cps_session_free(session);
 *
 * The functions and types suit foreign function interfaces: no struct layouts, no macros. The caller owns all returned
 * tensors and DLPack structs; these stay valid after the session has been freed, and any thread may free them. */

/**
 * CPS_SESSION_ERROR:
 *
 * Domain of the errors of sessions, with codes of #CpsSessionError. The message is a sentence that begins with the name
 * of the source.
 */
#define CPS_SESSION_ERROR (cps_session_error_quark())

/**
 * CpsSessionError:
 * @CPS_SESSION_ERROR_FAILED: any other error
 * @CPS_SESSION_ERROR_OPTION: an option does not exist, has an invalid value, or conflicts with another option
 * @CPS_SESSION_ERROR_SOURCE: the source cannot be opened or read
 * @CPS_SESSION_ERROR_STREAM: the source has no video, the video is damaged, or no installed decoder supports it
 * @CPS_SESSION_ERROR_BACKEND: the requested backend is not available
 * @CPS_SESSION_ERROR_MEMORY: the machine or the GPU has not enough memory
 * @CPS_SESSION_ERROR_CLOSED: the session has been closed
 * @CPS_SESSION_ERROR_FORKED: this process is a fork of one that has run a session; start it with exec ("spawn")
 * @CPS_SESSION_ERROR_SETUP: GStreamer, the plugin, or a plugin that it needs is missing or too old
 * @CPS_SESSION_ERROR_TIMEOUT: the time limit that the message names, `timeout` or `stall-timeout`, has been exceeded
 *
 * The kinds of errors. Codes are not renumbered; new ones may be added.
 */
typedef enum {
  CPS_SESSION_ERROR_FAILED = 0,
  CPS_SESSION_ERROR_OPTION = 1,
  CPS_SESSION_ERROR_SOURCE = 2,
  CPS_SESSION_ERROR_STREAM = 3,
  CPS_SESSION_ERROR_BACKEND = 4,
  CPS_SESSION_ERROR_MEMORY = 5,
  CPS_SESSION_ERROR_CLOSED = 6,
  CPS_SESSION_ERROR_FORKED = 7,
  CPS_SESSION_ERROR_SETUP = 8,
  CPS_SESSION_ERROR_TIMEOUT = 9,
} CpsSessionError;

CPS_API GQuark cps_session_error_quark(void);

/**
 * CpsSession:
 *
 * A video that is being read. Sessions share nothing, so different threads may use different sessions. Only one thread
 * at a time may call cps_session_next() on a session; any thread may call cps_session_close() meanwhile.
 *
 * Every wait is bounded. The options `stall-timeout` (30 s by default) and `timeout` (off by default) limit the time
 * that the source may take. cps_session_close() and cps_session_free() return within a second: a thread waits for
 * everything that has not stopped by then and frees it, see cps_session_abandoned().
 *
 * A signal does not end a wait. A program that handles signals in the waiting thread must wait in slices and check for
 * signals in between: with the option `background` and cps_session_wait_open(), then cps_session_wait_next().
 */
typedef struct _CpsSession CpsSession;

/**
 * CpsTensors:
 *
 * The tensors and the metadata of one clip. Immutable.
 */
typedef struct _CpsTensors CpsTensors;

/**
 * CpsReadFunc:
 * @user_data: as passed to cps_session_open_stream()
 * @data: destination of the bytes
 * @size: the most bytes to read, at least 1
 *
 * Reads from the current position. Called from one thread at a time, but not always from the same thread. After a
 * failure, or once the session has been closed, neither this function nor the #CpsSeekFunc is called again. A call in
 * progress may still return much later, so its data must stay valid until the stream is released.
 *
 * Returns: the number of bytes read, 0 at the end, -1 on failure
 */
typedef gssize (*CpsReadFunc)(gpointer user_data, gpointer data, gsize size);

/**
 * CpsSeekFunc:
 * @user_data: as passed to cps_session_open_stream()
 * @offset: the new position in bytes, relative to @whence
 * @whence: origin of @offset: `SEEK_SET`, `SEEK_CUR` or `SEEK_END` of stdio.h
 *
 * Moves the position, as lseek() does. A call with (0, `SEEK_END`) gets the size. The first call, with (0, `SEEK_SET`),
 * tests if the stream can seek.
 *
 * Returns: the new position from the beginning, -1 on failure
 */
typedef gint64 (*CpsSeekFunc)(gpointer user_data, gint64 offset, gint whence);

CPS_API CpsSession *cps_session_open_path(const gchar *path, const gchar *const *options, GError **error);
CPS_API CpsSession *cps_session_open_uri(const gchar *uri, const gchar *const *options, GError **error);
CPS_API CpsSession *cps_session_open_bytes(gconstpointer data, gsize size, GDestroyNotify release, gpointer user_data,
                                           const gchar *name, const gchar *const *options, GError **error);
CPS_API CpsSession *cps_session_open_stream(CpsReadFunc read, CpsSeekFunc seek, GDestroyNotify release,
                                            gpointer user_data, const gchar *name, const gchar *const *options,
                                            GError **error);
CPS_API gint cps_session_wait_open(CpsSession *session, guint milliseconds, GError **error);
CPS_API gboolean cps_session_wait_next(CpsSession *session, guint milliseconds);
CPS_API CpsTensors *cps_session_next(CpsSession *session, GError **error);
CPS_API gchar *cps_session_get(CpsSession *session, const gchar *name);
CPS_API gchar *cps_session_pop_warning(CpsSession *session);
CPS_API void cps_session_interrupt(CpsSession *session);
CPS_API void cps_session_close(CpsSession *session);
CPS_API void cps_session_free(CpsSession *session);
CPS_API guint cps_session_abandoned(void);
CPS_API void cps_session_forget_functions(void);

CPS_API guint cps_tensors_get_count(const CpsTensors *tensors);
CPS_API const gchar *cps_tensors_get_name(const CpsTensors *tensors, guint index);
CPS_API const gchar *cps_tensors_get_metadata(const CpsTensors *tensors, const gchar *key);
CPS_API void cps_tensors_foreach_metadata(const CpsTensors *tensors, CpsClipMetadataFunc func, gpointer user_data);
CPS_API struct DLManagedTensor *cps_tensors_to_dlpack(const CpsTensors *tensors, const gchar *name, GError **error);
CPS_API struct DLManagedTensorVersioned *cps_tensors_to_dlpack_versioned(const CpsTensors *tensors, const gchar *name,
                                                                         GError **error);
CPS_API GstBuffer *cps_tensors_get_buffer(const CpsTensors *tensors);
CPS_API void cps_tensors_free(CpsTensors *tensors);

/* For bindings that have no GLib of their own. */
CPS_API gint cps_error_get_code(const GError *error);
CPS_API const gchar *cps_error_get_message(const GError *error);
CPS_API void cps_error_free(GError *error);
CPS_API void cps_free(gpointer memory);

G_END_DECLS
