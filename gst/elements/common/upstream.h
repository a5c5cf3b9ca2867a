// SPDX-License-Identifier: LGPL-2.1-or-later
// What a pad is fed by.
#pragma once

#include "gst/elements/common/elementtools.h"

#include <string>

namespace cps {

// Whether all of a stream can be read ahead of its consumers and then once more.
enum class Rewindability {
  No,    // slow to seek, live, or feeding another branch, which would wait for us for ever
  Maybe, // the source seeks, but what is between says that it does not: some demuxers are wrong about short files
  Yes,
};

// Where the answer is not Yes, `reason` gets half a sentence.
Rewindability can_rewind(GstPad *sinkpad, std::string &reason);

// The pad of the demuxer that `output` gets its data from; nullptr without one.
Owned<GstPad> demuxer_pad(GstPad *output);

// The demuxer that the stream comes from, nullptr where there is none.
Owned<GstElement> find_demuxer(GstPad *sinkpad);

// Do segments of this input cut off pictures that the stream has? Those of qtdemux come of edit lists; those of other
// demuxers begin and end where they first or last saw a time stamp.
bool segments_cut(GstPad *sinkpad);

// How long the container says that its only stream is; GST_CLOCK_TIME_NONE without a container, or where it has more
// streams, whose lengths it does not tell apart.
GstClockTime declared_duration(GstPad *sinkpad);

// Size of what the stream behind `output` is read from; G_MAXUINT64 where nobody tells.
guint64 source_bytes(GstPad *output);

} // namespace cps
