// SPDX-License-Identifier: LGPL-2.1-or-later
// Energy maps of the device against those of the CPU: equal, to the last bit.
#include "gst/cuda/energy.h"

#include "kernels/energy.h"
#include "tests/cuda/testdevice.h"
#include "tests/kernels/contents.h"

namespace {

using reference::Content;
using reference::Layout;
using reference::Picture;
using test::DevicePicture;
using test::TestDevice;

// Maps of both, for the same calls.
class Pair {
public:
  Pair(const cps::PictureView &layout, const cps::EnergyOptions &options)
      : energy_(device_.get()), search_(layout, options) {
    device_.need(energy_.prepare(layout, options));
    const cps::Size size = search_.map_size();
    fail_unless(energy_.map_size() == size);
    expected_.resize(static_cast<size_t>(size.width * size.height));
    device_.need(map_.reserve(device_.get(), expected_.size() * sizeof(float)));
  }

  void next(Picture &picture, bool first, const std::string &what) {
    const cps::PictureView view = picture.view();
    const DevicePicture copy(device_, view);
    search_.next(view, first, expected_.data());
    device_.need(energy_.next(copy.view(), first, map_.as<float>()));
    check(what);
  }

  void repeat(const std::string &what) {
    search_.repeat(expected_.data());
    device_.need(energy_.repeat(map_.as<float>()));
    check(what + ", once more");
  }

private:
  void check(const std::string &what) {
    const std::vector<float> map = device_.download<float>(map_.as<float>(), expected_.size());
    for (size_t i = 0; i < map.size(); ++i)
      if (map[i] != expected_[i])
        ck_abort_msg("%s, sample %d: %g instead of %g", what.c_str(), static_cast<int>(i), static_cast<double>(map[i]),
                     static_cast<double>(expected_[i]));
  }

  TestDevice device_;
  cps::cuda::Energy energy_;
  cps::EnergyMaps search_;
  std::vector<float> expected_;
  cps::cuda::Memory map_;
};

// Two sequences, with pictures that are shown twice.
void check_sequence(const Layout &layout, Content content, const cps::EnergyOptions &options) {
  std::mt19937 random(3);
  Pair pair(Picture(layout).view(), options);
  for (int t = 0; t < 5; ++t) {
    Picture picture = draw(layout, content, t, random);
    const std::string what = std::to_string(layout.width) + "x" + std::to_string(layout.height) + ", " +
                             std::to_string(layout.bits) + " bits, picture " + std::to_string(t);
    pair.next(picture, t == 0 || t == 3, what);
    if (t == 1 || t == 3)
      pair.repeat(what);
  }
}

// In all modes.
void check_sequence(const Layout &layout, Content content, double percentile = 95.0) {
  for (const auto mode : {cps::EnergyMode::MotionResidual, cps::EnergyMode::FrameDifference})
    check_sequence(layout, content, {mode, percentile});
}

void check_sizes(Layout layout) {
  for (const auto &[width, height] : reference::kEnergySizes)
    for (const Content content : {Content::Noise, Content::Moving, Content::Still, Content::Steps}) {
      layout.width = width;
      layout.height = height;
      check_sequence(layout, content);
    }
}

} // namespace

GST_START_TEST(test_sizes) {
  check_sizes(reference::gray(0, 0));
}
GST_END_TEST;

GST_START_TEST(test_sizes_rgb) {
  check_sizes(reference::rgb(0, 0));
}
GST_END_TEST;

GST_START_TEST(test_depths) {
  for (const int bits : {8, 9, 10, 12, 14, 16})
    for (const Content content : {Content::Noise, Content::Moving, Content::Steps}) {
      check_sequence(reference::gray(132, 128, bits), content);
      check_sequence(reference::gray(131, 65, bits), content);
    }
}
GST_END_TEST;

GST_START_TEST(test_percentiles) {
  for (const double percentile : {-5.0, 1.0, 33.3, 50.0, 99.9, 100.0, 250.0})
    for (const int width : {136, 37})
      for (const int bits : {8, 12})
        check_sequence(reference::gray(width, 128, bits), Content::Noise, percentile);
}
GST_END_TEST;

GST_START_TEST(test_memory_layouts) {
  for (int step = 1; step <= 4; ++step)
    for (const int width : {128, 75})
      for (const int bits : {8, 10}) {
        Layout layout = reference::gray(width, 128, bits);
        layout.shift = bits == 10 ? 6 : 0;
        layout.step = step;
        layout.bottom_up = step == 3;
        check_sequence(layout, Content::Noise);
      }
}
GST_END_TEST;

// Larger than what one wave of blocks holds, and not a multiple of a tile.
GST_START_TEST(test_large) {
  check_sequence(reference::gray(1000, 540), Content::Moving);
  check_sequence(reference::gray(998, 541), Content::Noise);
}
GST_END_TEST;

// One pixel differs: nearly all residuals are 0, and the percentile is, too.
GST_START_TEST(test_percentile_of_zero) {
  for (const int width : {128, 130}) {
    const Layout layout = reference::gray(width, 128);
    Picture before(layout), after(layout);
    before.fill([](int, int, int) { return 0; });
    after.fill([](int, int x, int y) { return x == 66 && y == 65 ? 1 : 0; });
    Pair pair(before.view(), {});
    pair.next(before, true, "before");
    pair.next(after, false, "after");
  }
}
GST_END_TEST;

static Suite *cuda_energy_suite() {
  Suite *suite = suite_create("cuda-energy");
  TCase *tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_set_timeout(tests, 120);
  tcase_add_test(tests, test_sizes);
  tcase_add_test(tests, test_sizes_rgb);
  tcase_add_test(tests, test_depths);
  tcase_add_test(tests, test_percentiles);
  tcase_add_test(tests, test_memory_layouts);
  tcase_add_test(tests, test_large);
  tcase_add_test(tests, test_percentile_of_zero);
  return suite;
}

int main(int argc, char **argv) {
  return test::run_cuda_tests(argc, argv, cuda_energy_suite, "energy");
}
