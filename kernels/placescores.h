// SPDX-License-Identifier: LGPL-2.1-or-later
// docs/spec.md#replenishment: the scores of the units of one place, shared by the CPU and CUDA.
#pragma once

#include "kernels/arith.h"

#include <cstdint>

namespace cps {

constexpr int kCodeGrey = 128; // what a place shows before anything was sent

// A stored sample, in 1/256 of a code value, as a code value, rounded half up: 0 to 256, because sources of more than 8
// bits have samples between 255 and 256.
CPS_HD inline int16_t code_value(uint16_t stored) {
  return static_cast<int16_t>((stored + 128u) >> 8);
}

CPS_HD inline int64_t squared(int difference) {
  return static_cast<int64_t>(difference) * difference;
}

// Of a frame that is kept: its neighbours among those that are kept, the error of showing it until the next one, and of
// showing the one before until the next one.
struct KeptFrame {
  int32_t previous, next;
  int64_t own, without;
};

constexpr int64_t kDroppedGain = INT64_MAX; // of a frame that is not kept; above every gain

// The gain of `a` and of `b` decide which frame is dropped first: the least gain, of equal gains the larger number.
CPS_HD inline bool drops_before(int64_t gain_a, int a, int64_t gain_b, int b) {
  return gain_a != gain_b ? gain_a < gain_b : a > b;
}

// The arrays have an element for each frame of the place. All threads of a team call it with the same arguments. Each
// sum of distances is extended when the neighbours of its frame are dropped, so that no distance is computed twice, and
// those between frames that are far apart only if all between them are dropped.
//
// A Team has collective functions, whose results all its threads get:
//   distance_sum(a, begin, end)   sum of d(a, t) for begin <= t < end
//   distance_to_grey()            sum of (s[0] - 128)^2
//   first_to_drop(gains)          of the frames from 1 on, by drops_before(); there is one
//   sync()                        a barrier
//   leads()                       true on one thread, which writes
// write(frame, score) is called once for each frame, on that thread.
template <typename Team, typename Write>
CPS_HD void score_place(Team &team, int frames, KeptFrame *kept, int64_t *gains, const Write &write) {
  for (int frame = 0; frame < frames; ++frame) {
    const int64_t distance = frame > 0 ? team.distance_sum(frame - 1, frame, frame + 1) : 0;
    if (team.leads()) {
      kept[frame] = {frame - 1, frame + 1, 0, distance};
      gains[frame] = distance;
    }
  }
  team.sync();
  int64_t score = -1;
  for (int left = frames; left > 1; --left) {
    const int drop = team.first_to_drop(gains);
    const int64_t gain = gains[drop], until_next = kept[drop].without;
    const int previous = kept[drop].previous, next = kept[drop].next;
    const bool first = previous == 0, last = next == frames;
    const int64_t of_next = last ? 0 : team.distance_sum(previous, next, kept[next].next);
    const int64_t of_previous = first ? 0 : team.distance_sum(kept[previous].previous, drop, next);
    score = gain > score + 1 ? gain : score + 1;
    team.sync();
    if (team.leads()) {
      write(drop, score);
      gains[drop] = kDroppedGain;
      kept[previous].own = until_next;
      kept[previous].next = next;
      if (!last) {
        kept[next].previous = previous;
        kept[next].without = until_next + of_next;
        gains[next] = of_next - kept[next].own;
      }
      if (!first) {
        kept[previous].without += of_previous;
        gains[previous] = kept[previous].without - kept[kept[previous].previous].own - until_next;
      }
    }
    team.sync();
  }
  const int64_t grey = team.distance_to_grey();
  if (team.leads())
    write(0, grey);
}

} // namespace cps
