// SPDX-License-Identifier: LGPL-2.1-or-later
// The header of MP4 and QuickTime files: edit lists, and durations that would cut off pictures.
#pragma once

#include <gst/gst.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace cps {

// A shown part of a track. `start` and `stop` (exclusive) are composition times as stamped by qtdemux.
struct Edit {
  GstClockTime start;
  GstClockTime stop; // GST_CLOCK_TIME_NONE: the end of the track
  GstClockTime time; // stream time at which `start` is shown
};

struct MovieTrack {
  uint32_t id = 0;
  GstClockTime end = GST_CLOCK_TIME_NONE; // stream time of the end of its last sample; unknown for fragments
  bool shows_all = false;                 // no sample is cut off
  std::vector<Edit> edits;                // the edits removed from the header; empty: the demuxer's segments apply
};

// Reads a complete "moov" box and modifies its video tracks so that qtdemux shows all pictures. Needed because qtdemux
// (1.22 to 1.28) ends a track by decode time or at a rounded duration, and loses pictures if an edit does not begin at
// a key frame.
//
// - A duration that ends before the last sample is extended.
// - An edit list that shows every sample is kept, but made open-ended.
// - Any other edit list is renamed to "free" and returned; the code that counts pictures must apply it.
//
// As in FFmpeg (mov_fix_index() in libavformat/mov.c), a sample is shown if its composition time is in an edit. If
// several edits contain it, the first one applies. Boxes that cannot be parsed are left unchanged.
std::vector<MovieTrack> open_movie_header(uint8_t *data, size_t size);

// The track that a "sidx" box describes, and the end of the fragments that the box lists. The id is 0 for any other
// box.
MovieTrack read_segment_index(const uint8_t *data, size_t size);

} // namespace cps
