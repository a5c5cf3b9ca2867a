// SPDX-License-Identifier: LGPL-2.1-or-later
#include "kernels/geometry.h"

#include <algorithm>
#include <climits>
#include <cmath>
#include <numeric>

namespace cps {

namespace {

// `units` times `align`, at least one.
int aligned_side(double units, int64_t align) {
  const double most = std::min(units, static_cast<double>(INT_MAX / align));
  return static_cast<int>(std::max<int64_t>(static_cast<int64_t>(most), 1) * align);
}

Size size_by_rounding(Size source, double least, double most, int64_t align) {
  const double pixels = static_cast<double>(source.width) * source.height;
  double scale = 1.0;
  if (pixels < least)
    scale = std::sqrt(least / pixels);
  if (pixels > most)
    scale = std::sqrt(most / pixels);
  const auto side = [&](int from) {
    return aligned_side(std::round(from * scale / static_cast<double>(align)), align);
  };
  return {side(source.width), side(source.height)};
}

// The order of the operations is that of Qwen's preprocessors, because their results are rounded up or down.
Size size_by_floor(Size source, double least, double most, int64_t align) {
  const auto unit = static_cast<double>(align), width = static_cast<double>(source.width),
             height = static_cast<double>(source.height);
  const Size size = {aligned_side(std::nearbyint(width / unit), align),
                     aligned_side(std::nearbyint(height / unit), align)};
  const double pixels = static_cast<double>(size.width) * size.height;
  if (pixels > most) {
    const double scale = std::sqrt(height * width / most);
    return {aligned_side(std::floor(width / scale / unit), align),
            aligned_side(std::floor(height / scale / unit), align)};
  }
  if (pixels < least) {
    const double scale = std::sqrt(least / (height * width));
    return {aligned_side(std::ceil(width * scale / unit), align),
            aligned_side(std::ceil(height * scale / unit), align)};
  }
  return size;
}

int small_side(int side) {
  return std::min(side, std::max(32, side / 4));
}

} // namespace

Size target_size(Size source, const TargetOptions &options) {
  return aligned_size(source, options, 2 * static_cast<int64_t>(options.patch_size));
}

Size aligned_size(Size source, const TargetOptions &options, int64_t align) {
  const double square = static_cast<double>(options.input_size) * options.input_size;
  const double least = options.min_pixels > 0 ? static_cast<double>(options.min_pixels) : square;
  const double most = options.max_pixels > 0 ? static_cast<double>(options.max_pixels) : square;

  const auto rule = options.rule == SizeRule::Floor ? size_by_floor : size_by_rounding;
  return rule(source, least, most, align);
}

Size small_size(Size source) {
  return {small_side(source.width), small_side(source.height)};
}

TapTable bilinear_taps(int full, int sub, int phase, int plane_samples, int outputs) {
  // Output i is at position (origin + i * advance) / den samples. All three are divided by their common divisor, to
  // keep the weighted sums small: the 4:1 resize of docs/spec.md#energy gets den = 2.
  int64_t advance = 2 * static_cast<int64_t>(full);
  int64_t origin = full + (2 * static_cast<int64_t>(phase) - sub) * outputs;
  int64_t den = 2 * static_cast<int64_t>(sub) * outputs;
  const int64_t divisor = std::gcd(std::gcd(advance, origin), den);
  advance /= divisor;
  origin /= divisor;
  den /= divisor;

  TapTable table;
  table.den = static_cast<int32_t>(den);
  table.taps.resize(static_cast<size_t>(outputs));
  const int64_t last = plane_samples - 1;
  int64_t position = origin;
  for (Tap &tap : table.taps) {
    const int64_t clamped = std::clamp<int64_t>(position, 0, last * den);
    tap.first = static_cast<int32_t>(clamped / den);
    tap.second = static_cast<int32_t>(std::min(clamped / den + 1, last));
    tap.frac = static_cast<int32_t>(clamped % den);
    position += advance;
  }
  return table;
}

} // namespace cps
