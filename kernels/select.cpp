#include "kernels/select.h"

#include "kernels/arith.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace cps {

namespace {

constexpr double kQuanta = 1024.0; // of a score

// What is ranked: a patch or a block, with the frame it belongs to known from its index.
struct Units {
  std::vector<int64_t> rank; // quantised score of each
  int64_t per_frame = 0;
  double pixels = 0.0; // area of one

  int64_t count() const { return static_cast<int64_t>(rank.size()); }
  size_t frame(int64_t unit) const { return static_cast<size_t>(unit / per_frame); }
};

// The patch in the top left corner of a block; blocks are numbered row by row, frame by frame.
int64_t first_patch_of_block(int64_t block, Size grid) {
  const int64_t blocks_per_row = grid.width / 2;
  return block / blocks_per_row * 2 * grid.width + block % blocks_per_row * 2;
}

Units rank_units(const double *scores, int frames, Size grid, const SelectOptions &options) {
  const int64_t patches = static_cast<int64_t>(grid.width) * grid.height;
  Units units;
  units.per_frame = patches;
  units.pixels = static_cast<double>(options.patch_size) * options.patch_size;
  if (options.unit == SelectionUnit::Patch) {
    units.rank.resize(static_cast<size_t>(patches * frames));
    std::transform(scores, scores + patches * frames, units.rank.begin(), quantised_score);
    return units;
  }
  units.per_frame /= 4;
  units.pixels *= 4.0;
  units.rank.reserve(static_cast<size_t>(units.per_frame * frames));
  for (int64_t block = 0; block < units.per_frame * frames; ++block) {
    const double *top = scores + first_patch_of_block(block, grid), *bottom = top + grid.width;
    units.rank.push_back(quantised_score(top[0]) + quantised_score(top[1]) + quantised_score(bottom[0]) +
                         quantised_score(bottom[1]));
  }
  return units;
}

// Moves the `count` best of `candidates` to its front and drops the others.
void keep_best(std::vector<int64_t> &candidates, int64_t count, const std::vector<int64_t> &rank) {
  const auto better = [&rank](int64_t a, int64_t b) {
    const int64_t rank_a = rank[static_cast<size_t>(a)], rank_b = rank[static_cast<size_t>(b)];
    return rank_a != rank_b ? rank_a > rank_b : a < b;
  };
  if (count < static_cast<int64_t>(candidates.size())) {
    std::nth_element(candidates.begin(), candidates.begin() + count, candidates.end(), better);
    candidates.resize(static_cast<size_t>(count));
  }
}

bool is_static(const Units &units, const SelectOptions &options) {
  std::vector<int64_t> ranks = units.rank;
  const auto percentile = [&](double percent) {
    const auto nth = ranks.begin() + rank_index(units.count(), percent);
    std::nth_element(ranks.begin(), nth, ranks.end());
    return static_cast<double>(*nth) / kQuanta / units.pixels;
  };
  const double p95 = percentile(95.0), p50 = percentile(50.0);

  const double absolute = options.static_abs_thresh;
  const double threshold = std::clamp(absolute > 1.0 ? absolute / 255.0 : absolute, 0.0, 1.0);
  const double contrast = (p95 - p50) / std::max(p95, 1e-6);
  return p95 < threshold || (p95 < 2.0 * threshold && contrast < std::max(options.static_rel_thresh, 0.0));
}

// Static clips have nothing to rank by: lifts a few evenly spread frames above all others of `rest`.
void favour_uniform_frames(Units &units, const std::vector<int64_t> &rest, int uniform_frames) {
  int64_t least = std::numeric_limits<int64_t>::max(), most = std::numeric_limits<int64_t>::min();
  for (const int64_t unit : rest) {
    least = std::min(least, units.rank[static_cast<size_t>(unit)]);
    most = std::max(most, units.rank[static_cast<size_t>(unit)]);
  }
  // `rest` is whole frames, in order.
  const int64_t frames = static_cast<int64_t>(rest.size()) / units.per_frame;
  const int64_t chosen = std::clamp<int64_t>(uniform_frames, 1, frames);
  for (int64_t j = 0; j < chosen; ++j) {
    const auto begin = rest.begin() + j * frames / chosen * units.per_frame;
    for (auto unit = begin; unit != begin + units.per_frame; ++unit)
      units.rank[static_cast<size_t>(*unit)] += most - least + static_cast<int64_t>(kQuanta);
  }
}

// The `count` units of spec 5, ascending.
std::vector<int64_t> select_units(Units &units, int64_t count, const std::vector<uint8_t> &random_access,
                                  const SelectOptions &options) {
  std::vector<int64_t> selected, rest; // units of random-access frames, and the others
  for (int64_t unit = 0; unit < units.count(); ++unit)
    (random_access[units.frame(unit)] ? selected : rest).push_back(unit);

  const int64_t remaining = count - static_cast<int64_t>(selected.size());
  if (remaining <= 0) {
    keep_best(selected, count, units.rank);
  } else {
    const bool fallback = options.static_fallback && options.static_uniform_frames > 0;
    // cppcheck-suppress knownConditionTrueFalse ; it does not see the reference that push_back() goes through
    if (fallback && !selected.empty() && !rest.empty() && is_static(units, options))
      favour_uniform_frames(units, rest, options.static_uniform_frames);
    keep_best(rest, remaining, units.rank);
    selected.insert(selected.end(), rest.begin(), rest.end());
  }
  std::sort(selected.begin(), selected.end());
  return selected;
}

} // namespace

int64_t quantised_score(double score) {
  return static_cast<int64_t>(std::floor(kQuanta * score + 0.5));
}

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
  Units units = rank_units(scores, frames, grid, options);
  if (options.unit == SelectionUnit::Patch)
    return select_units(units, count, random_access, options);

  std::vector<int64_t> patches;
  patches.reserve(static_cast<size_t>(count));
  for (const int64_t block : select_units(units, count / 4, random_access, options)) {
    const int64_t first = first_patch_of_block(block, grid);
    patches.insert(patches.end(), {first, first + 1, first + grid.width, first + grid.width + 1});
  }
  return patches;
}

} // namespace cps
