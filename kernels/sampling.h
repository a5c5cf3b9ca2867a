// SPDX-License-Identifier: LGPL-2.1-or-later
// docs/spec.md#sampling: selects the pictures of a sequence.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cps {

constexpr uint64_t kNoTime = UINT64_MAX;
constexpr uint32_t kMaxPositions = 1 << 20;        // of a sequence
constexpr uint32_t kMaxPlannedPositions = 1 << 22; // of all clips of a plan

// What to sample. The first plan that is set wins: frame_ids, then rate, then uniform. With windows, rate and uniform
// sample each window as if it were a section.
struct SamplingPlan {
  uint32_t sequence_length = 16;  // uniform: positions of the sequence
  std::vector<int64_t> frame_ids; // explicit: order and repeats are kept
  uint64_t start = kNoTime;       // section of stream time in ns, [start, stop)
  uint64_t stop = kNoTime;
  int32_t rate_num = 0; // rate: pictures per second as a fraction, 0 disables it
  int32_t rate_den = 1;
  uint32_t max_frames = 0;  // rate: larger results are sampled uniformly instead, 0 is no limit
  uint64_t window = 0;      // length in ns of the windows of the section, 0: the section is not divided
  uint64_t hop = 0;         // from the start of a window to that of the next one, in ns; 0: `window`
  uint32_t clip_length = 0; // longer sequences are cut into clips of this many positions, 0: they are not cut
};

// Consecutive positions of a sampling. `start` and `stop`: the window, kNoTime if there are no windows.
struct SampledClip {
  size_t first = 0;
  uint32_t length = 0;
  uint64_t start = kNoTime;
  uint64_t stop = kNoTime;
};

struct Sampling {
  std::vector<uint64_t> ids;      // display-order indices, one per position
  std::vector<SampledClip> clips; // together they have all positions
};

// Resolves `plan`. Windows begin at `plan.start`, or at the first picture, and end at `plan.stop` at the latest; those
// without a picture are left out.
//
// `times` is the stream time in ns of each of the stream's pictures in display order; only plans with a section or a
// rate or windows read it. kNoTime entries belong to no section. If the plan cannot be satisfied, returns false, with a
// sentence in `error` that names the invalid option; `sampling` is then empty.
bool resolve_sampling(const SamplingPlan &plan, uint64_t total, const std::vector<uint64_t> &times, Sampling &sampling,
                      std::string &error);

// Returns a sentence that names an option whose value is invalid for every stream, "" if there is none.
std::string check_sampling(const SamplingPlan &plan);

// True if `plan` has a rate, which may be invalid.
bool samples_by_rate(const SamplingPlan &plan);

// True if `plan` needs the `times` of resolve_sampling().
bool sampling_needs_times(const SamplingPlan &plan);

} // namespace cps
