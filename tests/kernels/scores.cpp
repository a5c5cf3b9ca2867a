// SPDX-License-Identifier: LGPL-2.1-or-later
#include "kernels/scores.h"

#include "kernels/geometry.h"
#include "tests/kernels/bench.h"
#include "tests/kernels/reference.h"

#include <gst/check/gstcheck.h>

namespace {

void check_scores(cps::Size source, cps::Size target, int patch, unsigned seed) {
  cps::PatchScorer scorer(source, target, patch);
  fail_unless(scorer.map_size() == cps::small_size(source));
  fail_unless_equals_int(scorer.grid_size().width, target.width / patch);
  fail_unless_equals_int(scorer.grid_size().height, target.height / patch);

  std::mt19937 random(seed);
  std::vector<float> energy(static_cast<size_t>(scorer.map_size().width * scorer.map_size().height));
  for (float &value : energy)
    value = static_cast<float>(random() % 1001) / 1000.0f;
  const std::vector<double> expected = reference::scores(energy, source, target, patch);
  std::vector<double> scores(expected.size(), -1.0);
  scorer.run(energy.data(), scores.data());
  for (size_t i = 0; i < scores.size(); ++i)
    fail_unless(std::fabs(scores[i] - expected[i]) < 1e-9, "%dx%d, patch %d: %.17g instead of %.17g", source.width,
                source.height, static_cast<int>(i), scores[i], expected[i]);
}

} // namespace

GST_START_TEST(test_scores_match_the_long_way) {
  const cps::Size sources[] = {{1, 1}, {1, 90}, {90, 1}, {31, 45}, {128, 128}, {320, 240}, {241, 427}, {500, 33}};
  for (const cps::Size source : sources) {
    check_scores(source, {56, 84}, 14, 1);
    check_scores(source, {96, 64}, 16, 2);
    check_scores(source, {28, 252}, 14, 3);
    check_scores(source, {12, 8}, 1, 4);
  }
}
GST_END_TEST;

// A map of ones scores the area of a patch, for weights sum to 1.
GST_START_TEST(test_weights_sum_to_patches) {
  for (const int source : {1, 35, 320, 1080, 1999})
    for (const int patch : {7, 14, 16}) {
      const cps::BandedMatrix matrix =
          cps::score_matrix(cps::small_size({source, source}).width, source, patch * 12, patch);
      fail_unless_equals_int(static_cast<int>(matrix.rows.size()), 12);
      for (const cps::BandedMatrix::Row &row : matrix.rows) {
        fail_unless(row.weights.front() > 0.0 && row.weights.back() > 0.0);
        const double sum = std::accumulate(row.weights.begin(), row.weights.end(), 0.0);
        fail_unless(std::fabs(sum - patch) < 1e-9, "%g", sum);
      }
    }
}
GST_END_TEST;

GST_START_TEST(test_runs_are_independent) {
  cps::PatchScorer scorer({160, 144}, {84, 56}, 14);
  const auto samples = static_cast<size_t>(scorer.map_size().width * scorer.map_size().height);
  std::vector<float> ones(samples, 1.0f), zeros(samples, 0.0f);
  std::vector<double> first(24), second(24), third(24);
  scorer.run(ones.data(), first.data());
  scorer.run(zeros.data(), second.data());
  scorer.run(ones.data(), third.data());
  fail_unless(first == third);
  fail_unless(second == std::vector<double>(24, 0.0));
}
GST_END_TEST;

static Suite *scores_suite() {
  Suite *suite = suite_create("scores");
  TCase *tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, test_scores_match_the_long_way);
  tcase_add_test(tests, test_weights_sum_to_patches);
  tcase_add_test(tests, test_runs_are_independent);
  return suite;
}

static void bench_scores() {
  const cps::Size target = cps::target_size(bench::kSource, {});
  cps::PatchScorer scorer(bench::kSource, target, bench::kPatch);
  const auto samples = static_cast<size_t>(scorer.map_size().width * scorer.map_size().height),
             patches = static_cast<size_t>(scorer.grid_size().width * scorer.grid_size().height);
  const std::vector<float> energy(samples, 0.5f);
  std::vector<double> scores(patches);
  bench::time("scores", static_cast<double>(samples * sizeof(float) + patches * sizeof(double)),
              [&] { scorer.run(energy.data(), scores.data()); });
}

int main(int argc, char **argv) {
  return bench::run(argc, argv, scores_suite, "scores", bench_scores);
}
