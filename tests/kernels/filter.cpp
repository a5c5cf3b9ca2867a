// SPDX-License-Identifier: LGPL-2.1-or-later
// Resampling by filters: against exact fractions, and against the formula in floating point.
#include "kernels/filter.h"

#include "kernels/pixels.h"
#include "tests/kernels/bench.h"
#include "tests/kernels/reference.h"

#include <gst/check/gstcheck.h>

namespace {

using cps::Resample;
using reference::Layout;
using reference::layout_of;
using reference::Picture;
using reference::Wide;

// One axis of a plane: the luma positions, their samples, and the outputs.
struct Axis {
  int full, sub, phase, samples, outputs;
};

// Twice the overlap of an output and a sample, in 1 / outputs of a luma position. What lies outside the plane counts
// for the sample at its edge.
Wide overlap(const Axis &a, int output, int sample) {
  const auto position = [&](int at) { return static_cast<Wide>(at * a.sub - a.phase) * a.outputs; };
  const Wide from = static_cast<Wide>(output) * a.full, to = from + a.full;
  const Wide begin = sample == 0 ? from : std::max(from, position(sample));
  const Wide end = sample == a.samples - 1 ? to : std::min(to, position(sample + 1));
  return std::max<Wide>(end - begin, 0);
}

// Cubic convolution as Keys has it, in pieces.
long double cubic(long double x) {
  x = std::fabs(x);
  if (x <= 1)
    return 1.5L * x * x * x - 2.5L * x * x + 1;
  return x < 2 ? -0.5L * x * x * x + 2.5L * x * x - 4 * x + 2 : 0;
}

std::vector<long double> cubic_weights(const Axis &a, int output) {
  const long double scale = static_cast<long double>(a.full) / a.outputs / a.sub, width = std::max(scale, 1.0L);
  const long double center = (output + 0.5L) * scale + static_cast<long double>(a.phase) / a.sub;
  std::vector<long double> weights;
  long double sum = 0;
  for (int i = 0; i < a.samples; ++i) {
    weights.push_back(cubic((i + 0.5L - center) / width));
    sum += weights.back();
  }
  for (long double &weight : weights)
    weight /= sum;
  return weights;
}

Axis axis_of(const Layout &l, bool chroma, bool vertical, int samples, int outputs) {
  const int sub = vertical ? l.sub_y : l.sub_x, phase = vertical ? l.phase_y : l.phase_x;
  return {vertical ? l.height : l.width, chroma ? sub : 1, chroma ? phase : 0, samples, outputs};
}

void check_area(const Picture &picture, int p, const Axis &x, const Axis &y, int column, int row, uint16_t stored) {
  Wide sum = 0;
  for (int j = 0; j < y.samples; ++j)
    for (int i = 0; i < x.samples; ++i)
      sum += overlap(x, column, i) * overlap(y, row, j) * picture.at(p, i, j);
  const Wide unit = (static_cast<Wide>(x.full) * y.full) << (picture.layout().bits - 8);
  const auto expected = static_cast<uint16_t>((2 * sum * 256 + unit) / (2 * unit));
  fail_unless(stored == expected, "area of %dx%d, plane %d, (%d, %d): %d instead of %d", picture.layout().width,
              picture.layout().height, p, column, row, stored, expected);
}

// Weights are rounded to 1/16384: a hundredth of a code value for this many samples.
void check_cubic(const Picture &picture, int p, const Axis &x, const Axis &y, int column, int row, uint16_t stored) {
  const std::vector<long double> across = cubic_weights(x, column), down = cubic_weights(y, row);
  long double sum = 0;
  for (int j = 0; j < y.samples; ++j)
    for (int i = 0; i < x.samples; ++i)
      sum += across[static_cast<size_t>(i)] * down[static_cast<size_t>(j)] * picture.at(p, i, j);
  const long double code = 1 << (picture.layout().bits - 8);
  const long double expected = std::min<long double>(std::max<long double>(sum, 0), picture.peak()) / code;
  fail_unless(std::fabs(expected - stored / 256.0L) < 0.08L, "bicubic of %dx%d, plane %d, (%d, %d): %f instead of %f",
              picture.layout().width, picture.layout().height, p, column, row, stored / 256.0,
              static_cast<double>(expected));
}

void check(Picture picture, cps::Size target) {
  const Layout &l = picture.layout();
  for (const Resample resample : {Resample::Area, Resample::Bicubic}) {
    const cps::PictureResizer resizer(picture.view(), {target, resample});
    std::vector<uint16_t> stored(resizer.samples());
    resizer.run(picture.view(), stored.data());
    size_t i = 0;
    for (int p = 0; p < picture.planes(); ++p) {
      const bool chroma = l.model == cps::ColorModel::Yuv && p > 0;
      const Axis x = axis_of(l, chroma, false, picture.plane_width(p), target.width);
      const Axis y = axis_of(l, chroma, true, picture.plane_height(p), target.height);
      for (int row = 0; row < target.height; ++row)
        for (int column = 0; column < target.width; ++column)
          (resample == Resample::Area ? check_area : check_cubic)(picture, p, x, y, column, row, stored[i++]);
    }
    fail_unless(i == stored.size());
  }
}

} // namespace

// Smaller, larger, the same, and odd sizes; one pixel.
GST_START_TEST(test_sizes) {
  for (const auto &[width, height] : {std::pair(48, 36), std::pair(37, 23), std::pair(7, 50), std::pair(1, 1)})
    for (const cps::Size target : {cps::Size{28, 28}, cps::Size{48, 36}, cps::Size{11, 70}, cps::Size{1, 1}})
      check(reference::noise(layout_of(cps::ColorModel::Gray, width, height)), target);
}
GST_END_TEST;

GST_START_TEST(test_formats) {
  for (const int bits : {8, 10, 16})
    for (const int sub : {1, 2, 4})
      for (int phase = 0; phase < sub; ++phase) {
        Layout layout = layout_of(cps::ColorModel::Yuv, 45, 31, bits);
        layout.sub_x = sub;
        layout.sub_y = sub == 4 ? 1 : sub;
        layout.phase_x = phase;
        layout.phase_y = sub == 4 ? 0 : phase;
        layout.step = 1 + phase;
        layout.bottom_up = phase == 1;
        check(reference::noise(layout), {14, 14});
        check(reference::noise(layout), {56, 28});
      }
}
GST_END_TEST;

// Black and white: sums of cubic weights leave the range, and those of long columns need more than 32 bits.
GST_START_TEST(test_extremes) {
  for (const int bits : {8, 12, 16}) {
    Picture steps(layout_of(cps::ColorModel::Gray, 40, 40, bits));
    steps.fill([&](int, int x, int y) { return x / 5 % 2 == y / 7 % 2 ? steps.peak() : 0; });
    check(steps, {64, 64});
    check(steps, {9, 9});
    Picture tall(layout_of(cps::ColorModel::Gray, 2, 40009, bits));
    tall.fill([&](int, int, int) { return tall.peak(); });
    const cps::PictureResizer resizer(tall.view(), {{2, 4}, Resample::Area});
    std::vector<uint16_t> stored(8);
    resizer.run(tall.view(), stored.data());
    for (const uint16_t sample : stored)
      fail_unless_equals_int(sample, tall.peak() << (16 - bits));
  }
}
GST_END_TEST;

static Suite *filter_suite() {
  Suite *suite = suite_create("filter");
  TCase *tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, test_sizes);
  tcase_add_test(tests, test_formats);
  tcase_add_test(tests, test_extremes);
  return suite;
}

static void bench_filter() {
  for (const bench::Format &format : {bench::kI420, bench::kP010, bench::kRgb}) {
    const bench::Picture picture(format, bench::kSource, 1);
    const cps::Size target = cps::target_size(bench::kSource, {});
    for (const Resample resample : {Resample::Area, Resample::Bicubic}) {
      const cps::PictureResizer resizer(picture.view(), {target, resample});
      std::vector<uint16_t> stored(resizer.samples());
      bench::time(std::string(resample == Resample::Area ? "area, " : "bicubic, ") + format.name,
                  static_cast<double>(stored.size() * sizeof(uint16_t)),
                  [&] { resizer.run(picture.view(), stored.data()); });
    }
  }
}

int main(int argc, char **argv) {
  return bench::run(argc, argv, filter_suite, "filter", bench_filter);
}
