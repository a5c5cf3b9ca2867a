// SPDX-License-Identifier: LGPL-2.1-or-later
// Types and colours.
#include "tests/elements/patchselect/fixture.h"

using namespace patchselect;

GST_START_TEST(test_dtypes) {
  const Clip clip = noise_clip();
  const auto exact = test::elements_of<float>(run_with({}, clip).get(), "patches");
  const auto bytes = test::elements_of<guint8>(run_with({{"output-dtype", "u8"}}, clip).get(), "patches");
  const auto halves = test::elements_of<guint16>(run_with({{"output-dtype", "f16"}}, clip).get(), "patches");
  const auto brains = test::elements_of<guint16>(run_with({{"output-dtype", "bf16"}}, clip).get(), "patches");
  fail_unless(bytes.size() == exact.size() && halves.size() == exact.size() && brains.size() == exact.size());
  for (size_t i = 0; i < exact.size(); ++i) {
    assert_equals_int(bytes[i], static_cast<int>(std::nearbyint(exact[i])));
    assert_equals_int(halves[i], cps::float_to_half(exact[i]));
    assert_equals_int(brains[i], cps::float_to_bfloat16(exact[i]));
  }
  const auto tensors = run_with({{"output-dtype", "f16"}}, clip);
  const CpsTensorMeta *meta = cps_buffer_get_tensor_meta(tensors.get());
  assert_equals_int(meta->tensors[0].dtype, CPS_DTYPE_F16);
  assert_equals_int(meta->tensors[1].dtype, CPS_DTYPE_I64);
  assert_equals_int(meta->tensors[2].dtype, CPS_DTYPE_F32);
}
GST_END_TEST;

GST_START_TEST(test_scaling) {
  const Clip clip = noise_clip();
  const Expected expected = expect(clip, keep(20), kTarget);
  const double mean[] = {0.48, 0.46, 0.41}, std[] = {0.27, 0.26, 0.28};
  const auto all =
      run_with({{"scale", "0.00392156862745098"}, {"mean", "<0.48, 0.46, 0.41>"}, {"std", "<0.27, 0.26, 0.28>"}}, clip);
  check_pixels(all.get(), clip, expected, kBt709,
               [&](double value, int c) { return (value / 255.0 - mean[c]) / std[c]; });
  const auto scale = run_with({{"scale", "2"}}, clip);
  check_pixels(scale.get(), clip, expected, kBt709, [](double value, int) { return 2 * value; });
  const auto subtract = run_with({{"mean", "<1.0, 2.0, 3.0>"}}, clip);
  check_pixels(subtract.get(), clip, expected, kBt709, [](double value, int c) { return value - (c + 1); });
  const auto divide = run_with({{"std", "<1.0, 2.0, 4.0>"}}, clip);
  check_pixels(divide.get(), clip, expected, kBt709, [](double value, int c) { return value / (1 << c); });
}
GST_END_TEST;

GST_START_TEST(test_scaling_refused) {
  check_refused({{"output-dtype", "u8"}, {"scale", "0.5"}}, "u8");
  check_refused({{"output-dtype", "u8"}, {"mean", "<1.0, 0.0, 0.0>"}}, "u8");
  check_refused({{"output-dtype", "u8"}, {"std", "<1.0, 1.0, 2.0>"}}, "u8");
  check_refused({{"mean", "<1.0, 0.0>"}}, "mean");
  check_refused({{"std", "<1.0>"}}, "std");
  check_refused({{"std", "<1.0, 0.0, 1.0>"}}, "std");
  check_refused({{"std", "<1.0, -1.0, 1.0>"}}, "std");
  const Clip clip = noise_clip(); // what changes nothing is no matter
  run_with({{"output-dtype", "u8"}, {"scale", "1"}, {"mean", "<0.0, 0.0, 0.0>"}, {"std", "<1.0, 1.0, 1.0>"}}, clip);
}
GST_END_TEST;

GST_START_TEST(test_colorimetry_of_the_caps) {
  const struct {
    const char *text;
    Colors colors;
  } rows[] = {{"bt601", kBt601},       {"bt709", kBt709},       {"bt2020", kBt2020},
              {"1:4:0:0", kFullBt601}, {"1:3:0:0", kFullBt709}, {"2:0:0:0", kBt601}, // no matrix: by the height
              {"1:0:0:0", kFullBt601}, {"0:3:0:0", kBt709}};                         // no range
  for (const auto &row : rows) {
    const Clip clip = noise_clip("I420", 2, 1, row.text);
    check_small(run_with({}, clip).get(), clip, row.colors);
  }
}
GST_END_TEST;

GST_START_TEST(test_colorimetry_by_height) {
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
GST_END_TEST;

GST_START_TEST(test_color_matrix) {
  const Clip clip = noise_clip("I420", 2, 1, "bt709");
  check_small(run_with({{"color-matrix", "bt601"}}, clip).get(), clip, kBt601);
  check_small(run_with({{"color-matrix", "bt2020"}}, clip).get(), clip, kBt2020);
  check_small(run_with({{"color-matrix", "auto"}}, clip).get(), clip, kBt709);
  const Clip full = noise_clip("I420", 2, 1, "1:3:0:0"); // the range stays the caps'
  check_small(run_with({{"color-matrix", "bt601"}}, full).get(), full, kFullBt601);
  const Clip rgb = noise_clip("RGB", 2, 1, "sRGB"); // nothing to convert
  check_small(run_with({{"color-matrix", "bt601"}}, rgb).get(), rgb);
}
GST_END_TEST;

TCase *patchselect::color_tests() {
  TCase *tests = test::subject("colors");
  tcase_add_test(tests, test_dtypes);
  tcase_add_test(tests, test_scaling);
  tcase_add_test(tests, test_scaling_refused);
  tcase_add_test(tests, test_colorimetry_of_the_caps);
  tcase_add_test(tests, test_colorimetry_by_height);
  tcase_add_test(tests, test_color_matrix);
  return tests;
}
