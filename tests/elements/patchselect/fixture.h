// SPDX-License-Identifier: LGPL-2.1-or-later
// Clips for a patchselect, and the patches that it should make of them.
#pragma once

#include "kernels/arith.h"
#include "kernels/replenishment.h"
#include "kernels/scores.h"
#include "tests/common/suite.h"
#include "tests/common/text.h"
#include "tests/elements/clips.h"

#include <algorithm>
#include <cmath>

namespace patchselect {

using namespace clips;

// Frames of 96x80 come out at 56x56: four rows of four patches.
constexpr test::Properties kSmall = {{"input-size", "56"}, {"k-keep", "20"}, {"output-dtype", "f32"}};
constexpr cps::Size kTarget = {56, 56};

inline Clip noise_clip(const GstVideoInfo &info, const Region &region, guint length, unsigned seed = 1) {
  return with_energy(noise_pictures(info, region, length, seed), seed);
}

inline Clip noise_clip(const char *format = "I420", guint length = 3, unsigned seed = 1,
                       const char *colorimetry = "bt709") {
  return noise_clip(test::video_info(format, 96, 80, colorimetry), {0, 0, 96, 80}, length, seed);
}

// With kSmall's properties but for these.
inline Owned<GstBuffer> run_with(test::Properties properties, const Clip &clip) {
  Harness select("patchselect", kSmall);
  for (const auto &[name, value] : properties)
    select.set(name, value);
  select.start(test::video_caps(clip.info).get());
  return run(select, clip);
}

// What the clip should be

struct Expected {
  cps::Size target, grid;
  std::vector<double> scores;
  std::vector<int64_t> selected;
  std::vector<bool> random_access;
};

// If no frame is a random-access frame, the first counts as one.
inline std::vector<bool> counted_random_access(const Clip &clip) {
  std::vector<bool> flags = clip.random_access;
  if (std::find(flags.begin(), flags.end(), true) == flags.end())
    flags[0] = true;
  return flags;
}

inline Expected expect(const Clip &clip, const cps::SelectOptions &options, cps::Size target) {
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
  out.random_access = counted_random_access(clip);
  out.selected = reference::select(out.scores, static_cast<int>(clip.length()), out.grid,
                                   std::vector<uint8_t>(out.random_access.begin(), out.random_access.end()), options);
  return out;
}

// By replenishment; kernels/replenishment.h is compared with slow sums elsewhere.
inline Expected expect_replenished(const Clip &clip, const cps::SelectOptions &options, cps::Size target) {
  Expected out;
  out.target = target;
  out.grid = {target.width / options.patch_size, target.height / options.patch_size};
  std::vector<uint16_t> pixels;
  for (const reference::Picture &picture : clip.pictures)
    for (int p = 0; p < picture.planes(); ++p)
      for (int y = 0; y < target.height; ++y)
        for (int x = 0; x < target.width; ++x)
          pixels.push_back(reference::stored(picture, p, target, x, y));
  const auto frames = static_cast<int>(clip.length());
  cps::ReplenishmentScorer scorer(target, clip.pictures[0].planes(), options.patch_size, options.unit, frames);
  out.scores.resize(static_cast<size_t>(out.grid.width * out.grid.height) * clip.length());
  scorer.run(pixels.data(), out.scores.data());
  cps::SelectOptions by_replenishment = options;
  by_replenishment.ranking = cps::Ranking::Replenishment;
  out.random_access = counted_random_access(clip);
  out.selected =
      reference::select(out.scores, frames, out.grid, std::vector<uint8_t>(clip.length(), 1), by_replenishment);
  return out;
}

// docs/spec.md#pixels in double, up to the clamp.
inline void rgb_of(const reference::Picture &picture, cps::Size target, int x, int y, const Colors &colors,
                   double rgb[3]) {
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

inline void check_fields(GstBuffer *tensors, const Clip &clip, const Expected &expected) {
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

inline void check_pixels(GstBuffer *tensors, const Clip &clip, const Expected &expected, const Colors &colors,
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

inline cps::SelectOptions keep(int64_t count) {
  cps::SelectOptions options;
  options.k_keep = count;
  return options;
}

inline void check_small(GstBuffer *tensors, const Clip &clip, const Colors &colors = kBt709) {
  const Expected expected = expect(clip, keep(20), kTarget);
  check_fields(tensors, clip, expected);
  check_pixels(tensors, clip, expected, colors);
}

// The error at the first frame of a clip with these properties.
inline void check_refused(test::Properties properties, const char *part, const Clip &clip = noise_clip()) {
  Harness select("patchselect", kSmall);
  for (const auto &[name, value] : properties)
    select.set(name, value);
  select.start(test::video_caps(clip.info).get());
  fail_unless(select.push(frame(clip, 0)) == GST_FLOW_ERROR);
  select.check_error(part);
  fail_unless(select.pull_event(GST_EVENT_CAPS) == nullptr);
}

// The tests, a file each.
TCase *pixel_tests();
TCase *color_tests();
TCase *selection_tests();
TCase *refusal_tests();
TCase *tensor_tests();
TCase *canvas_tests();

} // namespace patchselect
