// SPDX-License-Identifier: LGPL-2.1-or-later
// docs/spec.md#replenishment: scores of patches on the device, once per clip. replenishment.cpp is the CPU version.
#include "kernels/device.h"
#include "kernels/kernelargs.h"
#include "kernels/placescores.h"
#include "kernels/ranking.h"

#include <cub/block/block_reduce.cuh>

namespace cps {

struct Droppable {
  int64_t gain;
  int frame;
};

struct PlaceShared {
  using Sum = cub::BlockReduce<int64_t, kReplenishThreads>;
  using First = cub::BlockReduce<Droppable, kReplenishThreads>;
  union {
    typename Sum::TempStorage sum;
    typename First::TempStorage first;
  };
  int64_t result;
};

// The team of score_place() on the device: a block.
class PlaceTeam {
public:
  __device__ PlaceTeam(const ReplenishArgs &args, PlaceShared &shared)
      : args_(args), shared_(shared), side_(args.blocks ? 2 * args.patch : args.patch),
        samples_(args.planes * side_ * side_), plane_(static_cast<int64_t>(args.target.width) * args.target.height),
        frame_(args.planes * plane_) {
    const int columns = args.target.width / side_, place = static_cast<int>(blockIdx.x);
    origin_ = args.frames.pixels + static_cast<int64_t>(place / columns * side_) * args.target.width +
              place % columns * side_;
  }

  __device__ int samples() const { return samples_; }

  __device__ int64_t distance_sum(int a, int begin, int end) {
    int64_t sum = 0;
    for (int i = static_cast<int>(threadIdx.x); i < samples_; i += kReplenishThreads) {
      const uint16_t *const sample = origin_ + offset(i);
      const int from = code_value(sample[a * frame_]);
      for (int frame = begin; frame < end; ++frame)
        sum += squared(from - code_value(sample[frame * frame_]));
    }
    return total(sum);
  }

  __device__ int64_t distance_to_grey() {
    int64_t sum = 0;
    for (int i = static_cast<int>(threadIdx.x); i < samples_; i += kReplenishThreads)
      sum += squared(code_value(origin_[offset(i)]) - kCodeGrey);
    return total(sum);
  }

  __device__ int first_to_drop(const int64_t *gains) {
    const auto earlier = [](const Droppable &a, const Droppable &b) {
      return drops_before(a.gain, a.frame, b.gain, b.frame) ? a : b;
    };
    Droppable found = {kDroppedGain, -1}; // after every frame
    for (int frame = 1 + static_cast<int>(threadIdx.x); frame < args_.length; frame += kReplenishThreads)
      found = earlier(found, {gains[frame], frame});
    return static_cast<int>(to_all(PlaceShared::First(shared_.first).Reduce(found, earlier).frame));
  }

  __device__ void sync() const { __syncthreads(); }
  __device__ bool leads() const { return threadIdx.x == 0; }

private:
  // Of a sample of the place from its first, in one frame.
  __device__ int64_t offset(int sample) const {
    const int row = sample / side_, plane = row / side_;
    return plane * plane_ + static_cast<int64_t>(row - plane * side_) * args_.target.width + (sample - row * side_);
  }

  __device__ int64_t total(int64_t sum) { return to_all(PlaceShared::Sum(shared_.sum).Sum(sum)); }

  // Gives all threads the result that the first one has.
  __device__ int64_t to_all(int64_t result) {
    if (threadIdx.x == 0)
      shared_.result = result;
    __syncthreads();
    result = shared_.result;
    __syncthreads();
    return result;
  }

  const ReplenishArgs &args_;
  PlaceShared &shared_;
  int side_, samples_;
  int64_t plane_, frame_; // samples
  const uint16_t *origin_;
};

} // namespace cps

CPS_KERNEL(cps_replenish, cps::ReplenishArgs, cps::kReplenishThreads) {
  using namespace cps;
  __shared__ PlaceShared shared;
  PlaceTeam team(args, shared);
  const int64_t scratch = static_cast<int64_t>(blockIdx.x) * args.length;
  score_place(team, args.length, args.kept + scratch, args.gains + scratch, [&](int frame, int64_t score) {
    write_unit_score(replenishment_score(score, team.samples()), static_cast<int64_t>(frame) * gridDim.x + blockIdx.x,
                     args.blocks, args.grid_width, args.frames.scores);
  });
}
