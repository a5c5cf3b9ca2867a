// SPDX-License-Identifier: LGPL-2.1-or-later
#include "kernels/filter.h"

#include "kernels/samples.h"
#include "kernels/simd.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace cps {

namespace {

constexpr int32_t kCubicDen = 1 << 14;

// The cubic kernel of Keys (1981), a = -0.5; 0 from 2 on.
double cubic(double x) {
  constexpr double a = -0.5;
  x = std::fabs(x);
  if (x < 1.0)
    return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
  if (x < 2.0)
    return (((x - 5.0) * x + 8.0) * x - 4.0) * a;
  return 0.0;
}

// Rounds weights such that they add up to kCubicDen; the largest takes the rest.
void append_rounded(const std::vector<double> &weights, std::vector<int32_t> &out) {
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  const auto begin = static_cast<ptrdiff_t>(out.size());
  for (const double weight : weights)
    out.push_back(static_cast<int32_t>(std::lround(weight / sum * kCubicDen)));
  const auto rounded = out.begin() + begin;
  *std::max_element(rounded, out.end()) += kCubicDen - std::accumulate(rounded, out.end(), 0);
}

template <typename Row, typename Sum> CPS_SIMD void add_row(const Row &row, int32_t weight, Sum *sums, int count) {
  for (int x = 0; x < count; ++x)
    sums[x] += static_cast<Sum>(weight) * row[x];
}

// First across the rows, because loops over the samples of a row vectorise. `Sum` holds the sums of a column.
template <typename Sum, typename RowAt>
void filter(const RowAt &row_at, const PlaneView &plane, const FilterTable &x, const FilterTable &y, uint16_t *out) {
  const double unit = stored_unit(x.den, y.den, plane.bits);
  std::vector<Sum> sums(static_cast<size_t>(plane.width));
  for (size_t row = 0; row < y.first.size(); ++row) {
    std::fill(sums.begin(), sums.end(), 0);
    for (int32_t i = y.begin[row]; i < y.begin[row + 1]; ++i)
      add_row(row_at(y.first[row] + i - y.begin[row]), y.weights[static_cast<size_t>(i)], sums.data(), plane.width);
    for (size_t column = 0; column < x.first.size(); ++column) {
      const int32_t begin = x.begin[column], count = x.begin[column + 1] - begin;
      const int32_t *const weights = &x.weights[static_cast<size_t>(begin)];
      const Sum *const sum = &sums[static_cast<size_t>(x.first[column])];
      int64_t total = 0;
      for (int32_t i = 0; i < count; ++i)
        total += int64_t{weights[i]} * sum[i];
      *out++ = filtered_sample(total, unit, plane.bits);
    }
  }
}

// True if 32 bits hold the sum of a column, whose weights add up to less than 1.5 * den.
bool is_small(const FilterTable &table, int bits) {
  return int64_t{table.den} * 3 / 2 << bits <= INT32_MAX;
}

} // namespace

FilterTable area_filter(int full, int sub, int phase, int plane_samples, int outputs) {
  // In 1 / outputs of a luma position, output i covers i * full to (i + 1) * full, and a sample sub * outputs.
  const int32_t divisor = std::gcd(full, outputs);
  const int64_t advance = full / divisor, step = int64_t{sub} * (outputs / divisor);
  const int64_t origin = int64_t{phase} * (outputs / divisor);
  FilterTable table;
  table.den = static_cast<int32_t>(advance);
  for (int64_t i = 0; i < outputs; ++i) {
    const int64_t begin = i * advance + origin, end = begin + advance;
    table.first.push_back(static_cast<int32_t>(begin / step));
    for (int64_t sample = begin / step; sample < plane_samples && sample * step < end; ++sample) {
      const bool last = sample == plane_samples - 1; // what lies behind the plane is like its edge
      const int64_t until = last ? end : std::min(end, (sample + 1) * step);
      table.weights.push_back(static_cast<int32_t>(until - std::max(begin, sample * step)));
    }
    table.begin.push_back(static_cast<int32_t>(table.weights.size()));
  }
  return table;
}

FilterTable bicubic_filter(int full, int sub, int phase, int plane_samples, int outputs) {
  const double scale = static_cast<double>(full) / outputs / sub, width = std::max(scale, 1.0), support = 2.0 * width;
  FilterTable table;
  table.den = kCubicDen;
  for (int i = 0; i < outputs; ++i) {
    const double center = (i + 0.5) * scale + static_cast<double>(phase) / sub;
    const int begin = std::max(static_cast<int>(std::floor(center - support + 0.5)), 0);
    const int end = std::min(static_cast<int>(std::floor(center + support + 0.5)), plane_samples);
    std::vector<double> weights;
    for (int sample = begin; sample < end; ++sample)
      weights.push_back(cubic((sample + 0.5 - center) / width));
    table.first.push_back(begin);
    append_rounded(weights, table.weights);
    table.begin.push_back(static_cast<int32_t>(table.weights.size()));
  }
  return table;
}

void filter_plane(const PlaneView &plane, const FilterTable &x, const FilterTable &y, uint16_t *out) {
  with_rows(plane, [&](const auto &row_at) {
    if (is_small(y, plane.bits))
      filter<int32_t>(row_at, plane, x, y, out);
    else
      filter<int64_t>(row_at, plane, x, y, out);
  });
}

} // namespace cps
