// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/bitstream/subsets.h"

namespace {

Clip encode(const std::string &encoder) {
  return run(source(40) + "videoconvert ! " + encoder + " ! appsink name=out");
}

Ref<GstSample> unit_of(const Bytes &bytes, const char *media_type, GstClockTime pts, bool key) {
  Ref<GstCaps> caps(gst_caps_new_empty_simple(media_type));
  auto buffer = buffer_of(bytes);
  GST_BUFFER_PTS(buffer.get()) = pts;
  if (!key)
    GST_BUFFER_FLAG_SET(buffer.get(), GST_BUFFER_FLAG_DELTA_UNIT);
  return Ref<GstSample>(gst_sample_new(buffer.get(), caps.get(), nullptr, nullptr));
}

// Units shown at `times`; where that is negative, a key frame is shown at its opposite.
Clip clip_of_times(const std::vector<int> &times) {
  Clip clip;
  for (const int time : times)
    clip.push_back(unit_of({static_cast<uint8_t>(clip.size() + 1)}, "video/x-indeo",
                           static_cast<GstClockTime>(std::abs(time)) * GST_MSECOND, time < 0));
  return clip;
}

std::string first_word(const std::string &text) {
  const size_t begin = text.find_first_not_of(' ');
  return text.substr(begin, text.find(' ', begin) - begin);
}

// As some writers have it: every unit is called a key frame, or none.
void call_all(const Clip &clip, bool keys) {
  for (const auto &sample : clip)
    if (keys)
      GST_BUFFER_FLAG_UNSET(gst_sample_get_buffer(sample.get()), GST_BUFFER_FLAG_DELTA_UNIT);
    else
      GST_BUFFER_FLAG_SET(gst_sample_get_buffer(sample.get()), GST_BUFFER_FLAG_DELTA_UNIT);
}

} // namespace

// Every unit is an entry point, and only what is wanted is decoded.
GST_START_TEST(test_intra) {
  const std::pair<const char *, const char *> codecs[] = {
      {"jpegenc", "jpegdec"}, {"avenc_prores_ks", "avdec_prores"}, {"pngenc", "pngdec"}};
  for (const auto &[encoder, decoder] : codecs) {
    if (!have_elements({encoder, decoder}))
      continue;
    const Clip clip = encode(encoder);
    const Parsed parsed = parse(clip);
    assert_equals_uint64(random_access_units(parsed).size(), 40);
    for (const auto &picture : parsed.pictures)
      fail_unless(picture.references.known && picture.references.count == 0 && !picture.reference);
    const auto needed = cps::needed_units(parsed.index, {7, 30}, INT64_MAX);
    assert_equals_int(std::count(needed.keep.begin(), needed.keep.end(), true), 2);
    check_clip(clip, decoder, encoder);
  }
}
GST_END_TEST;

GST_START_TEST(test_clips) {
  const std::pair<const char *, const char *> codecs[] = {
      {"avenc_mpeg4 gop-size=12", "avdec_mpeg4"},
      {"avenc_mpeg4 gop-size=12 max-bframes=2", "avdec_mpeg4"},
      {"avenc_mpeg4 gop-size=12 max-bframes=2 ! mpeg4videoparse", "avdec_mpeg4"},
      {"theoraenc keyframe-auto=false keyframe-freq=8 keyframe-force=8", "theoradec"},
  };
  for (const auto &[encoder, decoder] : codecs) {
    const std::string name = encoder;
    if (have_elements({name.substr(0, name.find(' ')).c_str(), decoder}))
      check_clip(encode(encoder), decoder, name);
  }
}
GST_END_TEST;

// Codecs whose pictures tell what they are, whatever the container says of them.
GST_START_TEST(test_flags_lie) {
  constexpr struct {
    const char *encoder, *decoder;
    size_t keys; // of 40
  } codecs[] = {
      {"avenc_msmpeg4v2 gop-size=12", "avdec_msmpeg4v2", 4},
      {"avenc_msmpeg4 gop-size=12", "avdec_msmpeg4", 4},
      {"avenc_wmv1 gop-size=12", "avdec_wmv1", 4},
      {"avenc_wmv2 gop-size=12", "avdec_wmv2", 4},
      {"avenc_flv gop-size=12", "avdec_flv", 4},
      {"videoscale ! video/x-raw,width=176,height=144 ! avenc_h263 gop-size=12", "avdec_h263", 4},
      {"videoscale ! video/x-raw,width=176,height=144 ! avenc_h263p gop-size=12", "avdec_h263", 4},
      {"avenc_svq1 gop-size=12", "avdec_svq1", 4},
      {"theoraenc keyframe-auto=false keyframe-freq=8 keyframe-force=8", "theoradec", 5},
      {"avenc_ffv1 gop-size=12", "avdec_ffv1", 4},
      {"avenc_ffv1 gop-size=12 coder=range_def", "avdec_ffv1", 4},
      {"avenc_cinepak gop-size=12", "avdec_cinepak", 1},
      {"avenc_flashsv gop-size=12", "avdec_flashsv", 1},
  };
  for (const auto &[encoder, decoder, keys] : codecs) {
    const std::string name = encoder, element = name.substr(name.find_last_of('!') + 1);
    if (!have_elements({first_word(element).c_str(), decoder}))
      continue;
    const Clip clip = encode(encoder);
    for (const bool called : {false, true}) {
      call_all(clip, called);
      assert_equals_uint64(random_access_units(parse(clip)).size(), keys);
      check_clip(clip, decoder, name);
    }
  }
}
GST_END_TEST;

GST_START_TEST(test_order_by_time_stamps) {
  const Parsed parsed = parse(clip_of_times({-40, 160, 80, 120, -280, 200, 240, 320}));
  check_frames(parsed.index, {0, 3, 1, 2, 6, 4, 5, 7});
  // Nobody knows the codec: all go to the decoder, from the first to the last that is wanted.
  const auto needed = cps::needed_units(parsed.index, {4}, INT64_MAX);
  fail_unless(needed.keep == std::vector<bool>({true, true, true, true, true, true, false, false}));
}
GST_END_TEST;

// Without time stamps for all, decode order.
GST_START_TEST(test_no_time_stamps) {
  Clip clip = clip_of_times({-40, 160, 80, 120});
  GST_BUFFER_PTS(gst_sample_get_buffer(clip[2].get())) = GST_CLOCK_TIME_NONE;
  check_frames(parse(clip).index, {0, 1, 2, 3});
}
GST_END_TEST;

// The pictures that no encoder here makes, and those that are too short to tell.
GST_START_TEST(test_key_pictures) {
  const struct {
    const char *caps;
    Bytes data;
    bool key;
  } pictures[] = {
      {"video/x-msmpeg,msmpegversion=41", {0, 0, 1, 0, 0xf8, 0}, true},
      {"video/x-msmpeg,msmpegversion=41", {0, 0, 1, 0, 0xfa, 0}, false},
      {"video/x-msmpeg,msmpegversion=41", {0, 0, 1, 0}, false},
      {"video/x-msmpeg,msmpegversion=42", {0x3f}, true},
      {"video/x-msmpeg,msmpegversion=43", {0x40}, false},
      {"video/x-divx,divxversion=3", {0x3f}, true},
      {"video/x-divx,divxversion=3", {0x7f}, false},
      {"video/x-wmv,wmvversion=1", {0x40}, false},
      {"video/x-wmv,wmvversion=2", {0x7f}, true},
      {"video/x-wmv,wmvversion=2", {0x80}, false},
      {"video/x-vp6", {0x7f}, true},
      {"video/x-vp6-flash", {0x80}, false},
      {"video/x-svq,svqversion=1", {0, 0, 0x80, 0xfc}, true},
      {"video/x-svq,svqversion=1", {0, 0, 0x80, 0xfd}, false},
      {"video/x-svq,svqversion=1", {0, 0, 0x80}, false},
      {"video/x-flash-video", {0, 0, 0x84, 0, 0, 0}, false}, // ends before the type
      // H.263 with an extended type: with and without what comes before it, and after a picture of another size.
      {"video/x-h263", {0, 0, 0x80, 0x02, 0x1c, 0x80, 0, 0}, true},
      {"video/x-h263", {0, 0, 0x80, 0x02, 0x1c, 0x80, 0, 0x04}, false},
      {"video/x-h263", {0, 0, 0x80, 0x02, 0x1c, 0, 0}, true},
      {"video/x-h263", {0, 0, 0x80, 0x02, 0x1c, 0x10, 0}, false},
      {"video/x-h263", {0, 0, 0x40, 0x02, 0x08, 0}, false}, // no start code
      // Screen codecs that go by the name of WMV: the first picture alone.
      {"video/x-wmv,wmvversion=1,format=MSS1", {0x40}, true},
      {"video/x-indeo,indeoversion=3", {0xff}, true},
  };
  for (const auto &[caps, data, key] : pictures) {
    Clip clip;
    const Ref<GstCaps> parsed(gst_caps_from_string(caps));
    clip.push_back(sample_of(data, parsed.get(), 0));
    fail_unless(parse(clip).pictures[0].random_access == key, "%s, %02x: a key picture or not", caps, data[0]);
  }
}
GST_END_TEST;

// RealVideo: the types of pictures are behind the table of slices, and times say nothing of the order.
static Clip real_video(GstCaps *caps, const std::vector<uint8_t> &types, int shift) {
  Clip clip;
  for (const uint8_t type : types) {
    const uint8_t slices = clip.size() % 3;
    Bytes unit = Bytes{slices} + Bytes(8 * (slices + size_t{1}), 0xff);
    unit.push_back(static_cast<uint8_t>(type << shift));
    unit.push_back(static_cast<uint8_t>(clip.size()));
    clip.push_back(sample_of(unit, caps, clip.size() * 40 * GST_MSECOND));
  }
  return clip;
}

GST_START_TEST(test_real_video) {
  const struct {
    int version, shift;
    std::vector<uint8_t> types;
    std::vector<uint32_t> frames, keys;
  } streams[] = {
      {1, 6, {0, 1, 1, 0}, {0, 1, 2, 3}, {0, 3}},
      {2, 6, {0, 2, 3, 0}, {0, 2, 1, 3}, {0}}, // decoding starts at the first
      {3, 3, {0, 2, 3, 3, 1, 3}, {0, 3, 1, 2, 5, 4}, {0, 4}},
      {4, 5, {0, 3, 2, 3, 0}, {0, cps::kNoFrame, 2, 1, 3}, {0, 4}},
  };
  for (const auto &[version, shift, types, frames, keys] : streams) {
    Ref<GstCaps> caps(gst_caps_new_simple("video/x-pn-realvideo", "rmversion", G_TYPE_INT, version, nullptr));
    const Clip clip = real_video(caps.get(), types, shift);
    const Parsed parsed = parse(clip);
    check_frames(parsed.index, frames);
    fail_unless(random_access_units(parsed) == keys, "RealVideo %d", version);
    check_survives_damage(clip);
  }
}
GST_END_TEST;

// The last picture of a stream that may have B pictures is none that a full decode has.
GST_START_TEST(test_real_video_without_its_end) {
  const struct {
    const char *caps;
    std::vector<uint32_t> frames;
  } streams[] = {
      {"video/x-pn-realvideo, rmversion=2, format=(int)0x20103001", {0, 2, 1, 3}}, // 2.1, as ffmpeg writes it
      {"video/x-pn-realvideo, rmversion=2, format=(int)0x20201002", {0, 2, 1, cps::kNoFrame}},
      {"video/x-cps-libav, codec=rv20, codec_data=(buffer)0000883820100001", {0, 2, 1, 3}},
      {"video/x-cps-libav, codec=rv20, codec_data=(buffer)00029838202000023c2c2820", {0, 2, 1, cps::kNoFrame}},
      {"video/x-cps-libav, codec=rv20, codec_data=(buffer)0002", {0, 2, 1, 3}},
      {"video/x-cps-libav, codec=rv40, codec_data=(buffer)0002983820200002", {0, 2, 1, 3}},
  };
  for (const auto &[text, frames] : streams) {
    Ref<GstCaps> caps(gst_caps_from_string(text));
    const Clip clip = real_video(caps.get(), {0, 2, 3, 0}, strstr(text, "rv40") ? 5 : 6);
    check_frames(parse(clip).index, frames);
  }
}
GST_END_TEST;

GST_START_TEST(test_headers) {
  Clip clip;
  for (const uint8_t first : {0x80, 0x81, 0x82, 0x00, 0x40})
    clip.push_back(unit_of({first, 1}, "video/x-theora", clip.size(), first != 0x40));
  check_frames(parse(clip).index, {cps::kNoFrame, cps::kNoFrame, cps::kNoFrame, 0, 1});
  clip.clear();
  for (const Bytes &data : {Bytes{0x78, 0x9c, 1}, Bytes{0x78, 0x9c}, Bytes{}, Bytes{0x78, 0x9c, 2}})
    clip.push_back(unit_of(data, "video/x-camtasia", clip.size(), clip.empty()));
  check_frames(parse(clip).index, {0, cps::kNoFrame, cps::kNoFrame, 1});
}
GST_END_TEST;

// MPEG-4 planes: I or P and B by the types that follow the start code, "-" for one that is not coded.
GST_START_TEST(test_mpeg4_planes) {
  const Bytes layer = {0, 0, 1, 0x20, 0, 0xc8, 0x88, 0x80, 0x0f, 0x50, 0xb0, 0x42, 0x41, 0x41, 0x83};
  const Bytes i = {0, 0, 1, 0xb6, 0x10, 0x60, 1, 2}, p = {0, 0, 1, 0xb6, 0x50, 0x60, 1, 3},
              b = {0, 0, 1, 0xb6, 0x90, 0x60, 1, 4}, none = {0, 0, 1, 0xb6, 0x50, 0x40, 1, 5};
  const auto clip_of_planes = [](const std::vector<Bytes> &units) {
    Clip clip;
    for (const Bytes &unit : units)
      clip.push_back(unit_of(unit, "video/x-xvid", GST_CLOCK_TIME_NONE, clip.empty()));
    return clip;
  };
  const Parsed plain = parse(clip_of_planes({layer + i, p, b, b, p, none, b}));
  check_frames(plain.index, {0, 3, 1, 2, 5, cps::kNoFrame, 4});
  fail_unless(plain.pictures[0].random_access && plain.pictures[1].reference && !plain.pictures[2].reference);
  // Packed: a unit brings two planes, and those after it are there for the one that the unit before them has brought.
  const Parsed packed = parse(clip_of_planes({layer + i, p + b, none, p + b, b, none, p, none}));
  check_frames(packed.index, {0, 2, 1, 5, 3, 4, 6, cps::kNoFrame});
  for (const auto &picture : packed.pictures)
    fail_unless(picture.reference);
  // Cut at an I plane whose B planes refer to what is missing.
  check_frames(parse(clip_of_planes({layer + i, b, p})).index, {0, cps::kNoFrame, 1});
}
GST_END_TEST;

GST_START_TEST(test_other_caps) {
  Ref<GstCaps> theora(gst_caps_new_empty_simple("video/x-theora")), jpeg(gst_caps_new_empty_simple("image/jpeg"));
  for (GstCaps *caps : {theora.get(), jpeg.get()}) {
    auto parser = cps::PictureParser::create(caps);
    fail_unless(parser && parser->set_caps(caps));
    fail_if(parser->set_caps(caps == jpeg.get() ? theora.get() : jpeg.get()));
  }
  Ref<GstCaps> program(gst_caps_from_string("video/mpeg,mpegversion=2,systemstream=true"));
  fail_if(cps::PictureParser::create(program.get()) != nullptr);
}
GST_END_TEST;

GST_START_TEST(test_damage) {
  check_survives_damage(clip_of_times({-40, 160, 80}));
  if (have_elements({"avenc_mpeg4"}))
    check_survives_damage(encode("avenc_mpeg4 gop-size=12 max-bframes=2"));
}
GST_END_TEST;

static Suite *keyframes_suite(void) {
  Suite *s = suite_create("keyframes");
  TCase *tc = tcase_create("general");
  suite_add_tcase(s, tc);
  tcase_set_timeout(tc, 60);
  tcase_add_test(tc, test_intra);
  tcase_add_test(tc, test_clips);
  tcase_add_test(tc, test_flags_lie);
  tcase_add_test(tc, test_key_pictures);
  tcase_add_test(tc, test_order_by_time_stamps);
  tcase_add_test(tc, test_no_time_stamps);
  tcase_add_test(tc, test_real_video);
  tcase_add_test(tc, test_real_video_without_its_end);
  tcase_add_test(tc, test_headers);
  tcase_add_test(tc, test_mpeg4_planes);
  tcase_add_test(tc, test_other_caps);
  tcase_add_test(tc, test_damage);
  return s;
}

GST_CHECK_MAIN(keyframes);
