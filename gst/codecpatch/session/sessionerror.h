// SPDX-License-Identifier: LGPL-2.1-or-later
// The errors of sessions. Internal.
#pragma once

#include "gst/codecpatch/cpssession.h"
#include "gst/common/owned.h"

#include <string>

namespace cps {

// Sets the error, unless `error` is nullptr. Returns false, so that a caller can return the result.
bool set_session_error(GError **error, CpsSessionError code, const std::string &sentence);

// The session error code for an element's error.
CpsSessionError session_error_code(const GError &error);

// Sets `error` to `cause` in the domain of sessions, with the name of the source before its message.
void wrap_session_error(GError **error, const std::string &source, const GError &cause);

} // namespace cps
