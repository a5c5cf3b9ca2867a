// SPDX-License-Identifier: LGPL-2.1-or-later
// Scores, selection and patches of the device against those of the CPU: equal, to the last bit.
#include "gst/cuda/patchselector.h"

#include "kernels/cliptensors.h"
#include "kernels/replenishment.h"
#include "kernels/scores.h"
#include "tests/cuda/testdevice.h"
#include "tests/kernels/contents.h"

namespace {

using cps::PixelType;
using reference::Layout;
using reference::Picture;
using test::DevicePicture;
using test::TestDevice;

struct Case {
  Layout layout = reference::gray(160, 96);
  cps::Size target = {56, 56};
  cps::Resample resample = cps::Resample::Bilinear;
  cps::SelectOptions options;
  std::vector<uint8_t> random_access = {1, 0, 0, 0, 0};
  cps::ColorTransform color = cps::gray_to_rgb(false);
  cps::OutputScaling scaling;
  PixelType type = PixelType::F32;
  cps::OutputLayout output = cps::OutputLayout::Patches;
  enum { Noise, Saturated, Still } energy = Noise;

  int frames() const { return static_cast<int>(random_access.size()); }
  cps::Size grid() const { return {target.width / options.patch_size, target.height / options.patch_size}; }
};

struct Frame {
  Picture picture;
  std::vector<float> energy;
};

// Energies with ties, or hardly any; some pictures are repeated.
std::vector<Frame> draw_frames(const Case &c) {
  std::mt19937 random(7);
  std::vector<Frame> frames;
  const cps::Size map = cps::small_size({c.layout.width, c.layout.height});
  for (int t = 0; t < c.frames(); ++t) {
    const bool repeated = t % 3 == 2;
    frames.push_back({repeated ? frames.back().picture : draw(c.layout, reference::Content::Noise, t, random), {}});
    const bool uniform = c.energy == Case::Saturated && t % 2 == 0;
    for (int i = 0; i < map.width * map.height; ++i) {
      const float value = static_cast<float>(random() % 1000) / 999.0f;
      frames.back().energy.push_back(c.energy == Case::Still ? value * 1e-3f : uniform ? 1.0f : value);
    }
  }
  return frames;
}

struct Tensors {
  std::vector<uint8_t> patches;
  std::vector<int64_t> fields;
  std::vector<float> scores;
};

Tensors on_cpu(const Case &c, std::vector<Frame> &frames) {
  const cps::Size source = {c.layout.width, c.layout.height}, grid = c.grid();
  const cps::PictureResizer resizer(frames[0].picture.view(), {c.target, c.resample});
  cps::PatchScorer scorer(source, c.target, c.options.patch_size);
  const auto per_frame = static_cast<size_t>(grid.width * grid.height);
  std::vector<uint16_t> pixels(resizer.samples() * frames.size());
  std::vector<double> scores(per_frame * frames.size());
  for (size_t t = 0; t < frames.size(); ++t) {
    resizer.run(frames[t].picture.view(), pixels.data() + t * resizer.samples());
    scorer.run(frames[t].energy.data(), scores.data() + t * per_frame);
  }
  if (c.options.ranking == cps::Ranking::Replenishment)
    cps::ReplenishmentScorer(c.target, resizer.planes(), c.options.patch_size, c.options.unit, c.frames())
        .run(pixels.data(), scores.data());

  std::vector<uint8_t> random_access = c.random_access;
  if (std::count(random_access.begin(), random_access.end(), 1) == 0)
    random_access[0] = 1;
  std::vector<int64_t> ids;
  for (int t = 0; t < c.frames(); ++t)
    ids.push_back(10 + 3 * t);
  const std::vector<int64_t> selected = cps::select_patches(scores.data(), c.frames(), grid, random_access, c.options);
  const cps::PatchLayout layout = {c.output, grid, c.options.patch_size};
  const cps::PatchCutter cutter(c.target, resizer.planes(), c.options.patch_size, c.color, c.scaling, c.type,
                                layout.strides());
  Tensors out;
  out.patches.resize(selected.size() * cutter.patch_bytes());
  out.fields.resize(selected.size() * static_cast<size_t>(layout.fields()));
  out.scores.resize(selected.size());
  cps::write_patch_tensors({pixels.data(), resizer.samples(), scores.data(), ids.data(), random_access.data()}, cutter,
                           layout, selected, out.patches.data(), out.fields.data(), out.scores.data());
  return out;
}

// Poisons what it writes into, so that all of it has to be written.
Tensors on_device(const TestDevice &device, cps::cuda::PatchSelector &clip, const Case &c, std::vector<Frame> &frames) {
  const auto most = static_cast<size_t>(cps::selection_count(c.options, c.frames(), c.grid()));
  const size_t patch_bytes =
      3 * static_cast<size_t>(c.options.patch_size * c.options.patch_size) * cps::pixel_size(c.type);
  const auto columns = static_cast<size_t>(cps::PatchLayout{c.output, {}, 0}.fields());
  cps::cuda::Memory patches, fields, scores;
  device.upload(patches, std::vector<uint8_t>(most * patch_bytes, 0xa5));
  device.upload(fields, std::vector<int64_t>(most * columns, -1));
  device.upload(scores, std::vector<float>(most, -1.0f));

  device.need(clip.begin(frames[0].picture.view(), {c.target, c.resample}, c.options, c.frames()));
  for (int t = 0; t < c.frames(); ++t) {
    Frame &frame = frames[static_cast<size_t>(t)];
    const DevicePicture picture(device, frame.picture.view());
    cps::cuda::Memory energy;
    device.upload(energy, frame.energy);
    const bool random_access = c.random_access[static_cast<size_t>(t)] != 0;
    const float *given = c.options.ranking == cps::Ranking::Energy ? energy.as<float>() : nullptr;
    device.need(clip.add(picture.view(), given, 10 + 3 * t, random_access) && device.get().synchronise());
  }
  int64_t selected = -1;
  device.need(clip.select(selected));
  const auto count = static_cast<size_t>(selected);
  device.need(
      clip.cut(c.color, c.scaling, c.type, {patches.as<void>(), fields.as<int64_t>(), scores.as<float>(), c.output}));
  return {device.download<uint8_t>(patches.as<void>(), count * patch_bytes),
          device.download<int64_t>(fields.as<void>(), count * columns),
          device.download<float>(scores.as<void>(), count)};
}

void check(const TestDevice &device, cps::cuda::PatchSelector &clip, const Case &c, const std::string &what) {
  std::vector<Frame> frames = draw_frames(c);
  const Tensors expected = on_cpu(c, frames), tensors = on_device(device, clip, c, frames);
  fail_unless(tensors.fields == expected.fields, "%s: other patches", what.c_str());
  fail_unless(tensors.scores == expected.scores, "%s: other scores", what.c_str());
  fail_unless(tensors.patches == expected.patches, "%s: other pixels", what.c_str());
}

void check(const Case &c, const std::string &what) {
  const TestDevice device;
  cps::cuda::PatchSelector clip(device.get());
  check(device, clip, c, what);
}

Case color_case(cps::ColorModel model, int bits) {
  Case c;
  c.layout.model = model;
  c.layout.bits = bits;
  c.options.k_keep = 40;
  if (model == cps::ColorModel::Yuv) {
    c.layout.sub_x = c.layout.sub_y = 2;
    c.color = cps::yuv_to_rgb(0.2126, 0.0722, false);
  } else if (model == cps::ColorModel::Rgb) {
    c.layout.step = 4;
    c.color = cps::rgb_to_rgb();
  }
  return c;
}

} // namespace

GST_START_TEST(test_counts) {
  for (const int64_t k : {-3, 0, 1, 2, 15, 16, 17, 31, 32, 33, 79, 80, 81, 2048})
    for (const auto &random_access : std::vector<std::vector<uint8_t>>{
             {1, 0, 0, 0, 0}, {0, 0, 1, 0, 1}, {1, 1, 1, 1, 1}, {0, 1, 0, 0, 0}, {0, 0, 0, 0, 0}})
      for (const auto energy : {Case::Noise, Case::Saturated}) {
        Case c;
        c.options.k_keep = k;
        c.random_access = random_access;
        c.energy = energy;
        check(c, "k = " + std::to_string(k));
      }
}
GST_END_TEST;

GST_START_TEST(test_blocks) {
  for (const int64_t k : {4, 8, 16, 20, 32, 80})
    for (const auto energy : {Case::Noise, Case::Saturated, Case::Still}) {
      Case c;
      c.options.unit = cps::SelectionUnit::Block2x2;
      c.options.k_keep = k;
      c.options.static_fallback = true;
      c.random_access = {0, 1, 0, 0, 0};
      c.energy = energy;
      check(c, "blocks, k = " + std::to_string(k));
    }
}
GST_END_TEST;

GST_START_TEST(test_static_clips) {
  for (const int frames : {0, 1, 2, 3, 4, 9})
    for (const double threshold : {2.0, 0.5, 1e-6, 400.0, -1.0})
      for (const auto energy : {Case::Still, Case::Noise}) {
        Case c;
        c.options.k_keep = 40;
        c.options.static_fallback = true;
        c.options.static_uniform_frames = frames;
        c.options.static_abs_thresh = threshold;
        c.random_access = {0, 0, 1, 0, 0, 0, 0};
        if (frames == 3)
          c.random_access[2] = 0;
        c.energy = energy;
        check(c, "static, " + std::to_string(frames) + " frames");
      }
}
GST_END_TEST;

GST_START_TEST(test_dtypes) {
  for (const PixelType type : {PixelType::U8, PixelType::F16, PixelType::BF16, PixelType::F32})
    for (const auto model : {cps::ColorModel::Gray, cps::ColorModel::Yuv, cps::ColorModel::Rgb}) {
      Case c = color_case(model, 8);
      c.type = type;
      check(c, "dtype");
      if (type == PixelType::U8)
        continue;
      c.scaling = {1 / 255.0f, {0.48f, 0.45f, 0.4f}, {0.27f, 0.26f, 0.28f}};
      check(c, "scaled");
    }
}
GST_END_TEST;

GST_START_TEST(test_layouts) {
  for (const int bits : {8, 10, 12, 16})
    for (const int sub : {1, 2, 4}) {
      Case c = color_case(cps::ColorModel::Yuv, bits);
      c.layout.sub_x = sub;
      c.layout.sub_y = sub == 4 ? 1 : sub;
      c.layout.shift = bits == 10 ? 6 : 0;
      c.layout.width = 157;
      c.layout.height = 99;
      c.layout.phase_x = sub - 1;
      check(c, "layout");
    }
}
GST_END_TEST;

// One after the other, with other tables each time.
GST_START_TEST(test_resampling) {
  const TestDevice device;
  cps::cuda::PatchSelector clip(device.get());
  for (const auto resample : {cps::Resample::Area, cps::Resample::Bicubic, cps::Resample::Bilinear})
    for (const int bits : {8, 10, 16})
      for (const int side : {40, 157}) {
        Case c = color_case(cps::ColorModel::Yuv, bits);
        c.layout.width = side;
        c.layout.height = 99;
        c.layout.phase_x = side % 2;
        c.resample = resample;
        check(device, clip, c, "resampling");
      }
}
GST_END_TEST;

// Many blocks of scores, patches of more than one block of pixels, and sizes that go into nothing evenly.
GST_START_TEST(test_sizes) {
  constexpr struct {
    int width, height, patch, columns, rows;
  } sizes[] = {{1000, 120, 2, 150, 4}, {64, 48, 40, 2, 2}, {33, 35, 14, 2, 2}, {600, 400, 14, 22, 12}, {9, 5, 1, 8, 6}};
  for (const auto &size : sizes) {
    Case c = color_case(cps::ColorModel::Yuv, 8);
    c.layout.width = size.width;
    c.layout.height = size.height;
    c.options.patch_size = size.patch;
    c.target = {size.columns * size.patch, size.rows * size.patch};
    c.options.k_keep = 100;
    check(c, std::to_string(size.width));
  }
}
GST_END_TEST;

// One Clip for what comes one after the other, with the memory of larger ones before.
GST_START_TEST(test_one_after_the_other) {
  const TestDevice device;
  cps::cuda::PatchSelector clip(device.get());
  for (const int width : {160, 160, 320, 64, 160}) {
    Case c = color_case(cps::ColorModel::Yuv, 8);
    c.layout.width = width;
    check(device, clip, c, std::to_string(width));
    c.random_access.push_back(1);
    check(device, clip, c, std::to_string(width) + ", a longer one");
  }
}
GST_END_TEST;

// One frame, and several, some of them equal to the one before.
GST_START_TEST(test_replenishment) {
  const TestDevice device;
  cps::cuda::PatchSelector clip(device.get());
  for (const auto unit : {cps::SelectionUnit::Patch, cps::SelectionUnit::Block2x2})
    for (const auto model : {cps::ColorModel::Gray, cps::ColorModel::Yuv})
      for (const size_t frames : {size_t{1}, size_t{2}, size_t{9}}) {
        Case c = color_case(model, 8);
        c.options.ranking = cps::Ranking::Replenishment;
        c.options.unit = unit;
        c.random_access.assign(frames, 0);
        const auto all = static_cast<int64_t>(frames) * c.grid().width * c.grid().height;
        for (const int64_t k : {int64_t{0}, int64_t{4}, int64_t{20}, all}) {
          c.options.k_keep = k;
          for (const double min_score : {0.0, 2e4, 1e30}) {
            c.options.min_score = min_score;
            check(device, clip, c, std::to_string(frames) + " frames, k = " + std::to_string(k));
          }
        }
      }
}
GST_END_TEST;

GST_START_TEST(test_replenishment_of_formats) {
  const TestDevice device;
  cps::cuda::PatchSelector clip(device.get());
  for (const int bits : {8, 10, 16})
    for (const int patch : {1, 7, 14, 28}) { // fewer samples than threads, and more
      Case c = color_case(cps::ColorModel::Yuv, bits);
      c.options.ranking = bits == 10 ? cps::Ranking::Energy : cps::Ranking::Replenishment; // one after the other
      c.options.patch_size = patch;
      c.options.k_keep = 30;
      check(device, clip, c, std::to_string(bits) + " bits, patches of " + std::to_string(patch));
    }
}
GST_END_TEST;

GST_START_TEST(test_min_score) {
  const TestDevice device;
  cps::cuda::PatchSelector clip(device.get());
  for (const auto unit : {cps::SelectionUnit::Patch, cps::SelectionUnit::Block2x2})
    for (const double min_score : {1e-3, 90.0, 98.0, 110.0, 1e9})
      for (const int64_t k : {4, 24, 80}) {
        Case c;
        c.options.unit = unit;
        c.options.k_keep = k;
        c.options.min_score = min_score;
        c.options.static_fallback = true;
        check(device, clip, c, "min-score " + std::to_string(min_score));
      }
}
GST_END_TEST;

// Patches of more than one block of pixels, too, and canvases after patches.
GST_START_TEST(test_canvases) {
  const TestDevice device;
  cps::cuda::PatchSelector clip(device.get());
  for (const auto ranking : {cps::Ranking::Energy, cps::Ranking::Replenishment})
    for (const auto model : {cps::ColorModel::Gray, cps::ColorModel::Yuv, cps::ColorModel::Rgb})
      for (const auto output : {cps::OutputLayout::Patches, cps::OutputLayout::Canvas})
        for (const int patch : {1, 40})
          for (const int canvases :
               output == cps::OutputLayout::Canvas ? std::vector<int>{1, 5} : std::vector<int>{2}) {
            Case c = color_case(model, 8);
            c.type = PixelType::U8;
            c.output = output;
            c.options.ranking = ranking;
            c.options.unit = cps::SelectionUnit::Block2x2;
            c.options.patch_size = patch;
            c.target = {4 * patch, 6 * patch};
            c.options.k_keep = canvases * 24;
            check(device, clip, c, std::to_string(canvases) + " canvases, patches of " + std::to_string(patch));
          }
}
GST_END_TEST;

// Energies that nobody should send end in some selection, and nowhere else.
GST_START_TEST(test_foul_energies) {
  const TestDevice device;
  cps::cuda::PatchSelector clip(device.get());
  for (const float foul : {-1e30f, 1e30f, std::nanf("")}) {
    Case c;
    c.options.k_keep = 30;
    c.options.static_fallback = true;
    std::vector<Frame> frames = draw_frames(c);
    for (Frame &frame : frames)
      std::fill(frame.energy.begin(), frame.energy.end(), foul);
    const Tensors tensors = on_device(device, clip, c, frames);
    int64_t last = -1;
    for (size_t i = 0; i < 30; ++i) {
      const int64_t index = tensors.fields[6 * i + 3];
      fail_unless(index > last && index < 80);
      last = index;
    }
  }
}
GST_END_TEST;

static Suite *cuda_clip_suite() {
  Suite *suite = suite_create("cuda-clip");
  TCase *tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_set_timeout(tests, 120);
  tcase_add_test(tests, test_counts);
  tcase_add_test(tests, test_blocks);
  tcase_add_test(tests, test_static_clips);
  tcase_add_test(tests, test_dtypes);
  tcase_add_test(tests, test_layouts);
  tcase_add_test(tests, test_resampling);
  tcase_add_test(tests, test_sizes);
  tcase_add_test(tests, test_one_after_the_other);
  tcase_add_test(tests, test_replenishment);
  tcase_add_test(tests, test_replenishment_of_formats);
  tcase_add_test(tests, test_min_score);
  tcase_add_test(tests, test_canvases);
  tcase_add_test(tests, test_foul_energies);
  return suite;
}

int main(int argc, char **argv) {
  return test::run_cuda_tests(argc, argv, cuda_clip_suite, "clip");
}
