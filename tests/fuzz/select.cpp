// SPDX-License-Identifier: LGPL-2.1-or-later
// Sizes, scores and the selection of patches.
#include "kernels/select.h"
#include "kernels/geometry.h"
#include "tests/fuzz/input.h"

#include <algorithm>

namespace {

constexpr int kMostPatches = 4096;

cps::SelectOptions take_options(fuzz::Input &input) {
  cps::SelectOptions options;
  options.k_keep = input.number<int64_t>();
  options.unit = input.flag() ? cps::SelectionUnit::Patch : cps::SelectionUnit::Block2x2;
  options.ranking = input.flag() ? cps::Ranking::Energy : cps::Ranking::Replenishment;
  options.min_score = input.flag() ? input.number<double>() : 0;
  options.patch_size = input.between<int>(1, 4096);
  options.static_fallback = input.flag();
  options.static_abs_thresh = input.number<double>();
  options.static_rel_thresh = input.number<double>();
  options.static_uniform_frames = input.number<int>();
  return options;
}

void check_target(fuzz::Input &input) {
  const cps::Size source = {input.between<int>(1, 1 << 15), input.between<int>(1, 1 << 15)};
  cps::TargetOptions options;
  options.input_size = input.between<int>(1, 1 << 14);
  options.min_pixels = input.between<int64_t>(0, 1 << 28);
  options.max_pixels = input.between<int64_t>(0, 1 << 28);
  options.patch_size = input.between<int>(1, 1 << 10);
  const cps::Size target = cps::target_size(source, options);
  REQUIRE(target.width > 0 && target.height > 0);
  REQUIRE(target.width % (2 * options.patch_size) == 0 && target.height % (2 * options.patch_size) == 0);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz::Input input(data, size);
  check_target(input);
  const cps::SelectOptions options = take_options(input);
  const cps::Size grid = {2 * input.between<int>(1, 16), 2 * input.between<int>(1, 16)};
  const int frames = input.between<int>(1, kMostPatches / (grid.width * grid.height));
  std::vector<double> scores(static_cast<size_t>(frames * grid.width * grid.height));
  for (double &score : scores) // at most what 255 a pixel add up to
    score = 255.0 * options.patch_size * options.patch_size * input.number<uint16_t>() / UINT16_MAX;
  std::vector<uint8_t> random_access(static_cast<size_t>(frames));
  for (uint8_t &one : random_access)
    one = input.flag();
  random_access[0] = 1;
  const int64_t count = cps::selection_count(options, frames, grid);
  if (count < 0)
    return 0;
  std::vector<int64_t> chosen = cps::select_patches(scores.data(), frames, grid, random_access, options);
  REQUIRE(options.min_score > 0 ? static_cast<int64_t>(chosen.size()) <= count
                                : static_cast<int64_t>(chosen.size()) == count);
  std::sort(chosen.begin(), chosen.end());
  REQUIRE(std::adjacent_find(chosen.begin(), chosen.end()) == chosen.end());
  REQUIRE(chosen.empty() || (chosen.front() >= 0 && chosen.back() < static_cast<int64_t>(scores.size())));
  return 0;
}
