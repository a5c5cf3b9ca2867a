// SPDX-License-Identifier: LGPL-2.1-or-later
// docs/spec.md#target-size and #energy: sizes derived from the source size, and the bilinear taps of every resize.
#pragma once

#include "kernels/plane.h"

#include <vector>

namespace cps {

enum class SizeRule { Round, Floor };

struct TargetOptions {
  int input_size = 224;
  int64_t min_pixels = 0; // 0 or less: input_size squared
  int64_t max_pixels = 0;
  int patch_size = 14;
  SizeRule rule = SizeRule::Round;
};

// docs/spec.md#target-size, smart resize: the size from which patches are cut. Each side is a multiple of two patches.
Size target_size(Size source, const TargetOptions &options);

// The same, with sides that are multiples of `align`.
Size aligned_size(Size source, const TargetOptions &options, int64_t align);

// docs/spec.md#energy: the size of the small luma, in which motion is searched, and of the energy map.
Size small_size(Size source);

// Two adjacent samples and their integer weights: value = (a * (den - frac) + b * frac) / den. Exact, so that every
// implementation gets the same result.
struct Tap {
  int32_t first = 0;  // index of a
  int32_t second = 0; // index of b, first + 1 inside the plane
  int32_t frac = 0;   // weight of b, 0 <= frac < den
};

struct TapTable {
  int32_t den = 1;
  std::vector<Tap> taps; // one per output sample
};

// Bilinear taps with half-pixel centres, without antialiasing, clamped at the edges (docs/spec.md#pixels). The
// `plane_samples` source samples are subsampled by `sub` from `full` positions; the first position lies `phase`
// positions into its sample.
TapTable bilinear_taps(int full, int sub, int phase, int plane_samples, int outputs);

} // namespace cps
