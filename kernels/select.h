// SPDX-License-Identifier: LGPL-2.1-or-later
// docs/spec.md#selection: selects the K patches of a sequence with the highest scores.
#pragma once

#include "kernels/plane.h"

#include <cstdint>
#include <vector>

namespace cps {

enum class SelectionUnit { Patch, Block2x2 };

// What scores are: sums of energy (kernels/scores.h), or what a replay loses (kernels/replenishment.h).
enum class Ranking { Energy, Replenishment };

// Side of a unit in pixels at target size.
inline int unit_side(int patch, SelectionUnit unit) {
  return unit == SelectionUnit::Block2x2 ? 2 * patch : patch;
}

inline int64_t patches_of_unit(SelectionUnit unit) {
  return unit == SelectionUnit::Block2x2 ? 4 : 1;
}

struct SelectOptions {
  Ranking ranking = Ranking::Energy;
  int64_t k_keep = 2048;
  SelectionUnit unit = SelectionUnit::Patch;
  int patch_size = 14;
  double min_score = 0.0; // meta score of the least unit that is selected, except those that rank above all others
  bool static_fallback = false;
  double static_abs_thresh = 2.0;
  double static_rel_thresh = 0.15;
  int static_uniform_frames = 4;
};

// K of docs/spec.md#selection: the number of patches selected from a sequence of `frames` frames, or the most with
// min_score; -1 if it is not a multiple of four with Block2x2.
int64_t selection_count(const SelectOptions &options, int frames, Size grid);

// docs/spec.md#selection or #replenishment, by the ranking. `scores`: frames * grid patches, frame by frame, row by
// row; with Ranking::Replenishment those of a block are equal. `random_access`: one per frame; the caller must set at
// least one (docs/spec.md#sampling); Ranking::Replenishment ignores it. Returns patch indices (seq_pos * hb * wb + h *
// wb + w) in output order. Precondition: selection_count() >= 0.
std::vector<int64_t> select_patches(const double *scores, int frames, Size grid,
                                    const std::vector<uint8_t> &random_access, const SelectOptions &options);

} // namespace cps
