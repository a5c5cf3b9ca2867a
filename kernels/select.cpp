// SPDX-License-Identifier: LGPL-2.1-or-later
#include "kernels/select.h"

#include "kernels/ranking.h"

#include <algorithm>
#include <limits>

namespace cps {

namespace {

// The ranked units: patches or blocks. The index of a unit determines its frame.
struct Units {
  std::vector<int64_t> rank;
  std::vector<bool> too_low; // under min_score; empty if there is none
  int64_t per_frame = 0;
  double pixels = 0.0; // area of one

  int64_t count() const { return static_cast<int64_t>(rank.size()); }
  size_t frame(int64_t unit) const { return static_cast<size_t>(unit / per_frame); }
};

Units rank_units(const double *scores, int frames, Size grid, const SelectOptions &options) {
  const bool blocks = options.unit == SelectionUnit::Block2x2;
  const int side = unit_side(options.patch_size, options.unit);
  Units units;
  units.per_frame = int64_t{grid.width} * grid.height / patches_of_unit(options.unit);
  units.pixels = static_cast<double>(side) * side;
  units.rank.reserve(static_cast<size_t>(units.per_frame * frames));
  for (int64_t unit = 0; unit < units.per_frame * frames; ++unit) {
    const double *score = scores + first_patch_of_unit(unit, blocks, grid.width);
    units.rank.push_back(options.ranking == Ranking::Energy ? energy_rank(score, blocks, grid.width)
                                                            : replenishment_rank(score, blocks, grid.width));
    if (options.min_score > 0)
      units.too_low.push_back(meta_score(score, blocks, grid.width) < options.min_score);
  }
  return units;
}

bool clip_is_static(const Units &units, const SelectOptions &options) {
  std::vector<int64_t> ranks = units.rank;
  const auto percentile = [&](double percent) {
    const auto nth = ranks.begin() + rank_index(units.count(), percent);
    std::nth_element(ranks.begin(), nth, ranks.end());
    return *nth;
  };
  const int64_t rank95 = percentile(95.0), rank50 = percentile(50.0);
  return is_static(rank95, rank50, units.pixels, options.static_abs_thresh, options.static_rel_thresh);
}

// The frames that the selection favours in a static clip.
std::vector<size_t> favoured_frames(const std::vector<uint8_t> &random_access, int count) {
  const auto others = static_cast<int64_t>(std::count(random_access.begin(), random_access.end(), uint8_t{0}));
  const int64_t chosen = favoured_count(others, count);
  std::vector<size_t> favoured;
  int64_t ordinal = 0;
  for (size_t frame = 0; frame < random_access.size(); ++frame)
    if (!random_access[frame] && is_favoured(ordinal++, others, chosen))
      favoured.push_back(frame);
  return favoured;
}

// Lifts the favoured frames above all others of `rest`, because the ranks of a static clip are meaningless.
void favour_frames(Units &units, const std::vector<int64_t> &rest, const std::vector<size_t> &frames) {
  const auto [least, most] = std::minmax_element(rest.begin(), rest.end(), [&units](int64_t a, int64_t b) {
    return units.rank[static_cast<size_t>(a)] < units.rank[static_cast<size_t>(b)];
  });
  const int64_t lift = static_lift(units.rank[static_cast<size_t>(*least)], units.rank[static_cast<size_t>(*most)]);
  for (const size_t frame : frames) {
    const auto begin = units.rank.begin() + static_cast<int64_t>(frame) * units.per_frame;
    std::for_each(begin, begin + units.per_frame, [lift](int64_t &rank) { rank += lift; });
  }
}

// Keeps the `count` best of `candidates`, in any order. `better` is a strict order without ties.
template <typename Better> void keep_best(std::vector<int64_t> &candidates, int64_t count, const Better &better) {
  if (count < static_cast<int64_t>(candidates.size())) {
    std::nth_element(candidates.begin(), candidates.begin() + count, candidates.end(), better);
    candidates.resize(static_cast<size_t>(count));
  }
}

// The best `count` units, ascending. Those of `preferred` frames, one flag per frame, rank above all others.
std::vector<int64_t> select_units(Units &units, int64_t count, const std::vector<uint8_t> &preferred,
                                  const SelectOptions &options) {
  std::vector<int64_t> selected, rest; // units of preferred frames, and the others
  for (int64_t unit = 0; unit < units.count(); ++unit)
    if (preferred[units.frame(unit)])
      selected.push_back(unit);
    else if (units.too_low.empty() || !units.too_low[static_cast<size_t>(unit)])
      rest.push_back(unit);

  const auto better = [&units](int64_t a, int64_t b) {
    const int64_t rank_a = units.rank[static_cast<size_t>(a)], rank_b = units.rank[static_cast<size_t>(b)];
    return rank_a != rank_b ? rank_a > rank_b : a < b;
  };
  const int64_t remaining = count - static_cast<int64_t>(selected.size());
  if (remaining <= 0) {
    keep_best(selected, count, better);
  } else {
    const bool fallback =
        options.ranking == Ranking::Energy && options.static_fallback && options.static_uniform_frames > 0;
    // cppcheck-suppress knownConditionTrueFalse ; it does not see the reference that push_back() goes through
    if (fallback && !selected.empty() && !rest.empty() && clip_is_static(units, options))
      favour_frames(units, rest, favoured_frames(preferred, options.static_uniform_frames));
    keep_best(rest, remaining, better);
    selected.insert(selected.end(), rest.begin(), rest.end());
  }
  std::sort(selected.begin(), selected.end());
  return selected;
}

} // namespace

int64_t selection_count(const SelectOptions &options, int frames, Size grid) {
  const int64_t patches = static_cast<int64_t>(frames) * grid.width * grid.height;
  const int64_t count = std::clamp<int64_t>(options.k_keep, 0, patches);
  return options.unit == SelectionUnit::Block2x2 && count % 4 != 0 ? -1 : count;
}

std::vector<int64_t> select_patches(const double *scores, int frames, Size grid,
                                    const std::vector<uint8_t> &random_access, const SelectOptions &options) {
  const int64_t count = selection_count(options, frames, grid);
  if (count <= 0)
    return {};
  std::vector<uint8_t> preferred = random_access;
  if (options.ranking == Ranking::Replenishment) { // a place that was never sent shows nothing
    preferred.assign(static_cast<size_t>(frames), 0);
    preferred[0] = 1;
  }
  Units units = rank_units(scores, frames, grid, options);
  std::vector<int64_t> selected = select_units(units, count / patches_of_unit(options.unit), preferred, options);
  if (options.unit == SelectionUnit::Patch)
    return selected;
  std::vector<int64_t> patches(4 * selected.size());
  for (size_t i = 0; i < selected.size(); i++)
    write_block_patches(first_patch_of_block(selected[i], grid.width), grid.width, &patches[4 * i]);
  return patches;
}

} // namespace cps
