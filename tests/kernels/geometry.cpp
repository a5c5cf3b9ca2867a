// SPDX-License-Identifier: LGPL-2.1-or-later
#include "kernels/geometry.h"

#include "tests/kernels/reference.h"

#include <gst/check/gstcheck.h>

namespace {

void check_taps(int full, int sub, int phase, int samples, int outputs) {
  const cps::TapTable table = cps::bilinear_taps(full, sub, phase, samples, outputs);
  fail_unless_equals_int(static_cast<int>(table.taps.size()), outputs);
  for (int i = 0; i < outputs; ++i) {
    const cps::Tap &tap = table.taps[static_cast<size_t>(i)];
    const reference::Position at = reference::position(i, full, sub, phase, samples, outputs);
    fail_unless(tap.first == at.first && tap.second == at.second, "%d of %d: between %d and %d", i, outputs, tap.first,
                tap.second);
    fail_unless(static_cast<reference::Wide>(tap.frac) * at.den == static_cast<reference::Wide>(at.rest) * table.den,
                "%d of %d: weight is %d / %d", i, outputs, tap.frac, table.den);
  }
}

cps::Size target(int width, int height, int64_t least = 0, int64_t most = 0, int input = 224, int patch = 14) {
  cps::TargetOptions options;
  options.input_size = input;
  options.patch_size = patch;
  options.min_pixels = least;
  options.max_pixels = most;
  return cps::target_size({width, height}, options);
}

void check_size(cps::Size size, int width, int height) {
  fail_unless(size.width == width && size.height == height, "%dx%d instead of %dx%d", size.width, size.height, width,
              height);
}

} // namespace

GST_START_TEST(test_taps_match_the_formula) {
  for (int outputs = 1; outputs < 40; ++outputs)
    for (int full = 1; full < 40; ++full)
      for (int sub = 1; sub <= 2; ++sub)
        for (int phase = 0; phase < sub; ++phase)
          check_taps(full, sub, phase, (full + phase + sub - 1) / sub, outputs);
  check_taps(1920, 1, 0, 1920, 308);
  check_taps(1919, 2, 1, 960, 308);
  check_taps(100, 4, 3, 26, 56);
}
GST_END_TEST;

GST_START_TEST(test_taps_do_not_overflow) {
  check_taps(1 << 30, 1, 0, 1 << 30, 16383);
  check_taps((1 << 30) - 1, 2, 1, 1 << 29, 65535);
  check_taps(2000000011, 4, 3, 500000004, 4096);
}
GST_END_TEST;

GST_START_TEST(test_four_to_one_takes_the_middle) {
  const cps::TapTable table = cps::bilinear_taps(128, 1, 0, 128, 32);
  fail_unless_equals_int(table.den, 2);
  for (int i = 0; i < 32; ++i) {
    const cps::Tap &tap = table.taps[static_cast<size_t>(i)];
    fail_unless(tap.first == 4 * i + 1 && tap.second == 4 * i + 2 && tap.frac == 1);
  }
}
GST_END_TEST;

GST_START_TEST(test_target_sizes) {
  check_size(target(1920, 1080), 308, 168);
  check_size(target(1080, 1920), 168, 308);
  check_size(target(320, 240), 252, 196);
  check_size(target(320, 240, 0, 0, 448, 16), 512, 384);
  check_size(target(320, 240, 90000, 120000), 336, 252);
  check_size(target(224, 224), 224, 224);
  check_size(target(1, 1), 224, 224);
  check_size(target(10000, 1), 22400, 28); // no side below two patches
  check_size(target(1, 10000), 28, 22400);
}
GST_END_TEST;

GST_START_TEST(test_target_rounds_half_away) {
  check_size(target(42, 70, 1, 1000000), 56, 84); // 1.5 and 2.5 units
  check_size(target(41, 69, 1, 1000000), 28, 56);
}
GST_END_TEST;

GST_START_TEST(test_target_limits) {
  check_size(target(100, 100, 40000, 2500), 56, 56);      // both apply: the upper limit wins
  check_size(target(100, 100, 40000, 1000000), 196, 196); // only the lower one
  check_size(target(100, 100, -1, -1), 224, 224);         // unset
  const cps::Size huge = target(1920, 1080, INT64_MAX, INT64_MAX);
  fail_unless(huge.width > 0 && huge.height > 0 && huge.width % 28 == 0 && huge.height % 28 == 0);
  const cps::Size large = target(INT32_MAX, INT32_MAX, 1, INT64_MAX);
  fail_unless(large.width > 0 && large.width % 28 == 0);
}
GST_END_TEST;

// As the function smart_resize() of Qwen's preprocessors, with a factor of 28.
GST_START_TEST(test_floor_rule) {
  const struct {
    int width, height;
    int64_t least, most;
    cps::Size size;
  } rows[] = {
      {1920, 1080, 50176, 50176, {280, 168}},
      {320, 240, 50176, 50176, {252, 168}},
      {42, 70, 1, 1000000, {56, 56}},
      {41, 69, 1, 1000000, {28, 56}},
      {100, 100, 40000, 1000000, {224, 224}},
      {98, 98, 1, 1000000, {112, 112}},
      {1920, 1080, 3136, 12845056, {1932, 1092}},
      {10000, 1, 50176, 50176, {22400, 28}},
      {1, 1, 50176, 50176, {224, 224}},
      {640, 360, 100352, 602112, {644, 364}},
      {123, 4567, 50176, 602112, {112, 4564}},
  };
  for (const auto &row : rows) {
    cps::TargetOptions options;
    options.rule = cps::SizeRule::Floor;
    options.min_pixels = row.least;
    options.max_pixels = row.most;
    check_size(cps::target_size({row.width, row.height}, options), row.size.width, row.size.height);
  }
}
GST_END_TEST;

GST_START_TEST(test_small_sizes) {
  const int sides[][2] = {{1, 1},    {31, 31},  {32, 32},  {33, 32},    {127, 32},
                          {128, 32}, {131, 32}, {132, 33}, {1080, 270}, {1083, 270}};
  for (const auto &side : sides) {
    check_size(cps::small_size({side[0], 1080}), side[1], 270);
    check_size(cps::small_size({1080, side[0]}), 270, side[1]);
  }
}
GST_END_TEST;

static Suite *geometry_suite() {
  Suite *suite = suite_create("geometry");
  TCase *tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, test_taps_match_the_formula);
  tcase_add_test(tests, test_taps_do_not_overflow);
  tcase_add_test(tests, test_four_to_one_takes_the_middle);
  tcase_add_test(tests, test_target_sizes);
  tcase_add_test(tests, test_target_rounds_half_away);
  tcase_add_test(tests, test_target_limits);
  tcase_add_test(tests, test_floor_rule);
  tcase_add_test(tests, test_small_sizes);
  return suite;
}

GST_CHECK_MAIN(geometry)
