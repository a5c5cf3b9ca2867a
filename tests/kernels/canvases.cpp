// SPDX-License-Identifier: LGPL-2.1-or-later
// Where selected patches go: each layout against docs/spec.md#outputs and #canvases, patch by patch.
#include "kernels/cliptensors.h"

#include "kernels/select.h"

#include <gst/check/gstcheck.h>

#include <algorithm>
#include <cstring>
#include <random>

namespace {

// What is kept of a clip of noise.
struct Kept {
  Kept(cps::Size patches, int side, int plane_count, int frame_count, unsigned seed)
      : grid(patches), patch(side), planes(plane_count), count(frame_count) {
    std::mt19937 random(seed);
    const cps::Size size = target();
    pixels.resize(static_cast<size_t>(planes * size.width * size.height * count));
    for (uint16_t &sample : pixels)
      sample = static_cast<uint16_t>(random() % 65281);
    for (int i = 0; i < grid.width * grid.height * count; ++i)
      scores.push_back(static_cast<double>(random() % 1000) / 7);
    for (int t = 0; t < count; ++t) {
      ids.push_back(5 * t + 3);
      random_access.push_back(t == 0 || random() % 4 == 0);
    }
  }

  cps::Size target() const { return {grid.width * patch, grid.height * patch}; }
  size_t samples() const { return pixels.size() / static_cast<size_t>(count); }
  int64_t per_frame() const { return int64_t{grid.width} * grid.height; }
  cps::KeptFrames frames() const { return {pixels.data(), samples(), scores.data(), ids.data(), random_access.data()}; }

  cps::Size grid;
  int patch, planes, count;
  std::vector<uint16_t> pixels;
  std::vector<double> scores;
  std::vector<int64_t> ids;
  std::vector<uint8_t> random_access;
};

const cps::ColorTransform kColor = cps::yuv_to_rgb(0.2126, 0.0722, false);

template <typename T> constexpr cps::PixelType kType = sizeof(T) == 1 ? cps::PixelType::U8 : cps::PixelType::F32;

// All frames of a clip in RGB, pixel by pixel.
template <typename T> class Rgb {
public:
  explicit Rgb(const Kept &kept) : kept_(kept), width_(kept.target().width) {
    const cps::PatchCutter cutter(kept.target(), kept.planes, 1, kColor, {}, kType<T>);
    const int64_t pixels = int64_t{width_} * kept.target().height;
    values_.resize(static_cast<size_t>(3 * pixels * kept.count));
    for (int64_t i = 0; i < pixels * kept.count; ++i)
      cutter.run(kept.pixels.data() + static_cast<size_t>(i / pixels) * kept.samples(), i % pixels,
                 &values_[static_cast<size_t>(3 * i)]);
  }

  // One value of a patch of the clip.
  T at(int64_t index, int channel, int y, int x) const {
    const int64_t row = index / kept_.grid.width * kept_.patch + y, column = index % kept_.grid.width * kept_.patch + x;
    return values_[static_cast<size_t>(3 * (row * width_ + column) + channel)];
  }

private:
  const Kept &kept_;
  int width_;
  std::vector<T> values_;
};

template <typename T> struct Tensors {
  std::vector<T> pixels;
  std::vector<int64_t> fields;
  std::vector<float> scores;
};

// With a margin behind each tensor, which nothing may be written to.
template <typename T> Tensors<T> write(const Kept &kept, cps::OutputLayout kind, const std::vector<int64_t> &selected) {
  constexpr size_t kMargin = 64;
  const cps::PatchLayout layout = {kind, kept.grid, kept.patch};
  const cps::PatchCutter cutter(kept.target(), kept.planes, kept.patch, kColor, {}, kType<T>, layout.strides());
  const auto fields = static_cast<size_t>(layout.fields()), rows = selected.size();
  const auto values = rows * cutter.patch_bytes() / sizeof(T);
  Tensors<T> out = {std::vector<T>(values + kMargin, T{77}), std::vector<int64_t>(rows * fields + kMargin, -77),
                    std::vector<float>(rows + kMargin, -77)};
  cps::write_patch_tensors(kept.frames(), cutter, layout, selected, out.pixels.data(), out.fields.data(),
                           out.scores.data());
  const auto cut = [](auto &tensor, size_t size, auto margin) {
    fail_unless(std::all_of(tensor.begin() + static_cast<ptrdiff_t>(size), tensor.end(),
                            [margin](auto value) { return value == margin; }),
                "written beyond the tensor");
    tensor.resize(size);
  };
  cut(out.pixels, values, T{77});
  cut(out.fields, rows * fields, int64_t{-77});
  cut(out.scores, rows, -77.0f);
  return out;
}

template <typename T> void check_patches(const Kept &kept, const std::vector<int64_t> &selected) {
  const Tensors<T> tensors = write<T>(kept, cps::OutputLayout::Patches, selected);
  const Rgb<T> rgb(kept);
  size_t i = 0;
  for (size_t k = 0; k < selected.size(); ++k) {
    for (int c = 0; c < 3; ++c)
      for (int y = 0; y < kept.patch; ++y)
        for (int x = 0; x < kept.patch; ++x)
          if (tensors.pixels[i++] != rgb.at(selected[k], c, y, x))
            ck_abort_msg("patch %zu, (%d, %d), channel %d", k, x, y, c);
    const int64_t t = selected[k] / kept.per_frame(), within = selected[k] % kept.per_frame();
    const int64_t row[] = {t,           kept.ids[static_cast<size_t>(t)], kept.random_access[static_cast<size_t>(t)],
                           selected[k], within / kept.grid.width,         within % kept.grid.width};
    fail_unless(std::equal(row, row + 6, &tensors.fields[6 * k]));
    fail_unless(tensors.scores[k] == static_cast<float>(kept.scores[static_cast<size_t>(selected[k])]));
  }
}

// `blocks`: (frame, row, column) of each block, in ascending order.
struct Block {
  int frame, row, column;
};

template <typename T> void check_canvases(const Kept &kept, const std::vector<Block> &blocks) {
  std::vector<int64_t> selected;
  for (const Block &block : blocks)
    for (int corner = 0; corner < 4; ++corner)
      selected.push_back(block.frame * kept.per_frame() + (2 * block.row + corner / 2) * kept.grid.width +
                         2 * block.column + corner % 2);
  const Tensors<T> tensors = write<T>(kept, cps::OutputLayout::Canvas, selected);
  const Rgb<T> rgb(kept);

  const int columns = kept.grid.width / 2, per_canvas = columns * (kept.grid.height / 2);
  const int width = kept.target().width, height = kept.target().height;
  for (int s = 0; s < static_cast<int>(blocks.size()); ++s) {
    const Block &block = blocks[static_cast<size_t>(s)];
    const int canvas = s / per_canvas, slot = s % per_canvas;
    for (int down = 0; down < 2; ++down)
      for (int right = 0; right < 2; ++right) {
        const int to_row = 2 * (slot / columns) + down, to_column = 2 * (slot % columns) + right;
        const int from_row = 2 * block.row + down, from_column = 2 * block.column + right;
        const auto place = static_cast<size_t>(canvas * kept.per_frame() + to_row * kept.grid.width + to_column);
        const int64_t index = block.frame * kept.per_frame() + from_row * kept.grid.width + from_column;
        fail_unless(tensors.fields[3 * place] == kept.ids[static_cast<size_t>(block.frame)] &&
                        tensors.fields[3 * place + 1] == from_row && tensors.fields[3 * place + 2] == from_column,
                    "the position of block %d", s);
        fail_unless(tensors.scores[place] == static_cast<float>(kept.scores[static_cast<size_t>(index)]),
                    "the score of block %d", s);
        for (int y = 0; y < kept.patch; ++y)
          for (int x = 0; x < kept.patch; ++x)
            for (int c = 0; c < 3; ++c) {
              const int row = to_row * kept.patch + y, column = to_column * kept.patch + x;
              const auto at = static_cast<size_t>(((canvas * height + row) * width + column) * 3 + c);
              if (tensors.pixels[at] != rgb.at(index, c, y, x))
                ck_abort_msg("block %d, (%d, %d), channel %d", s, x, y, c);
            }
      }
  }
}

// Some blocks of a clip, as many as `canvases` have.
std::vector<Block> some_blocks(const Kept &kept, int canvases, std::mt19937 &random) {
  std::vector<Block> blocks;
  for (int t = 0; t < kept.count; ++t)
    for (int y = 0; y < kept.grid.height / 2; ++y)
      for (int x = 0; x < kept.grid.width / 2; ++x)
        blocks.push_back({t, y, x});
  const auto wanted = static_cast<size_t>(canvases * kept.per_frame() / 4);
  while (blocks.size() > wanted)
    blocks.erase(blocks.begin() + static_cast<ptrdiff_t>(random() % blocks.size()));
  return blocks;
}

} // namespace

// Patches from 33 pixels a side on are converted in several parts.
GST_START_TEST(test_canvases) {
  std::mt19937 random(3);
  for (const int patch : {1, 2, 7, 14, 16, 33, 40})
    for (const cps::Size grid : {cps::Size{2, 2}, cps::Size{4, 2}, cps::Size{2, 6}, cps::Size{6, 4}})
      for (const int planes : {1, 3}) {
        const Kept kept(grid, patch, planes, 3, random());
        check_canvases<uint8_t>(kept, some_blocks(kept, 1, random));
        check_canvases<uint8_t>(kept, some_blocks(kept, 3, random));
        check_canvases<float>(kept, some_blocks(kept, 2, random));
      }
}
GST_END_TEST;

GST_START_TEST(test_patches) {
  for (const int patch : {1, 7, 14, 33})
    for (const int planes : {1, 3}) {
      const Kept kept({4, 2}, patch, planes, 3, 5);
      for (const auto &selected : {std::vector<int64_t>{}, {0}, {3, 4, 9, 23}, {1, 0, 22}}) {
        check_patches<uint8_t>(kept, selected);
        check_patches<float>(kept, selected);
      }
    }
}
GST_END_TEST;

// Of what is selected of random clips, each canvas is whole, and so is each block, at even coordinates. Blocks ascend,
// and none comes twice.
GST_START_TEST(test_selected_canvases) {
  std::mt19937 random(9);
  const auto draw = [&random](int least, int most) {
    return least + static_cast<int>(random() % static_cast<unsigned>(most - least + 1));
  };
  for (int clip = 0; clip < 200; ++clip) {
    const Kept kept({2 * draw(1, 5), 2 * draw(1, 4)}, draw(1, 4), draw(0, 1) ? 3 : 1, draw(1, 7), random());
    const int canvases = draw(1, kept.count);
    cps::SelectOptions options;
    options.patch_size = kept.patch;
    options.unit = cps::SelectionUnit::Block2x2;
    options.ranking = draw(0, 1) ? cps::Ranking::Energy : cps::Ranking::Replenishment;
    options.static_fallback = draw(0, 1) != 0;
    options.k_keep = canvases * kept.per_frame();
    const auto selected = cps::select_patches(kept.scores.data(), kept.count, kept.grid, kept.random_access, options);
    assert_equals_uint64(selected.size(), static_cast<size_t>(options.k_keep));
    const Tensors<uint8_t> tensors = write<uint8_t>(kept, cps::OutputLayout::Canvas, selected);

    const int columns = kept.grid.width;
    std::vector<int64_t> last = {-1, 0, 0};
    for (int canvas = 0; canvas < canvases; ++canvas)
      for (int row = 0; row < kept.grid.height; row += 2)
        for (int column = 0; column < columns; column += 2) {
          const auto place = [&](int down, int right) {
            const auto at =
                3 * static_cast<size_t>((canvas * kept.grid.height + row + down) * columns + column + right);
            return std::vector<int64_t>(&tensors.fields[at], &tensors.fields[at] + 3);
          };
          const std::vector<int64_t> first = place(0, 0);
          const int64_t t = first[0], h = first[1], w = first[2];
          fail_unless(h % 2 == 0 && w % 2 == 0 && last < first);
          fail_unless(std::count(kept.ids.begin(), kept.ids.end(), t) == 1 && h < kept.grid.height && w < columns);
          fail_unless((place(0, 1) == std::vector<int64_t>{t, h, w + 1}));
          fail_unless((place(1, 0) == std::vector<int64_t>{t, h + 1, w}));
          fail_unless((place(1, 1) == std::vector<int64_t>{t, h + 1, w + 1}));
          if (options.ranking == cps::Ranking::Replenishment && canvas == 0)
            fail_unless(t == kept.ids[0] && h == row && w == column);
          last = first;
        }
  }
}
GST_END_TEST;

static Suite *canvases_suite() {
  Suite *suite = suite_create("canvases");
  TCase *tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, test_canvases);
  tcase_add_test(tests, test_patches);
  tcase_add_test(tests, test_selected_canvases);
  return suite;
}

GST_CHECK_MAIN(canvases)
