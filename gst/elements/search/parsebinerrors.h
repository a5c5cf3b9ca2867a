// SPDX-License-Identifier: LGPL-2.1-or-later
// Errors that parsebin keeps to itself.
#pragma once

#include "gst/elements/common/elementtools.h"

namespace cps {

// While parsebin sets up an element it drops that one's errors, for it may try another. Where the element has a thread
// of its own, as a demuxer that pulls, an error of the stream goes the same way, and nobody learns that it has ended.
// This passes such errors on: to be called before `parsebin` is started.
void forward_swallowed_errors(GstElement *parsebin);

// Every error that comes from the parsebin has to be noted by the bin it is in.
void attribute_error(GstMessage *message);

} // namespace cps
