// SPDX-License-Identifier: LGPL-2.1-or-later
// The header of MP4 and QuickTime files: edit lists, and durations that would cut off pictures.
#pragma once

#include <gst/gst.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace cps {

// A part of a track that is shown. `start` and `stop`, which is exclusive, are composition times as qtdemux stamps
// them.
struct Edit {
  GstClockTime start;
  GstClockTime stop; // GST_CLOCK_TIME_NONE: the end of the track
  GstClockTime time; // stream time at which `start` is shown
};

struct MovieTrack {
  uint32_t id = 0;
  GstClockTime end = GST_CLOCK_TIME_NONE; // stream time at which its last sample ends; not known of fragments
  bool shows_all = false;                 // no sample of it is cut off
  std::vector<Edit> edits;                // what the demuxer no longer knows of; empty: its segments tell
};

// Reads a whole "moov" box, and makes its tracks of video harmless to qtdemux, which (1.22 to 1.28) ends a track by
// decode time or at a rounded duration, and loses pictures where an edit begins at one that is no key frame.
//
// - Durations that end before the last sample does are extended.
// - An edit list that shows every sample stays, without an end.
// - Any other is renamed to "free", and returned: whoever counts pictures has to apply it.
//
// Which samples are shown follows FFmpeg (mov_fix_index() in libavformat/mov.c): those whose composition time is in an
// edit. A sample that several edits show is shown by the first. Boxes that cannot be understood are left alone.
std::vector<MovieTrack> open_movie_header(uint8_t *data, size_t size);

// The track that a "sidx" box is about, and where the fragments end that it lists. An id of 0 where it is no such box.
MovieTrack read_segment_index(const uint8_t *data, size_t size);

} // namespace cps
