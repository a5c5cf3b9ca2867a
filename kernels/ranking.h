// SPDX-License-Identifier: LGPL-2.1-or-later
// docs/spec.md#selection: ranking arithmetic shared by the CPU and CUDA selection.
#pragma once

#include "kernels/arith.h"

#include <cmath>

namespace cps {

constexpr double kScoreQuanta = 1024.0; // per unit of score

// The rank of a patch. An exact integer, so that saturated patches tie on every machine.
CPS_HD inline int64_t quantised_score(double score) {
  return static_cast<int64_t>(floor(kScoreQuanta * score + 0.5));
}

// The top left patch of a 2x2 block; blocks are numbered row by row, frame by frame.
CPS_HD inline int64_t first_patch_of_block(int64_t block, int grid_width) {
  const int64_t blocks_per_row = grid_width / 2;
  return block / blocks_per_row * 2 * grid_width + block % blocks_per_row * 2;
}

// The top left patch of a unit, which is a patch or a block.
CPS_HD inline int64_t first_patch_of_unit(int64_t unit, bool blocks, int grid_width) {
  return blocks ? first_patch_of_block(unit, grid_width) : unit;
}

// Number `corner`, in output order, of the four of a block whose top left one is `first`.
CPS_HD inline int64_t patch_of_block(int64_t first, int grid_width, int64_t corner) {
  return first + corner / 2 * grid_width + corner % 2;
}
CPS_HD inline void write_block_patches(int64_t first, int grid_width, int64_t *patches) {
  for (int corner = 0; corner < 4; ++corner)
    patches[corner] = patch_of_block(first, grid_width, corner);
}

// The rank of a unit by energy.
CPS_HD inline int64_t energy_rank(const double *first_patch, bool block, int grid_width) {
  if (!block)
    return quantised_score(*first_patch);
  const double *below = first_patch + grid_width;
  return quantised_score(first_patch[0]) + quantised_score(first_patch[1]) + quantised_score(below[0]) +
         quantised_score(below[1]);
}

// The score of a unit as meta_scores has it, rounded: that of a patch, or the mean of a block's four.
CPS_HD inline float meta_score(const double *first_patch, bool block, int grid_width) {
  if (!block)
    return static_cast<float>(*first_patch);
  const double *below = first_patch + grid_width;
  return static_cast<float>((first_patch[0] + first_patch[1] + below[0] + below[1]) / 4.0);
}

// docs/spec.md#replenishment: the score of a unit's patches, from the unit's score and its number of samples.
CPS_HD inline double replenishment_score(int64_t score, int64_t samples) {
  return static_cast<double>(score) / static_cast<double>(samples);
}
CPS_HD inline void write_unit_score(double score, int64_t unit, bool blocks, int grid_width, double *scores) {
  int64_t patches[4] = {unit};
  if (blocks)
    write_block_patches(first_patch_of_block(unit, grid_width), grid_width, patches);
  for (int i = 0; i < (blocks ? 4 : 1); ++i)
    scores[patches[i]] = score;
}

// The rank of a unit by replenishment: the bits of its meta score, because floats that are not negative order like
// their bits. Meta scores and not the integers that they come from, so that the tensors tell the order.
CPS_HD inline int64_t replenishment_rank(const double *first_patch, bool block, int grid_width) {
  return float_bits(meta_score(first_patch, block, grid_width));
}
constexpr int64_t kMostReplenishmentRank = 0x7f800000; // of infinity
constexpr int kReplenishmentRankBits = 31;

// True if a clip with these ranks at its 95th and 50th percentile is static. `unit_pixels` is the area of a unit.
CPS_HD inline bool is_static(int64_t rank95, int64_t rank50, double unit_pixels, double absolute, double relative) {
  const double p95 = static_cast<double>(rank95) / kScoreQuanta / unit_pixels;
  const double p50 = static_cast<double>(rank50) / kScoreQuanta / unit_pixels;
  const double scaled = absolute > 1.0 ? absolute / 255.0 : absolute;
  const double threshold = scaled < 0.0 ? 0.0 : scaled < 1.0 ? scaled : 1.0;
  const double contrast = (p95 - p50) / (p95 > 1e-6 ? p95 : 1e-6);
  return p95 < threshold || (p95 < 2.0 * threshold && contrast < (relative > 0.0 ? relative : 0.0));
}

// Whether the selection of a static clip favours frame number `ordinal` of `others`, the frames that are not
// random-access frames. `chosen` of them are favoured, evenly spaced.
CPS_HD inline bool is_favoured(int64_t ordinal, int64_t others, int64_t chosen) {
  const int64_t j = (ordinal * chosen + others - 1) / others; // the smallest j whose frame is not before the ordinal
  return j < chosen && j * others / chosen == ordinal;
}
CPS_HD inline int64_t favoured_count(int64_t others, int64_t wanted) {
  const int64_t some = wanted > 1 ? wanted : 1;
  return some < others ? some : others;
}

// The addend that lifts a unit of a favoured frame above all others of a static clip.
CPS_HD inline int64_t static_lift(int64_t least, int64_t most) {
  return most - least + static_cast<int64_t>(kScoreQuanta);
}

} // namespace cps
