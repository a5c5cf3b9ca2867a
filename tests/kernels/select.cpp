// SPDX-License-Identifier: LGPL-2.1-or-later
#include "kernels/select.h"

#include "kernels/geometry.h"
#include "kernels/ranking.h"
#include "tests/kernels/bench.h"
#include "tests/kernels/reference.h"

#include <gst/check/gstcheck.h>

namespace {

using Indices = std::vector<int64_t>;

cps::SelectOptions keep(int64_t count, cps::SelectionUnit unit = cps::SelectionUnit::Patch) {
  cps::SelectOptions options;
  options.k_keep = count;
  options.unit = unit;
  return options;
}

// Frames of 2x2 patches.
Indices select(const std::vector<double> &scores, const std::vector<uint8_t> &random_access,
               const cps::SelectOptions &options) {
  return cps::select_patches(scores.data(), static_cast<int>(random_access.size()), {2, 2}, random_access, options);
}

Indices range(int64_t begin, int64_t end) {
  Indices indices(static_cast<size_t>(end - begin));
  std::iota(indices.begin(), indices.end(), begin);
  return indices;
}

// Four frames that hardly move, the first is a random-access one.
const std::vector<double> kStill = {0, 0, 0, 0, .2, .1, .1, .1, .1, .1, .1, .1, .1, .1, .1, .3};
const std::vector<uint8_t> kStillAccess = {1, 0, 0, 0};

cps::SelectOptions fallback(int64_t count, int frames) {
  cps::SelectOptions options = keep(count);
  options.static_fallback = true;
  options.static_uniform_frames = frames;
  return options;
}

} // namespace

GST_START_TEST(test_scores_are_quantised) {
  fail_unless(cps::quantised_score(0.0) == 0);
  fail_unless(cps::quantised_score(1.0) == 1024);
  fail_unless(cps::quantised_score(0.5 / 1024) == 1); // half up
  fail_unless(cps::quantised_score(0.4999 / 1024) == 0);
  fail_unless(cps::quantised_score(196.0) == 200704);
}
GST_END_TEST;

GST_START_TEST(test_counts) {
  const auto blocks = cps::SelectionUnit::Block2x2;
  fail_unless(cps::selection_count(keep(10), 4, {4, 2}) == 10);
  fail_unless(cps::selection_count(keep(33), 4, {4, 2}) == 32);
  fail_unless(cps::selection_count(keep(0), 4, {4, 2}) == 0);
  fail_unless(cps::selection_count(keep(-7), 4, {4, 2}) == 0);
  fail_unless(cps::selection_count(keep(INT64_MAX), 1 << 20, {1 << 10, 1 << 10}) == int64_t(1) << 40);
  fail_unless(cps::selection_count(keep(8, blocks), 4, {4, 2}) == 8);
  fail_unless(cps::selection_count(keep(10, blocks), 4, {4, 2}) == -1);
  fail_unless(cps::selection_count(keep(33, blocks), 4, {4, 2}) == 32); // the count is clamped first
  fail_unless(cps::selection_count(keep(-7, blocks), 4, {4, 2}) == 0);
}
GST_END_TEST;

GST_START_TEST(test_nothing_to_keep) {
  fail_unless(select(kStill, kStillAccess, keep(0)).empty());
  fail_unless(select(kStill, kStillAccess, keep(-1)).empty());
  fail_unless(select(kStill, kStillAccess, keep(0, cps::SelectionUnit::Block2x2)).empty());
}
GST_END_TEST;

GST_START_TEST(test_all_to_keep) {
  fail_unless(select(kStill, kStillAccess, keep(16)) == range(0, 16));
  fail_unless(select(kStill, kStillAccess, keep(1000)) == range(0, 16));
  fail_unless(select(kStill, {1, 1, 1, 1}, keep(1000)) == range(0, 16));
}
GST_END_TEST;

GST_START_TEST(test_random_access_frames_first) {
  const std::vector<double> scores = {9, 8, 7, 6, 1, 2, 3, 4, 5, 5, 5, 5};
  fail_unless(select(scores, {0, 1, 0}, keep(6)) == Indices({0, 1, 4, 5, 6, 7})); // all of it, then the best
  fail_unless(select(scores, {0, 1, 0}, keep(4)) == Indices({4, 5, 6, 7}));
  fail_unless(select(scores, {0, 1, 0}, keep(2)) == Indices({6, 7})); // only of it
  fail_unless(select(scores, {0, 0, 0}, keep(2)) == Indices({0, 1})); // there is none
  fail_unless(select(scores, {1, 1, 1}, keep(5)) == Indices({0, 1, 2, 3, 8}));
}
GST_END_TEST;

GST_START_TEST(test_ties_take_the_lower_index) {
  const std::vector<double> equal(12, 3.0);
  fail_unless(select(equal, {1, 0, 0}, keep(7)) == range(0, 7));
  fail_unless(select(equal, {0, 0, 1}, keep(7)) == Indices({0, 1, 2, 8, 9, 10, 11}));
  fail_unless(select(equal, {0, 1, 0}, keep(3)) == range(4, 7));
  // Less than a quantum apart is a tie.
  const std::vector<double> near = {3.0, 3.0001, 3.0002, 3.0003};
  fail_unless(select(near, {0}, keep(2)) == range(0, 2));
}
GST_END_TEST;

GST_START_TEST(test_blocks) {
  // Two frames of 4x4 patches; the block at the bottom left of the second one is best, though no patch of it is.
  std::vector<double> scores(32, 0.0);
  scores[3] = 5.0;
  for (const size_t patch : {24, 25, 28, 29})
    scores[patch] = 2.0;
  const auto unit = cps::SelectionUnit::Block2x2;
  const auto run = [&](int64_t count, const std::vector<uint8_t> &access) {
    return cps::select_patches(scores.data(), 2, {4, 4}, access, keep(count, unit));
  };
  fail_unless(run(4, {0, 0}) == Indices({24, 25, 28, 29}));
  fail_unless(run(8, {0, 0}) == Indices({2, 3, 6, 7, 24, 25, 28, 29}));
  fail_unless(run(4, {1, 0}) == Indices({2, 3, 6, 7}));
  fail_unless(run(20, {1, 0}) == Indices({0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15, 24, 25, 28, 29}));
}
GST_END_TEST;

// A block's rank is the sum of its quantised patches, not the quantised sum.
GST_START_TEST(test_blocks_sum_quanta) {
  std::vector<double> scores(8, 0.0);                         // one frame of 2 rows, 4 columns: two blocks
  scores[0] = scores[1] = scores[4] = scores[5] = 0.4 / 1024; // 0 each, 1.6 quanta together
  scores[2] = 0.6 / 1024;                                     // 1
  fail_unless(cps::select_patches(scores.data(), 1, {4, 2}, {0}, keep(4, cps::SelectionUnit::Block2x2)) ==
              Indices({2, 3, 6, 7}));
}
GST_END_TEST;

GST_START_TEST(test_fallback_spreads_over_frames) {
  fail_unless(select(kStill, kStillAccess, keep(6)) == Indices({0, 1, 2, 3, 4, 15}));
  fail_unless(select(kStill, kStillAccess, fallback(6, 0)) == Indices({0, 1, 2, 3, 4, 15})); // off
  fail_unless(select(kStill, kStillAccess, fallback(6, -1)) == Indices({0, 1, 2, 3, 4, 15}));
  fail_unless(select(kStill, kStillAccess, fallback(6, 1)) == Indices({0, 1, 2, 3, 4, 5}));   // frame 1
  fail_unless(select(kStill, kStillAccess, fallback(12, 2)) == range(0, 12));                 // frames 1, 2
  fail_unless(select(kStill, kStillAccess, fallback(6, 99)) == Indices({0, 1, 2, 3, 4, 15})); // all alike
  // Not for the patches of random-access frames, nor where there are none of others.
  fail_unless(select(kStill, {0, 0, 0, 0}, fallback(1, 1)) == Indices({15}));
  fail_unless(select(kStill, {1, 1, 1, 1}, fallback(16, 1)) == range(0, 16));
}
GST_END_TEST;

GST_START_TEST(test_fallback_thresholds) {
  // Patches of one pixel: p95 is 0.2, p50 0.1, contrast 0.5.
  const std::vector<double> scores = {0, 0, 0, 0, .2, .05, .05, .05, .05, .1, .1, .1, .1, .1, .1, .3};
  cps::SelectOptions options = fallback(5, 1);
  options.patch_size = 1;
  const auto is_static = [&](double absolute, double relative) {
    options.static_abs_thresh = absolute;
    options.static_rel_thresh = relative;
    return select(scores, kStillAccess, options) == range(0, 5);
  };
  fail_unless(is_static(0.3, 0.0));
  fail_unless(is_static(1.0, 0.0));  // is not divided by 255
  fail_unless(is_static(60.0, 0.0)); // is
  fail_if(is_static(2.0, 1.0));
  fail_unless(is_static(300., 0.0)); // clamped to 1
  fail_if(is_static(0.0, 1.0));
  fail_if(is_static(-3.0, 1.0));
  fail_if(is_static(0.15, 0.4)); // between the threshold and its double
  fail_unless(is_static(0.15, 0.6));
  fail_if(is_static(0.15, -1.0));
  fail_if(is_static(0.09, 0.6)); // above both
}
GST_END_TEST;

// Four of forty patches stand out: enough for the 95th percentile, too few for the 90th.
GST_START_TEST(test_fallback_looks_at_the_top) {
  std::vector<double> scores(36, 0.05);
  scores.resize(40, 0.2);
  cps::SelectOptions options = fallback(5, 1);
  options.patch_size = 1;
  options.static_abs_thresh = 0.15;
  options.static_rel_thresh = 0.4;
  fail_unless(select(scores, {1, 0, 0, 0, 0, 0, 0, 0, 0, 0}, options) == Indices({0, 1, 2, 3, 36}));
}
GST_END_TEST;

GST_START_TEST(test_random_clips) {
  std::mt19937 random(17);
  const auto one_of = [&](auto... values) {
    const std::common_type_t<decltype(values)...> list[] = {values...};
    return list[random() % sizeof...(values)];
  };
  for (int round = 0; round < 3000; ++round) {
    const int frames = 1 + static_cast<int>(random() % 6);
    const cps::Size grid{2 * (1 + static_cast<int>(random() % 4)), 2 * (1 + static_cast<int>(random() % 3))};
    const double scale = one_of(0.0, 1e-3, 0.2, 30.0, 196.0);
    const unsigned levels = one_of(2u, 5u, 100000u);
    std::vector<double> scores(static_cast<size_t>(frames * grid.width * grid.height));
    for (double &score : scores)
      score = scale * (random() % levels) / (levels - 1);
    std::vector<uint8_t> access(static_cast<size_t>(frames));
    for (uint8_t &flag : access)
      flag = random() % 3 == 0;

    cps::SelectOptions options;
    options.k_keep = static_cast<int64_t>(random() % (scores.size() + 8)) - 3;
    options.unit = one_of(cps::SelectionUnit::Patch, cps::SelectionUnit::Block2x2);
    options.patch_size = one_of(1, 14, 16);
    options.ranking = one_of(cps::Ranking::Energy, cps::Ranking::Energy, cps::Ranking::Replenishment);
    options.min_score = one_of(0.0, 0.0, 0.5, 1.0, 20.0);
    options.static_fallback = random() % 2;
    options.static_abs_thresh = one_of(2.0, 0.5, 0.1, 0.001, 100.0, 1e6, -1.0);
    options.static_rel_thresh = one_of(0.15, 0.9, 0.0, -1.0);
    options.static_uniform_frames = one_of(4, 1, 2, 0, 100, -2);
    if (cps::selection_count(options, frames, grid) < 0)
      options.k_keep &= ~int64_t(3);
    fail_unless(cps::select_patches(scores.data(), frames, grid, access, options) ==
                    reference::select(scores, frames, grid, access, options),
                "round %d", round);
  }
}
GST_END_TEST;

// Units with just that score stay. Those of the frames that come first stay, whatever their score.
GST_START_TEST(test_min_score) {
  const std::vector<double> scores = {0, 1, 0, 0, /**/ 2, 3, 4, 1, /**/ 3, 0, 3, 9};
  for (const cps::Ranking ranking : {cps::Ranking::Energy, cps::Ranking::Replenishment}) {
    cps::SelectOptions options = keep(100);
    options.ranking = ranking;
    options.min_score = 3;
    const auto selected = [&] { return cps::select_patches(scores.data(), 3, {2, 2}, {1, 0, 0}, options); };
    fail_unless(selected() == std::vector<int64_t>({0, 1, 2, 3, 5, 6, 8, 10, 11}));
    options.min_score = std::nextafter(3.0, 4.0);
    fail_unless(selected() == std::vector<int64_t>({0, 1, 2, 3, 6, 11}));
    options.min_score = 1e300;
    fail_unless(selected() == std::vector<int64_t>({0, 1, 2, 3}));
  }
}
GST_END_TEST;

static Suite *select_suite() {
  Suite *suite = suite_create("select");
  TCase *tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, test_scores_are_quantised);
  tcase_add_test(tests, test_counts);
  tcase_add_test(tests, test_nothing_to_keep);
  tcase_add_test(tests, test_all_to_keep);
  tcase_add_test(tests, test_random_access_frames_first);
  tcase_add_test(tests, test_ties_take_the_lower_index);
  tcase_add_test(tests, test_blocks);
  tcase_add_test(tests, test_blocks_sum_quanta);
  tcase_add_test(tests, test_fallback_spreads_over_frames);
  tcase_add_test(tests, test_fallback_thresholds);
  tcase_add_test(tests, test_fallback_looks_at_the_top);
  tcase_add_test(tests, test_min_score);
  tcase_add_test(tests, test_random_clips);
  return suite;
}

static void bench_select() {
  const cps::Size target = cps::target_size(bench::kSource, {}),
                  grid = {target.width / bench::kPatch, target.height / bench::kPatch};
  std::vector<uint8_t> random_access(bench::kFrames);
  random_access[0] = 1;
  const size_t patches = random_access.size() * static_cast<size_t>(grid.width * grid.height);
  std::mt19937 random(1);
  std::vector<double> scores(patches);
  for (double &score : scores)
    score = static_cast<double>(random() % 100001) / 1e5;
  for (const cps::SelectionUnit unit : {cps::SelectionUnit::Patch, cps::SelectionUnit::Block2x2}) {
    const cps::SelectOptions options = keep(2048, unit);
    bench::time(unit == cps::SelectionUnit::Patch ? "selection, patches" : "selection, blocks of 2x2",
                static_cast<double>(patches * sizeof(double) + 2048 * sizeof(int64_t)),
                [&] { cps::select_patches(scores.data(), bench::kFrames, grid, random_access, options); });
  }
}

int main(int argc, char **argv) {
  return bench::run(argc, argv, select_suite, "select", bench_select);
}
