// SPDX-License-Identifier: LGPL-2.1-or-later
#include "kernels/scores.h"

#include "kernels/geometry.h"

#include <algorithm>

namespace cps {

namespace {

double weight_of_second(const TapTable &table, const Tap &tap) {
  return static_cast<double>(tap.frac) / static_cast<double>(table.den);
}

} // namespace

BandedMatrix score_matrix(int small, int source, int target, int patch) {
  const TapTable up = bilinear_taps(small, 1, 0, small, source);     // energy map to source size
  const TapTable down = bilinear_taps(source, 1, 0, source, target); // source to target size

  BandedMatrix matrix;
  matrix.rows.resize(static_cast<size_t>(target / patch));
  std::vector<double> dense(static_cast<size_t>(small));
  const auto add_source_sample = [&](int index, double weight) {
    const Tap &tap = up.taps[static_cast<size_t>(index)];
    const double second = weight_of_second(up, tap);
    dense[static_cast<size_t>(tap.first)] += weight * (1.0 - second);
    dense[static_cast<size_t>(tap.second)] += weight * second;
  };

  auto tap = down.taps.begin();
  for (BandedMatrix::Row &row : matrix.rows) {
    std::fill(dense.begin(), dense.end(), 0.0);
    for (int i = 0; i < patch; ++i, ++tap) {
      const double second = weight_of_second(down, *tap);
      add_source_sample(tap->first, 1.0 - second);
      add_source_sample(tap->second, second);
    }
    const auto weighs = [](double weight) { return weight != 0.0; };
    const auto begin = std::find_if(dense.begin(), dense.end(), weighs);
    const auto end = std::find_if(dense.rbegin(), dense.rend(), weighs).base();
    row.first = static_cast<int>(begin - dense.begin());
    row.weights.assign(begin, end);
  }
  return matrix;
}

PatchScorer::PatchScorer(Size source, Size target, int patch)
    : map_(small_size(source)), grid_{target.width / patch, target.height / patch},
      my_(score_matrix(map_.height, source.height, target.height, patch)),
      mx_(score_matrix(map_.width, source.width, target.width, patch)), row_(static_cast<size_t>(map_.width)) {}

void PatchScorer::run(const float *energy, double *scores) {
  const size_t width = row_.size();
  double *const row = row_.data();
  for (const BandedMatrix::Row &my : my_.rows) {
    // The loop over weights is the outer one: the sums of a row are independent, so they vectorise without a change of
    // order.
    std::fill(row_.begin(), row_.end(), 0.0);
    const float *line = energy + static_cast<size_t>(my.first) * width;
    for (const double weight : my.weights) {
      for (size_t x = 0; x < width; ++x)
        row[x] += weight * static_cast<double>(line[x]);
      line += width;
    }
    for (const BandedMatrix::Row &mx : mx_.rows) {
      const double *sample = row + mx.first;
      double sum = 0.0;
      for (const double weight : mx.weights)
        sum += weight * *sample++;
      *scores++ = sum;
    }
  }
}

} // namespace cps
