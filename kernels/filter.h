// SPDX-License-Identifier: LGPL-2.1-or-later
// docs/spec.md#resampling: resizing by filters that read all samples of the source.
#pragma once

#include "kernels/geometry.h"
#include "kernels/plane.h"

#include <cstdint>
#include <vector>

namespace cps {

enum class Resample { Bilinear, Area, Bicubic }; // Bilinear reads two samples a side: TapTable in geometry.h

// What pictures are resized to, and how.
struct Target {
  // A size alone is a target, too.
  // cppcheck-suppress noExplicitConstructor
  Target(Size s, Resample r = Resample::Bilinear) : size(s), resample(r) {} // NOLINT(misc-explicit-constructor)
  Target() = default;
  bool operator==(const Target &o) const { return size == o.size && resample == o.resample; }

  Size size;
  Resample resample = Resample::Bilinear;
};

// The integer weights of one axis. Output i is the sum of weights[begin[i]] .. weights[begin[i + 1] - 1], times the
// samples from first[i] on, divided by den, which is the sum of the weights of each output. The sum of their absolute
// values is below 1.5 * den. Exact, so that every implementation gets the same result.
struct FilterTable {
  int32_t den = 1;
  std::vector<int32_t> weights, begin = {0}, first;
};

// The mean over the part of the picture that an output covers. The arguments are those of bilinear_taps().
FilterTable area_filter(int full, int sub, int phase, int plane_samples, int outputs);

// Cubic convolution with a = -0.5, widened by the scale when it reduces, as Pillow and torchvision with antialias have
// it. Weights are rounded to 1/16384.
FilterTable bicubic_filter(int full, int sub, int phase, int plane_samples, int outputs);

// Writes one stored sample for each pair of outputs, row by row. Allocates two rows of sums.
void filter_plane(const PlaneView &plane, const FilterTable &x, const FilterTable &y, uint16_t *out);

} // namespace cps
