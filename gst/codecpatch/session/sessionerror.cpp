// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/codecpatch/session/sessionerror.h"

/**
 * cps_session_error_quark:
 *
 * Returns: the domain of the errors of sessions
 */
GQuark cps_session_error_quark() {
  // Looked up once, because in a fork the quark table may stay locked.
  static const GQuark quark = g_quark_from_static_string("cps-session-error-quark");
  return quark;
}

namespace cps {

bool set_session_error(GError **error, CpsSessionError code, const std::string &sentence) {
  g_set_error_literal(error, CPS_SESSION_ERROR, code, sentence.c_str());
  return false;
}

static CpsSessionError resource_error_code(gint code) {
  switch (code) {
  case GST_RESOURCE_ERROR_NO_SPACE_LEFT:
    return CPS_SESSION_ERROR_MEMORY;
  case GST_RESOURCE_ERROR_SETTINGS:
    return CPS_SESSION_ERROR_OPTION;
  case GST_RESOURCE_ERROR_NOT_FOUND:
  case GST_RESOURCE_ERROR_BUSY:
  case GST_RESOURCE_ERROR_OPEN_READ:
  case GST_RESOURCE_ERROR_OPEN_READ_WRITE:
  case GST_RESOURCE_ERROR_CLOSE:
  case GST_RESOURCE_ERROR_READ:
  case GST_RESOURCE_ERROR_SEEK:
  case GST_RESOURCE_ERROR_SYNC:
  case GST_RESOURCE_ERROR_NOT_AUTHORIZED:
    return CPS_SESSION_ERROR_SOURCE;
  default:
    return CPS_SESSION_ERROR_FAILED;
  }
}

static CpsSessionError library_error_code(gint code) {
  switch (code) {
  case GST_LIBRARY_ERROR_INIT:
    return CPS_SESSION_ERROR_BACKEND;
  case GST_LIBRARY_ERROR_SETTINGS:
    return CPS_SESSION_ERROR_OPTION;
  default:
    return CPS_SESSION_ERROR_FAILED;
  }
}

CpsSessionError session_error_code(const GError &error) {
  if (error.domain == CPS_SESSION_ERROR)
    return static_cast<CpsSessionError>(error.code);
  if (error.domain == GST_RESOURCE_ERROR)
    return resource_error_code(error.code);
  if (error.domain == GST_LIBRARY_ERROR)
    return library_error_code(error.code);
  if (error.domain == GST_STREAM_ERROR)
    return CPS_SESSION_ERROR_STREAM;
  if (g_error_matches(&error, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN))
    return CPS_SESSION_ERROR_SETUP;
  return CPS_SESSION_ERROR_FAILED;
}

void wrap_session_error(GError **error, const std::string &source, const GError &cause) {
  set_session_error(error, session_error_code(cause), source + ": " + cause.message);
}

} // namespace cps

/**
 * cps_error_get_code:
 * @error: an error of domain %CPS_SESSION_ERROR
 *
 * For bindings that do not know the layout of #GError.
 *
 * Returns: its #CpsSessionError
 */
gint cps_error_get_code(const GError *error) {
  g_return_val_if_fail(error, CPS_SESSION_ERROR_FAILED);
  return error->code;
}

/**
 * cps_error_get_message:
 * @error: an error
 *
 * For bindings that do not know the layout of #GError.
 *
 * Returns: its message in UTF-8, valid as long as @error
 */
const gchar *cps_error_get_message(const GError *error) {
  g_return_val_if_fail(error, "");
  return error->message;
}

/**
 * cps_error_free:
 * @error: (nullable) (transfer full): an error that a function of this library has set
 *
 * Calls g_error_free(), for bindings without GLib. Does nothing with %NULL.
 */
void cps_error_free(GError *error) {
  g_clear_error(&error);
}

/**
 * cps_free:
 * @memory: (nullable) (transfer full): text that a function of this library has returned with ownership
 *
 * Calls g_free(), for bindings without GLib. Does nothing with %NULL.
 */
void cps_free(gpointer memory) {
  g_free(memory);
}
