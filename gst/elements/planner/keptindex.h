// SPDX-License-Identifier: LGPL-2.1-or-later
// The index of a stream as a CpsIndex, which outlives the planner.
#pragma once

#include "gst/bitstream/streamindex.h"
#include "gst/elements/common/elementtools.h"

namespace cps {

// Makes a CpsIndex of a finished index. `sinkpad`: of the planner, with the stream's events. `nominal_fps`: from the
// caps, 0 if unset.
Owned<CpsIndex> keep_index(const StreamIndex &index, GstPad *sinkpad, double nominal_fps);

// Replaces `index` by the one that has been kept. Returns false if that was made by another version; `index` is then
// empty.
bool load_index(const CpsIndex &kept, StreamIndex &index);

} // namespace cps
