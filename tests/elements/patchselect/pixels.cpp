// SPDX-License-Identifier: LGPL-2.1-or-later
// Patches of every kind of frame.
#include "kernels/pixels.h"
#include "tests/elements/patchselect/fixture.h"

using namespace patchselect;

GST_START_TEST(test_formats) {
  for (const test::Format &format : test::known_formats()) {
    if (format.model == cps::ColorModel::Yuv) {
      const Clip clip = noise_clip(format.name);
      check_small(run_with({}, clip).get(), clip);
    } else {
      const Clip clip = noise_clip(format.name, 3, 1, "1:4:0:0");
      check_small(run_with({}, clip).get(), clip, kFullBt601);
    }
  }
}
GST_END_TEST;

GST_START_TEST(test_crops) {
  for (const char *format : {"I420", "NV12", "Y42B", "RGB", "GRAY8"}) {
    const GstVideoInfo info = test::video_info(format, 120, 100, "1:4:0:0");
    const Clip clip = noise_clip(info, {7, 9, 97, 81}, 2);
    const auto tensors = run_with({}, clip);
    const cps::Size target = cps::target_size(clip.size(), {56, 0, 0, 14});
    const Expected expected = expect(clip, keep(20), target);
    check_fields(tensors.get(), clip, expected);
    check_pixels(tensors.get(), clip, expected, kFullBt601);
    assert_equals_int(clip_of(tensors.get())->source_width, 97);
    assert_equals_int(clip_of(tensors.get())->source_height, 81);
  }
}
GST_END_TEST;

// Frames that are stored otherwise than they are shown.
GST_START_TEST(test_orientations) {
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
      add_energy(buffer.get(), seen.maps[0], seen.size());
      cps_buffer_get_energy_meta(buffer.get())->orientation = shown.orientation;

      const Harness select("patchselect", {{"input-size", "56"}, {"k-keep", "5"}, {"output-dtype", "f32"}});
      select.start(test::video_caps(info).get());
      fail_unless(select.push(std::move(buffer)) == GST_FLOW_OK);
      const Owned<GstBuffer> tensors = select.pull();
      select.check_quiet();
      const cps::Size target = cps::target_size(seen.size(), {56, 0, 0, 14});
      const Expected expected = expect(seen, keep(5), target);
      check_fields(tensors.get(), seen, expected);
      check_pixels(tensors.get(), seen, expected, kFullBt601);
      assert_equals_int(clip_of(tensors.get())->source_width, seen.region.width);
      assert_equals_int(clip_of(tensors.get())->source_height, seen.region.height);
    }
}
GST_END_TEST;

GST_START_TEST(test_sizes) {
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
    const auto tensors = run_with({{"input-size", row.input},
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
GST_END_TEST;

// The kernels are compared with fractions elsewhere.
GST_START_TEST(test_resampling) {
  const Clip clip = noise_clip();
  for (const auto &[name, resample] :
       {std::pair("bilinear", cps::Resample::Bilinear), std::pair("area", cps::Resample::Area),
        std::pair("bicubic", cps::Resample::Bicubic)}) {
    const auto tensors = run_with({{"resample", name}, {"k-keep", "1000"}}, clip);
    const auto patches = test::elements_of<float>(tensors.get(), "patches");
    std::vector<reference::Picture> pictures = clip.pictures;
    const cps::PictureResizer resizer(pictures[0].view(), {kTarget, resample});
    const cps::PatchCutter cutter(kTarget, 3, 14, cps::yuv_to_rgb(0.2126, 0.0722, false), {}, cps::PixelType::F32);
    std::vector<uint16_t> stored(resizer.samples());
    std::vector<float> expected(patches.size());
    float *out = expected.data();
    for (reference::Picture &picture : pictures) {
      resizer.run(picture.view(), stored.data());
      for (int64_t i = 0; i < 16; ++i, out += cutter.patch_bytes() / sizeof(float))
        cutter.run(stored.data(), i, out);
    }
    fail_unless(out == expected.data() + expected.size() && patches == expected, "%s", name);
  }
}
GST_END_TEST;

GST_START_TEST(test_size_rules) {
  for (const char *rule : {"round", "floor"}) {
    const auto tensors = run_with({{"size-rule", rule}}, noise_clip());
    assert_equals_int(clip_of(tensors.get())->target_width, 56);
    assert_equals_int(clip_of(tensors.get())->target_height, rule[0] == 'r' ? 56 : 28);
  }
}
GST_END_TEST;

TCase *patchselect::pixel_tests() {
  TCase *tests = test::subject("pixels");
  tcase_add_test(tests, test_formats);
  tcase_add_test(tests, test_crops);
  tcase_add_test(tests, test_orientations);
  tcase_add_test(tests, test_sizes);
  tcase_add_test(tests, test_resampling);
  tcase_add_test(tests, test_size_rules);
  return tests;
}
