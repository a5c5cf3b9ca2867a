// Spec 3 on the device; see energy.cpp for the same on the CPU. Bytes that must move for a frame: two rows of luma in
// four, and its small luma written and read again, beside the maps in between, which stay in the cache.
#include "kernels/kernelargs.h"
#include "kernels/rank.cuh"
#include "kernels/smallluma.h"

#include <cmath>

namespace cps {

// Small luma at (x, y) of the picture, in the units that its kernel searches in.

template <typename Word> struct QuadLuma {
  static constexpr bool kStored = false, kIntegers = true;
  static __device__ float at(const EnergySearchArgs &args, int x, int y) {
    const SampleRow<Word> top(args.picture.plane[0], 4 * y + 1), bottom(args.picture.plane[0], 4 * y + 2);
    return static_cast<float>(quad_sum(top, bottom, x));
  }
};

template <typename Row> struct ResizedLuma {
  static constexpr bool kStored = false, kIntegers = false;
  static __device__ float at(const EnergySearchArgs &args, int x, int y) {
    const Tap x_tap = args.x.taps[x], y_tap = args.y.taps[y];
    const Row top(args.picture, y_tap.first), bottom(args.picture, y_tap.second);
    return luma_of_sum(bilinear_sum(top, bottom, x_tap, y_tap, args.x.den, args.y.den),
                       luma_den(args.x.den, args.y.den));
  }
};

// What the kernel of the same picture has stored.
template <bool Integers> struct StoredLuma {
  static constexpr bool kStored = true, kIntegers = Integers;
  static __device__ float at(const EnergySearchArgs &args, int x, int y) {
    return args.current[static_cast<int64_t>(y) * args.small.width + x];
  }
};

// Residuals in the order of their values: integers, or the bits of what is not negative.
template <bool Integers> __device__ inline uint32_t residual_key(float residual) {
  return Integers ? static_cast<uint32_t>(residual) : float_bits(residual);
}
__device__ inline float residual_of_key(uint32_t key, bool integers) {
  return integers ? static_cast<float>(key) : float_from_bits(key);
}

constexpr int kTileWidth = kSearchTileWidth, kTileHeight = kSearchTileHeight;
constexpr int kPerThread = 2; // pixels, one above the other: they share most of what they look at
constexpr int kWindow = kPerThread + 2 * kMaxRadius; // rows that they do
constexpr int kHaloWidth = kTileWidth + 2 * kMaxRadius, kHaloHeight = kTileHeight + 2 * kMaxRadius;
static_assert(kTileWidth * kTileHeight == kSearchThreads * kPerThread);

// The tile of the previous small luma around the block's pixels. No candidate outside of the frame can win.
__device__ inline void load_tile(const EnergySearchArgs &args, float (*tile)[kHaloWidth]) {
  const int left = static_cast<int>(blockIdx.x) * kTileWidth - kMaxRadius;
  const int top = static_cast<int>(blockIdx.y) * kTileHeight - kMaxRadius;
  for (int i = static_cast<int>(threadIdx.x); i < kHaloHeight * kHaloWidth; i += kSearchThreads) {
    const int row = i / kHaloWidth, column = i % kHaloWidth, y = top + row, x = left + column;
    const bool inside = x >= 0 && x < args.small.width && y >= 0 && y < args.small.height;
    tile[row][column] = inside ? args.previous[static_cast<int64_t>(y) * args.small.width + x] : INFINITY;
  }
}

struct Match {
  float residual;
  int square; // of the motion
};

// The best candidates of kPerThread pixels of values `own`. `window` is the tile at the first candidate of the first.
// Rows are taken from the bottom, so that every pixel meets its candidates in order: dy, then dx, ascending. The first
// smallest error stays.
__device__ inline void find_matches(const float (&own)[kPerThread], const float (*window)[kHaloWidth], int radius,
                                    Match (&best)[kPerThread]) {
  for (Match &match : best)
    match = {INFINITY, 0};
#pragma unroll
  for (int row = kWindow - 1; row >= 0; --row) {
#pragma unroll
    for (int dx = -kMaxRadius; dx <= kMaxRadius; ++dx) {
      const float value = window[row][kMaxRadius - dx];
#pragma unroll
      for (int i = 0; i < kPerThread; ++i) {
        const int dy = i + kMaxRadius - row;
        if (dy < -kMaxRadius || dy > kMaxRadius) // known to the compiler
          continue;
        const float error = fabsf(own[i] - value);
        const bool tried = abs(dy) <= radius && abs(dx) <= radius;
        if (tried && error < best[i].residual)
          best[i] = {error, motion_square(dy, dx)};
      }
    }
  }
}

struct SearchShared {
  float tile[kHaloHeight][kHaloWidth];
  RankScratch<kSearchThreads> rank;
  uint32_t motion_bins[kMotionSquares];
  bool last_block;
};

// By the block that is last to come here: the percentiles of all, and clean counts for the next frame.
template <bool Integers> __device__ inline void find_percentiles(const EnergySearchArgs &args, SearchShared &shared) {
  EnergyRanks &ranks = *args.ranks;
  for (unsigned i = threadIdx.x; i < kRankBins; i += kSearchThreads) {
    shared.rank.bins[i] = __ldcg(&ranks.residual_bins[i]); // other blocks' atomics are in the second-level cache
    ranks.residual_bins[i] = 0;
  }
  if (threadIdx.x < kMotionSquares) {
    shared.motion_bins[threadIdx.x] = __ldcg(&ranks.motion_bins[threadIdx.x]);
    ranks.motion_bins[threadIdx.x] = 0;
  }
  __syncthreads();
  const auto rank = static_cast<uint64_t>(args.rank);
  const RankBin found = find_bin(shared.rank, rank);
  if (threadIdx.x != 0)
    return;
  ranks.blocks_done = 0;
  ranks.prefix = found.bin;
  ranks.rank_in_prefix = static_cast<int64_t>(rank - found.below);
  ranks.residual_percentile = residual_of_key(found.bin, Integers); // where the bin is the whole key
  int square = 0;
  for (uint64_t below = shared.motion_bins[0]; below <= rank; below += shared.motion_bins[square])
    ++square;
  ranks.motion_percentile = motion_length(square);
}

// One block a tile.
template <typename Luma> __device__ inline void search(const EnergySearchArgs &args) {
  __shared__ SearchShared shared;
  const int column = static_cast<int>(threadIdx.x) % kTileWidth;
  const int row = static_cast<int>(threadIdx.x) / kTileWidth * kPerThread; // in the tile
  const int x = static_cast<int>(blockIdx.x) * kTileWidth + column;
  const int y = static_cast<int>(blockIdx.y) * kTileHeight + row;

  float own[kPerThread];
  int64_t at[kPerThread];
  bool inside[kPerThread];
#pragma unroll
  for (int i = 0; i < kPerThread; ++i) {
    inside[i] = x < args.small.width && y + i < args.small.height;
    at[i] = static_cast<int64_t>(y + i) * args.small.width + x;
    own[i] = inside[i] ? Luma::at(args, x, y + i) : 0.0f;
    if (inside[i] && !Luma::kStored)
      args.current[at[i]] = own[i];
    if (inside[i] && !args.previous)
      args.energy[at[i]] = 0.0f;
  }
  if (!args.previous)
    return;

  load_tile(args, shared.tile);
  clear_bins(shared.rank);
  if (threadIdx.x < kMotionSquares)
    shared.motion_bins[threadIdx.x] = 0;
  __syncthreads();
  Match best[kPerThread];
  find_matches(own, reinterpret_cast<const float(*)[kHaloWidth]>(&shared.tile[row][column]), args.radius, best);
  const int first_bits = args.key_bits > kRankBits ? args.key_bits - kRankBits : 0;
#pragma unroll
  for (int i = 0; i < kPerThread; ++i) {
    if (!inside[i])
      continue;
    args.residual[at[i]] = best[i].residual;
    args.motion[at[i]] = static_cast<uint8_t>(best[i].square);
    atomicAdd(&shared.rank.bins[residual_key<Luma::kIntegers>(best[i].residual) >> first_bits], 1u);
    atomicAdd(&shared.motion_bins[best[i].square], 1u);
  }
  __syncthreads();

  for (unsigned i = threadIdx.x; i < kRankBins; i += kSearchThreads)
    if (shared.rank.bins[i] != 0)
      atomicAdd(&args.ranks->residual_bins[i], shared.rank.bins[i]);
  if (threadIdx.x < kMotionSquares && shared.motion_bins[threadIdx.x] != 0)
    atomicAdd(&args.ranks->motion_bins[threadIdx.x], shared.motion_bins[threadIdx.x]);
  __threadfence(); // the counts, before the block counts as done
  __syncthreads();
  if (threadIdx.x == 0)
    shared.last_block = atomicAdd(&args.ranks->blocks_done, 1u) == gridDim.x * gridDim.y - 1;
  __syncthreads();
  if (shared.last_block)
    find_percentiles<Luma::kIntegers>(args, shared);
}

} // namespace cps

CPS_KERNEL(cps_energy_quads8, cps::EnergySearchArgs, cps::kSearchThreads) {
  cps::search<cps::QuadLuma<uint8_t>>(args);
}
CPS_KERNEL(cps_energy_quads16, cps::EnergySearchArgs, cps::kSearchThreads) {
  cps::search<cps::QuadLuma<uint16_t>>(args);
}
CPS_KERNEL(cps_energy_codes8, cps::EnergySearchArgs, cps::kSearchThreads) {
  cps::search<cps::ResizedLuma<cps::CodeRow<uint8_t>>>(args);
}
CPS_KERNEL(cps_energy_codes16, cps::EnergySearchArgs, cps::kSearchThreads) {
  cps::search<cps::ResizedLuma<cps::CodeRow<uint16_t>>>(args);
}
CPS_KERNEL(cps_energy_rgb8, cps::EnergySearchArgs, cps::kSearchThreads) {
  cps::search<cps::ResizedLuma<cps::RgbRow<uint8_t>>>(args);
}
CPS_KERNEL(cps_energy_stored_quads, cps::EnergySearchArgs, cps::kSearchThreads) {
  cps::search<cps::StoredLuma<true>>(args);
}
CPS_KERNEL(cps_energy_stored, cps::EnergySearchArgs, cps::kSearchThreads) {
  cps::search<cps::StoredLuma<false>>(args);
}

CPS_KERNEL(cps_energy_refine, cps::EnergyRefineArgs, cps::kRefineThreads) {
  using namespace cps;
  __shared__ RankScratch<kRefineThreads> shared;
  EnergyRanks &ranks = *args.ranks;
  const auto key_at = [&](int64_t i) -> uint64_t {
    return args.integers ? residual_key<true>(args.residual[i]) : residual_key<false>(args.residual[i]);
  };
  const RankedKey begin = {ranks.prefix, static_cast<uint64_t>(ranks.rank_in_prefix)};
  const RankedKey found = rank_key(args.count, key_at, begin, args.key_bits - kRankBits, shared);
  if (threadIdx.x == 0)
    ranks.residual_percentile = residual_of_key(static_cast<uint32_t>(found.key), args.integers);
}

CPS_KERNEL(cps_energy_normalise, cps::EnergyNormaliseArgs, cps::kNormaliseThreads) {
  using namespace cps;
  __shared__ float motion[kMotionSquares];
  if (threadIdx.x < kMotionSquares)
    motion[threadIdx.x] = normalised(motion_length(static_cast<int>(threadIdx.x)), args.ranks->motion_percentile);
  const float percentile = args.ranks->residual_percentile;
  __syncthreads();
  const int64_t i = static_cast<int64_t>(blockIdx.x) * kNormaliseThreads + threadIdx.x;
  if (i < args.count)
    args.energy[i] = mean_energy(motion[args.motion[i]], normalised(args.residual[i], percentile));
}
