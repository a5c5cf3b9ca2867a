// SPDX-License-Identifier: LGPL-2.1-or-later
// docs/spec.md#sampling: selects the pictures of a sequence.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cps {

constexpr uint64_t kNoTime = UINT64_MAX;
constexpr uint32_t kMaxPositions = 1 << 20; // of a sequence

// What to sample. The first plan that is set wins: frame_ids, then rate, then uniform.
struct SamplingPlan {
  uint32_t sequence_length = 16;  // uniform: positions of the sequence
  std::vector<int64_t> frame_ids; // explicit: order and repeats are kept
  uint64_t start = kNoTime;       // section of stream time in ns, [start, stop)
  uint64_t stop = kNoTime;
  int32_t rate_num = 0; // rate: pictures per second as a fraction, 0 disables it
  int32_t rate_den = 1;
  uint32_t max_frames = 0; // rate: larger results are sampled uniformly instead, 0 is no limit
};

// Resolves `plan` to display-order indices, one per position of the sequence.
//
// `times` is the stream time in ns of each of the stream's pictures in display order; only plans with a section or a
// rate read it. kNoTime entries belong to no section. If the plan cannot be satisfied, returns false, with a sentence
// in `error` that names the invalid option; `ids` is then empty.
bool resolve_sampling(const SamplingPlan &plan, uint64_t total, const std::vector<uint64_t> &times,
                      std::vector<uint64_t> &ids, std::string &error);

// True if `plan` needs the `times` of resolve_sampling().
bool sampling_needs_times(const SamplingPlan &plan);

} // namespace cps
