// SPDX-License-Identifier: LGPL-2.1-or-later
#include "kernels/replenishment.h"

#include "kernels/geometry.h"
#include "kernels/ranking.h"
#include "tests/kernels/bench.h"
#include "tests/kernels/reference.h"

#include <gst/check/gstcheck.h>
#include <limits>
#include <random>

namespace {

using cps::SelectionUnit;
using cps::Size;
using Scores = std::vector<int64_t>;

// Planes at target size of a clip, as PictureResizer writes them.
struct Clip {
  Size target;
  int planes, patch, frames;
  SelectionUnit unit;
  std::vector<uint16_t> pixels;

  size_t plane() const { return static_cast<size_t>(target.width) * static_cast<size_t>(target.height); }
  size_t side() const { return static_cast<size_t>(cps::unit_side(patch, unit)); }
  size_t units() const { return plane() / (side() * side()); }
  size_t length() const { return static_cast<size_t>(frames); }

  Size grid() const { return {target.width / patch, target.height / patch}; }
  size_t unit_samples() const { return side() * side() * static_cast<size_t>(planes); }

  std::vector<double> patch_scores() const {
    cps::ReplenishmentScorer scorer(target, planes, patch, unit, frames);
    std::vector<double> all(plane() / static_cast<size_t>(patch * patch) * length(), -1);
    scorer.run(pixels.data(), all.data());
    return all;
  }

  // By the same samples as bytes, interleaved.
  std::vector<double> scores_of_bytes() const {
    std::vector<uint8_t> bytes;
    for (size_t frame = 0; frame < length(); frame++)
      for (size_t i = 0; i < plane(); i++)
        for (size_t p = 0; p < static_cast<size_t>(planes); p++)
          bytes.push_back(static_cast<uint8_t>(pixels[(frame * static_cast<size_t>(planes) + p) * plane() + i] / 256));
    cps::ReplenishmentScorer scorer(target, planes, patch, unit, frames);
    std::vector<double> all(plane() / static_cast<size_t>(patch * patch) * length(), -1);
    scorer.run(bytes.data(), all.data());
    return all;
  }

  // Of the units, times their samples.
  Scores scores() const {
    const std::vector<double> of_patches = patch_scores();
    const bool blocks = unit == SelectionUnit::Block2x2;
    Scores all;
    for (int64_t i = 0; i < static_cast<int64_t>(units() * length()); i++) {
      const double score = of_patches[static_cast<size_t>(cps::first_patch_of_unit(i, blocks, grid().width))];
      const double samples = static_cast<double>(unit_samples());
      all.push_back(std::llround(score * samples));
      fail_unless(static_cast<double>(all.back()) / samples == score);
      int64_t patches[4];
      if (blocks) {
        cps::write_block_patches(cps::first_patch_of_block(i, grid().width), grid().width, patches);
        for (const int64_t index : patches)
          fail_unless(of_patches[static_cast<size_t>(index)] == score);
      }
    }
    return all;
  }

  std::vector<int64_t> select(int64_t count) const {
    cps::SelectOptions options;
    options.ranking = cps::Ranking::Replenishment;
    options.unit = unit;
    options.patch_size = patch;
    options.k_keep = count;
    return cps::select_patches(patch_scores().data(), frames, grid(), std::vector<uint8_t>(length(), 1), options);
  }

  // The unit's samples as code values.
  std::vector<int64_t> samples(size_t frame, size_t unit_index) const {
    const auto width = static_cast<size_t>(target.width);
    const size_t columns = width / side(), top = unit_index / columns * side(), left = unit_index % columns * side();
    std::vector<int64_t> all;
    for (size_t p = 0; p < static_cast<size_t>(planes); p++)
      for (size_t y = 0; y < side(); y++)
        for (size_t x = 0; x < side(); x++)
          all.push_back(
              (pixels[(frame * static_cast<size_t>(planes) + p) * plane() + (top + y) * width + left + x] + 128) / 256);
    return all;
  }
};

int64_t squared(const std::vector<int64_t> &a, const std::vector<int64_t> &b) {
  int64_t sum = 0;
  for (size_t i = 0; i < a.size(); i++)
    sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}

// Of one place: hold[a][e], as docs/spec.md#replenishment defines it.
std::vector<Scores> holds(const Clip &clip, size_t place) {
  const size_t length = clip.length();
  std::vector<Scores> hold(length, Scores(length + 1));
  for (size_t a = 0; a < length; a++)
    for (size_t end = a + 1; end <= length; end++)
      hold[a][end] = hold[a][end - 1] + squared(clip.samples(a, place), clip.samples(end - 1, place));
  return hold;
}

// As the text has it.
Scores reference_scores(const Clip &clip, size_t place) {
  const std::vector<Scores> hold = holds(clip, place);
  const size_t length = clip.length();
  Scores score(length);
  std::vector<size_t> kept(length);
  std::iota(kept.begin(), kept.end(), size_t{0});
  int64_t last = -1;
  while (kept.size() > 1) {
    int64_t least = std::numeric_limits<int64_t>::max();
    size_t at = 0;
    for (size_t i = 1; i < kept.size(); i++) {
      const size_t p = kept[i - 1], t = kept[i], q = i + 1 < kept.size() ? kept[i + 1] : length;
      const int64_t gain = hold[p][q] - hold[p][t] - hold[t][q];
      if (gain <= least) {
        least = gain;
        at = i;
      }
    }
    last = score[kept[at]] = std::max(least, last + 1);
    kept.erase(kept.begin() + static_cast<ptrdiff_t>(at));
  }
  score[0] = squared(clip.samples(0, place), std::vector<int64_t>(clip.samples(0, place).size(), 128));
  return score;
}

// Squared error of the replayed clip, of units in ascending order.
int64_t replay_error(const Clip &clip, const std::vector<int64_t> &selected) {
  const size_t units = clip.units();
  std::vector<bool> sent(units * clip.length());
  for (const int64_t unit : selected)
    sent[static_cast<size_t>(unit)] = true;
  int64_t error = 0;
  for (size_t place = 0; place < units; place++) {
    std::vector<int64_t> shown(clip.samples(0, place).size(), 128);
    for (size_t frame = 0; frame < clip.length(); frame++) {
      const std::vector<int64_t> real = clip.samples(frame, place);
      if (sent[frame * units + place])
        shown = real;
      error += squared(real, shown);
    }
  }
  return error;
}

// The least error with `count` units of which frame 0 has all: every subset of the others.
int64_t least_error(const Clip &clip, size_t count) {
  const size_t units = clip.units(), others = units * (clip.length() - 1);
  int64_t least = std::numeric_limits<int64_t>::max();
  for (unsigned subset = 0; subset < 1u << others; subset++) {
    if (static_cast<size_t>(__builtin_popcount(subset)) + units != count)
      continue;
    std::vector<int64_t> selected(units);
    std::iota(selected.begin(), selected.end(), int64_t{0});
    for (size_t i = 0; i < others; i++)
      if (subset & 1u << i)
        selected.push_back(static_cast<int64_t>(units + i));
    least = std::min(least, replay_error(clip, selected));
  }
  return least;
}

// Of smooth changes and of noise, some of it the same in several frames, so that there are ties.
Clip random_clip(std::minstd_rand &random, Size units, int planes, int patch, int frames,
                 SelectionUnit unit = SelectionUnit::Patch) {
  const int side = cps::unit_side(patch, unit);
  Clip clip = {{units.width * side, units.height * side}, planes, patch, frames, unit, {}};
  const size_t frame_samples = clip.plane() * static_cast<size_t>(planes);
  clip.pixels.resize(frame_samples * clip.length());
  for (size_t i = 0; i < clip.pixels.size(); i++) {
    const bool same = i >= frame_samples && random() % 4 != 0;
    const unsigned range = random() % 3 == 0 ? 65536 : 2048; // all code values
    const unsigned long before = same ? clip.pixels[i - frame_samples] : random() % 65536;
    clip.pixels[i] =
        static_cast<uint16_t>(std::min<unsigned long>(before + (same ? random() % 512 : random() % range), 65535u));
  }
  return clip;
}

void check_scores(const Clip &clip, int number) {
  const Scores scores = clip.scores();
  for (size_t place = 0; place < clip.units(); place++) {
    const Scores expected = reference_scores(clip, place);
    for (size_t frame = 0; frame < clip.length(); frame++)
      fail_unless(scores[frame * clip.units() + place] == expected[frame],
                  "clip %d, place %zu, frame %zu: %" G_GINT64_FORMAT " instead of %" G_GINT64_FORMAT, number, place,
                  frame, scores[frame * clip.units() + place], expected[frame]);
  }
}

} // namespace

GST_START_TEST(test_random_clips) {
  std::minstd_rand random(1);
  for (int i = 0; i < 500; i++) {
    const Size units = {1 + static_cast<int>(random() % 3), 1 + static_cast<int>(random() % 2)};
    const int planes = random() % 4 == 0 ? 1 : 3, patch = 1 + static_cast<int>(random() % 7);
    const int frames = 1 + static_cast<int>(random() % 9);
    check_scores(random_clip(random, units, planes, patch, frames,
                             random() % 3 == 0 ? SelectionUnit::Block2x2 : SelectionUnit::Patch),
                 i);
  }
}
GST_END_TEST;

GST_START_TEST(test_bytes) {
  std::minstd_rand random(3);
  for (int i = 0; i < 100; i++) {
    const Size units = {1 + static_cast<int>(random() % 3), 1 + static_cast<int>(random() % 3)};
    Clip clip = random_clip(random, units, random() % 4 == 0 ? 1 : 3, 1 + static_cast<int>(random() % 7),
                            1 + static_cast<int>(random() % 9),
                            random() % 3 == 0 ? SelectionUnit::Block2x2 : SelectionUnit::Patch);
    for (uint16_t &sample : clip.pixels)
      sample = static_cast<uint16_t>(sample / 256 * 256);
    fail_unless(clip.scores_of_bytes() == clip.patch_scores());
  }
}
GST_END_TEST;

// Equal frames: the last of equal gains goes first, and scores go up by one.
GST_START_TEST(test_still_clip) {
  Clip clip = {{4, 4}, 3, 4, 5, SelectionUnit::Patch, std::vector<uint16_t>(5 * 48, 100 * 256)};
  const Scores expected = {48 * 28 * 28, 3, 2, 1, 0};
  fail_unless(clip.scores() == expected);
}
GST_END_TEST;

// Samples are rounded to code values, half up, and no sum overflows: black and white, in the largest units there are.
GST_START_TEST(test_extremes) {
  Clip clip = {{1, 1}, 1, 1, 2, SelectionUnit::Patch, {127, 128}};
  fail_unless(clip.scores() == Scores({128 * 128, 1}));
  for (const auto &[patch, unit] : {std::pair(300, SelectionUnit::Patch), std::pair(1024, SelectionUnit::Block2x2)}) {
    const int side = cps::unit_side(patch, unit);
    const size_t samples = size_t{3} * static_cast<size_t>(side) * static_cast<size_t>(side);
    Clip large = {{side, side}, 3, patch, 2, unit, std::vector<uint16_t>(2 * samples, 0)};
    std::fill(large.pixels.begin(), large.pixels.begin() + static_cast<ptrdiff_t>(samples), uint16_t{65472}); // 10 bits
    const auto count = static_cast<int64_t>(samples);
    fail_unless(large.scores() == Scores({count * 128 * 128, count * 256 * 256}));
  }
}
GST_END_TEST;

// What is selected for a smaller budget is part of what is selected for a larger one, and the best of it.
GST_START_TEST(test_selection) {
  std::minstd_rand random(3);
  for (int i = 0; i < 50; i++) {
    const Clip clip = random_clip(random, {3, 2}, 3, 2, 6);
    const Scores scores = clip.scores();
    const size_t all = scores.size();
    std::vector<int64_t> larger = clip.select(1 << 20);
    assert_equals_uint64(larger.size(), all);
    for (size_t count = all; count-- > 0;) {
      const auto selected = clip.select(static_cast<int64_t>(count));
      assert_equals_uint64(selected.size(), count);
      fail_unless(std::is_sorted(selected.begin(), selected.end()));
      std::vector<int64_t> dropped;
      std::set_difference(larger.begin(), larger.end(), selected.begin(), selected.end(), std::back_inserter(dropped));
      assert_equals_uint64(dropped.size(), 1);
      const bool first_frame = static_cast<size_t>(dropped[0]) < clip.units();
      fail_unless(!first_frame || count < clip.units(), "a unit of frame 0 is dropped before others");
      for (const int64_t unit : selected)
        if ((static_cast<size_t>(unit) < clip.units()) == first_frame)
          fail_unless(
              scores[static_cast<size_t>(unit)] > scores[static_cast<size_t>(dropped[0])] ||
              (scores[static_cast<size_t>(unit)] == scores[static_cast<size_t>(dropped[0])] && unit < dropped[0]));
      larger = selected;
    }
  }
}
GST_END_TEST;

// Never better than the best choice, and on average hardly worse.
GST_START_TEST(test_near_the_optimum) {
  std::minstd_rand random(5);
  double loss = 0;
  int clips = 0;
  for (int i = 0; i < 60; i++) {
    const Clip clip = random_clip(random, {2, 1}, 1, 3, 6);
    const size_t units = clip.units();
    for (const size_t count : {units + 2, units + 4, units + 6}) {
      const int64_t error = replay_error(clip, clip.select(static_cast<int64_t>(count)));
      const int64_t least = least_error(clip, count);
      fail_unless(error >= least);
      if (least > 0) {
        loss += 10 * std::log10(static_cast<double>(error) / static_cast<double>(least));
        clips++;
      }
    }
  }
  loss /= clips;
  g_print("%.3f dB more error than the optimum\n", loss);
  fail_unless(loss < 0.2);
}
GST_END_TEST;

static Suite *replenishment_suite() {
  Suite *suite = suite_create("replenishment");
  TCase *tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, test_random_clips);
  tcase_add_test(tests, test_bytes);
  tcase_add_test(tests, test_still_clip);
  tcase_add_test(tests, test_extremes);
  tcase_add_test(tests, test_selection);
  tcase_add_test(tests, test_near_the_optimum);
  return suite;
}

static void bench_replenishment() {
  const Size target = cps::target_size(bench::kSource, {});
  for (const int frames : {bench::kFrames, 64, 256}) {
    std::minstd_rand random(7);
    const Clip clip =
        random_clip(random, {target.width / bench::kPatch, target.height / bench::kPatch}, 3, bench::kPatch, frames);
    cps::ReplenishmentScorer scorer(clip.target, clip.planes, clip.patch, clip.unit, frames);
    std::vector<double> scores(clip.units() * clip.length());
    bench::time("replenishment, n = " + std::to_string(frames),
                static_cast<double>(clip.pixels.size() * sizeof(uint16_t) + scores.size() * sizeof(double)),
                [&] { scorer.run(clip.pixels.data(), scores.data()); });
  }
}

int main(int argc, char **argv) {
  return bench::run(argc, argv, replenishment_suite, "replenishment", bench_replenishment);
}
