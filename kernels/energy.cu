// SPDX-License-Identifier: LGPL-2.1-or-later
// docs/spec.md#energy on the device; energy.cpp is the CPU version. Minimum memory traffic per frame: two of every four
// rows of luma, and one write and one read of the small luma, besides the intermediate maps, which stay in the cache.
#include "kernels/kernelargs.h"
#include "kernels/rank.cuh"
#include "kernels/smallluma.h"

#include <cmath>

namespace cps {

// Returns the small luma at (x, y) of the picture, in the units of the kernel's search.

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

// Returns the values that an earlier kernel has stored for the same picture.
template <bool Integers> struct StoredLuma {
  static constexpr bool kStored = true, kIntegers = Integers;
  static __device__ float at(const EnergySearchArgs &args, int x, int y) {
    return args.current[static_cast<int64_t>(y) * args.small.width + x];
  }
};

// Residuals as integers with the same order: the integer value, or the bits of a non-negative float.
template <bool Integers> __device__ inline uint32_t residual_key(float residual) {
  return Integers ? static_cast<uint32_t>(residual) : float_bits(residual);
}
__device__ inline float residual_of_key(uint32_t key, bool integers) {
  return integers ? static_cast<float>(key) : float_from_bits(key);
}

constexpr int kTileWidth = kSearchTileWidth, kTileHeight = kSearchTileHeight;
constexpr int kPerThread = 2; // pixels, vertically adjacent, because they share most of their candidates
constexpr int kWindow = kPerThread + 2 * kMaxRadius; // rows of those candidates
constexpr int kHaloWidth = kTileWidth + 2 * kMaxRadius, kHaloHeight = kTileHeight + 2 * kMaxRadius;
static_assert(kTileWidth * kTileHeight == kSearchThreads * kPerThread);

// Loads the tile of the previous small luma around the block's pixels. Outside the frame it is infinite, so that no
// candidate there wins.
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

// Finds the best candidates of kPerThread pixels with the values `own`. `window` is the part of the tile that starts at
// the first candidate of the first pixel. Rows are processed from bottom to top, so that every pixel tries its
// candidates in order: dy, then dx, ascending. Of equal errors the first is kept.
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
        if (dy < -kMaxRadius || dy > kMaxRadius) // known at compile time
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

// True in the last block of the grid to arrive. All writes of the other blocks are then visible.
__device__ inline bool is_last_block(uint32_t &blocks_done, bool &shared) {
  __threadfence();
  __syncthreads();
  if (threadIdx.x == 0)
    shared = atomicAdd(&blocks_done, 1u) == gridDim.x * gridDim.y - 1;
  __syncthreads();
  __threadfence();
  return shared;
}

// Computes the percentiles and resets the counts for the next frame. Called by the last block only.
template <bool Integers> __device__ inline void find_percentiles(const EnergySearchArgs &args, SearchShared &shared) {
  EnergyRanks &ranks = *args.ranks;
  const unsigned bins = bins_of<kSearchThreads>(args.key_bits);
  for (unsigned i = threadIdx.x; i < bins; i += kSearchThreads) {
    shared.rank.bins[i] =
        __ldcg(&ranks.residual_bins[i]); // reads the L2 cache, because it contains the other blocks' atomics
    ranks.residual_bins[i] = 0;
  }
  if (threadIdx.x < kMotionSquares) {
    shared.motion_bins[threadIdx.x] = __ldcg(&ranks.motion_bins[threadIdx.x]);
    ranks.motion_bins[threadIdx.x] = 0;
  }
  __syncthreads();
  const RankBin found = find_bin(shared.rank, bins, args.rank);
  if (threadIdx.x == 0) {
    ranks.blocks_done = 0;
    ranks.candidates = 0;
    ranks.prefix = found.bin;
    ranks.rank_in_prefix = args.rank - found.below;
    ranks.residual_percentile = residual_of_key(found.bin, Integers); // final if the bin is the whole key
  }
  if (threadIdx.x < kMotionSquares) {
    const int square = static_cast<int>(threadIdx.x);
    uint32_t below = 0;
    for (int i = 0; i < square; ++i)
      below += shared.motion_bins[i];
    if (below <= args.rank && args.rank - below < shared.motion_bins[square])
      ranks.motion_percentile = motion_length(square);
  }
}

// One block per tile.
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
    else if (inside[i] && args.full > 0.0f)
      args.energy[at[i]] = normalised(fabsf(own[i] - args.previous[at[i]]), args.full);
  }
  if (!args.previous || args.full > 0.0f)
    return;

  load_tile(args, shared.tile);
  const unsigned bins = bins_of<kSearchThreads>(args.key_bits);
  clear_bins(shared.rank, bins);
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

  for (unsigned i = threadIdx.x; i < bins; i += kSearchThreads)
    if (shared.rank.bins[i] != 0)
      atomicAdd(&args.ranks->residual_bins[i], shared.rank.bins[i]);
  if (threadIdx.x < kMotionSquares && shared.motion_bins[threadIdx.x] != 0)
    atomicAdd(&args.ranks->motion_bins[threadIdx.x], shared.motion_bins[threadIdx.x]);
  if (is_last_block(args.ranks->blocks_done, shared.last_block))
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

// Few keys begin with the prefix that the search found: all blocks collect them, and the last block ranks them.
CPS_KERNEL(cps_energy_refine, cps::EnergyRefineArgs, cps::kRefineThreads) {
  using namespace cps;
  constexpr int kKeys = kRefineKeys / kRefineThreads; // per thread
  __shared__ RankScratch<kRefineThreads> shared;
  __shared__ uint32_t first_candidate;
  __shared__ bool last_block;
  EnergyRanks &ranks = *args.ranks;
  const uint32_t prefix = ranks.prefix;
  const int rest = args.key_bits - kRankBits;

  uint32_t keys[kKeys], found = 0;
  bool candidate[kKeys];
#pragma unroll
  for (int i = 0; i < kKeys; ++i) {
    const uint32_t at = blockIdx.x * kRefineKeys + static_cast<uint32_t>(i) * kRefineThreads + threadIdx.x;
    const float residual = at < args.count ? args.residual[at] : 0.0f;
    keys[i] = args.integers ? residual_key<true>(residual) : residual_key<false>(residual);
    candidate[i] = at < args.count && keys[i] >> rest == prefix;
    found += candidate[i] ? 1 : 0;
  }
  uint32_t position = 0, total = 0;
  RankScratch<kRefineThreads>::Scan(shared.scan).ExclusiveSum(found, position, total);
  if (threadIdx.x == 0)
    first_candidate = total > 0 ? atomicAdd(&ranks.candidates, total) : 0;
  __syncthreads();
  position += first_candidate;
#pragma unroll
  for (int i = 0; i < kKeys; ++i)
    if (candidate[i])
      args.candidates[position++] = keys[i];
  if (!is_last_block(ranks.blocks_done, last_block))
    return;

  const auto key_at = [&](int64_t i) -> uint64_t { return __ldcg(&args.candidates[i]); };
  const RankedKey percentile =
      rank_key(__ldcg(&ranks.candidates), key_at, {prefix, ranks.rank_in_prefix}, rest, shared);
  if (threadIdx.x == 0) {
    ranks.blocks_done = 0;
    ranks.residual_percentile = residual_of_key(static_cast<uint32_t>(percentile.key), args.integers);
  }
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
