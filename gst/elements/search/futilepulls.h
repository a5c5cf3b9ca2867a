// SPDX-License-Identifier: LGPL-2.1-or-later
// Pulls that lead to nothing.
#pragma once

#include "gst/elements/common/elementtools.h"

#include <functional>

namespace cps {

// qtdemux (1.22) goes round between two tables of fragments of which one leads to the other. Whoever pulls from
// `source` without end, and only what it has had, gets an error instead, for as long as `is_searching` says that there
// is no video yet: after that, reading again is what seeks are for.
void stop_futile_pulls(GstPad *source, std::function<bool()> is_searching);

// Has whoever is behind `source` take what is pushed. filesrc (1.22) offers to be pulled from whatever the file is,
// finds then that it cannot seek, and opens it anew: the writer of a pipe has gone by then.
void refuse_pulls(GstPad *source);

} // namespace cps
