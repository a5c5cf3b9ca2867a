// SPDX-License-Identifier: LGPL-2.1-or-later
// Queries about the upstream of a pad.
#pragma once

#include "gst/elements/common/elementtools.h"

#include <string>

namespace cps {

// True if the source of the stream is live.
bool is_live(GstPad *sinkpad);

// Whether the whole stream can be read before its consumers start, and then read again.
enum class Rewindability {
  No,    // seeks slowly, is live, or also feeds another branch, which would make us wait forever
  Maybe, // the source seeks, but an element after it reports that it does not: some demuxers are wrong about short
         // files
  Yes,
};

// Unless the result is Yes, `reason` is set to half a sentence.
Rewindability can_rewind(GstPad *sinkpad, std::string &reason);

// The demuxer pad that feeds `output`; nullptr without a demuxer.
Owned<GstPad> demuxer_pad(GstPad *output);

// The demuxer of the stream; nullptr if there is none.
Owned<GstElement> find_demuxer(GstPad *sinkpad);

// True if the demuxer before `sinkpad` finds the position of a seek in a table of the file, at once and exactly.
bool seeks_by_table(GstPad *sinkpad);

// True if segments of this input cut off pictures of the stream. qtdemux derives its segments from edit lists; the
// segments of other demuxers merely begin and end at the first and last time stamps that they saw.
bool segments_cut(GstPad *sinkpad);

// Duration that the container declares for its only stream. GST_CLOCK_TIME_NONE without a container, or if it has
// several streams, because containers do not declare a duration for each stream.
GstClockTime declared_duration(GstPad *sinkpad);

// Size of the source that feeds `output`; G_MAXUINT64 if unknown.
guint64 source_bytes(GstPad *output);

} // namespace cps
