// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/bitstream/vpxclips.h"

namespace {

// The encoder makes alternate reference frames in its second pass only: hides some others instead, by show_frame in the
// frame tag (9.1).
Clip encode_with_hidden() {
  Clip clip;
  for (const auto &sample : encode_vpx({"vp8enc keyframe-max-dist=12"})) {
    GstBuffer *buffer = gst_sample_get_buffer(sample.get());
    Bytes bytes = bytes_of(buffer);
    if (clip.size() % 5 == 4)
      bytes[0] &= static_cast<uint8_t>(~0x10u);
    clip.push_back(sample_of(bytes, gst_sample_get_caps(sample.get()), GST_BUFFER_PTS(buffer)));
  }
  return clip;
}

} // namespace

GST_START_TEST(test_clips) {
  if (!have_elements({"vp8enc", "vp8dec"}))
    return;
  check_clip(encode_vpx({"vp8enc keyframe-max-dist=12"}), "vp8dec", "key frames");
  check_clip(encode_vpx({"vp8enc keyframe-max-dist=100"}), "vp8dec", "one key frame");
  check_clip(encode_with_hidden(), "vp8dec", "hidden frames");
}
GST_END_TEST;

GST_START_TEST(test_hidden_frames) {
  if (!have_elements({"vp8enc", "vp8dec"}))
    return;
  const Parsed parsed = parse(encode_with_hidden());
  assert_equals_int(parsed.index.frames(), 32);
  assert_equals_int(count_hidden(parsed), 8);
  assert_equals_uint64(random_access_units(parsed).size(), 4); // hidden or not: 24 is hidden
  for (const auto &picture : parsed.pictures)
    fail_unless(picture.reference && !picture.references.known && picture.starts_sequence == picture.random_access);
}
GST_END_TEST;

GST_START_TEST(test_containers) {
  if (!have_elements({"vp8enc", "webmmux", "matroskademux"}))
    return;
  const Clip clip = encode_with_hidden();
  const auto direct = fingerprints_of(clip);
  fail_unless(fingerprints_of(run("appsrc name=in format=time ! webmmux ! matroskademux ! appsink name=out", &clip)) ==
              direct);
  check_unique(direct);
}
GST_END_TEST;

GST_START_TEST(test_empty_unit) {
  Ref<GstCaps> caps(gst_caps_new_empty_simple("video/x-vp8"));
  Clip clip;
  clip.push_back(sample_of({}, caps.get(), 0));
  const Parsed parsed = parse(clip);
  fail_unless(parsed.understood[0] && !parsed.pictures[0].has_picture);
  assert_equals_int(parsed.index.frames(), 0);
}
GST_END_TEST;

GST_START_TEST(test_damage) {
  if (have_elements({"vp8enc"}))
    check_survives_damage(encode_with_hidden());
}
GST_END_TEST;

static Suite *vp8_suite(void) {
  Suite *s = suite_create("vp8");
  TCase *tc = tcase_create("general");
  suite_add_tcase(s, tc);
  tcase_set_timeout(tc, 60);
  tcase_add_test(tc, test_clips);
  tcase_add_test(tc, test_hidden_frames);
  tcase_add_test(tc, test_containers);
  tcase_add_test(tc, test_empty_unit);
  tcase_add_test(tc, test_damage);
  return s;
}

GST_CHECK_MAIN(vp8);
