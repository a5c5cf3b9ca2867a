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

// The weights of one axis, as many for each output: the last ones are 0.
struct EvenTable {
  explicit EvenTable(const FilterTable &table) {
    for (size_t i = 0; i < table.first.size(); ++i)
      count = std::max(count, table.begin[i + 1] - table.begin[i]);
    for (size_t i = 0; i < table.first.size(); ++i) {
      weights.insert(weights.end(), &table.weights[static_cast<size_t>(table.begin[i])],
                     &table.weights[static_cast<size_t>(table.begin[i])] + (table.begin[i + 1] - table.begin[i]));
      weights.resize((i + 1) * static_cast<size_t>(count));
    }
  }

  int32_t count = 0;
  std::vector<int32_t> weights;
};

// kCount is the number of weights if it is known at compile time, so that the inner loop is unrolled, else 0.
template <int kCount, typename Sum, typename Total>
void add_columns(const Sum *sums, const FilterTable &x, const EvenTable &even, Total *__restrict totals) {
  const int32_t count = kCount != 0 ? kCount : even.count;
  const int32_t *weights = even.weights.data();
  for (size_t column = 0; column < x.first.size(); ++column, weights += count) {
    const Sum *const sum = sums + x.first[column];
    Total total = 0;
    for (int32_t i = 0; i < count; ++i)
      total += static_cast<Total>(weights[i]) * static_cast<Total>(sum[i]);
    totals[column] = total;
  }
}

template <typename Sum, typename Total>
void add_columns(const Sum *sums, const FilterTable &x, const EvenTable &even, Total *totals) {
  switch (even.count) {
  case 2:
    return add_columns<2>(sums, x, even, totals);
  case 3:
    return add_columns<3>(sums, x, even, totals);
  case 4:
    return add_columns<4>(sums, x, even, totals);
  case 5:
    return add_columns<5>(sums, x, even, totals);
  default:
    return add_columns<0>(sums, x, even, totals);
  }
}

// filtered_sample() of each total, without a division, for units up to kLargestUnitByFactor.
template <typename Total>
CPS_SIMD void store_by_factor(const Total *totals, size_t count, double unit, int bits, uint16_t *__restrict out) {
  const double factor = stored_factor(unit), most = unit / 256.0 * (((1 << bits) - 1) << (16 - bits));
  for (size_t i = 0; i < count; ++i)
    out[i] = stored_sample_by_factor(std::min(std::max(static_cast<double>(totals[i]), 0.0), most), factor);
}

template <typename Total> void store(const std::vector<Total> &totals, double unit, int bits, uint16_t *out) {
  if (unit <= kLargestUnitByFactor)
    return store_by_factor(totals.data(), totals.size(), unit, bits, out);
  for (const Total total : totals)
    *out++ = filtered_sample(total, unit, bits);
}

// First across the rows, because loops over the samples of a row vectorise. `Sum` holds the sums of a column, `Total`
// those of an output.
template <typename Sum, typename Total, typename RowAt>
void filter(const RowAt &row_at, const PlaneView &plane, const FilterTable &x, const FilterTable &y, uint16_t *out) {
  const double unit = stored_unit(x.den, y.den, plane.bits);
  const EvenTable even(x);
  // A weight of 0 may be that of a sample after the last one.
  std::vector<Sum> sums(static_cast<size_t>(plane.width) + static_cast<size_t>(even.count));
  std::vector<Total> totals(x.first.size());
  for (size_t row = 0; row < y.first.size(); ++row) {
    std::fill(sums.begin(), sums.end(), 0);
    for (int32_t i = y.begin[row]; i < y.begin[row + 1]; ++i)
      add_row(row_at(y.first[row] + i - y.begin[row]), y.weights[static_cast<size_t>(i)], sums.data(), plane.width);
    add_columns(sums.data(), x, even, totals.data());
    store(totals, unit, plane.bits, out);
    out += totals.size();
  }
}

// Above the sum of a filter's products with values up to `most`, because its weights add up to less than 1.5 * den.
int64_t bound(const FilterTable &table, int64_t most) {
  return int64_t{table.den} * 3 / 2 * most;
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
    const int64_t most = bound(y, int64_t{1} << plane.bits);
    if (most > INT32_MAX)
      filter<int64_t, int64_t>(row_at, plane, x, y, out);
    else if (bound(x, most) > INT32_MAX)
      filter<int32_t, int64_t>(row_at, plane, x, y, out);
    else
      filter<int32_t, int32_t>(row_at, plane, x, y, out);
  });
}

} // namespace cps
