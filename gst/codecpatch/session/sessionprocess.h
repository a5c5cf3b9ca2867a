// SPDX-License-Identifier: LGPL-2.1-or-later
// GStreamer in this process: started by the first session, of no use in a fork. Internal.
#pragma once

#include <glib.h>

namespace cps {

// Is this process a fork of one that had run a session? Then the threads of GStreamer are gone and its locks may be
// held for ever, so that nothing of it may be touched. Takes no lock itself.
bool is_forked();

// False with an error where it is.
bool check_fork(GError **error);

// Initialises GStreamer and finds our elements, where the first session has not done so. False with an error where that
// cannot be.
bool start_gstreamer(GError **error);

} // namespace cps
