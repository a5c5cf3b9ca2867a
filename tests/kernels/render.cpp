// SPDX-License-Identifier: LGPL-2.1-or-later
// Pictures of clips against docs/pictures.md, pixel by pixel: for each pixel the patch is looked for that it shows.
#include "kernels/render.h"

#include <gst/check/gstcheck.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <vector>

namespace {

using cps::PictureMode;
using Pixel = std::array<int, 4>;

constexpr cps::Color kBackground = {9, 8, 7, 6};
constexpr Pixel kBackgroundPixel = {9, 8, 7, 6};
constexpr int kLegend = 20;

// A picture, with a margin behind each row that nothing may be written to.
class Drawn {
public:
  Drawn(const cps::ClipPictures &pictures, int index)
      : size(pictures.size()), stride_(static_cast<size_t>(4 * size.width + kMargin)),
        bytes_(stride_ * static_cast<size_t>(size.height), kUntouched) {
    pictures.draw(index, bytes_.data(), static_cast<ptrdiff_t>(stride_));
    for (int y = 0; y < size.height; ++y) {
      const auto end = bytes_.begin() + static_cast<ptrdiff_t>(static_cast<size_t>(y + 1) * stride_);
      fail_unless(std::all_of(end - kMargin, end, [](uint8_t byte) { return byte == kUntouched; }), "row %d", y);
    }
  }

  Pixel at(int x, int y) const {
    const uint8_t *pixel = &bytes_[static_cast<size_t>(y) * stride_ + static_cast<size_t>(4 * x)];
    return {pixel[0], pixel[1], pixel[2], pixel[3]};
  }

  const cps::Size size;

private:
  static constexpr int kMargin = 12;
  static constexpr uint8_t kUntouched = 123;

  size_t stride_;
  std::vector<uint8_t> bytes_;
};

// A clip of random bytes; `canvas`: the patches lie in images, side by side.
struct Clip {
  Clip(bool canvas, cps::Size frame_grid, int patch_side, int frames, int count, unsigned seed)
      : grid(frame_grid), side(patch_side), length(frames), random(seed) {
    layout = {canvas ? cps::OutputLayout::Canvas : cps::OutputLayout::Patches, grid, side};
    const int per_canvas = grid.width * grid.height;
    const int rows = canvas ? (count + per_canvas - 1) / per_canvas * per_canvas : count;
    for (int i = 0; i < rows * 3 * side * side; ++i)
      values.push_back(static_cast<uint8_t>(random()));
    for (int i = 0; i < rows; ++i)
      patches.push_back({layout.first_value(i), draw(length), draw(per_canvas), static_cast<float>(draw(50)) - 7});
    for (int i = 0; i < length; ++i)
      shown.push_back(i);
  }

  int draw(int choices) { return static_cast<int>(random() % static_cast<unsigned>(choices)); }

  cps::ClipPictures pictures(PictureMode mode, int dim, cps::Size sheet = {3, 100}) const {
    const cps::PatchPixels pixels = {values.data(), cps::PixelType::U8, {side, side}, layout.strides(), {}};
    return {pixels, patches, {grid, sheet, shown}, {mode, kBackground, dim}};
  }

  Pixel pixel(size_t patch, int x, int y) const {
    Pixel out = {0, 0, 0, 255};
    for (int c = 0; c < 3; ++c) {
      const cps::PixelStrides strides = layout.strides();
      const int64_t at = patches[patch].first_value + c * strides.channel + y * strides.row + x * strides.column;
      out[static_cast<size_t>(c)] = values[static_cast<size_t>(at)];
    }
    return out;
  }

  // The patch that was last selected at a place, up to `index`, and if that was at `index`; -1 if there is none.
  int last(int index, int place, bool &now) const {
    for (int position = index; position >= 0; --position)
      for (int i = static_cast<int>(patches.size()) - 1; i >= 0; --i) {
        const cps::PlacedPatch &patch = patches[static_cast<size_t>(i)];
        if (patch.place == place && patch.position == shown[static_cast<size_t>(position)]) {
          now = patch.position == shown[static_cast<size_t>(index)];
          return i;
        }
      }
    return -1;
  }

  cps::Size grid;
  int side, length;
  std::mt19937 random;
  cps::PatchLayout layout;
  std::vector<uint8_t> values;
  std::vector<cps::PlacedPatch> patches;
  std::vector<int> shown;
};

Pixel heat(double level) {
  constexpr int kColors[5][3] = {{68, 1, 84}, {59, 82, 139}, {33, 145, 140}, {94, 201, 98}, {253, 231, 37}};
  const int l = static_cast<int>(std::nearbyint(level)), i = std::min(4 * l / 255, 3), r = 4 * l - 255 * i;
  Pixel out = {0, 0, 0, 255};
  for (size_t c = 0; c < 3; ++c)
    out[c] = (kColors[i][c] * (255 - r) + kColors[i + 1][c] * r + 127) / 255;
  return out;
}

void check_pixel(const Drawn &drawn, int x, int y, const Pixel &expected) {
  const Pixel is = drawn.at(x, y);
  fail_unless(is == expected, "(%d, %d): %d %d %d %d, not %d %d %d %d", x, y, is[0], is[1], is[2], is[3], expected[0],
              expected[1], expected[2], expected[3]);
}

// All pictures of a clip but their legends.
void check_frames(const Clip &clip, PictureMode mode, int dim) {
  const cps::ClipPictures pictures = clip.pictures(mode, dim);
  const cps::Size size = {clip.grid.width * clip.side, clip.grid.height * clip.side};
  assert_equals_int(pictures.count(), clip.length);
  fail_unless((pictures.size() == cps::Size{size.width, size.height + (mode == PictureMode::Scores ? kLegend : 0)}));
  float low = 1000, high = -1000;
  for (const cps::PlacedPatch &patch : clip.patches) {
    low = std::min(low, patch.score);
    high = std::max(high, patch.score);
  }
  for (int index = 0; index < clip.length; ++index) {
    const Drawn drawn(pictures, index);
    assert_equals_int(pictures.position(index), index);
    for (int y = 0; y < size.height; ++y)
      for (int x = 0; x < size.width; ++x) {
        bool now = false;
        const int patch = clip.last(index, y / clip.side * clip.grid.width + x / clip.side, now);
        Pixel expected =
            patch < 0 ? kBackgroundPixel : clip.pixel(static_cast<size_t>(patch), x % clip.side, y % clip.side);
        if (patch >= 0 && !now && mode != PictureMode::Hold)
          for (size_t c = 0; c < 3; ++c)
            expected[c] = dim == 0 ? kBackgroundPixel[c] : (expected[c] * dim + 50) / 100;
        if (patch >= 0 && !now && mode != PictureMode::Hold && dim == 0)
          expected[3] = kBackgroundPixel[3];
        if (patch >= 0 && now && mode == PictureMode::Scores)
          expected = heat(high > low ? (double{clip.patches[static_cast<size_t>(patch)].score} - low) /
                                           (double{high} - low) * 255
                                     : 255);
        check_pixel(drawn, x, y, expected);
      }
  }
}

// The white pixels of the legend's text.
std::vector<std::string> text_of(const Drawn &drawn) {
  std::vector<std::string> rows;
  for (int y = drawn.size.height - kLegend + 10; y < drawn.size.height; ++y) {
    rows.emplace_back();
    for (int x = 0; x < drawn.size.width; ++x) {
      const Pixel pixel = drawn.at(x, y);
      const bool white = pixel == Pixel{255, 255, 255, 255};
      fail_unless(white || pixel == (Pixel{0, 0, 0, 255}), "(%d, %d)", x, y);
      rows.back() += white ? '#' : '.';
    }
  }
  return rows;
}

// The legend of a clip of one row of patches with these scores, `width` pixels wide.
std::vector<std::string> legend_text(std::vector<float> scores, int width) {
  Clip clip(false, {width, 1}, 1, 1, static_cast<int>(scores.size()), 1);
  for (size_t i = 0; i < scores.size(); ++i)
    clip.patches[i].score = scores[i];
  return text_of(Drawn(clip.pictures(PictureMode::Scores, 0), 0));
}

void check_text(const std::vector<std::string> &rows, const std::vector<std::string> &expected) {
  fail_unless(rows.size() == 10);
  for (size_t y = 0; y < 10; ++y) { // 7 rows of text, from the third on
    const std::string &row = y >= 2 && y < 9 ? expected[y - 2] : std::string(rows[y].size(), '.');
    fail_unless(rows[y] == row, "row %zu: %s, not %s", y, rows[y].c_str(), row.c_str());
  }
}

} // namespace

GST_START_TEST(test_frames) {
  unsigned seed = 1;
  for (const bool canvas : {false, true})
    for (const cps::Size grid : {cps::Size{2, 2}, cps::Size{5, 3}, cps::Size{1, 1}})
      for (const int side : {1, 2, 7})
        for (const int count : {0, 1, 9, 40})
          for (const PictureMode mode : {PictureMode::Sparse, PictureMode::Hold, PictureMode::Scores})
            for (const int dim : {0, 25, 100})
              check_frames(Clip(canvas, grid, side, 4, count, seed++), mode, dim);
}
GST_END_TEST;

// A frame that is sampled twice, also with another one in between.
GST_START_TEST(test_repeated_frames) {
  for (const std::vector<int> &shown : {std::vector<int>{0, 0, 2, 3}, {0, 1, 0, 3}, {0, 1, 1, 0}, {0, 0, 0, 0}})
    for (const PictureMode mode : {PictureMode::Sparse, PictureMode::Hold, PictureMode::Scores}) {
      Clip clip(true, {4, 2}, 3, 4, 16, 5);
      clip.shown = shown;
      for (cps::PlacedPatch &patch : clip.patches)
        patch.position = shown[static_cast<size_t>(patch.position)];
      check_frames(clip, mode, 40);
    }
}
GST_END_TEST;

GST_START_TEST(test_mosaic) {
  for (const bool canvas : {false, true})
    for (const int count : {0, 1, 5, 12, 13})
      for (const cps::Size sheet : {cps::Size{4, 3}, cps::Size{1, 13}, cps::Size{5, 1}}) {
        const Clip clip(canvas, {4, 2}, 3, 2, count, 7);
        const cps::ClipPictures pictures = clip.pictures(PictureMode::Mosaic, 50, sheet);
        const int area = sheet.width * sheet.height, rows = static_cast<int>(clip.patches.size());
        assert_equals_int(pictures.count(), std::max((rows + area - 1) / area, 1));
        fail_unless((pictures.size() == cps::Size{3 * sheet.width, 3 * sheet.height}));
        for (int index = 0; index < pictures.count(); ++index) {
          const Drawn drawn(pictures, index);
          assert_equals_int(pictures.position(index),
                            rows > 0 ? clip.patches[static_cast<size_t>(index * area)].position : 0);
          for (int y = 0; y < drawn.size.height; ++y)
            for (int x = 0; x < drawn.size.width; ++x) {
              const int patch = index * area + y / 3 * sheet.width + x / 3;
              check_pixel(drawn, x, y,
                          patch < rows ? clip.pixel(static_cast<size_t>(patch), x % 3, y % 3) : kBackgroundPixel);
            }
        }
      }
}
GST_END_TEST;

// Whole frames are patches that are not square.
GST_START_TEST(test_frame_shapes) {
  std::vector<uint8_t> values(2 * 4 * 6 * 3);
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<uint8_t>(i);
  const cps::PatchPixels pixels = {values.data(), cps::PixelType::U8, {6, 4}, {1, 18, 3}, {}};
  const cps::ClipPictures pictures(pixels, {{0, 0, 0, 0}, {72, 1, 0, 0}}, {{1, 1}, {2, 1}, {0, 1}},
                                   {PictureMode::Hold, kBackground, 0});
  for (int index = 0; index < 2; ++index) {
    const Drawn drawn(pictures, index);
    fail_unless((drawn.size == cps::Size{6, 4}));
    for (int y = 0; y < 4; ++y)
      for (int x = 0; x < 6; ++x) {
        const int first = (72 * index + 18 * y + 3 * x) % 256;
        check_pixel(drawn, x, y, {first, first + 1, first + 2, 255});
      }
  }
}
GST_END_TEST;

// A float of `exponent_bits` and `mantissa_bits`, by its definition.
static double value_of(unsigned bits, int exponent_bits, int mantissa_bits) {
  const int exponent = static_cast<int>(bits >> mantissa_bits) & ((1 << exponent_bits) - 1);
  const unsigned mantissa = bits & ((1U << mantissa_bits) - 1);
  const double sign = (bits >> (exponent_bits + mantissa_bits) & 1) != 0 ? -1 : 1;
  const int bias = (1 << (exponent_bits - 1)) - 1;
  if (exponent == (1 << exponent_bits) - 1)
    return mantissa != 0 ? NAN : sign * INFINITY;
  if (exponent == 0)
    return sign * std::ldexp(mantissa, 1 - bias - mantissa_bits);
  return sign * std::ldexp(mantissa + (1U << mantissa_bits), exponent - bias - mantissa_bits);
}

static int byte_of(double rgb) {
  if (std::isnan(rgb))
    return 0;
  return static_cast<int>(std::nearbyint(std::clamp(rgb, 0.0, 255.0)));
}

// Draws one patch of `values`, and compares each value with that of `decode`.
template <typename Value, typename Decode>
static void check_values(const std::vector<Value> &values, cps::PixelType type, const Decode &decode) {
  const auto side = static_cast<int>(std::ceil(std::sqrt(static_cast<double>(values.size()) / 3)));
  std::vector<Value> padded(static_cast<size_t>(3 * side * side));
  std::copy(values.begin(), values.end(), padded.begin());
  const cps::InverseScaling scalings[] = {
      {},
      {1.0 / 255, {0, 0, 0}, {1, 1, 1}},
      {1.0 / 255, {0.48145466, 0.4578275, 0.40821073}, {0.26862954, 0.26130258, 0.27577711}},
      {1, {127.5, 0, 0}, {1, 1, 1}},
      {1, {0, 0, 0}, {1, 127.5, 1}},
  };
  for (const cps::InverseScaling &by : scalings) {
    const cps::PatchPixels pixels = {padded.data(), type, {side, side}, cps::patch_strides(side), by};
    const cps::ClipPictures pictures(pixels, {{0, 0, 0, 0}}, {{1, 1}, {1, 1}, {0}},
                                     {PictureMode::Hold, kBackground, 0});
    const Drawn drawn(pictures, 0);
    for (int y = 0; y < side; ++y)
      for (int x = 0; x < side; ++x)
        for (int c = 0; c < 3; ++c) {
          const double value = decode(padded[static_cast<size_t>((c * side + y) * side + x)]);
          const int expected = byte_of((value * by.std[c] + by.mean[c]) / by.scale);
          const int is = drawn.at(x, y)[static_cast<size_t>(c)];
          fail_unless(is == expected, "%g, channel %d: %d, not %d", value, c, is, expected);
        }
  }
}

GST_START_TEST(test_all_values_of_the_types) {
  std::vector<uint8_t> bytes;
  std::vector<uint16_t> words;
  std::vector<float> floats;
  for (unsigned channel = 0; channel < 3; ++channel)
    for (unsigned i = 0; i < 256; ++i)
      bytes.push_back(static_cast<uint8_t>(i));
  for (unsigned i = 0; i < 65536; ++i)
    words.push_back(static_cast<uint16_t>(i));
  for (int i = -8; i < 8 * 258; ++i) // with halves
    floats.push_back(static_cast<float>(i) / 8);
  for (const float special : {NAN, INFINITY, -INFINITY, 1e30f, -1e30f, 254.5f, 255.5f, 0.49999997f})
    floats.push_back(special);
  check_values(bytes, cps::PixelType::U8, [](uint8_t value) { return static_cast<double>(value); });
  check_values(words, cps::PixelType::F16, [](uint16_t value) { return value_of(value, 5, 10); });
  check_values(words, cps::PixelType::BF16, [](uint16_t value) { return value_of(value, 8, 7); });
  check_values(floats, cps::PixelType::F32, [](float value) { return double{value}; });
}
GST_END_TEST;

GST_START_TEST(test_legend_bar) {
  const Clip clip(false, {40, 1}, 2, 1, 10, 3);
  const Drawn drawn(clip.pictures(PictureMode::Scores, 0), 0);
  for (int y = 0; y < 12; ++y)
    for (int x = 0; x < 80; ++x)
      check_pixel(drawn, x, y + 2, y >= 2 && y < 10 ? heat(std::floor(255.0 * x / 79)) : Pixel{0, 0, 0, 255});
}
GST_END_TEST;

GST_START_TEST(test_legend_text) {
  check_text(legend_text({-1.5f, 0, 20, INFINITY, NAN}, 44),
             {".........#.........#####.........###...###..", "........##.........#............#...#.#...#.",
              ".........#.........####.............#.#..##.", ".#####...#.............#...........#..#.#.#.",
              ".........#.............#..........#...##..#.", ".........#....##...#...#.........#....#...#.",
              "........###...##....###.........#####..###.."});
  check_text(legend_text({1234567, 0}, 66), {"..###.........#..........###..#####.#####..............###....##..",
                                             ".#...#.......##.........#...#....#..#.............#...#...#..#....",
                                             ".#..##........#.............#...#...####...###....#...#..##.#.....",
                                             ".#.#.#........#............#.....#......#.#...#.#####.#.#.#.####..",
                                             ".##..#........#...........#.......#.....#.#####...#...##..#.#...#.",
                                             ".#...#........#....##....#....#...#.#...#.#.......#...#...#.#...#.",
                                             "..###........###...##...#####..###...###...###.........###...###.."});
  check_text(legend_text({5678.9f, 1234}, 60), {"...#....###..#####....#.............#####...##..#####..###..",
                                                "..##...#...#....#....##.............#......#........#.#...#.",
                                                "...#.......#...#....#.#.............####..#........#..#...#.",
                                                "...#......#.....#..#..#.................#.####....#....####.",
                                                "...#.....#.......#.#####................#.#...#..#........#.",
                                                "...#....#....#...#....#.............#...#.#...#..#.......#..",
                                                "..###..#####..###.....#..............###...###...#.....##..."});
  // Too narrow for both numbers, and for any; without patches.
  check_text(legend_text({5678.9f, 1234}, 30),
             {"...#....###..#####....#.......", "..##...#...#....#....##.......", "...#.......#...#....#.#.......",
              "...#......#.....#..#..#.......", "...#.....#.......#.#####......", "...#....#....#...#....#.......",
              "..###..#####..###.....#......."});
  check_text(legend_text({7, 8}, 3), {".##", "...", "...", "...", "..#", "..#", "..#"});
  check_text(legend_text({}, 9), std::vector<std::string>(7, "........."));
}
GST_END_TEST;

// Scores that are not finite count for nothing, and are drawn as the lowest or the highest.
GST_START_TEST(test_scores_that_are_not_finite) {
  Clip clip(false, {5, 1}, 1, 1, 5, 1);
  const float scores[] = {1, NAN, 3, INFINITY, -INFINITY};
  const double levels[] = {0, 0, 255, 255, 0};
  for (size_t i = 0; i < 5; ++i)
    clip.patches[i] = {clip.layout.first_value(static_cast<int64_t>(i)), 0, static_cast<int>(i), scores[i]};
  const Drawn drawn(clip.pictures(PictureMode::Scores, 0), 0);
  for (int x = 0; x < 5; ++x)
    check_pixel(drawn, x, 0, heat(levels[x]));
}
GST_END_TEST;

static Suite *render_suite() {
  Suite *suite = suite_create("render");
  TCase *tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, test_frames);
  tcase_add_test(tests, test_repeated_frames);
  tcase_add_test(tests, test_mosaic);
  tcase_add_test(tests, test_frame_shapes);
  tcase_add_test(tests, test_all_values_of_the_types);
  tcase_add_test(tests, test_legend_bar);
  tcase_add_test(tests, test_legend_text);
  tcase_add_test(tests, test_scores_that_are_not_finite);
  return suite;
}

GST_CHECK_MAIN(render)
