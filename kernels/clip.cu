// SPDX-License-Identifier: LGPL-2.1-or-later
// docs/spec.md#selection to #outputs, and #canvases, on the device, once per clip. select.cpp and pixels.cpp are the
// CPU versions.
#include "kernels/kernelargs.h"
#include "kernels/rank.cuh"
#include "kernels/ranking.h"

#include <cub/block/block_reduce.cuh>

namespace cps {

struct SelectShared {
  RankScratch<kSelectThreads> rank;
  using Positions = cub::BlockScan<uint64_t, kSelectThreads>;
  typename Positions::TempStorage positions;
  using Extremes = cub::BlockReduce<int64_t, kSelectThreads>;
  typename Extremes::TempStorage extremes;
  using Sum = cub::BlockReduce<int64_t, kSelectThreads>;
  typename Sum::TempStorage sum;
  int64_t lift, count;
};

// The units of a clip, and their frames.
class Units {
public:
  __device__ explicit Units(const SelectArgs &args)
      : args_(args), per_frame_(static_cast<int64_t>(args.grid.width) * args.grid.height / (args.blocks ? 4 : 1)) {}

  __device__ int64_t count() const { return per_frame_ * args_.length; }
  __device__ bool is_on(int64_t unit, FrameFlags flag) const {
    return (args_.frames.flags[unit / per_frame_] & flag) != 0;
  }
  __device__ bool is_preferred(int64_t unit) const {
    return args_.replenishment ? unit < per_frame_ : is_on(unit, kRandomAccessFrame);
  }
  __device__ int64_t first_patch(int64_t unit) const {
    return first_patch_of_unit(unit, args_.blocks, args_.grid.width);
  }
  __device__ const double *score(int64_t unit) const { return args_.frames.scores + first_patch(unit); }
  // Sets the flags of the frames that are favoured in a static clip. Call on one thread.
  __device__ void choose_favoured() const {
    const int64_t others = args_.length - args_.preferred_units / per_frame_;
    const int64_t chosen = favoured_count(others, args_.static_uniform_frames);
    int64_t ordinal = 0;
    for (int frame = 0; frame < args_.length; ++frame)
      if (!(args_.frames.flags[frame] & kRandomAccessFrame) && is_favoured(ordinal++, others, chosen))
        args_.frames.flags[frame] |= kFavouredFrame;
  }

private:
  const SelectArgs &args_;
  int64_t per_frame_;
};

__device__ inline void rank_units(const SelectArgs &args, const Units &units) {
  for (int64_t unit = threadIdx.x; unit < units.count(); unit += kSelectThreads) {
    const double *score = units.score(unit);
    const int64_t rank = args.replenishment ? replenishment_rank(score, args.blocks, args.grid.width)
                                            : energy_rank(score, args.blocks, args.grid.width);
    // Energies are in 0..1; out-of-range values must not cause out-of-bounds accesses.
    args.ranks[unit] = rank < 0 ? 0 : rank < args.most ? rank : args.most;
  }
  __syncthreads();
}

__device__ inline bool clip_is_static(const SelectArgs &args, const Units &units, SelectShared &shared) {
  const auto percentile = [&](double percent) {
    const auto rank = static_cast<uint32_t>(rank_index(units.count(), percent));
    const auto key_at = [&](int64_t unit) { return static_cast<uint64_t>(args.ranks[unit]); };
    return static_cast<int64_t>(rank_key(units.count(), key_at, {0, rank}, args.key_bits, shared.rank).key);
  };
  const int64_t rank95 = percentile(95.0), rank50 = percentile(50.0);
  return is_static(rank95, rank50, args.unit_pixels, args.static_abs_thresh, args.static_rel_thresh);
}

// Lifts the favoured frames above all others, except random-access frames.
__device__ inline void favour_frames(const SelectArgs &args, const Units &units, SelectShared &shared) {
  int64_t least = INT64_MAX, most = INT64_MIN;
  for (int64_t unit = threadIdx.x; unit < units.count(); unit += kSelectThreads)
    if (!units.is_on(unit, kRandomAccessFrame)) {
      least = min(least, args.ranks[unit]);
      most = max(most, args.ranks[unit]);
    }
  using Extremes = SelectShared::Extremes;
  least = Extremes(shared.extremes).Reduce(least, [](int64_t a, int64_t b) { return min(a, b); });
  __syncthreads();
  most = Extremes(shared.extremes).Reduce(most, [](int64_t a, int64_t b) { return max(a, b); });
  if (threadIdx.x == 0) {
    shared.lift = static_lift(least, most);
    units.choose_favoured();
  }
  __syncthreads();
  for (int64_t unit = threadIdx.x; unit < units.count(); unit += kSelectThreads)
    if (units.is_on(unit, kFavouredFrame))
      args.ranks[unit] += shared.lift;
  __syncthreads();
}

// Replaces ranks by keys, sorted in selection order. Preferred units come first: if there are enough of them, the other
// units have no key, else all of them have the smallest key. Units under min_score have no key. Returns the number of
// units to select.
__device__ inline int64_t make_keys(const SelectArgs &args, const Units &units, SelectShared &shared) {
  const bool enough = args.preferred_units >= args.count;
  const int64_t largest = int64_t{1} << (args.key_bits - 1);
  int64_t keys = 0;
  for (int64_t unit = threadIdx.x; unit < units.count(); unit += kSelectThreads) {
    const bool preferred = units.is_preferred(unit);
    const bool left_out =
        !preferred && (enough || (args.min_score > 0.0 &&
                                  meta_score(units.score(unit), args.blocks, args.grid.width) < args.min_score));
    args.ranks[unit] = left_out ? static_cast<int64_t>(kNoKey) : preferred == enough ? largest - args.ranks[unit] : 0;
    keys += left_out ? 0 : 1;
  }
  keys = SelectShared::Sum(shared.sum).Sum(keys);
  if (threadIdx.x == 0) {
    shared.count = min(keys, args.count);
    *args.selected_count = shared.count;
  }
  __syncthreads();
  return shared.count;
}

// Writes the selected units in ascending order. `last`: the key of the last selected unit, and the number of equal keys
// before it.
__device__ inline void write_selected(const SelectArgs &args, const Units &units, RankedKey last,
                                      SelectShared &shared) {
  uint32_t smaller_before = 0, equal_before = 0;
  for (int64_t first = 0; first < units.count(); first += kSelectThreads) {
    const int64_t unit = first + threadIdx.x;
    const uint64_t key = unit < units.count() ? static_cast<uint64_t>(args.ranks[unit]) : kNoKey;
    const bool smaller = key < last.key, equal = key == last.key;
    uint64_t here = 0, total = 0; // number of smaller keys in the lower half, of equal keys in the upper half
    SelectShared::Positions(shared.positions).ExclusiveSum(uint64_t{smaller} | uint64_t{equal} << 32, here, total);

    const uint32_t equal_until_here = equal_before + static_cast<uint32_t>(here >> 32);
    const uint32_t position = smaller_before + static_cast<uint32_t>(here) + min(equal_until_here, last.rank + 1);
    if (smaller || (equal && equal_until_here <= last.rank)) {
      const int64_t patch = units.first_patch(unit);
      if (args.blocks) {
        write_block_patches(patch, args.grid.width, args.selected + 4 * static_cast<int64_t>(position));
      } else {
        args.selected[position] = patch;
      }
    }
    smaller_before += static_cast<uint32_t>(total);
    equal_before += static_cast<uint32_t>(total >> 32);
    __syncthreads();
  }
}

// Cuts kCutPixels pixels of a patch. `convert` converts a scaled float to an output value.
template <typename Out, typename Convert>
__device__ inline void cut(const CutArgs &args, const uint16_t *origin, Out *out, const Convert &convert) {
  const int patch = args.layout.patch, begin = static_cast<int>(blockIdx.y) * kCutPixels;
  const int end = min(begin + kCutPixels, patch * patch);
  const PixelStrides strides = args.layout.strides();
  // For grey pictures the luma plane is read as chroma, because the colour transform multiplies chroma by 0.
  const int64_t plane = args.planes == 3 ? static_cast<int64_t>(args.target.width) * args.target.height : 0;
  for (int i = begin + static_cast<int>(threadIdx.x); i < end; i += kCutThreads) {
    const int y = i / patch, x = i % patch;
    const uint16_t *const at = origin + static_cast<int64_t>(y) * args.target.width + x;
    const uint16_t a = at[0], b = at[plane], c = at[2 * plane];
#pragma unroll
    for (int channel = 0; channel < 3; ++channel) {
      const float *const m = args.color.matrix[channel];
      const float value = clamp_code(color_value(m[0], m[1], m[2], args.color.offset[channel], a, b, c));
      out[channel * strides.channel + y * strides.row + x * strides.column] =
          convert(scaled_value(value, args.scaling.scale, args.scaling.mean[channel], args.scaling.std[channel]));
    }
  }
}

} // namespace cps

CPS_KERNEL(cps_clip_select, cps::SelectArgs, cps::kSelectThreads) {
  using namespace cps;
  __shared__ SelectShared shared;
  const Units units(args);
  if (args.first_frame_counts && threadIdx.x == 0)
    args.frames.flags[0] |= kRandomAccessFrame;
  rank_units(args, units);
  if (args.static_fallback && args.preferred_units < args.count && clip_is_static(args, units, shared))
    favour_frames(args, units, shared);
  const int64_t count = make_keys(args, units, shared);
  const auto key_at = [&](int64_t unit) { return static_cast<uint64_t>(args.ranks[unit]); };
  const auto rank = static_cast<uint32_t>(count - 1);
  const RankedKey last = rank_key(units.count(), key_at, {0, rank}, args.key_bits, shared.rank);
  write_selected(args, units, last, shared);
}

CPS_KERNEL(cps_clip_cut, cps::CutArgs, cps::kCutThreads) {
  using namespace cps;
  const PatchLayout &layout = args.layout;
  const int64_t index = args.selected[blockIdx.x], row = layout.row(blockIdx.x);
  const int64_t per_frame = static_cast<int64_t>(layout.grid.width) * layout.grid.height;
  const int64_t position = index / per_frame, within = index % per_frame;
  if (blockIdx.y == 0 && threadIdx.x == 0) {
    layout.write_fields(args.fields + layout.fields() * row, index, args.frames.ids[position],
                        (args.frames.flags[position] & kRandomAccessFrame) != 0);
    args.meta_scores[row] = static_cast<float>(args.frames.scores[index]);
  }

  const int64_t samples_per_frame = static_cast<int64_t>(args.planes) * args.target.width * args.target.height;
  const uint16_t *const origin = args.frames.pixels + position * samples_per_frame +
                                 within / layout.grid.width * layout.patch * args.target.width +
                                 within % layout.grid.width * layout.patch;
  with_pixel_type(args.type, args.pixels, [&](auto *pixels, const auto &convert) {
    cut(args, origin, pixels + layout.first_value(row), convert);
  });
}
