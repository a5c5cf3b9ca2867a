// SPDX-License-Identifier: LGPL-2.1-or-later
// GStreamer in this process: the first session starts it, and it cannot be used in a fork. Internal.
#pragma once

#include <glib.h>

namespace cps {

// True if this process is a fork of one that has run a session. Such a process must not use GStreamer, because
// GStreamer's threads are gone and its locks may stay locked. Takes no lock itself.
bool is_forked();

// Sets the error and returns false in such a fork.
bool check_fork(GError **error);

// Initialises GStreamer and finds the plugin's elements, unless an earlier session has done so. Sets the error and
// returns false on failure.
bool start_gstreamer(GError **error);

} // namespace cps
