// Spec 5 to 7 on the device, once a clip; see select.cpp and pixels.cpp for the same on the CPU.
#include "kernels/kernelargs.h"
#include "kernels/rank.cuh"
#include "kernels/units.h"

namespace cps {

struct SelectShared {
  RankScratch<kSelectThreads> rank;
  long long least, most;
};

// What a SelectArgs selects among. Units on random-access frames come before all others.
class Selection {
public:
  __device__ explicit Selection(const SelectArgs &args)
      : args_(args), per_frame_(static_cast<int64_t>(args.grid.width) * args.grid.height / (args.blocks ? 4 : 1)),
        all_random_access_(args.random_access_units < args.count) {}

  __device__ int64_t units() const { return per_frame_ * args_.length; }
  __device__ bool all_random_access() const { return all_random_access_; } // and some of the others
  __device__ int64_t wanted() const {                                      // of the candidates
    return all_random_access_ ? args_.count - args_.random_access_units : args_.count;
  }
  __device__ bool candidate(int64_t unit) const { return has_flag(unit, kRandomAccessFrame) != all_random_access_; }
  // By one thread: sets the flags of the frames that are favoured where the clip is static.
  __device__ void choose_favoured() const {
    const int64_t others = args_.length - args_.random_access_units / per_frame_;
    const int64_t chosen = favoured_count(others, args_.static_uniform_frames);
    int64_t ordinal = 0;
    for (int frame = 0; frame < args_.length; ++frame)
      if (!(args_.frames.flags[frame] & kRandomAccessFrame) && is_favoured(ordinal++, others, chosen))
        args_.frames.flags[frame] |= kFavouredFrame;
  }
  __device__ bool favoured(int64_t unit) const { return has_flag(unit, kFavouredFrame); }
  __device__ int64_t first_patch(int64_t unit) const {
    return args_.blocks ? first_patch_of_block(unit, args_.grid.width) : unit;
  }

private:
  __device__ bool has_flag(int64_t unit, FrameFlags flag) const {
    return (args_.frames.flags[unit / per_frame_] & flag) != 0;
  }

  const SelectArgs &args_;
  int64_t per_frame_;
  bool all_random_access_;
};

__device__ inline void rank_units(const SelectArgs &args, const Selection &selection) {
  for (int64_t unit = threadIdx.x; unit < selection.units(); unit += kSelectThreads) {
    const double *score = args.frames.scores + selection.first_patch(unit);
    const int64_t rank = args.blocks ? block_rank(score, args.grid.width) : quantised_score(*score);
    // Energies are in 0..1; what strays must not lead a kernel out of its arrays.
    args.ranks[unit] = rank < 0 ? 0 : rank < args.most ? rank : args.most;
  }
  __syncthreads();
}

__device__ inline bool clip_is_static(const SelectArgs &args, const Selection &selection, SelectShared &shared) {
  const int64_t units = selection.units();
  const auto percentile = [&](double percent) {
    const auto rank = static_cast<uint64_t>(rank_index(units, percent));
    const auto key_at = [&](int64_t unit) { return static_cast<uint64_t>(args.ranks[unit]); };
    return static_cast<int64_t>(rank_key(units, key_at, {0, rank}, args.key_bits, shared.rank).key);
  };
  const int64_t rank95 = percentile(95.0), rank50 = percentile(50.0);
  return is_static(rank95, rank50, args.unit_pixels, args.static_abs_thresh, args.static_rel_thresh);
}

__device__ inline void favour_frames(const SelectArgs &args, const Selection &selection, SelectShared &shared) {
  if (threadIdx.x == 0) {
    shared.least = INT64_MAX;
    shared.most = INT64_MIN;
    selection.choose_favoured();
  }
  __syncthreads();
  for (int64_t unit = threadIdx.x; unit < selection.units(); unit += kSelectThreads)
    if (selection.candidate(unit)) {
      atomicMin(&shared.least, static_cast<long long>(args.ranks[unit]));
      atomicMax(&shared.most, static_cast<long long>(args.ranks[unit]));
    }
  __syncthreads();
  for (int64_t unit = threadIdx.x; unit < selection.units(); unit += kSelectThreads)
    if (selection.favoured(unit))
      args.ranks[unit] += static_lift(shared.least, shared.most);
  __syncthreads();
}

// Writes the selected units in ascending order. `threshold`: the key of the last one, and how many equal ones come
// before.
template <typename KeyAt>
__device__ inline void write_selected(const SelectArgs &args, const Selection &selection, const KeyAt &key_at,
                                      RankedKey threshold, RankScratch<kSelectThreads> &shared) {
  using Scan = RankScratch<kSelectThreads>::Scan;
  uint64_t equal_before = 0, selected_before = 0;
  for (int64_t first = 0; first < selection.units(); first += kSelectThreads) {
    const int64_t unit = first + threadIdx.x;
    const bool exists = unit < selection.units(), candidate = exists && selection.candidate(unit);
    const uint64_t key = candidate ? key_at(unit) : kNoKey;

    uint64_t equal = key == threshold.key ? 1 : 0, equal_here = 0, total = 0;
    Scan(shared.scan).ExclusiveSum(equal, equal_here, total);
    const bool of_the_equal = equal && equal_before + equal_here <= threshold.rank;
    const bool selected =
        key < threshold.key || of_the_equal || (exists && !candidate && selection.all_random_access());
    equal_before += total;
    __syncthreads();

    uint64_t position = 0;
    Scan(shared.scan).ExclusiveSum(uint64_t{selected}, position, total);
    position += selected_before;
    selected_before += total;
    if (selected && args.blocks) {
      const int64_t patch = selection.first_patch(unit);
      int64_t *const out = args.selected + 4 * position;
      out[0] = patch;
      out[1] = patch + 1;
      out[2] = patch + args.grid.width;
      out[3] = patch + args.grid.width + 1;
    } else if (selected) {
      args.selected[position] = unit;
    }
    __syncthreads();
  }
}

// kCutPixels pixels of a patch: `convert` turns a scaled float into an output value.
template <typename Out, typename Convert>
__device__ inline void cut(const CutArgs &args, const uint16_t *origin, Out *patch, const Convert &convert) {
  const int pixels = args.patch * args.patch, begin = static_cast<int>(blockIdx.y) * kCutPixels;
  const int end = min(begin + kCutPixels, pixels);
  // A grey picture stands in for the chroma that its colour transform weighs with 0.
  const int64_t plane = args.planes == 3 ? static_cast<int64_t>(args.target.width) * args.target.height : 0;
  for (int i = begin + static_cast<int>(threadIdx.x); i < end; i += kCutThreads) {
    const uint16_t *const at = origin + static_cast<int64_t>(i / args.patch) * args.target.width + i % args.patch;
    const uint16_t a = at[0], b = at[plane], c = at[2 * plane];
#pragma unroll
    for (int channel = 0; channel < 3; ++channel) {
      const float *const m = args.color.matrix[channel];
      const float value = clamp_code(color_value(m[0], m[1], m[2], args.color.offset[channel], a, b, c));
      patch[channel * pixels + i] =
          convert(scaled_value(value, args.scaling.scale, args.scaling.mean[channel], args.scaling.std[channel]));
    }
  }
}

// The row of the metadata tensors that belongs to a patch.
__device__ inline void describe(const CutArgs &args, int64_t row, int64_t index, int64_t position, int64_t within) {
  int64_t *const fields = args.fields + 6 * row;
  fields[0] = position;
  fields[1] = args.frames.ids[position];
  fields[2] = args.frames.flags[position] & kRandomAccessFrame;
  fields[3] = index;
  fields[4] = within / args.grid.width;
  fields[5] = within % args.grid.width;
  args.meta_scores[row] = static_cast<float>(args.frames.scores[index]);
}

} // namespace cps

CPS_KERNEL(cps_select, cps::SelectArgs, cps::kSelectThreads) {
  using namespace cps;
  __shared__ SelectShared shared;
  const Selection selection(args);
  if (args.first_frame_counts && threadIdx.x == 0)
    args.frames.flags[0] |= kRandomAccessFrame;
  rank_units(args, selection);
  if (args.static_fallback && selection.all_random_access() && clip_is_static(args, selection, shared))
    favour_frames(args, selection, shared);

  // The best have the smallest keys.
  const uint64_t largest = (uint64_t{1} << args.key_bits) - 1;
  const auto key_at = [&](int64_t unit) {
    return selection.candidate(unit) ? largest - static_cast<uint64_t>(args.ranks[unit]) : kNoKey;
  };
  const auto last = static_cast<uint64_t>(selection.wanted() - 1);
  const RankedKey threshold = rank_key(selection.units(), key_at, {0, last}, args.key_bits, shared.rank);
  write_selected(args, selection, key_at, threshold, shared.rank);
}

CPS_KERNEL(cps_cut, cps::CutArgs, cps::kCutThreads) {
  using namespace cps;
  const int64_t row = blockIdx.x, index = args.selected[row];
  const int64_t per_frame = static_cast<int64_t>(args.grid.width) * args.grid.height;
  const int64_t position = index / per_frame, within = index % per_frame;
  if (blockIdx.y == 0 && threadIdx.x == 0)
    describe(args, row, index, position, within);

  const int64_t samples_per_frame = static_cast<int64_t>(args.planes) * args.target.width * args.target.height;
  const uint16_t *const origin = args.frames.pixels + position * samples_per_frame +
                                 within / args.grid.width * args.patch * args.target.width +
                                 within % args.grid.width * args.patch;
  const int64_t out = row * 3 * args.patch * args.patch;
  switch (args.type) {
  case PixelType::U8:
    return cut(args, origin, static_cast<uint8_t *>(args.patches) + out, [](float v) { return float_to_byte(v); });
  case PixelType::F16:
    return cut(args, origin, static_cast<uint16_t *>(args.patches) + out, [](float v) { return float_to_half(v); });
  case PixelType::BF16:
    return cut(args, origin, static_cast<uint16_t *>(args.patches) + out, [](float v) { return float_to_bfloat16(v); });
  case PixelType::F32:
    return cut(args, origin, static_cast<float *>(args.patches) + out, [](float v) { return v; });
  }
}
