// SPDX-License-Identifier: LGPL-2.1-or-later
// Clips of 3 s in containers that seek, and sections of them.
#pragma once

#include "tests/pipelines/clips.h"

namespace pipes {

constexpr int kCount = 75;
constexpr int kLength = 4; // of sequences

// In files below some 64 KiB tsdemux says that it cannot seek.
constexpr int kLarge = 480;

struct Container {
  const char *muxer, *demuxer; // "" for a raw stream
  int width, height;
};
constexpr Container kContainers[] = {{"mp4mux", "qtdemux", kClipWidth, kClipHeight},
                                     {"matroskamux", "matroskademux", kClipWidth, kClipHeight},
                                     {"mpegtsmux", "tsdemux", kLarge, kLarge},
                                     {"", "", kClipWidth, kClipHeight}};

// What to play, [start, stop).
struct Section {
  GstClockTime start, stop;

  // The frames to sample of it, where the first is at `first`.
  std::vector<int> frames(GstClockTime first = 0) const {
    std::vector<int> all;
    for (int i = 0; i < kCount; i++) {
      const GstClockTime time = first + static_cast<GstClockTime>(i) * GST_SECOND / kClipRate;
      if (time >= start && time < stop)
        all.push_back(i);
    }
    return spread(all, kLength);
  }

  // The same as tsdemux has it, to compare `numbers` with: a section that begins before the first frame begins with it,
  // its times shifted, save where tsdemux is told to seek twice in a row.
  std::vector<int> frames_like(const std::vector<int> &numbers, GstClockTime first) const {
    std::vector<int> unshifted = frames(first);
    return numbers == unshifted ? unshifted : frames(std::min(start, first));
  }
};

inline Owned<GstEvent> seek_event(const Section &section, int flags = GST_SEEK_FLAG_ACCURATE) {
  const gint64 stop = GST_CLOCK_TIME_IS_VALID(section.stop) ? static_cast<gint64>(section.stop) : -1;
  return Owned<GstEvent>(gst_event_new_seek(1.0, GST_FORMAT_TIME,
                                            static_cast<GstSeekFlags>(GST_SEEK_FLAG_FLUSH | flags), GST_SEEK_TYPE_SET,
                                            static_cast<gint64>(section.start), GST_SEEK_TYPE_SET, stop));
}

} // namespace pipes
