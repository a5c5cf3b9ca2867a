// SPDX-License-Identifier: LGPL-2.1-or-later
// Whole pictures as RGB against PictureResizer and PatchCutter at source size: equal.
#include "kernels/rgb.h"

#include "tests/kernels/bench.h"
#include "tests/kernels/reference.h"
#include "tests/kernels/wholepicture.h"

#include <gst/check/gstcheck.h>

namespace {

using reference::color_of;
using reference::Layout;
using reference::layout_of;
using reference::Picture;

void check(const Layout &layout, bool full_range = false) {
  constexpr size_t kGuard = 16;
  const cps::ColorTransform color = color_of(layout.model, full_range);
  cps::RgbConverter converter(noise(layout).view(), color);
  for (const unsigned seed : {1u, 2u}) { // one after the other
    Picture picture = noise(layout, seed);
    const cps::PictureView view = picture.view();
    const std::vector<uint8_t> expected = reference::whole_picture(view, color);
    std::vector<uint8_t> rgb(expected.size() + kGuard, 0xa5);
    converter.run(view, rgb.data());
    for (size_t i = 0; i < expected.size(); ++i)
      fail_unless(rgb[i] == expected[i],
                  "%dx%d, %d bits, step %d, chroma %dx%d at (%d, %d): pixel %zu, channel %zu is %d instead of %d",
                  layout.width, layout.height, layout.bits, layout.step, layout.sub_x, layout.sub_y, layout.phase_x,
                  layout.phase_y, i / 3, i % 3, rgb[i], expected[i]);
    for (size_t i = expected.size(); i < rgb.size(); ++i)
      fail_unless(rgb[i] == 0xa5, "written behind the end");
  }
}

constexpr cps::ColorModel kModels[] = {cps::ColorModel::Gray, cps::ColorModel::Yuv, cps::ColorModel::Rgb};
constexpr int kDepths[] = {8, 9, 10, 12, 14, 16};

} // namespace

GST_START_TEST(test_subsampling_and_phases) {
  for (const int sub_x : {1, 2, 4})
    for (const int sub_y : {1, 2, 4})
      for (int phase_x = 0; phase_x < sub_x; ++phase_x)
        for (int phase_y = 0; phase_y < sub_y; ++phase_y)
          for (const int bits : {8, 10, 16})
            for (const int width : {32, 33, 35}) {
              Layout layout = layout_of(cps::ColorModel::Yuv, width, 11, bits);
              layout.sub_x = sub_x;
              layout.sub_y = sub_y;
              layout.phase_x = phase_x;
              layout.phase_y = phase_y;
              check(layout);
            }
}
GST_END_TEST;

GST_START_TEST(test_sizes) {
  const int sizes[][2] = {{1, 1}, {1, 7}, {7, 1}, {2, 2}, {3, 5}, {16, 16}, {67, 49}, {301, 40}};
  for (const auto &size : sizes)
    for (const cps::ColorModel model : kModels)
      for (const int sub : {1, 2}) {
        Layout layout = layout_of(model, size[0], size[1]);
        if (model == cps::ColorModel::Yuv)
          layout.sub_x = layout.sub_y = sub;
        check(layout);
      }
}
GST_END_TEST;

GST_START_TEST(test_depths_and_memory_layouts) {
  for (const cps::ColorModel model : kModels)
    for (const int bits : kDepths)
      for (const bool bottom_up : {false, true})
        for (int step = 1; step <= 5; ++step)
          for (const int shift : {0, 16 - bits}) {
            Layout layout = layout_of(model, 37, 9, bits);
            layout.step = step;
            layout.shift = bits > 8 ? shift : 0;
            layout.bottom_up = bottom_up;
            if (model == cps::ColorModel::Yuv)
              layout.sub_x = layout.sub_y = 2;
            check(layout);
          }
}
GST_END_TEST;

GST_START_TEST(test_ranges) {
  for (const cps::ColorModel model : {cps::ColorModel::Gray, cps::ColorModel::Yuv})
    for (const int bits : {8, 10})
      for (const bool full_range : {false, true})
        check(layout_of(model, 128, 128, bits), full_range);
}
GST_END_TEST;

GST_START_TEST(test_rgb_is_copied) {
  Layout layout = layout_of(cps::ColorModel::Rgb, 50, 20);
  layout.step = 4;
  Picture picture = noise(layout);
  const cps::PictureView view = picture.view();
  std::vector<uint8_t> rgb(50 * 20 * 3);
  cps::RgbConverter(view, cps::rgb_to_rgb()).run(view, rgb.data());
  size_t i = 0;
  for (int y = 0; y < 20; ++y)
    for (int x = 0; x < 50; ++x)
      for (int channel = 0; channel < 3; ++channel)
        fail_unless_equals_int(rgb[i++], picture.at(channel, x, y));
}
GST_END_TEST;

// What the tests above rely on: at source size the taps are those of the table, and samples the exact ones.
GST_START_TEST(test_reference_at_source_size) {
  Layout layout = layout_of(cps::ColorModel::Yuv, 23, 17, 10);
  layout.sub_x = layout.sub_y = 2;
  layout.phase_x = 1;
  Picture picture = noise(layout);
  const cps::PictureView view = picture.view();
  std::vector<uint8_t> rgb(23 * 17 * 3);
  cps::RgbConverter(view, color_of(layout.model)).run(view, rgb.data());
  size_t i = 0;
  for (int y = 0; y < 17; ++y)
    for (int x = 0; x < 23; ++x) {
      double code[3];
      for (int p = 0; p < 3; ++p)
        code[p] = reference::stored(picture, p, {23, 17}, x, y) / 256.0;
      const double luma = (code[0] - 16) / 219, u = (code[1] - 128) / 224, v = (code[2] - 128) / 224;
      const double r = luma + 2 * (1 - 0.2126) * v, b = luma + 2 * (1 - 0.0722) * u,
                   g = (luma - 0.2126 * r - 0.0722 * b) / (1 - 0.2126 - 0.0722);
      for (const double channel : {r, g, b}) {
        const double value = std::min(std::max(255 * channel, 0.0), 255.0);
        fail_unless(std::fabs(rgb[i++] - value) < 0.5 + 1e-3);
      }
    }
}
GST_END_TEST;

static Suite *rgb_suite() {
  Suite *suite = suite_create("rgb");
  TCase *tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, test_subsampling_and_phases);
  tcase_add_test(tests, test_sizes);
  tcase_add_test(tests, test_depths_and_memory_layouts);
  tcase_add_test(tests, test_ranges);
  tcase_add_test(tests, test_rgb_is_copied);
  tcase_add_test(tests, test_reference_at_source_size);
  return suite;
}

static void bench_rgb() {
  for (const bench::Format &format : {bench::kI420, bench::kNv12, bench::kP010, bench::kRgb}) {
    const bench::Picture picture(format);
    cps::RgbConverter converter(picture.view(), color_of(format.model));
    std::vector<uint8_t> rgb(3 * static_cast<size_t>(bench::kSource.width * bench::kSource.height));
    bench::time(std::string("RGB, ") + format.name, picture.bytes() + static_cast<double>(rgb.size()),
                [&] { converter.run(picture.view(), rgb.data()); });
  }
}

int main(int argc, char **argv) {
  return bench::run(argc, argv, rgb_suite, "rgb", bench_rgb);
}
