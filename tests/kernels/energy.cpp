// SPDX-License-Identifier: LGPL-2.1-or-later
#include "kernels/energy.h"

#include "tests/common/sectors.h"
#include "tests/kernels/bench.h"
#include "tests/kernels/contents.h"

#include <gst/check/gstcheck.h>

namespace {

using cps::EnergyMode;
using reference::Layout;
using reference::Picture;

using reference::Content;
using reference::draw;
using reference::gray;
using reference::rgb;

void check_map(const std::vector<float> &map, const std::vector<float> &expected, const Layout &layout, int t) {
  fail_unless_equals_int(static_cast<int>(map.size()), static_cast<int>(expected.size()));
  for (size_t i = 0; i < map.size(); ++i)
    if (map[i] != expected[i])
      ck_abort_msg("%dx%d, %d bits, picture %d, sample %d: %g instead of %g", layout.width, layout.height, layout.bits,
                   t, static_cast<int>(i), static_cast<double>(map[i]), static_cast<double>(expected[i]));
}

// A sequence of four pictures, the third one shown twice, and the start of another one.
void check_sequence(const Layout &layout, Content content, const cps::EnergyOptions &options, unsigned seed) {
  std::mt19937 random(seed);
  const int width = reference::small_side(layout.width), height = reference::small_side(layout.height);
  const auto expected = [&](const std::vector<float> &before, const std::vector<float> &after) {
    return options.mode == EnergyMode::FrameDifference
               ? reference::difference(before, after, layout.bits)
               : reference::energy(before, after, width, height, options.percentile);
  };
  cps::EnergyMaps search(Picture(layout).view(), options);
  fail_unless_equals_int(search.map_size().width, width);
  fail_unless_equals_int(search.map_size().height, height);

  std::vector<float> map(static_cast<size_t>(width * height), -1.0f);
  const std::vector<float> nothing(map.size(), 0.0f);
  std::vector<float> previous;
  for (int t = 0; t < 6; ++t) {
    Picture picture = draw(layout, content, t, random);
    const std::vector<float> current = reference::small_luma(picture);
    const bool first = t == 0 || t == 4;
    search.next(picture.view(), first, map.data());
    check_map(map, first ? nothing : expected(previous, current), layout, t);
    if (t == 2 || t == 4) {
      search.repeat(map.data());
      check_map(map, expected(current, current), layout, t);
    }
    previous = current;
  }
}

// In all modes.
void check_sequence(const Layout &layout, Content content, double percentile, unsigned seed) {
  for (const EnergyMode mode : {EnergyMode::MotionResidual, EnergyMode::FrameDifference})
    check_sequence(layout, content, {mode, percentile}, seed);
}

void check_sizes(Layout layout, Content content) {
  for (const auto &[width, height] : reference::kEnergySizes) {
    layout.width = width;
    layout.height = height;
    check_sequence(layout, content, 95.0, 3);
  }
}

} // namespace

GST_START_TEST(test_sizes) {
  for (const Content content : {Content::Noise, Content::Moving, Content::Still, Content::Steps})
    check_sizes(gray(0, 0), content);
}
GST_END_TEST;

GST_START_TEST(test_sizes_rgb) {
  for (const Content content : {Content::Noise, Content::Moving, Content::Still})
    check_sizes(rgb(0, 0), content);
}
GST_END_TEST;

GST_START_TEST(test_depths) {
  for (const int bits : {8, 9, 10, 12, 14, 16})
    for (const Content content : {Content::Noise, Content::Moving, Content::Steps}) {
      check_sequence(gray(132, 128, bits), content, 95.0, 5);
      check_sequence(gray(131, 65, bits), content, 95.0, 5);
    }
  check_sequence(rgb(128, 128, 10), Content::Noise, 95.0, 5);
  check_sequence(rgb(61, 77, 16), Content::Noise, 95.0, 5);
}
GST_END_TEST;

GST_START_TEST(test_percentiles) {
  for (const double percentile : {-5.0, 0.0, 1.0, 1.5, 33.3, 50.0, 80.0, 99.9, 100.0, 250.0})
    for (const Content content : {Content::Noise, Content::Moving}) {
      check_sequence(gray(136, 128), content, percentile, 9);
      check_sequence(gray(37, 41), content, percentile, 9);
    }
}
GST_END_TEST;

GST_START_TEST(test_memory_layouts) {
  for (const bool bottom_up : {false, true})
    for (int step = 1; step <= 4; ++step)
      for (const int width : {128, 75}) {
        Layout layout = gray(width, 128);
        layout.step = step;
        layout.bottom_up = bottom_up;
        check_sequence(layout, Content::Noise, 95.0, 11);
        layout.bits = 10;
        layout.shift = 6;
        check_sequence(layout, Content::Noise, 95.0, 11);
        layout.model = cps::ColorModel::Rgb;
        check_sequence(layout, Content::Noise, 95.0, 11);
      }
}
GST_END_TEST;

GST_START_TEST(test_chroma_does_not_matter) {
  Layout layout = gray(128, 132);
  layout.model = cps::ColorModel::Yuv;
  layout.sub_x = layout.sub_y = 2;
  layout.phase_x = layout.phase_y = 1;
  check_sequence(layout, Content::Noise, 95.0, 13);
}
GST_END_TEST;

// One pixel differs: nearly all residuals are 0, and the percentile is too. Every change then counts in full.
GST_START_TEST(test_percentile_of_zero) {
  for (const int width : {128, 130}) {
    const Layout layout = gray(width, 128);
    Picture before(layout), after(layout);
    before.fill([](int, int, int) { return 0; });
    after.fill([](int, int x, int y) { return x == 66 && y == 65 ? 1 : 0; });
    cps::EnergyMaps search(before.view(), {});
    std::vector<float> map(32 * 32);
    search.next(before.view(), true, map.data());
    search.next(after.view(), false, map.data());
    check_map(map, reference::energy(reference::small_luma(before), reference::small_luma(after), 32, 32, 95.0), layout,
              1);
    // The first of equal candidates is dx = dy = -4, which is the longest one too.
    fail_unless_equals_float(map[0], 0.5);
    fail_unless_equals_float(*std::max_element(map.begin(), map.end()), 1.0);
  }
}
GST_END_TEST;

static Suite *energy_suite() {
  Suite *suite = suite_create("energy");
  TCase *tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, test_sizes);
  tcase_add_test(tests, test_sizes_rgb);
  tcase_add_test(tests, test_depths);
  tcase_add_test(tests, test_percentiles);
  tcase_add_test(tests, test_memory_layouts);
  tcase_add_test(tests, test_chroma_does_not_matter);
  tcase_add_test(tests, test_percentile_of_zero);
  return suite;
}

static void bench_energy() {
  for (const bench::Format &format : {bench::kI420, bench::kP010, bench::kRgb}) {
    const bench::Picture pictures[] = {bench::Picture(format, bench::kSource, 1),
                                       bench::Picture(format, bench::kSource, 2)};
    for (const EnergyMode mode : {EnergyMode::MotionResidual, EnergyMode::FrameDifference}) {
      cps::EnergyMaps search(pictures[0].view(), {mode, 95});
      const char *name = mode == EnergyMode::MotionResidual ? "energy, " : "frame difference, ";
      std::vector<float> map(static_cast<size_t>(search.map_size().width * search.map_size().height));
      const double written = static_cast<double>(map.size() * sizeof(float));
      test::Sectors sectors;
      sectors.add_small_luma(pictures[0].view());
      search.next(pictures[0].view(), true, map.data());
      unsigned next = 1;
      bench::time(std::string(name) + format.name, sectors.bytes() + written,
                  [&] { search.next(pictures[next++ % 2].view(), false, map.data()); });
      if (format.name == bench::kI420.name)
        bench::time(std::string(name) + "the same picture again", written, [&] { search.repeat(map.data()); });
    }
  }
}

int main(int argc, char **argv) {
  return bench::run(argc, argv, energy_suite, "energy", bench_energy);
}
