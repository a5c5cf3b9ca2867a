// SPDX-License-Identifier: LGPL-2.1-or-later
// The errors of sessions. Internal.
#pragma once

#include "gst/codecpatch/cpssession.h"
#include "gst/common/owned.h"

#include <string>

namespace cps {

// Sets the error, unless the caller wants none; false, for a caller to return.
bool set_session_error(GError **error, CpsSessionError code, const std::string &sentence);

// What an element's error is to who uses a session.
CpsSessionError session_error_code(const GError &error);

// Passes on `cause` with the name of the source before it, in the domain of sessions.
void wrap_session_error(GError **error, const std::string &source, const GError &cause);

} // namespace cps
