// SPDX-License-Identifier: LGPL-2.1-or-later
// Which frames to sample, of any plan for any stream.
#include "kernels/sampling.h"
#include "tests/fuzz/input.h"

#include <algorithm>

namespace {

cps::SamplingPlan take_plan(fuzz::Input &input) {
  cps::SamplingPlan plan;
  plan.sequence_length = input.number<uint32_t>();
  for (size_t count = input.between<size_t>(0, 20); count > 0; count--)
    plan.frame_ids.push_back(input.number<int64_t>());
  plan.start = input.number<uint64_t>();
  plan.stop = input.number<uint64_t>();
  plan.rate_num = input.number<int32_t>();
  plan.rate_den = input.number<int32_t>();
  plan.max_frames = input.number<uint32_t>();
  plan.window = input.number<uint64_t>();
  plan.hop = input.number<uint64_t>();
  plan.clip_length = input.number<uint32_t>();
  return plan;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz::Input input(data, size);
  const cps::SamplingPlan plan = take_plan(input);
  const uint64_t total = input.flag() ? input.number<uint64_t>() : input.number<uint8_t>();
  std::vector<uint64_t> times;
  for (uint64_t i = 0; i < std::min<uint64_t>(total, 300) && !input.at_end(); i++)
    times.push_back(input.number<uint64_t>());
  if (times.size() == total && input.flag())
    std::sort(times.begin(), times.end());
  if (times.size() != total)
    times.clear(); // not known
  cps::Sampling sampling;
  std::string error;
  if (!cps::resolve_sampling(plan, total, times, sampling, error)) {
    REQUIRE(!error.empty() && sampling.ids.empty() && sampling.clips.empty());
    return 0;
  }
  const std::vector<uint64_t> &ids = sampling.ids;
  REQUIRE(!ids.empty() && ids.size() <= cps::kMaxPlannedPositions);
  REQUIRE(std::all_of(ids.begin(), ids.end(), [total](uint64_t id) { return id < total; }));
  size_t first = 0;
  for (const cps::SampledClip &clip : sampling.clips) {
    REQUIRE(clip.first == first && clip.length > 0 && clip.length <= cps::kMaxPositions);
    first += clip.length;
  }
  REQUIRE(first == ids.size());
  return 0;
}
