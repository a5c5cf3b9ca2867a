// SPDX-License-Identifier: LGPL-2.1-or-later
// Finds the value with a given rank, in one block: builds a histogram of up to kRankBits bits of an unsigned key at a
// time. Counts have 32 bits, because no allocation holds more values.
#pragma once

#include "kernels/device.h"
#include "kernels/kernelargs.h"

#include <cub/block/block_scan.cuh>

namespace cps {

// The bin that contains a rank, and the number of values in the bins before it.
struct RankBin {
  uint32_t bin, below;
};

// Shared memory of a block with `Threads` threads.
template <int Threads> struct RankScratch {
  using Scan = cub::BlockScan<uint32_t, Threads>;
  typename Scan::TempStorage scan;
  uint32_t bins[kRankBins];
  RankBin found;
};

// Number of bins for `bits` bits, a multiple of Threads.
template <int Threads> __device__ inline unsigned bins_of(int bits) {
  const unsigned bins = 1u << (bits < kRankBits ? bits : kRankBits);
  return bins < Threads ? Threads : bins;
}

// Clears the first `count` bins. Contains no barrier; the caller needs one.
template <int Threads> __device__ inline void clear_bins(RankScratch<Threads> &shared, unsigned count) {
  for (unsigned i = threadIdx.x; i < count; i += Threads)
    shared.bins[i] = 0;
}

// Finds the bin of `rank` (from 0) among the first `count` bins. All threads of the block call it once the bins are
// complete, and all get the result. Afterwards the bins may be written immediately, the rest of the scratch after a
// barrier.
template <int Threads> __device__ inline RankBin find_bin(RankScratch<Threads> &shared, unsigned count, uint32_t rank) {
  const unsigned per_thread = count / Threads, first = threadIdx.x * per_thread;
  uint32_t sum = 0, below = 0;
  for (unsigned i = first; i < first + per_thread; ++i)
    sum += shared.bins[i];
  typename RankScratch<Threads>::Scan(shared.scan).ExclusiveSum(sum, below);
  if (below <= rank && rank - below < sum) {
    unsigned bin = first;
    while (rank - below >= shared.bins[bin])
      below += shared.bins[bin++];
    shared.found = {bin, below};
  }
  __syncthreads();
  return shared.found;
}

// A key, and its rank among equal keys.
struct RankedKey {
  uint64_t key;
  uint32_t rank;
};

// Marks a value to be ignored. Keys have fewer bits.
constexpr uint64_t kNoKey = ~uint64_t{0};

// Considers those of the keys key_at(0 .. count - 1) that begin with `begin`, which leaves `bits` bits open. Returns
// the key with rank begin.rank. All threads call it and get the result.
template <int Threads, typename KeyAt>
__device__ inline RankedKey rank_key(int64_t count, const KeyAt &key_at, RankedKey begin, int bits,
                                     RankScratch<Threads> &shared) {
  RankedKey found = begin;
  while (bits > 0) {
    const int step = bits < kRankBits ? bits : kRankBits, rest = bits - step;
    const unsigned bins = bins_of<Threads>(step);
    clear_bins(shared, bins);
    __syncthreads();
#pragma unroll 4
    for (int64_t i = threadIdx.x; i < count; i += Threads) {
      const uint64_t key = key_at(i);
      if (key >> bits == found.key)
        atomicAdd(&shared.bins[key >> rest & ((1u << step) - 1)], 1u);
    }
    __syncthreads();
    const RankBin bin = find_bin(shared, bins, found.rank);
    found = {found.key << step | bin.bin, found.rank - bin.below};
    bits = rest;
  }
  return found;
}

} // namespace cps
