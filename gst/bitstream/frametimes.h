// SPDX-License-Identifier: LGPL-2.1-or-later
// Computes the presentation times of a stream's frames from the time stamps of its container.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cps {

constexpr int64_t kUntimed = INT64_MIN;

// The known times of a frame, in ns of stream time; kUntimed if unknown.
struct FrameStamps {
  int64_t presentation;
  int64_t decode;
  uint32_t unit; // position in decode order
};

// Returns the presentation time of each of `frames`, which are in display order; times never decrease. Returns an empty
// vector if nothing is known or, with a sentence in `error`, if the stamps contradict the order of the frames.
//
// - A frame with a presentation time keeps it. A few stamps that do not fit between their neighbours' are ignored.
// - If time stamps increase in decode order although display order differs, they are decode times (as in raw streams
//   and AVI).
// - The other frames lie between the stamped ones like the sorted decode times. If a frame has no decode time either,
//   frames are evenly spaced; before the first and after the last stamped frame `interval` apart (0: unknown).
std::vector<int64_t> time_frames(std::vector<FrameStamps> frames, int64_t interval, std::string &error);

} // namespace cps
