// SPDX-License-Identifier: LGPL-2.1-or-later
#include "kernels/arith.h"
#include "kernels/geometry.h"
#include "kernels/scores.h"
#include "tests/common/frames.h"
#include "tests/common/harness.h"
#include "tests/common/tensors.h"
#include "tests/common/text.h"

#include <gst/codecpatch/codecpatch.h>

#include <map>

using test::Harness;
using test::Owned;
using test::Region;

namespace {

// Frames of 96x80 come out at 56x56: four rows of four patches.
constexpr test::Properties kSmall = {{"input-size", "56"}, {"k-keep", "20"}, {"output-dtype", "f32"}};
const cps::Size kTarget = {56, 56};

std::vector<float> noise_map(int width, int height, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<float> map(static_cast<size_t>(width) * static_cast<size_t>(height));
  for (float &value : map)
    value = static_cast<float>(random() % 1000) / 999.0f;
  return map;
}

void add_energy(GstBuffer *frame, const std::vector<float> &map, int width, int height, int frame_width,
                int frame_height) {
  GstBuffer *memory = gst_buffer_new_memdup(map.data(), map.size() * sizeof(float));
  cps_buffer_add_energy_meta(frame, memory, static_cast<guint>(width), static_cast<guint>(height),
                             static_cast<guint>(frame_width), static_cast<guint>(frame_height),
                             g_quark_from_static_string("motion-residual"), 95);
}

// A sequence of noise, and what is to become of it.
struct Clip {
  GstVideoInfo info;
  Region region;
  std::vector<reference::Picture> pictures;
  std::vector<std::vector<float>> maps;
  std::vector<guint64> ids;
  std::vector<bool> random_access;

  guint length() const { return static_cast<guint>(pictures.size()); }
  cps::Size size() const { return {region.width, region.height}; }
};

Clip noise_clip(const GstVideoInfo &info, const Region &region, guint length, unsigned seed = 1) {
  Clip clip = {info, region, {}, {}, {}, {}};
  const cps::Size small = cps::small_size({region.width, region.height});
  for (guint i = 0; i < length; ++i) {
    clip.pictures.push_back(
        test::noise_picture(test::format_named(GST_VIDEO_INFO_NAME(&info)), region, 100 * seed + i));
    clip.maps.push_back(noise_map(small.width, small.height, 100 * seed + i));
    clip.ids.push_back(3 * i + 2);
    clip.random_access.push_back(false);
  }
  return clip;
}

Clip noise_clip(const char *format = "I420", guint length = 3, unsigned seed = 1, const char *colorimetry = "bt709") {
  return noise_clip(test::video_info(format, 96, 80, colorimetry), {0, 0, 96, 80}, length, seed);
}

// Frame `position` of the clip as patchenergy leaves it.
Owned<GstBuffer> frame(const Clip &clip, guint position, guint clip_index = 0) {
  Owned<GstBuffer> buffer = test::noise_buffer(clip.info.size);
  test::write_picture(buffer.get(), clip.info, clip.pictures[position], clip.region.x, clip.region.y);
  buffer = test::sampled(std::move(buffer), clip.ids[position], position, clip.length(),
                         clip.random_access[position] ? CPS_FRAME_FLAG_RANDOM_ACCESS : CPS_FRAME_FLAG_NONE, clip_index);
  if (clip.region.width != clip.info.width || clip.region.height != clip.info.height)
    test::add_crop(buffer.get(), clip.region);
  const cps::Size small = cps::small_size(clip.size());
  add_energy(buffer.get(), clip.maps[position], small.width, small.height, clip.region.width, clip.region.height);
  return buffer;
}

// Pushes the clip and returns its tensors; nothing comes before the last frame.
Owned<GstBuffer> run(const Harness &select, const Clip &clip, guint clip_index = 0) {
  for (guint i = 0; i < clip.length(); ++i) {
    fail_unless(select.pull() == nullptr);
    const GstFlowReturn flow = select.push(frame(clip, i, clip_index));
    fail_unless(flow == GST_FLOW_OK, "frame %u: %s, %s", i, gst_flow_get_name(flow), select.error().c_str());
  }
  Owned<GstBuffer> tensors = select.pull();
  fail_unless(tensors != nullptr && select.pull() == nullptr);
  select.check_quiet();
  return tensors;
}

Owned<GstBuffer> run(test::Properties properties, const Clip &clip) {
  Harness select("patchselect", kSmall);
  for (const auto &[name, value] : properties)
    select.set(name, value);
  select.start(test::video_caps(clip.info).get());
  return run(select, clip);
}

const CpsClip *clip_of(GstBuffer *tensors) {
  return cps_buffer_get_tensor_meta(tensors)->clip;
}

// What the clip should be

struct Expected {
  cps::Size target, grid;
  std::vector<double> scores;
  std::vector<int64_t> selected;
  std::vector<bool> random_access;
};

Expected expect(const Clip &clip, const cps::SelectOptions &options, cps::Size target) {
  Expected out;
  out.target = target;
  out.grid = {target.width / options.patch_size, target.height / options.patch_size};
  cps::PatchScorer scorer(clip.size(), target, options.patch_size);
  for (const auto &map : clip.maps) {
    std::vector<double> scores(static_cast<size_t>(out.grid.width * out.grid.height));
    scorer.run(map.data(), scores.data());
    const auto slow = reference::scores(map, clip.size(), target, options.patch_size);
    for (size_t i = 0; i < scores.size(); ++i)
      fail_unless(std::fabs(scores[i] - slow[i]) < 1e-6);
    out.scores.insert(out.scores.end(), scores.begin(), scores.end());
  }
  out.random_access = clip.random_access;
  if (std::find(out.random_access.begin(), out.random_access.end(), true) == out.random_access.end())
    out.random_access[0] = true;
  out.selected = reference::select(out.scores, static_cast<int>(clip.length()), out.grid,
                                   std::vector<uint8_t>(out.random_access.begin(), out.random_access.end()), options);
  return out;
}

struct Colors {
  double kr, kb;
  bool full_range;
};
constexpr Colors kBt601 = {0.299, 0.114, false}, kBt709 = {0.2126, 0.0722, false}, kBt2020 = {0.2627, 0.0593, false};

// docs/spec.md#pixels in double, up to the clamp.
void rgb_of(const reference::Picture &picture, cps::Size target, int x, int y, const Colors &colors, double rgb[3]) {
  double code[3] = {0, 128, 128};
  for (int p = 0; p < picture.planes(); ++p)
    code[p] = reference::stored(picture, p, target, x, y) / 256.0;
  if (picture.layout().model == cps::ColorModel::Rgb) {
    std::copy_n(code, 3, rgb);
  } else {
    const double luma = colors.full_range ? code[0] / 255.0 : (code[0] - 16.0) / 219.0;
    const double range = colors.full_range ? 255.0 : 224.0, u = (code[1] - 128.0) / range,
                 v = (code[2] - 128.0) / range;
    rgb[0] = luma + 2.0 * (1.0 - colors.kr) * v;
    rgb[2] = luma + 2.0 * (1.0 - colors.kb) * u;
    rgb[1] = (luma - colors.kr * rgb[0] - colors.kb * rgb[2]) / (1.0 - colors.kr - colors.kb);
    for (int c = 0; c < 3; ++c)
      rgb[c] *= 255.0;
  }
  for (int c = 0; c < 3; ++c)
    rgb[c] = std::min(std::max(rgb[c], 0.0), 255.0);
}

void check_fields(GstBuffer *tensors, const Clip &clip, const Expected &expected) {
  const auto fields = test::elements_of<gint64>(tensors, "meta_fields");
  const auto scores = test::elements_of<float>(tensors, "meta_scores");
  assert_equals_int(scores.size(), expected.selected.size());
  assert_equals_int(fields.size(), 6 * expected.selected.size());
  const int64_t per_frame = int64_t{expected.grid.width} * expected.grid.height;
  for (size_t k = 0; k < scores.size(); ++k) {
    const int64_t index = expected.selected[k], position = index / per_frame, within = index % per_frame;
    const auto at = static_cast<size_t>(position);
    const gint64 row[] = {position, static_cast<gint64>(clip.ids[at]), expected.random_access[at],
                          index,    within / expected.grid.width,      within % expected.grid.width};
    for (size_t field = 0; field < 6; ++field)
      fail_unless(fields[6 * k + field] == row[field], "patch %zu, field %zu: %d instead of %d", k, field,
                  static_cast<int>(fields[6 * k + field]), static_cast<int>(row[field]));
    fail_unless(scores[k] == static_cast<float>(expected.scores[static_cast<size_t>(index)]));
  }
}

void check_pixels(GstBuffer *tensors, const Clip &clip, const Expected &expected, const Colors &colors,
                  const std::function<double(double, int)> &scaled = {}) {
  const auto values = test::elements_of<float>(tensors, "patches");
  const int patch = expected.target.width / expected.grid.width;
  const int64_t per_frame = int64_t{expected.grid.width} * expected.grid.height;
  const size_t area = static_cast<size_t>(patch) * static_cast<size_t>(patch);
  assert_equals_int(values.size(), expected.selected.size() * 3 * area);
  for (size_t k = 0; k < expected.selected.size(); ++k) {
    const auto &picture = clip.pictures[static_cast<size_t>(expected.selected[k] / per_frame)];
    const auto within = static_cast<int>(expected.selected[k] % per_frame);
    const int left = within % expected.grid.width * patch, top = within / expected.grid.width * patch;
    for (int y = 0; y < patch; ++y)
      for (int x = 0; x < patch; ++x) {
        double rgb[3];
        rgb_of(picture, expected.target, left + x, top + y, colors, rgb);
        for (int c = 0; c < 3; ++c) {
          const double want = scaled ? scaled(rgb[c], c) : rgb[c];
          const float got = values[(3 * k + static_cast<size_t>(c)) * area + static_cast<size_t>(y * patch + x)];
          fail_unless(std::fabs(got - want) < 2e-3, "%s: patch %zu, channel %d, (%d, %d): %f instead of %f",
                      GST_VIDEO_INFO_NAME(&clip.info), k, c, x, y, static_cast<double>(got), want);
        }
      }
  }
}

cps::SelectOptions keep(int64_t count) {
  cps::SelectOptions options;
  options.k_keep = count;
  return options;
}

void check_small(GstBuffer *tensors, const Clip &clip, const Colors &colors = kBt709) {
  const Expected expected = expect(clip, keep(20), kTarget);
  check_fields(tensors, clip, expected);
  check_pixels(tensors, clip, expected, colors);
}

// The error at the first frame of a clip with these properties.
void check_refused(test::Properties properties, const char *part, const Clip &clip = noise_clip()) {
  Harness select("patchselect", kSmall);
  for (const auto &[name, value] : properties)
    select.set(name, value);
  select.start(test::video_caps(clip.info).get());
  fail_unless(select.push(frame(clip, 0)) == GST_FLOW_ERROR);
  select.check_error(part);
  fail_unless(select.pull_event(GST_EVENT_CAPS) == nullptr);
}

// The error at a frame that `change` has been at, as the second of a clip.
void check_frame_refused(const std::function<void(GstBuffer *)> &change, const char *part) {
  const Clip clip = noise_clip();
  for (const guint position : {0u, 1u}) {
    Harness select("patchselect", kSmall);
    select.start(test::video_caps(clip.info).get());
    if (position == 1)
      fail_unless(select.push(frame(clip, 0)) == GST_FLOW_OK);
    Owned<GstBuffer> bad = frame(clip, position);
    change(bad.get());
    fail_unless(select.push(std::move(bad)) == GST_FLOW_ERROR);
    select.check_error(part);
    fail_unless(select.pull() == nullptr);
  }
}

using Metadata = std::map<std::string, std::string>;

Metadata metadata_of(GstBuffer *tensors) {
  Metadata metadata;
  cps_clip_foreach_metadata(
      clip_of(tensors),
      [](const gchar *key, const gchar *value, gpointer out) {
        const bool is_new = static_cast<Metadata *>(out)->emplace(key, value).second;
        fail_unless(is_new, "%s twice", key);
      },
      &metadata);
  return metadata;
}

} // namespace

// Values

GST_START_TEST(formats) {
  for (const test::Format &format : test::known_formats()) {
    if (format.model == cps::ColorModel::Yuv) {
      const Clip clip = noise_clip(format.name);
      check_small(run({}, clip).get(), clip);
    } else {
      const Clip clip = noise_clip(format.name, 3, 1, "1:4:0:0");
      check_small(run({}, clip).get(), clip, {0.299, 0.114, true});
    }
  }
}
GST_END_TEST

GST_START_TEST(crops) {
  for (const char *format : {"I420", "NV12", "Y42B", "RGB", "GRAY8"}) {
    const GstVideoInfo info = test::video_info(format, 120, 100, "1:4:0:0");
    const Clip clip = noise_clip(info, {7, 9, 97, 81}, 2);
    const auto tensors = run({}, clip);
    const cps::Size target = cps::target_size(clip.size(), {56, 0, 0, 14});
    const Expected expected = expect(clip, keep(20), target);
    check_fields(tensors.get(), clip, expected);
    check_pixels(tensors.get(), clip, expected, {0.299, 0.114, true});
    assert_equals_int(clip_of(tensors.get())->source_width, 97);
    assert_equals_int(clip_of(tensors.get())->source_height, 81);
  }
}
GST_END_TEST

// Frames that are stored otherwise than they are shown.
GST_START_TEST(orientations) {
  for (const test::Format &format : test::known_formats())
    for (const test::Shown &shown : test::kShown) {
      const GstVideoInfo info = test::video_info(format.name, 101, 83, "1:4:0:0");
      const Region region = shown.orientation % 2 == 0 ? Region{0, 0, 101, 83} : Region{5, 3, 96, 80};
      const Clip stored = noise_clip(info, {0, 0, 101, 83}, 1);
      const reference::Picture picture = test::shown(stored.pictures[0], region, shown.turn);
      Clip seen = noise_clip(info, {0, 0, picture.layout().width, picture.layout().height}, 1);
      seen.pictures = {picture};

      Owned<GstBuffer> buffer = test::frame_of(stored.pictures[0], info);
      if (region.x > 0)
        test::add_crop(buffer.get(), region);
      buffer = test::sampled(std::move(buffer), stored.ids[0], 0, 1);
      cps_buffer_get_frame_meta(buffer.get())->orientation = shown.orientation;
      const cps::Size small = cps::small_size(seen.size());
      add_energy(buffer.get(), seen.maps[0], small.width, small.height, seen.region.width, seen.region.height);
      cps_buffer_get_energy_meta(buffer.get())->orientation = shown.orientation;

      const Harness select("patchselect", {{"input-size", "56"}, {"k-keep", "5"}, {"output-dtype", "f32"}});
      select.start(test::video_caps(info).get());
      fail_unless(select.push(std::move(buffer)) == GST_FLOW_OK);
      const Owned<GstBuffer> tensors = select.pull();
      select.check_quiet();
      const cps::Size target = cps::target_size(seen.size(), {56, 0, 0, 14});
      const Expected expected = expect(seen, keep(5), target);
      check_fields(tensors.get(), seen, expected);
      check_pixels(tensors.get(), seen, expected, {0.299, 0.114, true});
      assert_equals_int(clip_of(tensors.get())->source_width, seen.region.width);
      assert_equals_int(clip_of(tensors.get())->source_height, seen.region.height);
    }
}
GST_END_TEST

GST_START_TEST(sizes) {
  const GstVideoInfo info = test::video_info("I420", 320, 180, "bt709");
  const Clip clip = noise_clip(info, {0, 0, 320, 180}, 2);
  const struct {
    const char *input, *min, *max, *patch;
    cps::Size target;
  } rows[] = {
      {"224", "0", "0", "14", {308, 168}},    {"224", "0", "0", "16", {288, 160}},
      {"0", "9000", "9000", "14", {140, 84}}, {"224", "-1", "4000", "16", {96, 32}},
      {"1", "0", "0", "8", {16, 16}},         {"224", "0", "0", "100", {200, 200}},
  };
  for (const auto &row : rows) {
    const auto tensors = run({{"input-size", row.input},
                              {"min-pixels", row.min},
                              {"max-pixels", row.max},
                              {"patch-size", row.patch},
                              {"k-keep", "6"}},
                             clip);
    cps::SelectOptions options = keep(6);
    options.patch_size = std::stoi(row.patch);
    const Expected expected = expect(clip, options, row.target);
    check_fields(tensors.get(), clip, expected);
    check_pixels(tensors.get(), clip, expected, kBt709);
    const CpsClip *meta = clip_of(tensors.get());
    assert_equals_int(meta->target_width, row.target.width);
    assert_equals_int(meta->target_height, row.target.height);
    assert_equals_int(meta->grid_width, row.target.width / options.patch_size);
    assert_equals_int(meta->grid_height, row.target.height / options.patch_size);
  }
}
GST_END_TEST

GST_START_TEST(random_access_frames) {
  Clip clip = noise_clip("I420", 4);
  for (const std::vector<bool> &flags : {std::vector<bool>{false, false, true, false},
                                         {true, false, true, true},
                                         {false, true, true, false},
                                         {true, true, true, true}}) {
    clip.random_access = flags;
    const auto tensors = run({}, clip);
    check_fields(tensors.get(), clip, expect(clip, keep(20), kTarget));
    for (guint i = 0; i < 4; ++i)
      assert_equals_int(clip_of(tensors.get())->frames[i].is_i, flags[i]);
  }
}
GST_END_TEST

// Where no sampled frame is one, the first counts.
GST_START_TEST(no_random_access_frame) {
  const Clip clip = noise_clip("I420", 4);
  const auto tensors = run({}, clip);
  check_fields(tensors.get(), clip, expect(clip, keep(20), kTarget));
  for (guint i = 0; i < 4; ++i)
    assert_equals_int(clip_of(tensors.get())->frames[i].is_i, i == 0);
}
GST_END_TEST

GST_START_TEST(blocks) {
  Clip clip = noise_clip();
  clip.random_access[1] = true;
  cps::SelectOptions options = keep(24);
  options.unit = cps::SelectionUnit::Block2x2;
  const auto tensors = run({{"selection-unit", "block2x2"}, {"k-keep", "24"}}, clip);
  const Expected expected = expect(clip, options, kTarget);
  check_fields(tensors.get(), clip, expected);
  check_pixels(tensors.get(), clip, expected, kBt709);
}
GST_END_TEST

GST_START_TEST(blocks_that_do_not_divide) {
  check_refused({{"selection-unit", "block2x2"}, {"k-keep", "22"}}, "block2x2");
  check_refused({{"selection-unit", "block2x2"}, {"k-keep", "22"}}, "k-keep is 22");
  const Clip clip = noise_clip(); // more than there are is all there are, and those divide
  const auto tensors = run({{"selection-unit", "block2x2"}, {"k-keep", "50"}}, clip);
  assert_equals_int(test::elements_of<float>(tensors.get(), "meta_scores").size(), 48);
}
GST_END_TEST

GST_START_TEST(static_fallback) {
  Clip clip = noise_clip("I420", 5);
  for (auto &map : clip.maps)
    for (float &value : map)
      value *= 0.001f; // hardly moves
  cps::SelectOptions options = keep(20);
  const auto without = run({}, clip);
  check_fields(without.get(), clip, expect(clip, options, kTarget));
  options.static_fallback = true;
  options.static_uniform_frames = 1;
  const Expected expected = expect(clip, options, kTarget);
  const auto with = run({{"static-fallback", "true"}, {"static-uniform-frames", "1"}}, clip);
  check_fields(with.get(), clip, expected);
  fail_unless(expected.selected != expect(clip, keep(20), kTarget).selected);

  options.static_abs_thresh = 1e-5; // not so still after all
  options.static_rel_thresh = 0;
  const auto moving = run({{"static-fallback", "true"},
                           {"static-uniform-frames", "1"},
                           {"static-abs-thresh", "1e-5"},
                           {"static-rel-thresh", "0"}},
                          clip);
  check_fields(moving.get(), clip, expect(clip, options, kTarget));
}
GST_END_TEST

GST_START_TEST(more_than_there_are) {
  const Clip clip = noise_clip();
  const auto tensors = run({{"k-keep", "2147483647"}}, clip);
  const auto fields = test::elements_of<gint64>(tensors.get(), "meta_fields");
  assert_equals_int(fields.size(), 6 * 48);
  for (size_t i = 0; i < 48; ++i)
    assert_equals_int64(fields[6 * i + 3], static_cast<gint64>(i));
}
GST_END_TEST

GST_START_TEST(nothing_to_keep) {
  for (const char *count : {"0", "-1", "-2147483648"}) {
    const Clip clip = noise_clip();
    const auto tensors = run({{"k-keep", count}}, clip);
    const CpsTensorMeta *meta = cps_buffer_get_tensor_meta(tensors.get());
    assert_equals_int(meta->n_tensors, 3);
    assert_equals_int(gst_buffer_n_memory(tensors.get()), 3);
    for (guint i = 0; i < 3; ++i)
      assert_equals_int64(meta->tensors[i].dims[0], 0);
    fail_unless(test::elements_of<float>(tensors.get(), "patches").empty());
    assert_equals_int(meta->clip->n_frames, 3);
  }
}
GST_END_TEST

GST_START_TEST(sequence_of_one) {
  const Clip clip = noise_clip("I420", 1);
  const auto tensors = run({{"k-keep", "5"}}, clip);
  const Expected expected = expect(clip, keep(5), kTarget);
  check_fields(tensors.get(), clip, expected);
  check_pixels(tensors.get(), clip, expected, kBt709);
}
GST_END_TEST

// Types and colours

GST_START_TEST(dtypes) {
  const Clip clip = noise_clip();
  const auto exact = test::elements_of<float>(run({}, clip).get(), "patches");
  const auto bytes = test::elements_of<guint8>(run({{"output-dtype", "u8"}}, clip).get(), "patches");
  const auto halves = test::elements_of<guint16>(run({{"output-dtype", "f16"}}, clip).get(), "patches");
  const auto brains = test::elements_of<guint16>(run({{"output-dtype", "bf16"}}, clip).get(), "patches");
  fail_unless(bytes.size() == exact.size() && halves.size() == exact.size() && brains.size() == exact.size());
  for (size_t i = 0; i < exact.size(); ++i) {
    assert_equals_int(bytes[i], static_cast<int>(std::nearbyint(exact[i])));
    assert_equals_int(halves[i], cps::float_to_half(exact[i]));
    assert_equals_int(brains[i], cps::float_to_bfloat16(exact[i]));
  }
  const auto tensors = run({{"output-dtype", "f16"}}, clip);
  const CpsTensorMeta *meta = cps_buffer_get_tensor_meta(tensors.get());
  assert_equals_int(meta->tensors[0].dtype, CPS_DTYPE_F16);
  assert_equals_int(meta->tensors[1].dtype, CPS_DTYPE_I64);
  assert_equals_int(meta->tensors[2].dtype, CPS_DTYPE_F32);
}
GST_END_TEST

GST_START_TEST(scaling) {
  const Clip clip = noise_clip();
  const Expected expected = expect(clip, keep(20), kTarget);
  const double mean[] = {0.48, 0.46, 0.41}, std[] = {0.27, 0.26, 0.28};
  const auto all =
      run({{"scale", "0.00392156862745098"}, {"mean", "<0.48, 0.46, 0.41>"}, {"std", "<0.27, 0.26, 0.28>"}}, clip);
  check_pixels(all.get(), clip, expected, kBt709,
               [&](double value, int c) { return (value / 255.0 - mean[c]) / std[c]; });
  const auto scale = run({{"scale", "2"}}, clip);
  check_pixels(scale.get(), clip, expected, kBt709, [](double value, int) { return 2 * value; });
  const auto subtract = run({{"mean", "<1.0, 2.0, 3.0>"}}, clip);
  check_pixels(subtract.get(), clip, expected, kBt709, [](double value, int c) { return value - (c + 1); });
  const auto divide = run({{"std", "<1.0, 2.0, 4.0>"}}, clip);
  check_pixels(divide.get(), clip, expected, kBt709, [](double value, int c) { return value / (1 << c); });
}
GST_END_TEST

GST_START_TEST(scaling_refused) {
  check_refused({{"output-dtype", "u8"}, {"scale", "0.5"}}, "u8");
  check_refused({{"output-dtype", "u8"}, {"mean", "<1.0, 0.0, 0.0>"}}, "u8");
  check_refused({{"output-dtype", "u8"}, {"std", "<1.0, 1.0, 2.0>"}}, "u8");
  check_refused({{"mean", "<1.0, 0.0>"}}, "mean");
  check_refused({{"std", "<1.0>"}}, "std");
  check_refused({{"std", "<1.0, 0.0, 1.0>"}}, "std");
  check_refused({{"std", "<1.0, -1.0, 1.0>"}}, "std");
  const Clip clip = noise_clip(); // what changes nothing is no matter
  run({{"output-dtype", "u8"}, {"scale", "1"}, {"mean", "<0.0, 0.0, 0.0>"}, {"std", "<1.0, 1.0, 1.0>"}}, clip);
}
GST_END_TEST

GST_START_TEST(colorimetry_of_the_caps) {
  const struct {
    const char *text;
    Colors colors;
  } rows[] = {{"bt601", kBt601},
              {"bt709", kBt709},
              {"bt2020", kBt2020},
              {"1:4:0:0", {0.299, 0.114, true}},
              {"1:3:0:0", {0.2126, 0.0722, true}},
              {"2:0:0:0", kBt601}, // no matrix: by the height
              {"1:0:0:0", {0.299, 0.114, true}},
              {"0:3:0:0", kBt709}}; // no range
  for (const auto &row : rows) {
    const Clip clip = noise_clip("I420", 2, 1, row.text);
    check_small(run({}, clip).get(), clip, row.colors);
  }
}
GST_END_TEST

GST_START_TEST(colorimetry_by_height) {
  for (const int height : {480, 720}) {
    Clip clip = noise_clip(test::video_info("I420", 64, height), {0, 0, 64, height}, 1);
    Harness select("patchselect", kSmall);
    const Owned<GstCaps> caps(gst_caps_new_simple("video/x-raw", "format", G_TYPE_STRING, "I420", "width", G_TYPE_INT,
                                                  64, "height", G_TYPE_INT, height, "framerate", GST_TYPE_FRACTION, 25,
                                                  1, nullptr));
    select.start(caps.get());
    const auto tensors = run(select, clip);
    const cps::Size target = cps::target_size(clip.size(), {56, 0, 0, 14});
    check_pixels(tensors.get(), clip, expect(clip, keep(20), target), height == 480 ? kBt601 : kBt709);
  }
}
GST_END_TEST

GST_START_TEST(color_matrix) {
  const Clip clip = noise_clip("I420", 2, 1, "bt709");
  check_small(run({{"color-matrix", "bt601"}}, clip).get(), clip, kBt601);
  check_small(run({{"color-matrix", "bt2020"}}, clip).get(), clip, kBt2020);
  check_small(run({{"color-matrix", "auto"}}, clip).get(), clip, kBt709);
  const Clip full = noise_clip("I420", 2, 1, "1:3:0:0"); // the range stays the caps'
  check_small(run({{"color-matrix", "bt601"}}, full).get(), full, {0.299, 0.114, true});
  const Clip rgb = noise_clip("RGB", 2, 1, "sRGB"); // nothing to convert
  check_small(run({{"color-matrix", "bt601"}}, rgb).get(), rgb);
}
GST_END_TEST

// Padding in memory is none of the picture.
GST_START_TEST(strides_and_offsets) {
  const Clip clip = noise_clip("I420", 2);
  GstVideoInfo padded = clip.info;
  GstVideoAlignment alignment;
  gst_video_alignment_reset(&alignment);
  alignment.padding_left = alignment.padding_top = 4;
  alignment.padding_right = alignment.padding_bottom = 6;
  gst_video_info_align(&padded, &alignment);
  Harness select("patchselect", kSmall);
  select.start(test::video_caps(clip.info).get());
  for (guint i = 0; i < 2; ++i) {
    Owned<GstBuffer> plain = frame(clip, i), buffer = test::noise_buffer(padded.size);
    gst_buffer_add_video_meta_full(buffer.get(), GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_I420, 96, 80, 3,
                                   padded.offset, padded.stride);
    test::write_picture(buffer.get(), clip.info, clip.pictures[i]);
    gst_buffer_copy_into(buffer.get(), plain.get(), GST_BUFFER_COPY_META, 0, static_cast<gsize>(-1));
    fail_unless(select.push(std::move(buffer)) == GST_FLOW_OK);
  }
  check_small(select.pull().get(), clip);
}
GST_END_TEST

// Frames go back to the decoder's pool at once.
GST_START_TEST(keeps_no_frames) {
  const Clip clip = noise_clip();
  Harness select("patchselect", kSmall);
  select.start(test::video_caps(clip.info).get());
  for (guint i = 0; i < 3; ++i) {
    const Owned<GstBuffer> mine = frame(clip, i);
    select.push(Owned<GstBuffer>(gst_buffer_ref(mine.get())));
    ASSERT_MINI_OBJECT_REFCOUNT(mine.get(), "frame", 1);
    ASSERT_MINI_OBJECT_REFCOUNT(cps_buffer_get_energy_meta(mine.get())->map, "map", 1);
  }
}
GST_END_TEST

// Caps and events

GST_START_TEST(caps) {
  const Clip clip = noise_clip();
  Harness select("patchselect", kSmall);
  std::string order;
  gst_pad_add_probe(
      select.get()->sinkpad,
      static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM | GST_PAD_PROBE_TYPE_BUFFER),
      [](GstPad *, GstPadProbeInfo *info, gpointer out) {
        *static_cast<std::string *>(out) +=
            GST_IS_EVENT(info->data) ? std::string(GST_EVENT_TYPE_NAME(info->data)) + " " : "buffer ";
        return GST_PAD_PROBE_OK;
      },
      &order, nullptr);
  select.start(test::video_caps(clip.info).get());
  run(select, clip);
  assert_text(order, "stream-start caps segment buffer ");
  const Owned<GstCaps> caps(gst_pad_get_current_caps(select.get()->sinkpad)),
      expected(gst_caps_from_string("other/tensors, format=static, num_tensors=3, framerate=0/1, "
                                    "types=(string)\"float32,int64,float32\", "
                                    "dimensions=(string)\"14:14:3:20,6:20,20\""));
  fail_unless(gst_caps_is_equal(caps.get(), expected.get()));

  order.clear();
  run(select, clip, 1); // the same again
  assert_text(order, "buffer ");
  order.clear();
  select.set("k-keep", "7");
  select.set("output-dtype", "u8");
  run(select, clip, 2);
  assert_text(order, "caps buffer ");
  const Owned<GstCaps> changed(gst_pad_get_current_caps(select.get()->sinkpad));
  const GstStructure *structure = gst_caps_get_structure(changed.get(), 0);
  assert_text(gst_structure_get_string(structure, "types"), "uint8,int64,float32");
  assert_text(gst_structure_get_string(structure, "dimensions"), "14:14:3:7,6:7,7");
  order.clear();
  select.flush();
  run(select, clip, 3);
  assert_text(order, "segment buffer ");
}
GST_END_TEST

GST_START_TEST(gaps_and_eos) {
  const Clip clip = noise_clip();
  Harness select("patchselect", kSmall);
  select.start(test::video_caps(clip.info).get());
  fail_unless(select.event(gst_event_new_gap(0, GST_SECOND)));
  run(select, clip);
  fail_unless(select.event(gst_event_new_eos()));
  fail_unless(select.pull_event(GST_EVENT_EOS) != nullptr);
  fail_unless(select.pull_event(GST_EVENT_GAP) == nullptr);
  select.check_quiet();
}
GST_END_TEST

GST_START_TEST(eos_of_nothing) {
  const Clip clip = noise_clip();
  Harness select("patchselect", kSmall);
  select.start(test::video_caps(clip.info).get());
  fail_unless(select.event(gst_event_new_eos()));
  fail_unless(select.pull_event(GST_EVENT_EOS) != nullptr);
  select.check_quiet();
}
GST_END_TEST

GST_START_TEST(not_negotiated) {
  Harness select("patchselect", kSmall);
  const Owned<GstCaps> caps(gst_caps_from_string("video/x-raw, format=v210, width=96, height=80"));
  select.start(caps.get());
  fail_unless(select.push(frame(noise_clip(), 0)) == GST_FLOW_NOT_NEGOTIATED);
}
GST_END_TEST

// A flush between the check and the caps is no failure to negotiate.
GST_START_TEST(flushing_downstream) {
  const Clip clip = noise_clip();
  Harness select("patchselect", kSmall);
  select.start(test::video_caps(clip.info).get());
  const Owned<GstPad> src(gst_element_get_static_pad(select.element(), "src"));
  gst_pad_push_event(src.get(), gst_event_new_flush_start());
  fail_unless(select.push(frame(clip, 0)) == GST_FLOW_FLUSHING);
  select.check_quiet();
}
GST_END_TEST

GST_START_TEST(allocation) {
  const Clip clip = noise_clip();
  const Harness select("patchselect");
  const Owned<GstCaps> caps = test::video_caps(clip.info);
  const Owned<GstQuery> query(gst_query_new_allocation(caps.get(), FALSE));
  fail_unless(gst_pad_peer_query(select.get()->srcpad, query.get()));
  fail_unless(gst_query_find_allocation_meta(query.get(), GST_VIDEO_META_API_TYPE, nullptr));
  fail_unless(gst_query_find_allocation_meta(query.get(), GST_VIDEO_CROP_META_API_TYPE, nullptr));
}
GST_END_TEST

// Refusals

GST_START_TEST(options_refused) {
  check_refused({{"patch-size", "0"}}, "patch-size is 0");
  check_refused({{"patch-size", "-3"}}, "patch-size is -3");
  check_refused({{"patch-size", "1025"}}, "patch-size is 1025");
  check_refused({{"input-size", "0"}}, "input-size is 0");
  check_refused({{"input-size", "0"}, {"min-pixels", "100"}}, "input-size is 0");
  check_refused({{"input-size", "2000000000"}}, "input-size");
}
GST_END_TEST

GST_START_TEST(frames_of_no_sequence) {
  const Clip clip = noise_clip();
  const auto no_meta = [](GstBuffer *buffer) {
    gst_buffer_remove_meta(buffer, &cps_buffer_get_frame_meta(buffer)->meta);
  };
  check_frame_refused(no_meta, "uniformsampler");
  check_frame_refused([](GstBuffer *buffer) { cps_buffer_get_frame_meta(buffer)->seq_len = 0; }, "uniformsampler");
  check_frame_refused([](GstBuffer *buffer) { cps_buffer_get_frame_meta(buffer)->seq_pos = 3; }, "uniformsampler");
}
GST_END_TEST

GST_START_TEST(frames_without_energy) {
  check_frame_refused(
      [](GstBuffer *buffer) { gst_buffer_remove_meta(buffer, &cps_buffer_get_energy_meta(buffer)->meta); },
      "patchenergy");
}
GST_END_TEST

GST_START_TEST(energy_of_another_size) {
  check_frame_refused([](GstBuffer *buffer) { cps_buffer_get_energy_meta(buffer)->frame_width = 95; },
                      "95x80, but the frame is 96x80");
  check_frame_refused([](GstBuffer *buffer) { cps_buffer_get_energy_meta(buffer)->frame_height = 81; }, "96x81");
  check_frame_refused([](GstBuffer *buffer) { cps_buffer_get_energy_meta(buffer)->width--; }, "energy");
  check_frame_refused([](GstBuffer *buffer) { cps_buffer_get_energy_meta(buffer)->height++; }, "energy");
  check_frame_refused(
      [](GstBuffer *buffer) {
        GstBuffer *map = cps_buffer_get_energy_meta(buffer)->map;
        gst_buffer_set_size(map, static_cast<gssize>(gst_buffer_get_size(map)) - 1);
      },
      "energy");
}
GST_END_TEST

// One that a frame of the same size may have.
GST_START_TEST(energy_of_another_orientation) {
  check_frame_refused([](GstBuffer *buffer) { cps_buffer_get_energy_meta(buffer)->orientation = CPS_ORIENTATION_180; },
                      "rotated or mirrored otherwise");
  check_frame_refused([](GstBuffer *buffer) { cps_buffer_get_frame_meta(buffer)->orientation = CPS_ORIENTATION_HORIZ; },
                      "rotated or mirrored otherwise");
}
GST_END_TEST

GST_START_TEST(frames_too_small) {
  check_frame_refused(
      [](GstBuffer *buffer) { gst_buffer_set_size(buffer, static_cast<gssize>(gst_buffer_get_size(buffer)) - 1); },
      "memory");
}
GST_END_TEST

GST_START_TEST(crop_out_of_range) {
  check_frame_refused(
      [](GstBuffer *buffer) {
        GstVideoCropMeta *crop = gst_buffer_add_video_crop_meta(buffer);
        crop->x = 1;
        crop->width = 96;
        crop->height = 80;
      },
      "crop");
}
GST_END_TEST

GST_START_TEST(wrong_position) {
  const Clip clip = noise_clip();
  for (const guint position : {0u, 2u}) {
    Harness select("patchselect", kSmall);
    select.start(test::video_caps(clip.info).get());
    fail_unless(select.push(frame(clip, 0)) == GST_FLOW_OK);
    fail_unless(select.push(frame(clip, position)) == GST_FLOW_ERROR);
    select.check_error("where frame 1 was due");
  }
  Harness select("patchselect", kSmall);
  select.start(test::video_caps(clip.info).get());
  fail_unless(select.push(frame(clip, 1)) == GST_FLOW_ERROR);
  select.check_error("where frame 0 was due");
  Harness other("patchselect", kSmall);
  other.start(test::video_caps(clip.info).get());
  fail_unless(other.push(frame(clip, 0)) == GST_FLOW_OK);
  Owned<GstBuffer> longer = frame(clip, 1);
  cps_buffer_get_frame_meta(longer.get())->seq_len = 4;
  fail_unless(other.push(std::move(longer)) == GST_FLOW_ERROR);
  other.check_error("sequence of 4");
}
GST_END_TEST

// Size or format: a clip is of one kind of frames, and what follows must not be read as if it were.
GST_START_TEST(caps_change_in_a_clip) {
  const struct {
    const char *format;
    int width, height;
    const char *part;
  } rows[] = {{"I420", 128, 80, "from 96x80 I420 bt709 to 128x80 I420"},
              {"GRAY8", 96, 80, "to 96x80 GRAY8"},
              {"I420_10LE", 96, 80, "to 96x80 I420_10LE"}};
  for (const auto &row : rows) {
    const Clip before = noise_clip(), after = noise_clip(test::video_info(row.format, row.width, row.height),
                                                         {0, 0, row.width, row.height}, 3);
    Harness select("patchselect", kSmall);
    select.start(test::video_caps(before.info).get());
    fail_unless(select.push(frame(before, 0)) == GST_FLOW_OK);
    select.event(gst_event_new_caps(test::video_caps(after.info).get()));
    fail_unless(select.push(frame(after, 1)) == GST_FLOW_NOT_NEGOTIATED);
    const std::string error = select.error();
    fail_unless(test::contains(error, row.part), "%s", error.c_str());
    fail_unless(test::contains(error, "in the middle of a clip"));
    fail_unless(select.pull() == nullptr);
  }
}
GST_END_TEST

// Each frame is converted when the clip is whole, so all must mean the same colours.
GST_START_TEST(color_change_in_a_clip) {
  const Clip clip = noise_clip();
  for (const char *changed : {"bt601", "1:3:5:1", "bt709"}) {
    Harness select("patchselect", kSmall);
    select.start(test::video_caps(clip.info).get());
    fail_unless(select.push(frame(clip, 0)) == GST_FLOW_OK);
    Owned<GstCaps> caps = test::video_caps(clip.info);
    caps.reset(gst_caps_make_writable(caps.release()));
    gst_caps_set_simple(caps.get(), "colorimetry", G_TYPE_STRING, changed, nullptr);
    select.event(gst_event_new_caps(caps.get()));
    const bool same = g_str_equal(changed, "bt709");
    fail_unless_equals_int(select.push(frame(clip, 1)), same ? GST_FLOW_OK : GST_FLOW_NOT_NEGOTIATED);
    if (!same)
      fail_unless(test::contains(select.error(), "in the middle of a clip"));
  }
}
GST_END_TEST

GST_START_TEST(crop_change_in_a_clip) {
  const GstVideoInfo info = test::video_info("I420", 96, 80);
  for (const Region &region : {Region{0, 0, 94, 80}, Region{1, 0, 95, 80}}) {
    const Clip before = noise_clip(info, {0, 0, 95, 80}, 3), after = noise_clip(info, region, 3);
    Harness select("patchselect", kSmall);
    select.start(test::video_caps(info).get());
    fail_unless(select.push(frame(before, 0)) == GST_FLOW_OK);
    fail_unless(select.push(frame(after, 1)) == GST_FLOW_ERROR);
    select.check_error("The resolution changed from 95x80");
  }
}
GST_END_TEST

GST_START_TEST(orientation_change_in_a_clip) {
  const Clip clip = noise_clip();
  const Harness select("patchselect", kSmall);
  select.start(test::video_caps(clip.info).get());
  fail_unless(select.push(frame(clip, 0)) == GST_FLOW_OK);
  Owned<GstBuffer> other = frame(clip, 1);
  cps_buffer_get_frame_meta(other.get())->orientation = CPS_ORIENTATION_180;
  cps_buffer_get_energy_meta(other.get())->orientation = CPS_ORIENTATION_180;
  fail_unless(select.push(std::move(other)) == GST_FLOW_ERROR);
  select.check_error("rotation of the video changed");
}
GST_END_TEST

// More than one clip

GST_START_TEST(caps_change_between_clips) {
  Harness select("patchselect", kSmall);
  for (const char *format : {"I420", "GRAY8", "RGB", "P010_10LE", "I420"}) {
    const Clip clip = noise_clip(format, 2, 1, "1:4:0:0");
    select.start(test::video_caps(clip.info).get());
    check_small(run(select, clip).get(), clip, {0.299, 0.114, true});
  }
  const Clip larger = noise_clip(test::video_info("I420", 192, 80, "bt709"), {0, 0, 192, 80}, 2);
  select.start(test::video_caps(larger.info).get());
  const auto tensors = run(select, larger);
  check_fields(tensors.get(), larger, expect(larger, keep(20), cps::target_size(larger.size(), {56, 0, 0, 14})));
}
GST_END_TEST

GST_START_TEST(clips_in_a_row) {
  Harness select("patchselect", kSmall);
  const GstVideoInfo info = test::video_info("I420", 96, 80, "bt709");
  select.start(test::video_caps(info).get());
  for (guint i = 0; i < 4; ++i) { // longer and shorter ones
    const Clip clip = noise_clip(info, {0, 0, 96, 80}, i % 2 ? 5 : 2, i);
    const auto tensors = run(select, clip, 10 + i);
    check_small(tensors.get(), clip);
    assert_equals_int(clip_of(tensors.get())->clip_index, 10 + i);
    assert_equals_uint64(GST_BUFFER_OFFSET(tensors.get()), 10 + i);
  }
}
GST_END_TEST

// A clip that has been handed out is not written to by the next.
GST_START_TEST(clips_are_apart) {
  Harness select("patchselect", kSmall);
  const Clip first = noise_clip("I420", 3, 1), second = noise_clip("I420", 3, 2);
  select.start(test::video_caps(first.info).get());
  const auto a = run(select, first), b = run(select, second, 1);
  check_small(a.get(), first);
  check_small(b.get(), second);
}
GST_END_TEST

GST_START_TEST(cut_short) {
  const Clip clip = noise_clip();
  Harness select("patchselect", kSmall);
  select.start(test::video_caps(clip.info).get());
  fail_unless(select.push(frame(clip, 0)) == GST_FLOW_OK);
  fail_unless(select.push(frame(clip, 1)) == GST_FLOW_OK);
  select.event(gst_event_new_eos());
  select.check_error("ended after 2 of the 3 frames");
  fail_unless(select.pull() == nullptr);
  fail_unless(select.pull_event(GST_EVENT_EOS) != nullptr);
}
GST_END_TEST

// After an error of its own or of patchenergy's, the end of stream is none more.
GST_START_TEST(cut_short_by_an_error) {
  const Clip clip = noise_clip();
  for (const bool own : {true, false}) {
    const Harness select("patchselect", kSmall), energy("patchenergy");
    select.start(test::video_caps(clip.info).get());
    fail_unless(select.push(frame(clip, 0)) == GST_FLOW_OK);
    if (own) {
      fail_unless(select.push(frame(clip, 2)) == GST_FLOW_ERROR);
      select.check_error("came where frame 1 was due");
    } else {
      energy.start(test::video_caps(clip.info).get());
      const Owned<GstBuffer> small(gst_buffer_new_allocate(nullptr, 1, nullptr));
      fail_unless(energy.push(Owned<GstBuffer>(gst_buffer_ref(small.get()))) == GST_FLOW_ERROR);
      fail_if(energy.error().empty());
      select.event(energy.pull_event(GST_EVENT_CUSTOM_DOWNSTREAM).release());
    }
    select.event(gst_event_new_eos());
    select.check_quiet();
    fail_unless(select.pull_event(GST_EVENT_EOS) != nullptr);
  }
}
GST_END_TEST

GST_START_TEST(flush_in_a_clip) {
  const Clip cut = noise_clip("I420", 3, 1), whole = noise_clip("I420", 4, 2);
  Harness select("patchselect", kSmall);
  select.start(test::video_caps(cut.info).get());
  fail_unless(select.push(frame(cut, 0)) == GST_FLOW_OK);
  fail_unless(select.push(frame(cut, 1)) == GST_FLOW_OK);
  select.flush();
  const auto tensors = run(select, whole, 1);
  check_small(tensors.get(), whole);
  assert_equals_int(clip_of(tensors.get())->n_frames, 4);
  select.event(gst_event_new_eos());
  select.check_quiet();
}
GST_END_TEST

GST_START_TEST(states) {
  const Clip clip = noise_clip();
  Harness select("patchselect", kSmall);
  for (const GstState state : {GST_STATE_READY, GST_STATE_NULL, GST_STATE_READY}) {
    select.start(test::video_caps(clip.info).get());
    check_small(run(select, clip).get(), clip);
    fail_unless(select.push(frame(clip, 0)) == GST_FLOW_OK); // amid a clip
    select.restart(state);
  }
  select.check_quiet();
}
GST_END_TEST

// Properties apply from the next clip on, and a clip says what it was made with.
GST_START_TEST(properties_change_in_a_clip) {
  const Clip clip = noise_clip();
  Harness select("patchselect", kSmall);
  select.start(test::video_caps(clip.info).get());
  fail_unless(select.push(frame(clip, 0)) == GST_FLOW_OK);
  select.set("k-keep", "8");
  fail_unless(select.push(frame(clip, 1)) == GST_FLOW_OK);
  fail_unless(select.push(frame(clip, 2)) == GST_FLOW_OK);
  const Owned<GstBuffer> tensors = select.pull();
  check_small(tensors.get(), clip);
  assert_text(metadata_of(tensors.get())["k_keep"], "20");
  const Owned<GstBuffer> next = run(select, clip, 1);
  assert_equals_int(test::elements_of<float>(next.get(), "meta_scores").size(), 8);
  assert_text(metadata_of(next.get())["k_keep"], "8");
}
GST_END_TEST

// Metadata

// The clip has stream times; the buffer's own time stays in the segment, or a sink would drop it.
GST_START_TEST(times) {
  const Clip clip = noise_clip();
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  segment.start = segment.position = 10 * GST_SECOND;
  segment.time = 3 * GST_SECOND;
  Harness select("patchselect", kSmall);
  select.start(test::video_caps(clip.info).get(), &segment);
  for (guint i = 0; i < 3; ++i) {
    Owned<GstBuffer> buffer = frame(clip, i);
    cps_buffer_get_frame_meta(buffer.get())->pts = i == 2 ? GST_CLOCK_TIME_NONE : (11 + i) * GST_SECOND;
    fail_unless(select.push(std::move(buffer)) == GST_FLOW_OK);
  }
  const Owned<GstBuffer> tensors = select.pull();
  assert_equals_uint64(GST_BUFFER_PTS(tensors.get()), 11 * GST_SECOND);
  assert_text(metadata_of(tensors.get())["pts_ns"], "[4000000000, 5000000000, null]");
  const Owned<GstEvent> event = select.pull_event(GST_EVENT_SEGMENT);
  const GstSegment *sent = nullptr;
  gst_event_parse_segment(event.get(), &sent);
  assert_equals_uint64(sent->start, 10 * GST_SECOND);
  assert_equals_uint64(sent->time, 3 * GST_SECOND);
}
GST_END_TEST

GST_START_TEST(metadata) {
  Clip clip = noise_clip();
  clip.random_access[1] = true;
  Harness select("patchselect", kSmall);
  select.set("mean", "<0.5, 1.0, 2.0>");
  select.set("static-fallback", "true");
  select.on_query = [](GstQuery *query) {
    if (GST_QUERY_TYPE(query) != GST_QUERY_URI)
      return false;
    gst_query_set_uri(query, "file:///videos/a%20b.mp4");
    return true;
  };
  select.start(test::video_caps(clip.info).get());
  CpsPlan *plan = cps_plan_new(3);
  plan->fps = 23.5;
  plan->duration = 1500 * GST_MSECOND;
  gst_structure_set(plan->options, "sequence-length", G_TYPE_UINT, 3u, "uniform-strategy", G_TYPE_STRING, "auto",
                    nullptr);
  fail_unless(select.event(cps_event_new_plan(plan)));
  for (guint i = 0; i < 3; ++i) {
    Owned<GstBuffer> buffer = frame(clip, i, 6);
    cps_buffer_get_frame_meta(buffer.get())->status = static_cast<CpsFrameStatus>(2 - i);
    fail_unless(select.push(std::move(buffer)) == GST_FLOW_OK);
  }
  const Owned<GstBuffer> tensors = select.pull();
  const Metadata expected = {
      {"sampled_frame_ids", "[2, 5, 8]"},
      {"pts_ns", "[80000000, 200000000, 320000000]"},
      {"is_i", "[false, true, false]"},
      {"frame_status", "[\"missing\", \"substituted\", \"ok\"]"},
      {"fps", "23.5"},
      {"duration_sec", "1.5"},
      {"source", "/videos/a b.mp4"},
      {"source_width", "96"},
      {"source_height", "80"},
      {"target_width", "56"},
      {"target_height", "56"},
      {"grid_height", "4"},
      {"grid_width", "4"},
      {"clip_index", "6"},
      {"spec_version", "1"},
      {"sequence_length", "3"},
      {"uniform_strategy", "auto"},
      {"energy_mode", "motion-residual"},
      {"energy_pct", "95"},
      {"input_size", "56"},
      {"min_pixels", "0"},
      {"max_pixels", "0"},
      {"patch_size", "14"},
      {"k_keep", "20"},
      {"selection_unit", "patch"},
      {"static_fallback", "true"},
      {"static_abs_thresh", "2"},
      {"static_rel_thresh", "0.15"},
      {"static_uniform_frames", "4"},
      {"output_dtype", "f32"},
      {"color_matrix", "auto"},
      {"scale", "1"},
      {"mean", "[0.5, 1, 2]"},
      {"std", "[]"},
  };
  const auto metadata = metadata_of(tensors.get());
  for (const auto &[key, value] : expected) {
    fail_unless(metadata.count(key) == 1, "no %s", key.c_str());
    fail_unless(metadata.at(key) == value, "%s: %s", key.c_str(), metadata.at(key).c_str());
  }
  for (const auto &[key, value] : metadata)
    fail_unless(expected.count(key) == 1, "%s is new", key.c_str());
  fail_unless(select.pull_event(GST_EVENT_CUSTOM_DOWNSTREAM_STICKY) == nullptr); // no concern of tensors
}
GST_END_TEST

// Without a plan: what caps and frames say.
GST_START_TEST(metadata_without_a_plan) {
  const Clip clip = noise_clip();
  Harness select("patchselect", kSmall);
  select.start(test::video_caps(clip.info).get());
  auto metadata = metadata_of(run(select, clip).get());
  assert_text(metadata["fps"], "25");
  assert_text(metadata["duration_sec"], "4"); // 100 frames
  assert_text(metadata["source"], "");
}
GST_END_TEST

// As it is, but for whom the server knows.
GST_START_TEST(source_that_is_no_file) {
  const Clip clip = noise_clip();
  for (const auto &[uri, source] : {std::pair{"https://host/a%20b.mp4", "https://host/a%20b.mp4"},
                                    std::pair{"https://me:secret@host/a@b.mp4", "https://***@host/a@b.mp4"},
                                    std::pair{"rtsp://me:p@ss@host:554/?a=@", "rtsp://***@host:554/?a=@"}}) {
    Harness select("patchselect", kSmall);
    select.on_query = [uri = uri](GstQuery *query) {
      if (GST_QUERY_TYPE(query) != GST_QUERY_URI)
        return false;
      gst_query_set_uri(query, uri);
      return true;
    };
    select.start(test::video_caps(clip.info).get());
    assert_text(metadata_of(run(select, clip).get())["source"], source);
  }
}
GST_END_TEST

// A plan of before a flush says nothing of what follows.
GST_START_TEST(flush_forgets_the_plan) {
  const Clip clip = noise_clip();
  Harness select("patchselect", kSmall);
  select.start(test::video_caps(clip.info).get());
  CpsPlan *plan = cps_plan_new(3);
  plan->fps = 10;
  select.event(cps_event_new_plan(plan));
  select.flush();
  assert_text(metadata_of(run(select, clip).get())["fps"], "25");
}
GST_END_TEST

GST_START_TEST(defaults) {
  const Owned<GstElement> select = test::make_element("patchselect");
  gint input = 0, patch = 0, count = 0;
  g_object_get(select.get(), "input-size", &input, "patch-size", &patch, "k-keep", &count, nullptr);
  assert_equals_int(input, 224);
  assert_equals_int(patch, 14);
  assert_equals_int(count, 2048);
  const Clip clip = noise_clip("I420", 2);
  Harness plain("patchselect");
  plain.start(test::video_caps(clip.info).get());
  const auto tensors = run(plain, clip);
  assert_equals_int(cps_buffer_get_tensor_meta(tensors.get())->tensors[0].dtype, CPS_DTYPE_BF16);
}
GST_END_TEST

static Suite *patchselect_suite() {
  Suite *suite = suite_create("patchselect");
  TCase *tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_set_timeout(tests, test::kWatchdogSeconds);
  tcase_add_test(tests, formats);
  tcase_add_test(tests, crops);
  tcase_add_test(tests, orientations);
  tcase_add_test(tests, sizes);
  tcase_add_test(tests, random_access_frames);
  tcase_add_test(tests, no_random_access_frame);
  tcase_add_test(tests, blocks);
  tcase_add_test(tests, blocks_that_do_not_divide);
  tcase_add_test(tests, static_fallback);
  tcase_add_test(tests, more_than_there_are);
  tcase_add_test(tests, nothing_to_keep);
  tcase_add_test(tests, sequence_of_one);
  tcase_add_test(tests, dtypes);
  tcase_add_test(tests, scaling);
  tcase_add_test(tests, scaling_refused);
  tcase_add_test(tests, colorimetry_of_the_caps);
  tcase_add_test(tests, colorimetry_by_height);
  tcase_add_test(tests, color_matrix);
  tcase_add_test(tests, strides_and_offsets);
  tcase_add_test(tests, keeps_no_frames);
  tcase_add_test(tests, caps);
  tcase_add_test(tests, gaps_and_eos);
  tcase_add_test(tests, eos_of_nothing);
  tcase_add_test(tests, not_negotiated);
  tcase_add_test(tests, flushing_downstream);
  tcase_add_test(tests, allocation);
  tcase_add_test(tests, options_refused);
  tcase_add_test(tests, frames_of_no_sequence);
  tcase_add_test(tests, frames_without_energy);
  tcase_add_test(tests, energy_of_another_size);
  tcase_add_test(tests, energy_of_another_orientation);
  tcase_add_test(tests, frames_too_small);
  tcase_add_test(tests, crop_out_of_range);
  tcase_add_test(tests, wrong_position);
  tcase_add_test(tests, caps_change_in_a_clip);
  tcase_add_test(tests, color_change_in_a_clip);
  tcase_add_test(tests, crop_change_in_a_clip);
  tcase_add_test(tests, orientation_change_in_a_clip);
  tcase_add_test(tests, caps_change_between_clips);
  tcase_add_test(tests, clips_in_a_row);
  tcase_add_test(tests, clips_are_apart);
  tcase_add_test(tests, cut_short);
  tcase_add_test(tests, cut_short_by_an_error);
  tcase_add_test(tests, flush_in_a_clip);
  tcase_add_test(tests, states);
  tcase_add_test(tests, properties_change_in_a_clip);
  tcase_add_test(tests, times);
  tcase_add_test(tests, metadata);
  tcase_add_test(tests, metadata_without_a_plan);
  tcase_add_test(tests, source_that_is_no_file);
  tcase_add_test(tests, flush_forgets_the_plan);
  tcase_add_test(tests, defaults);
  return suite;
}

GST_CHECK_MAIN(patchselect)
