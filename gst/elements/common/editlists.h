// SPDX-License-Identifier: LGPL-2.1-or-later
// Edit lists of MP4 and QuickTime files, which qtdemux (1.22 to 1.28) applies incorrectly.
#pragma once

#include "gst/bitstream/movieheader.h"
#include "gst/elements/common/elementtools.h"

namespace cps {

// Makes each demuxer that `parsebin` creates read headers as modified by open_movie_header(). Call before parsebin is
// started. Applies only to pull-mode demuxers, because qtdemux ignores most edit lists in push mode.
void take_edit_lists(GstElement *parsebin);

// Returns the edits taken from the demuxer of the stream `stream_id`, which arrives at `sinkpad`; an empty track if
// none.
MovieTrack taken_track(GstPad *sinkpad, const std::string &stream_id);

} // namespace cps
