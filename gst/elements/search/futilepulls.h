// SPDX-License-Identifier: LGPL-2.1-or-later
// Stops endless pulls.
#pragma once

#include "gst/elements/common/elementtools.h"

#include <functional>

namespace cps {

// qtdemux (1.22) loops between two fragment tables that refer to each other. An element that pulls the same data from
// `source` endlessly receives an error while `is_searching` returns true (no video found yet). Later, repeated reads
// are legitimate because the application may seek.
void stop_futile_pulls(GstPad *source, std::function<bool()> is_searching);

// Forces push mode on the peer of `source`. Needed because filesrc (1.22) offers pull mode for every file, finds that
// it cannot seek, and opens the file again: the writer of a pipe has disconnected by then.
void refuse_pulls(GstPad *source);

} // namespace cps
