// SPDX-License-Identifier: LGPL-2.1-or-later
// docs/spec.md#scores: patch scores from an energy map, My * E * Mx^T with two banded matrices.
#pragma once

#include "kernels/plane.h"

#include <vector>

namespace cps {

// One axis of the score: row p contains the weights of the energy samples in patch p.
struct BandedMatrix {
  struct Row {
    int first = 0;               // first energy sample with a non-zero weight
    std::vector<double> weights; // of the samples from `first` on
  };
  std::vector<Row> rows;
};

// Composes small -> source -> target -> sum over patches of `patch` target samples.
BandedMatrix score_matrix(int small, int source, int target, int patch);

// Scores energy maps of one source size. Not thread-safe; allocates only in the constructor.
class PatchScorer {
public:
  PatchScorer(Size source, Size target, int patch);

  Size map_size() const { return map_; }   // of the energy map
  Size grid_size() const { return grid_; } // patches

  // `energy`: map_size() floats, row by row. Writes grid_size() scores, row by row.
  void run(const float *energy, double *scores);

private:
  Size map_, grid_;
  BandedMatrix my_, mx_;
  std::vector<double> row_; // one row of My * E
};

} // namespace cps
