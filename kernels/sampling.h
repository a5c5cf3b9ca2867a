// SPDX-License-Identifier: LGPL-2.1-or-later
// docs/spec.md#sampling: which pictures of a stream make up a sequence.
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
  int32_t rate_num = 0; // rate: pictures per second as a fraction, 0 is off
  int32_t rate_den = 1;
  uint32_t max_frames = 0; // rate: more than this are sampled uniformly instead, 0 is no limit
};

// Resolves `plan` to display-order indices, one per position of the sequence.
//
// `times` is the stream time in ns of each of the stream's pictures in display order; it is read only by plans that
// have a section or a rate. kNoTime entries belong to no section. Returns false with a sentence that names the
// option at fault in `error` when the plan cannot be met; `ids` is empty then.
bool resolve_sampling(const SamplingPlan &plan, uint64_t total, const std::vector<uint64_t> &times,
                      std::vector<uint64_t> &ids, std::string &error);

// True where `plan` needs the `times` of resolve_sampling().
bool sampling_needs_times(const SamplingPlan &plan);

} // namespace cps
