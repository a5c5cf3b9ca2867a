// SPDX-License-Identifier: LGPL-2.1-or-later
#include "kernels/pixels.h"

#include "tests/common/sectors.h"
#include "tests/kernels/bench.h"
#include "tests/kernels/reference.h"

#include <gst/check/gstcheck.h>

#include <cstring>
#include <limits>

namespace {

using reference::Layout;
using reference::layout_of;
using reference::Picture;

struct Constants {
  double kr, kb;
};
constexpr Constants kMatrices[] = {{0.299, 0.114}, {0.2126, 0.0722}, {0.2627, 0.0593}};

std::vector<uint16_t> resize(Picture &picture, cps::Size target) {
  const cps::PictureResizer resizer(picture.view(), target);
  fail_unless_equals_int(resizer.planes(), picture.planes());
  std::vector<uint16_t> stored(resizer.samples());
  resizer.run(picture.view(), stored.data());
  return stored;
}

void check_resize(Picture picture, cps::Size target) {
  const std::vector<uint16_t> stored = resize(picture, target);
  const Layout &l = picture.layout();
  size_t i = 0;
  for (int p = 0; p < picture.planes(); ++p)
    for (int y = 0; y < target.height; ++y)
      for (int x = 0; x < target.width; ++x, ++i) {
        const uint16_t expected = reference::stored(picture, p, target, x, y);
        if (stored[i] != expected)
          ck_abort_msg("%dx%d, %d bits, plane %d, (%d, %d): %d instead of %d", l.width, l.height, l.bits, p, x, y,
                       stored[i], expected);
      }
  fail_unless(i == stored.size());
}

// docs/spec.md#pixels in double, from stored samples to values before the dtype.
void reference_rgb(const double yuv[3], const Constants &k, bool full_range, double rgb[3]) {
  const double y = full_range ? yuv[0] / 255.0 : (yuv[0] - 16.0) / 219.0;
  const double u = (yuv[1] - 128.0) / (full_range ? 255.0 : 224.0), v = (yuv[2] - 128.0) / (full_range ? 255.0 : 224.0);
  rgb[0] = y + 2.0 * (1.0 - k.kr) * v;
  rgb[2] = y + 2.0 * (1.0 - k.kb) * u;
  rgb[1] = (y - k.kr * rgb[0] - k.kb * rgb[2]) / (1.0 - k.kr - k.kb);
  for (int c = 0; c < 3; ++c)
    rgb[c] *= 255.0;
}

template <typename T>
std::vector<T> cut(const cps::PatchCutter &cutter, const std::vector<uint16_t> &stored, int64_t index) {
  std::vector<T> patch(cutter.patch_bytes() / sizeof(T));
  cutter.run(stored.data(), index, patch.data());
  return patch;
}

std::vector<uint16_t> random_stored(cps::Size target, int planes, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<uint16_t> stored(static_cast<size_t>(planes * target.width * target.height));
  for (uint16_t &sample : stored)
    sample = static_cast<uint16_t>(random() % 65281);
  return stored;
}

// The value of a 16-bit float with `mantissa` bits of fraction.
double decode(uint16_t bits, int mantissa) {
  const int exponent_bits = 15 - mantissa, bias = (1 << (exponent_bits - 1)) - 1;
  const int exponent = (bits >> mantissa) & ((1 << exponent_bits) - 1);
  const int fraction = bits & ((1 << mantissa) - 1);
  double value;
  if (exponent == (1 << exponent_bits) - 1)
    value = fraction ? std::numeric_limits<double>::quiet_NaN() : std::numeric_limits<double>::infinity();
  else if (exponent == 0)
    value = std::ldexp(fraction, 1 - bias - mantissa);
  else
    value = std::ldexp(fraction + (1 << mantissa), exponent - bias - mantissa);
  return bits & 0x8000 ? -value : value;
}

// True where `bits` is the 16-bit float next to `value`, the even one of two as near.
bool is_rounded(float value, uint16_t bits, int mantissa) {
  const double rounded = decode(bits, mantissa), size = std::fabs(static_cast<double>(value));
  if (std::isnan(value))
    return std::isnan(rounded);
  if (std::isnan(rounded) || std::signbit(rounded) != std::signbit(value))
    return false;
  const auto magnitude = static_cast<uint16_t>(bits & 0x7fff);
  const auto infinity = static_cast<uint16_t>(0x7fff >> mantissa << mantissa);
  if (std::isinf(value))
    return magnitude == infinity;
  // The distance to a neighbour; infinity stands for the power of two that would follow the largest number.
  const auto distance = [&](int neighbour) {
    const double place = neighbour < infinity ? decode(static_cast<uint16_t>(neighbour), mantissa)
                                              : std::ldexp(1.0, 1 << (14 - mantissa));
    return std::fabs(place - size);
  };
  const auto no_worse_than = [&](int neighbour) {
    return distance(magnitude) < distance(neighbour) ||
           (distance(magnitude) == distance(neighbour) && magnitude % 2 == 0);
  };
  const bool beyond = magnitude == infinity && size >= std::ldexp(1.0, 1 << (14 - mantissa));
  return beyond ||
         ((magnitude == 0 || no_worse_than(magnitude - 1)) && (magnitude == infinity || no_worse_than(magnitude + 1)));
}

} // namespace

GST_START_TEST(test_resize_sizes) {
  const cps::Size targets[] = {{28, 28}, {56, 84}, {33, 17}, {1, 1}};
  const int sizes[][2] = {{1, 1}, {1, 30}, {31, 1}, {33, 17}, {64, 48}, {129, 75}, {28, 28}, {56, 84}, {301, 200}};
  for (const cps::Size target : targets)
    for (const auto &size : sizes)
      for (const int sub : {1, 2}) {
        Layout layout = layout_of(cps::ColorModel::Yuv, size[0], size[1]);
        layout.sub_x = 2;
        layout.sub_y = sub;
        check_resize(noise(layout, 1), target);
        layout = layout_of(cps::ColorModel::Rgb, size[0], size[1]);
        check_resize(noise(layout, 2), target);
      }
}
GST_END_TEST;

GST_START_TEST(test_resize_depths) {
  for (const int bits : {8, 9, 10, 12, 14, 16}) {
    Layout layout = layout_of(cps::ColorModel::Yuv, 90, 70, bits);
    layout.sub_x = layout.sub_y = 2;
    check_resize(noise(layout, 3), {56, 28});
    check_resize(Picture(layout).fill([&](int, int, int) { return (1 << bits) - 1; }), {56, 28});
    layout.shift = bits > 8 ? 16 - bits : 0;
    check_resize(noise(layout, 4), {56, 28});
  }
}
GST_END_TEST;

GST_START_TEST(test_resize_memory_layouts) {
  for (const bool bottom_up : {false, true})
    for (int step = 1; step <= 4; ++step)
      for (const int bits : {8, 10}) {
        Layout layout = layout_of(cps::ColorModel::Rgb, 45, 51, bits);
        layout.step = step;
        layout.bottom_up = bottom_up;
        check_resize(noise(layout, 5), {28, 56});
      }
}
GST_END_TEST;

GST_START_TEST(test_resize_crop_phases) {
  for (const int sub_x : {1, 2, 4})
    for (const int sub_y : {1, 2})
      for (int phase_x = 0; phase_x < sub_x; ++phase_x)
        for (int phase_y = 0; phase_y < sub_y; ++phase_y)
          for (const int width : {60, 61, 63}) {
            Layout layout = layout_of(cps::ColorModel::Yuv, width, 45);
            layout.sub_x = sub_x;
            layout.sub_y = sub_y;
            layout.phase_x = phase_x;
            layout.phase_y = phase_y;
            check_resize(noise(layout, 6), {28, 56});
          }
}
GST_END_TEST;

// Everything that selects another loop of the resize, in all combinations: up and down, odd sizes, chroma, depth, step.
GST_START_TEST(test_resize_combinations) {
  struct Subsampling {
    int x, y;
  };
  for (const cps::Size target : {cps::Size{45, 31}, cps::Size{11, 9}, cps::Size{23, 40}})
    for (const Subsampling sub :
         {Subsampling{1, 1}, Subsampling{2, 1}, Subsampling{2, 2}, Subsampling{4, 1}, Subsampling{4, 4}})
      for (int phase_x = 0; phase_x < sub.x; ++phase_x)
        for (int phase_y = 0; phase_y < sub.y; ++phase_y)
          for (const int bits : {8, 10, 12, 16})
            for (const int step : {1, 2, 5}) {
              Layout layout = layout_of(cps::ColorModel::Yuv, 23, 17, bits);
              layout.sub_x = sub.x;
              layout.sub_y = sub.y;
              layout.phase_x = phase_x;
              layout.phase_y = phase_y;
              layout.step = step;
              layout.shift = bits > 8 && step == 2 ? 16 - bits : 0;
              layout.bottom_up = step == 5;
              check_resize(noise(layout, 7), target);
            }
}
GST_END_TEST;

// Targets and sources that are so wide that their columns are resized in several parts.
GST_START_TEST(test_resize_wide) {
  struct Case {
    int width, height;
    cps::Size target;
  };
  for (const Case &c : {Case{1, 3, {513, 2}}, Case{2, 1, {1537, 3}}, Case{700, 2, {512, 3}}, Case{9001, 2, {100, 3}},
                        Case{8192, 1, {700, 1}}, Case{20000, 1, {3, 1}}, Case{2, 700, {2, 1300}}})
    for (const int bits : {8, 16})
      for (const int step : {1, 5}) {
        Layout layout = layout_of(cps::ColorModel::Yuv, c.width, c.height, bits);
        layout.sub_x = layout.sub_y = 2;
        layout.step = step;
        check_resize(noise(layout, 8), c.target);
      }
}
GST_END_TEST;

// The largest sums: along a row of more than 32 bits, and over both of more than 48.
GST_START_TEST(test_resize_large_denominators) {
  for (const cps::Size target : {cps::Size{4099, 2}, cps::Size{8209, 1}, cps::Size{521, 523}})
    for (const bool white : {false, true}) {
      Layout layout = layout_of(cps::ColorModel::Yuv, 37, 19, 16);
      layout.sub_x = layout.sub_y = 4;
      Picture picture = noise(layout, 9);
      if (white)
        picture.fill([&](int, int, int) { return picture.peak(); });
      check_resize(picture, target);
    }
}
GST_END_TEST;

// The sums next to a half, with the largest units, and with those of common sizes.
GST_START_TEST(test_stored_sample_by_factor) {
  const auto most = static_cast<int64_t>(cps::kLargestUnitByFactor);
  for (const int64_t unit : {int64_t{1}, int64_t{3}, int64_t{56} * 56, int64_t{154} * 7, int64_t{1536},
                             int64_t{65521} * 65519, most / 3, most - 256, most - 1, most}) {
    const double factor = cps::stored_factor(static_cast<double>(unit));
    for (int64_t code = 0; code <= 65535; ++code)
      for (int64_t near = -1; near <= 2; ++near) {
        const int64_t sum = std::max<int64_t>(0, unit * (2 * code - 1) / 512 + near);
        const int64_t expected = (512 * sum + unit) / (2 * unit);
        if (expected > 65535)
          continue;
        const uint16_t stored = cps::stored_sample_by_factor(static_cast<double>(sum), factor);
        if (stored != expected)
          ck_abort_msg("%g / %g is %d", static_cast<double>(sum), static_cast<double>(unit), stored);
      }
  }
}
GST_END_TEST;

// 16 bits halfway between two stored values.
GST_START_TEST(test_resize_rounds_half_up) {
  Layout layout = layout_of(cps::ColorModel::Gray, 2, 1, 16);
  Picture picture(layout);
  for (const int value : {0, 1, 2, 1001, 32767, 65534}) {
    picture.at(0, 0, 0) = value;
    picture.at(0, 1, 0) = value + 1;
    fail_unless_equals_int(resize(picture, {1, 1})[0], value + 1);
  }
}
GST_END_TEST;

GST_START_TEST(test_yuv_matches_h273) {
  const cps::Size target{28, 56};
  const std::vector<uint16_t> stored = random_stored(target, 3, 7);
  const size_t area = 28 * 56;
  for (const Constants &k : kMatrices)
    for (const bool full_range : {false, true}) {
      const cps::PatchCutter cutter(target, 3, 14, cps::yuv_to_rgb(k.kr, k.kb, full_range), {}, cps::PixelType::F32);
      fail_unless_equals_int(static_cast<int>(cutter.patch_bytes()), 3 * 14 * 14 * 4);
      for (int index = 0; index < 8; ++index) {
        const std::vector<float> patch = cut<float>(cutter, stored, index);
        for (size_t y = 0; y < 14; ++y)
          for (size_t x = 0; x < 14; ++x) {
            const size_t at = (static_cast<size_t>(index) / 2 * 14 + y) * 28 + static_cast<size_t>(index) % 2 * 14 + x;
            const double yuv[3] = {stored[at] / 256.0, stored[area + at] / 256.0, stored[2 * area + at] / 256.0};
            double rgb[3];
            reference_rgb(yuv, k, full_range, rgb);
            for (size_t c = 0; c < 3; ++c) {
              const double expected = std::clamp(rgb[c], 0.0, 255.0);
              const auto value = static_cast<double>(patch[(c * 14 + y) * 14 + x]);
              fail_unless(std::fabs(value - expected) < 1e-3, "%g instead of %g", value, expected);
              fail_unless(value >= 0.0 && value <= 255.0);
            }
          }
      }
    }
}
GST_END_TEST;

GST_START_TEST(test_black_white_and_primaries) {
  // BT.709, limited range: black, white, and a red that the clamp cuts.
  const std::vector<uint16_t> stored = {16 * 256, 235 * 256, 81 * 256,  128 * 256, 128 * 256,
                                        90 * 256, 128 * 256, 128 * 256, 255 * 256};
  const cps::PatchCutter cutter({3, 1}, 3, 1, cps::yuv_to_rgb(0.2126, 0.0722, false), {}, cps::PixelType::U8);
  fail_unless(cut<uint8_t>(cutter, stored, 0) == std::vector<uint8_t>({0, 0, 0}));
  fail_unless(cut<uint8_t>(cutter, stored, 1) == std::vector<uint8_t>({255, 255, 255}));
  const std::vector<uint8_t> red = cut<uint8_t>(cutter, stored, 2);
  fail_unless(red[0] == 255 && red[1] < 60 && red[2] < 10);
}
GST_END_TEST;

GST_START_TEST(test_gray_is_luma_alone) {
  const cps::Size target{28, 28};
  const std::vector<uint16_t> gray = random_stored(target, 1, 8);
  std::vector<uint16_t> yuv = gray;
  yuv.resize(3 * gray.size(), 128 * 256);
  for (const bool full_range : {false, true}) {
    const cps::PatchCutter one(target, 1, 14, cps::gray_to_rgb(full_range), {}, cps::PixelType::F32);
    const cps::PatchCutter three(target, 3, 14, cps::yuv_to_rgb(0.2126, 0.0722, full_range), {}, cps::PixelType::F32);
    for (int index = 0; index < 4; ++index) {
      const std::vector<float> a = cut<float>(one, gray, index), b = cut<float>(three, yuv, index);
      for (size_t i = 0; i < a.size(); ++i) {
        fail_unless(std::fabs(a[i] - b[i]) < 1e-3f);
        fail_unless(a[i] == a[i % 196]); // R, G and B are equal
      }
    }
  }
}
GST_END_TEST;

GST_START_TEST(test_rgb_stays) {
  const cps::Size target{28, 28};
  const std::vector<uint16_t> stored = random_stored(target, 3, 9);
  const cps::PatchCutter cutter(target, 3, 14, cps::rgb_to_rgb(), {}, cps::PixelType::F32);
  const std::vector<float> patch = cut<float>(cutter, stored, 3);
  for (size_t c = 0; c < 3; ++c)
    for (size_t y = 0; y < 14; ++y)
      for (size_t x = 0; x < 14; ++x)
        fail_unless(patch[(c * 14 + y) * 14 + x] ==
                    std::min(static_cast<float>(stored[c * 784 + (14 + y) * 28 + 14 + x]) / 256.0f, 255.0f));
}
GST_END_TEST;

GST_START_TEST(test_types_round_the_same_values) {
  const cps::Size target{32, 32};
  const std::vector<uint16_t> stored = random_stored(target, 3, 10);
  const cps::ColorTransform color = cps::yuv_to_rgb(0.299, 0.114, false);
  const auto cutter = [&](cps::PixelType type) { return cps::PatchCutter(target, 3, 16, color, {}, type); };
  for (int index = 0; index < 4; ++index) {
    const auto f32 = cut<float>(cutter(cps::PixelType::F32), stored, index);
    const auto f16 = cut<uint16_t>(cutter(cps::PixelType::F16), stored, index);
    const auto bf16 = cut<uint16_t>(cutter(cps::PixelType::BF16), stored, index);
    const auto u8 = cut<uint8_t>(cutter(cps::PixelType::U8), stored, index);
    for (size_t i = 0; i < f32.size(); ++i) {
      fail_unless_equals_int(u8[i], static_cast<int>(std::nearbyint(f32[i])));
      fail_unless(is_rounded(f32[i], f16[i], 10));
      fail_unless(is_rounded(f32[i], bf16[i], 7));
    }
  }
}
GST_END_TEST;

GST_START_TEST(test_u8_rounds_half_to_even) {
  std::vector<uint16_t> stored;
  for (int value = 0; value < 255; ++value)
    stored.insert(stored.end(), 3, static_cast<uint16_t>(value * 256 + 128));
  for (int value = 0; value < 255; ++value) {
    const cps::PatchCutter cutter({1, 1}, 3, 1, cps::rgb_to_rgb(), {}, cps::PixelType::U8);
    const std::vector<uint8_t> patch =
        cut<uint8_t>(cutter, {stored.begin() + 3 * value, stored.begin() + 3 * value + 3}, 0);
    fail_unless_equals_int(patch[0], value + value % 2);
  }
  fail_unless_equals_int(cps::float_to_byte(-3.0f), 0);
  fail_unless_equals_int(cps::float_to_byte(300.0f), 255);
  fail_unless_equals_int(cps::float_to_byte(254.5f), 254);
}
GST_END_TEST;

GST_START_TEST(test_clamp) {
  std::mt19937 random(15);
  for (int i = 0; i < 200000; ++i) {
    const float value = cps::float_from_bits(static_cast<uint32_t>(random()));
    const float expected = value > 0.0f ? std::min(value, 255.0f) : 0.0f;
    if (!std::isnan(value))
      fail_unless(cps::float_bits(cps::clamp_code(value)) == cps::float_bits(expected), "%g",
                  static_cast<double>(value));
  }
  const float values[][2] = {{-0.0f, 0.0f},    {-INFINITY, 0.0f},        {INFINITY, 255.0f},
                             {255.0f, 255.0f}, {254.99998f, 254.99998f}, {255.00002f, 255.0f},
                             {1e-45f, 1e-45f}};
  for (const auto &[value, expected] : values)
    fail_unless(cps::float_bits(cps::clamp_code(value)) == cps::float_bits(expected));
  for (const float value : {NAN, -NAN}) {
    const float clamped = cps::clamp_code(value);
    fail_unless(clamped == 0.0f || clamped == 255.0f);
  }
}
GST_END_TEST;

GST_START_TEST(test_scaling) {
  cps::OutputScaling scaling;
  scaling.scale = 1.0f / 255.0f;
  const float mean[3] = {0.48f, 0.46f, 0.41f}, std[3] = {0.27f, 0.26f, 0.28f};
  std::copy_n(mean, 3, scaling.mean);
  std::copy_n(std, 3, scaling.std);
  const cps::Size target{28, 28};
  const std::vector<uint16_t> stored = random_stored(target, 3, 12);
  const cps::PatchCutter plain(target, 3, 14, cps::rgb_to_rgb(), {}, cps::PixelType::F32);
  const cps::PatchCutter scaled(target, 3, 14, cps::rgb_to_rgb(), scaling, cps::PixelType::F32);
  const cps::PatchCutter half(target, 3, 14, cps::rgb_to_rgb(), scaling, cps::PixelType::F16);
  const auto a = cut<float>(plain, stored, 1), b = cut<float>(scaled, stored, 1);
  const auto h = cut<uint16_t>(half, stored, 1);
  for (size_t i = 0; i < a.size(); ++i) {
    fail_unless(b[i] == (a[i] * scaling.scale - mean[i / 196]) / std[i / 196]);
    fail_unless(is_rounded(b[i], h[i], 10));
  }
}
GST_END_TEST;

// The scaling is skipped only if none of its three values changes anything.
GST_START_TEST(test_scaling_by_one_value) {
  const std::vector<uint16_t> stored = {100 * 256, 150 * 256, 200 * 256};
  const auto scaled = [&](float scale, float mean, float std) {
    cps::OutputScaling scaling;
    scaling.scale = scale;
    scaling.mean[1] = mean;
    scaling.std[1] = std;
    return cut<float>(cps::PatchCutter({1, 1}, 3, 1, cps::rgb_to_rgb(), scaling, cps::PixelType::F32), stored, 0);
  };
  fail_unless(scaled(1, 0, 1) == std::vector<float>({100, 150, 200}));
  fail_unless(scaled(2, 0, 1) == std::vector<float>({200, 300, 400}));
  fail_unless(scaled(1, 30, 1) == std::vector<float>({100, 120, 200}));
  fail_unless(scaled(1, 0, 3) == std::vector<float>({100, 50, 200}));
}
GST_END_TEST;

// Patches of all sizes, pixel by pixel. Those from 33 on are converted in several parts.
GST_START_TEST(test_patch_sizes) {
  const cps::ColorTransform color = cps::yuv_to_rgb(0.2126, 0.0722, false);
  cps::OutputScaling scaling;
  scaling.scale = 1.0f / 255.0f;
  scaling.mean[1] = 0.46f;
  scaling.std[1] = 0.26f;
  for (const int patch : {1, 2, 3, 7, 8, 9, 14, 15, 16, 17, 31, 32, 33, 47, 65})
    for (const int planes : {1, 3}) {
      const cps::Size target{2 * patch + patch / 2, 2 * patch}; // the columns at the right belong to no patch
      const std::vector<uint16_t> stored = random_stored(target, planes, 13);
      const auto cutter = [&](cps::PixelType type) {
        return cps::PatchCutter(target, planes, patch, color, scaling, type);
      };
      const auto area = static_cast<size_t>(target.width * target.height);
      for (int index = 0; index < 4; ++index) {
        const auto f32 = cut<float>(cutter(cps::PixelType::F32), stored, index);
        const auto f16 = cut<uint16_t>(cutter(cps::PixelType::F16), stored, index);
        const auto bf16 = cut<uint16_t>(cutter(cps::PixelType::BF16), stored, index);
        const auto u8 = cut<uint8_t>(cutter(cps::PixelType::U8), stored, index);
        size_t i = 0;
        for (size_t c = 0; c < 3; ++c)
          for (int y = index / 2 * patch; y < (index / 2 + 1) * patch; ++y)
            for (int x = index % 2 * patch; x < (index % 2 + 1) * patch; ++x, ++i) {
              const auto at = static_cast<size_t>(y * target.width + x), next = planes == 3 ? area : 0;
              const float *const m = color.matrix[c];
              float value = m[0] * static_cast<float>(stored[at]);
              value += m[1] * static_cast<float>(stored[at + next]);
              value += m[2] * static_cast<float>(stored[at + 2 * next]);
              value = std::min(std::max(value + color.offset[c], 0.0f), 255.0f);
              value = (value * scaling.scale - scaling.mean[c]) / scaling.std[c];
              fail_unless(f32[i] == value, "patches of %d, %d planes: value %zu is %g instead of %g", patch, planes, i,
                          static_cast<double>(f32[i]), static_cast<double>(value));
              fail_unless(f16[i] == cps::float_to_half(value) && bf16[i] == cps::float_to_bfloat16(value) &&
                          u8[i] == cps::float_to_byte(value));
            }
      }
    }
}
GST_END_TEST;

GST_START_TEST(test_floats_round_half_to_even) {
  const auto check = [](uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    if (!is_rounded(value, cps::float_to_half(value), 10) || !is_rounded(value, cps::float_to_bfloat16(value), 7))
      ck_abort_msg("%.9g becomes half 0x%04x, bfloat16 0x%04x", static_cast<double>(value), cps::float_to_half(value),
                   cps::float_to_bfloat16(value));
  };
  std::mt19937 random(14);
  for (int i = 0; i < 200000; ++i)
    check(static_cast<uint32_t>(random()));
  for (uint32_t top = 0; top < 1u << 16; ++top) // all places where bits are cut, and halfway between
    for (const uint32_t low :
         {0x0000u, 0x0001u, 0x0fffu, 0x1000u, 0x1001u, 0x3000u, 0x7fffu, 0x8000u, 0x8001u, 0xffffu})
      check(top << 16 | low);
}
GST_END_TEST;

GST_START_TEST(test_sizes_of_types) {
  fail_unless_equals_int(static_cast<int>(cps::pixel_size(cps::PixelType::U8)), 1);
  fail_unless_equals_int(static_cast<int>(cps::pixel_size(cps::PixelType::F16)), 2);
  fail_unless_equals_int(static_cast<int>(cps::pixel_size(cps::PixelType::BF16)), 2);
  fail_unless_equals_int(static_cast<int>(cps::pixel_size(cps::PixelType::F32)), 4);
}
GST_END_TEST;

static Suite *pixels_suite() {
  Suite *suite = suite_create("pixels");
  TCase *tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, test_resize_sizes);
  tcase_add_test(tests, test_resize_depths);
  tcase_add_test(tests, test_resize_memory_layouts);
  tcase_add_test(tests, test_resize_crop_phases);
  tcase_add_test(tests, test_resize_combinations);
  tcase_add_test(tests, test_resize_wide);
  tcase_add_test(tests, test_resize_large_denominators);
  tcase_add_test(tests, test_stored_sample_by_factor);
  tcase_add_test(tests, test_resize_rounds_half_up);
  tcase_add_test(tests, test_yuv_matches_h273);
  tcase_add_test(tests, test_black_white_and_primaries);
  tcase_add_test(tests, test_gray_is_luma_alone);
  tcase_add_test(tests, test_rgb_stays);
  tcase_add_test(tests, test_types_round_the_same_values);
  tcase_add_test(tests, test_u8_rounds_half_to_even);
  tcase_add_test(tests, test_clamp);
  tcase_add_test(tests, test_scaling);
  tcase_add_test(tests, test_scaling_by_one_value);
  tcase_add_test(tests, test_patch_sizes);
  tcase_add_test(tests, test_floats_round_half_to_even);
  tcase_add_test(tests, test_sizes_of_types);
  return suite;
}

static void bench_resize(cps::Size source) {
  const cps::Size target = cps::target_size(source, {});
  for (const bench::Format &format : {bench::kI420, bench::kNv12, bench::kP010, bench::kRgb}) {
    const bench::Picture picture(format, source);
    const cps::PictureResizer resizer(picture.view(), target);
    std::vector<uint16_t> stored(resizer.samples());
    test::Sectors sectors;
    sectors.add_target(picture.view(), target);
    bench::time("resize " + std::to_string(source.width) + "x" + std::to_string(source.height) + ", " + format.name,
                sectors.bytes() + static_cast<double>(stored.size() * sizeof(uint16_t)),
                [&] { resizer.run(picture.view(), stored.data()); });
  }
}

static void bench_pixels() {
  bench_resize(bench::kSource);
  bench_resize({200, 200}); // scaled up

  const cps::Size target = cps::target_size(bench::kSource, {});
  const bench::Picture picture(bench::kNv12);
  const cps::PictureResizer resizer(picture.view(), target);
  std::vector<uint16_t> stored(resizer.samples());
  resizer.run(picture.view(), stored.data());
  const int64_t patches = int64_t{target.width / bench::kPatch} * (target.height / bench::kPatch);
  const std::pair<const char *, cps::PixelType> types[] = {{"u8", cps::PixelType::U8},
                                                           {"f16", cps::PixelType::F16},
                                                           {"bf16", cps::PixelType::BF16},
                                                           {"f32", cps::PixelType::F32}};
  for (const auto &[name, type] : types) {
    const cps::PatchCutter cutter(target, resizer.planes(), bench::kPatch, cps::yuv_to_rgb(0.2126, 0.0722, false), {},
                                  type);
    std::vector<float> out(static_cast<size_t>(patches) * cutter.patch_bytes() / sizeof(float) + 1); // aligned for all
    bench::time(std::string("patches of a frame, ") + name,
                static_cast<double>(stored.size() * sizeof(uint16_t)) +
                    static_cast<double>(patches) * static_cast<double>(cutter.patch_bytes()),
                [&] {
                  for (int64_t i = 0; i < patches; ++i)
                    cutter.run(stored.data(), i,
                               reinterpret_cast<uint8_t *>(out.data()) + static_cast<size_t>(i) * cutter.patch_bytes());
                });
  }
}

int main(int argc, char **argv) {
  return bench::run(argc, argv, pixels_suite, "pixels", bench_pixels);
}
