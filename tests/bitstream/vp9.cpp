// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/bitstream/vpxclips.h"

namespace {

const char *const kHidden = "vp9enc cpu-used=5 keyframe-max-dist=12 auto-alt-ref=true lag-in-frames=8 "
                            "target-bitrate=300000";

Clip encode(const std::string &path = "") {
  return encode_vpx({kHidden, 40, path});
}

// Annex B, with sizes of two bytes.
Bytes superframe_of(const std::vector<Bytes> &frames) {
  const uint8_t marker = static_cast<uint8_t>(0xc8 | (frames.size() - 1));
  Bytes unit, index = {marker};
  for (const Bytes &frame : frames) {
    unit = unit + frame;
    index.insert(index.end(), {static_cast<uint8_t>(frame.size() & 0xff), static_cast<uint8_t>(frame.size() >> 8)});
  }
  index.push_back(marker);
  return unit + index;
}

} // namespace

GST_START_TEST(test_clips) {
  if (!have_elements({"vp9enc", "vp9dec"}))
    return;
  check_clip(encode_vpx({"vp9enc cpu-used=5 keyframe-max-dist=12"}), "vp9dec", "key frames");
  check_clip(encode_vpx({"vp9enc cpu-used=5 keyframe-max-dist=100 auto-alt-ref=true lag-in-frames=16"}), "vp9dec",
             "one key frame");
  check_clip(encode(), "vp9dec", "hidden frames");
  check_clip(
      encode_vpx(
          {"vp9enc cpu-used=5 keyframe-max-dist=16", 40, "", "", {{0, 2, 1, 2}, {4, 2, 1}, {100000, 200000, 300000}}}),
      "vp9dec", "layers");
}
GST_END_TEST;

GST_START_TEST(test_profiles) {
  if (!have_elements({"vp9enc", "vp9dec"}))
    return;
  for (const char *format : {"Y444", "I420_10LE", "I422_12LE"})
    check_clip(encode_vpx({kHidden, 16, "", std::string(",format=") + format}), "vp9dec", format);
}
GST_END_TEST;

// A superframe that shows one frame is one; taken apart, what it hides is no frame.
GST_START_TEST(test_alignments) {
  if (!have_elements({"vp9enc", "vp9parse", "vp9dec"}))
    return;
  const Clip whole = encode("vp9parse ! video/x-vp9,alignment=super-frame ! ");
  const Clip apart = encode("vp9parse ! video/x-vp9,alignment=frame ! ");
  const Parsed superframes = parse(whole);
  assert_equals_int(superframes.index.frames(), 40);
  assert_equals_int(count_hidden(superframes), 0);
  const Parsed frames = parse(apart);
  assert_equals_int(frames.index.frames(), 40);
  fail_unless(count_hidden(frames) >= 2);
  fail_unless(apart.size() > whole.size());
  assert_equals_uint64(random_access_units(superframes).size(), random_access_units(frames).size());
  check_clip(apart, "vp9dec", "single frames");
}
GST_END_TEST;

// A superframe shows something if any of its frames does, and is an entry point if a key frame is its first.
GST_START_TEST(test_superframes) {
  if (!have_elements({"vp9enc", "vp9parse"}))
    return;
  const Clip apart = encode("vp9parse ! video/x-vp9,alignment=frame ! ");
  const Parsed frames = parse(apart);
  const auto bytes_at = [&](size_t i) { return bytes_of(gst_sample_get_buffer(apart[i].get())); };
  size_t hidden = 0;
  while (frames.pictures[hidden].output)
    hidden++;
  const Bytes key = bytes_at(0), shown = bytes_at(hidden + 1), existing = {0x88};
  GstCaps *caps = gst_sample_get_caps(apart[0].get());
  Clip clip;
  for (const Bytes &unit :
       {superframe_of({key, bytes_at(hidden)}), superframe_of({shown, key}), superframe_of({bytes_at(hidden), shown}),
        superframe_of({shown, bytes_at(hidden)}), superframe_of({bytes_at(hidden), bytes_at(hidden)}), existing,
        superframe_of({bytes_at(hidden), existing})})
    clip.push_back(sample_of(unit, caps, 0));
  const Parsed parsed = parse(clip);
  fail_unless(random_access_units(parsed) == std::vector<uint32_t>{0});
  check_frames(parsed.index, {0, 1, 2, 3, cps::kNoFrame, 4, 5});
  for (size_t i = 0; i < clip.size(); ++i)
    fail_unless(parsed.understood[i] && parsed.pictures[i].reference && !parsed.pictures[i].references.known);
}
GST_END_TEST;

GST_START_TEST(test_containers) {
  if (!have_elements({"vp9enc", "vp9parse", "webmmux", "matroskademux", "qtdemux", "mp4mux"}))
    return;
  const auto direct = fingerprints_of(encode());
  fail_unless(fingerprints_of(encode("vp9parse ! ")) == direct);
  fail_unless(fingerprints_of(encode("webmmux ! matroskademux ! ")) == direct);
  fail_unless(fingerprints_of(encode("vp9parse ! mp4mux ! qtdemux ! vp9parse ! ")) == direct);
}
GST_END_TEST;

// What the index of a superframe says is checked against the unit.
GST_START_TEST(test_bad_superframes) {
  Ref<GstCaps> caps(gst_caps_new_empty_simple("video/x-vp9"));
  const std::vector<Bytes> units = {
      {0xdf},                                     // eight frames of four bytes each
      {0xc1, 0x00, 0xc1},                         // too short for its index
      {0x82, 0xc0, 0x05, 0xc0},                   // a frame longer than the unit
      {0xc0, 0x00, 0xc0},                         // a frame without a byte
      {0x82, 0xc1, 0x01, 0xff, 0xc1},             // the second one longer than what is left
      {0x88, 0xd8, 0xff, 0xff, 0xff, 0xff, 0xd8}, // sizes of four bytes
  };
  Clip clip;
  for (const Bytes &unit : units)
    clip.push_back(sample_of(unit, caps.get(), 0));
  const Parsed parsed = parse(clip);
  for (size_t i = 0; i < units.size(); ++i)
    fail_unless(!parsed.understood[i] && parsed.pictures[i].has_picture && !parsed.pictures[i].random_access);
  assert_equals_uint64(parsed.index.frames(), units.size());
}
GST_END_TEST;

GST_START_TEST(test_damage) {
  if (have_elements({"vp9enc"}))
    check_survives_damage(encode());
}
GST_END_TEST;

static Suite *vp9_suite(void) {
  Suite *s = suite_create("vp9");
  TCase *tc = tcase_create("general");
  suite_add_tcase(s, tc);
  tcase_set_timeout(tc, 60);
  tcase_add_test(tc, test_clips);
  tcase_add_test(tc, test_profiles);
  tcase_add_test(tc, test_alignments);
  tcase_add_test(tc, test_superframes);
  tcase_add_test(tc, test_containers);
  tcase_add_test(tc, test_bad_superframes);
  tcase_add_test(tc, test_damage);
  return s;
}

GST_CHECK_MAIN(vp9);
