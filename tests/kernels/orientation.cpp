// SPDX-License-Identifier: LGPL-2.1-or-later
// Turned views of pictures against turned copies: whatever reads pictures gives the same.
#include "kernels/orientation.h"

#include "kernels/energy.h"
#include "kernels/pixels.h"
#include "kernels/rgb.h"
#include "tests/common/sectors.h"
#include "tests/kernels/bench.h"
#include "tests/kernels/reference.h"
#include "tests/kernels/wholepicture.h"

#include <gst/check/gstcheck.h>

#include <string>

namespace {

using cps::Orientation;
using cps::Rect;
using reference::color_of;
using reference::kOrientations;
using reference::Layout;
using reference::layout_of;
using reference::Picture;

// All that is read of two pictures, one after the other.
struct Results {
  std::vector<float> energy;
  std::vector<uint16_t> pixels;
  std::vector<uint8_t> rgb;
};

Results read(const cps::PictureView (&pictures)[2]) {
  const cps::PictureView &layout = pictures[0];
  cps::EnergyMaps energy(layout, {});
  const cps::PictureResizer resizer(layout, cps::Size{28, 42});
  cps::RgbConverter converter(layout, color_of(layout.model));
  const auto map = static_cast<size_t>(energy.map_size().width * energy.map_size().height),
             frame = 3 * static_cast<size_t>(layout.size.width * layout.size.height);
  Results results;
  for (const size_t i : {size_t{0}, size_t{1}}) {
    results.energy.resize((i + 1) * map);
    results.pixels.resize((i + 1) * resizer.samples());
    results.rgb.resize((i + 1) * frame);
    energy.next(pictures[i], i == 0, results.energy.data() + i * map);
    resizer.run(pictures[i], results.pixels.data() + i * resizer.samples());
    converter.run(pictures[i], results.rgb.data() + i * frame);
  }
  return results;
}

void compare(const cps::PictureView (&views)[2], const cps::PictureView (&copies)[2], Orientation o,
             const Layout &layout) {
  const std::string what = std::to_string(layout.width) + "x" + std::to_string(layout.height) + ", " +
                           std::to_string(layout.bits) + " bits, step " + std::to_string(layout.step) + ", chroma " +
                           std::to_string(layout.sub_x) + "x" + std::to_string(layout.sub_y) +
                           (o.transposed ? ", transposed" : "") + (o.mirrored ? ", mirrored" : "") +
                           (o.flipped ? ", flipped" : "");
  fail_unless(cps::same_layout(views[0], copies[0]), "%s: another layout", what.c_str());
  const Results results = read(views), expected = read(copies);
  fail_unless(results.energy == expected.energy, "%s: other energies", what.c_str());
  fail_unless(results.pixels == expected.pixels, "%s: other pixels", what.c_str());
  fail_unless(results.rgb == expected.rgb, "%s: other frames", what.c_str());
}

void check(const Layout &layout) {
  for (const Orientation &o : kOrientations) {
    Picture pictures[] = {noise(layout, 1), noise(layout, 2)};
    Picture copies[] = {turned(pictures[0], o), turned(pictures[1], o)};
    compare({turned(pictures[0].view(), o), turned(pictures[1].view(), o)}, {copies[0].view(), copies[1].view()}, o,
            layout);
  }
}

// A part of the picture, told in its own coordinates.
void check_part(const Layout &layout, const Rect &part) {
  for (const Orientation &o : kOrientations) {
    Picture pictures[] = {noise(layout, 1), noise(layout, 2)};
    const Rect rect = turned(part, {layout.width, layout.height}, o);
    Picture copies[] = {cropped(turned(pictures[0], o), rect), cropped(turned(pictures[1], o), rect)};
    compare({cropped(turned(pictures[0].view(), o), rect), cropped(turned(pictures[1].view(), o), rect)},
            {copies[0].view(), copies[1].view()}, o, layout);
    const Picture luma = turned(cropped(pictures[0], part), o); // which has the same samples, turned by themselves
    for (int y = 0; y < rect.height; ++y)
      for (int x = 0; x < rect.width; ++x)
        fail_unless_equals_int(copies[0].at(0, x, y), luma.at(0, x, y));
  }
}

constexpr int kSizes[][2] = {{1, 1}, {1, 7}, {7, 1}, {2, 2}, {5, 4}, {9, 66}, {67, 49}, {130, 131}};

} // namespace

// Where the corners of a picture come to lie.
GST_START_TEST(test_corners) {
  Picture picture(layout_of(cps::ColorModel::Gray, 3, 2));
  picture.fill([](int, int x, int y) { return 'a' + 3 * y + x; });
  const struct {
    Orientation orientation;
    const char *rows;
  } cases[] = {
      {{false, false, false}, "abc def "}, {{false, true, false}, "cba fed "},  {{false, false, true}, "def abc "},
      {{false, true, true}, "fed cba "},   {{true, false, false}, "ad be cf "}, {{true, true, false}, "da eb fc "},
      {{true, false, true}, "cf be ad "},  {{true, true, true}, "fc eb da "},
  };
  const cps::PictureView view = picture.view();
  for (const auto &c : cases) {
    const cps::PlaneView plane = turned(view, c.orientation).plane[0];
    std::string rows;
    for (int y = 0; y < plane.height; ++y) {
      for (int x = 0; x < plane.width; ++x)
        rows += static_cast<char>(plane.data[y * plane.stride + x * plane.step]);
      rows += " ";
    }
    fail_unless_equals_string(rows.c_str(), c.rows);
  }
}
GST_END_TEST;

GST_START_TEST(test_sizes) {
  for (const auto &size : kSizes)
    for (const cps::ColorModel model : {cps::ColorModel::Gray, cps::ColorModel::Rgb})
      check(layout_of(model, size[0], size[1]));
}
GST_END_TEST;

GST_START_TEST(test_subsampling) {
  for (const auto &size : kSizes)
    for (const int sub_x : {1, 2, 4})
      for (const int sub_y : {1, 2, 4}) {
        Layout layout = layout_of(cps::ColorModel::Yuv, size[0], size[1]);
        layout.sub_x = sub_x;
        layout.sub_y = sub_y;
        check(layout);
      }
}
GST_END_TEST;

GST_START_TEST(test_depths_and_memory_layouts) {
  for (const int bits : {8, 10, 12, 16})
    for (const int step : {1, 2, 3, 4})
      for (const bool bottom_up : {false, true})
        for (const cps::ColorModel model : {cps::ColorModel::Gray, cps::ColorModel::Yuv, cps::ColorModel::Rgb}) {
          Layout layout = layout_of(model, 35, 22, bits);
          layout.step = step;
          layout.bottom_up = bottom_up;
          layout.shift = bits > 8 && step % 2 == 0 ? 16 - bits : 0;
          if (model == cps::ColorModel::Yuv)
            layout.sub_x = layout.sub_y = 2;
          check(layout);
        }
}
GST_END_TEST;

// Where the energy is made from sums of four samples.
GST_START_TEST(test_quads) {
  for (const int bits : {8, 10, 12})
    for (const auto &size : {std::pair(128, 132), std::pair(256, 140)})
      check(layout_of(cps::ColorModel::Gray, size.first, size.second, bits));
}
GST_END_TEST;

GST_START_TEST(test_parts) {
  for (const int sub_x : {1, 2, 4})
    for (const int sub_y : {1, 2})
      for (const auto &size : {std::pair(40, 26), std::pair(41, 27)})
        for (const Rect &part : {Rect{0, 0, 37, 25}, Rect{7, 9, 23, 13}, Rect{6, 4, 20, 20}, Rect{39, 25, 1, 1}}) {
          Layout layout = layout_of(cps::ColorModel::Yuv, size.first, size.second);
          layout.sub_x = sub_x;
          layout.sub_y = sub_y;
          check_part(layout, part);
        }
  check_part(layout_of(cps::ColorModel::Rgb, 40, 26), {7, 9, 23, 13});
}
GST_END_TEST;

static Suite *orientation_suite() {
  Suite *suite = suite_create("orientation");
  TCase *tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, test_corners);
  tcase_add_test(tests, test_sizes);
  tcase_add_test(tests, test_subsampling);
  tcase_add_test(tests, test_depths_and_memory_layouts);
  tcase_add_test(tests, test_quads);
  tcase_add_test(tests, test_parts);
  return suite;
}

static void bench_orientation() {
  const bench::Picture picture(bench::kNv12);
  const std::pair<const char *, Orientation> ways[] = {
      {"as stored", {}}, {"rotated by 90", {true, true, false}}, {"rotated by 180", {false, true, true}}};
  for (const auto &[name, way] : ways) {
    const cps::PictureView view = turned(picture.view(), way);
    cps::RgbConverter converter(view, color_of(view.model));
    std::vector<uint8_t> rgb(3 * static_cast<size_t>(view.size.width * view.size.height));
    bench::time(std::string("RGB, NV12 ") + name, picture.bytes() + static_cast<double>(rgb.size()),
                [&] { converter.run(view, rgb.data()); });

    const cps::Size target = cps::target_size(view.size, {});
    const cps::PictureResizer resizer(view, target);
    std::vector<uint16_t> stored(resizer.samples());
    test::Sectors sectors;
    sectors.add_target(view, target);
    bench::time(std::string("resize, NV12 ") + name,
                sectors.bytes() + static_cast<double>(stored.size() * sizeof(uint16_t)),
                [&] { resizer.run(view, stored.data()); });
  }
}

int main(int argc, char **argv) {
  return bench::run(argc, argv, orientation_suite, "orientation", bench_orientation);
}
