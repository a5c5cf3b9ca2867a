// SPDX-License-Identifier: LGPL-2.1-or-later
// Edit lists of MP4 and QuickTime files, which qtdemux (1.22 to 1.28) does not apply as they are meant.
#pragma once

#include "gst/bitstream/movieheader.h"
#include "gst/elements/common/elementtools.h"

namespace cps {

// Has the demuxers that appear in `parsebin` read headers as open_movie_header() leaves them. To be called before it is
// started. Only where the demuxer pulls: one that is pushed to has no use for most edit lists.
void take_edit_lists(GstElement *parsebin);

// What was taken from the demuxer of the stream `stream_id` that comes to `sinkpad`; an empty track where nothing was.
MovieTrack taken_track(GstPad *sinkpad, const std::string &stream_id);

} // namespace cps
