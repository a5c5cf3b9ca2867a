// SPDX-License-Identifier: LGPL-2.1-or-later
// Errors that parsebin suppresses.
#pragma once

#include "gst/elements/common/elementtools.h"

namespace cps {

// parsebin suppresses errors from an element that it is still trying out. A pull-mode demuxer already streams at that
// time, so a real stream error is suppressed too and the pipeline hangs. This re-posts such errors. Call before
// `parsebin` is started.
void forward_swallowed_errors(GstElement *parsebin);

// The bin must call this for every error from the parsebin.
void attribute_error(GstMessage *message);

} // namespace cps
