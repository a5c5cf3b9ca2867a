// SPDX-License-Identifier: LGPL-2.1-or-later
// One time line for the frames of a stream, from whatever stamps its container gives.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cps {

constexpr int64_t kUntimed = INT64_MIN;

// What is known of a frame, in ns of stream time; kUntimed where nothing is.
struct FrameStamps {
  int64_t presentation;
  int64_t decode;
  uint32_t unit; // its place in decode order
};

// The presentation time of each of `frames`, which are in display order; none goes back. Empty where nothing is known,
// or with a sentence in `error` where the stamps contradict the order of the frames.
//
// - A frame that has a presentation time keeps it. A few that do not fit between their neighbours' count as none.
// - Times that follow decode order where display order is another are decode times: raw streams and AVI have such.
// - The others lie between the stamped ones as the decode times do, put into display order; where a frame lacks even
//   that, evenly, `interval` apart (0: unknown) before the first and behind the last.
std::vector<int64_t> time_frames(std::vector<FrameStamps> frames, int64_t interval, std::string &error);

} // namespace cps
