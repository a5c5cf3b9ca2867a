// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/bitstream/subsets.h"

namespace {

const char *const kPyramid = "keyframe-max-dist=20 lag-in-frames=19";
const char *const kUnits = "av1parse ! video/x-av1,alignment=tu ! ";

Clip encode(const std::string &options, const std::string &path = kUnits) {
  return run(source(40) + "av1enc cpu-used=8 threads=1 " + options + " ! " + path + "appsink name=out");
}

Clip slice_of(const Clip &clip, size_t first, size_t last) {
  Clip part;
  for (size_t i = first; i < last; ++i)
    part.emplace_back(gst_sample_ref(clip[i].get()));
  return part;
}

} // namespace

GST_START_TEST(test_clips) {
  if (!have_elements({"av1enc", "av1parse", "av1dec"}))
    return;
  // Where all is needed since the key frame, one of three frames leaves nothing out of a GOP but its tail.
  fail_unless(check_clip(encode(kPyramid), "av1dec", "pyramid") >= 60);
  fail_unless(check_clip(encode("keyframe-max-dist=100 lag-in-frames=25"), "av1dec", "one key frame") >= 50);
  check_clip(encode("keyframe-max-dist=12 lag-in-frames=0 usage-profile=realtime"), "av1dec", "low delay");
  check_clip(encode("keyframe-max-dist=20 lag-in-frames=19 tile-columns=1 resize-mode=fixed resize-denominator=16 "
                    "superres-mode=fixed"),
             "av1dec", "resized");
}
GST_END_TEST;

GST_START_TEST(test_units) {
  if (!have_elements({"av1enc", "av1parse"}))
    return;
  const Parsed parsed = parse(encode(kPyramid));
  const auto entries = random_access_units(parsed);
  fail_unless(entries.size() == 2 && entries[0] == 0 && parsed.index.unit(entries[1]).frame == 20);
  size_t unreferenced = 0;
  for (size_t i = 0; i < parsed.pictures.size(); ++i) {
    const cps::CodedPicture &picture = parsed.pictures[i];
    fail_unless(picture.output && picture.references.known);
    unreferenced += picture.reference ? 0 : 1;
    for (int r = 0; r < picture.references.count; ++r)
      fail_unless(picture.references.units[r] < i && picture.references.units[r] != entries[0]);
  }
  fail_unless(unreferenced > 0);
}
GST_END_TEST;

// Frame by frame the same frames come out, and hidden ones are none.
GST_START_TEST(test_single_frames) {
  if (!have_elements({"av1enc", "av1parse"}))
    return;
  const Clip clip = encode(kPyramid, "av1parse ! video/x-av1,alignment=frame ! ");
  const Parsed parsed = parse(clip);
  fail_unless(clip.size() > 40 && count_hidden(parsed) > 0);
  assert_equals_int(parsed.index.frames(), 40);
  assert_equals_uint64(random_access_units(parsed).size(), 2);
  for (size_t i = 0; i < clip.size(); ++i)
    fail_unless(parsed.understood[i] && parsed.pictures[i].references.known);
}
GST_END_TEST;

// What precedes the first key frame refers to what nobody has seen.
GST_START_TEST(test_no_key_frame) {
  if (!have_elements({"av1enc", "av1parse"}))
    return;
  const Clip clip = encode(kPyramid);
  const Clip part = slice_of(clip, 5, clip.size());
  const Parsed parsed = parse(part);
  fail_unless(!parsed.understood[0] && !parsed.pictures[0].references.known && parsed.pictures[0].reference);
  assert_equals_uint64(parsed.index.frames(), part.size());
  assert_equals_uint64(random_access_units(parsed).size(), 1);
  const auto whole = parse(clip);
  for (size_t i = 20; i < clip.size(); ++i)
    assert_equals_int(parsed.pictures[i - 5].references.count, whole.pictures[i].references.count);
}
GST_END_TEST;

// A unit that cannot be read may have written any slot: what refers to these is not known until they are written again.
GST_START_TEST(test_damaged_unit) {
  if (!have_elements({"av1enc", "av1parse"}))
    return;
  Clip clip = encode(kPyramid);
  GstBuffer *buffer = gst_sample_get_buffer(clip[3].get());
  Bytes bytes = bytes_of(buffer);
  bytes.resize(bytes.size() / 2);
  clip[3] = sample_of(bytes, gst_sample_get_caps(clip[3].get()), GST_BUFFER_PTS(buffer));
  const Parsed parsed = parse(clip);
  fail_unless(!parsed.understood[3] && parsed.pictures[3].has_picture && parsed.pictures[3].reference);
  fail_unless(!parsed.pictures[4].references.known);
  fail_unless(parsed.pictures[20].random_access && parsed.pictures[21].references.known);
  assert_equals_int(parsed.index.frames(), 40);
}
GST_END_TEST;

GST_START_TEST(test_containers) {
  if (!have_elements({"av1enc", "av1parse", "matroskamux", "matroskademux", "mp4mux", "qtdemux"}))
    return;
  const Clip clip = encode(kPyramid);
  const auto direct = fingerprints_of(clip);
  check_unique(direct);
  for (const char *container : {"matroskamux ! matroskademux", "mp4mux ! qtdemux"})
    for (const char *parser : {"", "av1parse ! video/x-av1,alignment=tu ! "}) {
      const Clip read = encode(kPyramid, std::string(kUnits) + container + " ! " + parser);
      fail_unless(fingerprints_of(read) == direct, "%s ! %s", container, parser);
      assert_equals_int(parse(read).index.frames(), 40);
    }
}
GST_END_TEST;

// Files may keep the sequence header in codec_data alone, and need no temporal delimiters.
GST_START_TEST(test_sequence_header_of_caps) {
  if (!have_elements({"av1enc", "av1parse"}))
    return;
  const Clip clip = encode(kPyramid);
  GstCaps *caps = gst_sample_get_caps(clip[0].get());
  Bytes config = {0x81, 0, 0, 0};
  Clip bare;
  for (const auto &sample : clip) {
    Bytes bytes = bytes_of(gst_sample_get_buffer(sample.get()));
    while (!bytes.empty() && (bytes[0] >> 3 == 2 || bytes[0] >> 3 == 1)) { // has a size of one byte
      const auto end = bytes.begin() + 2 + bytes[1];
      if (bytes[0] >> 3 == 1 && config.size() == 4)
        config.insert(config.end(), bytes.begin(), end);
      bytes.erase(bytes.begin(), end);
    }
    bare.push_back(sample_of(bytes, caps, GST_BUFFER_PTS(gst_sample_get_buffer(sample.get()))));
  }
  Ref<GstCaps> with_config(gst_caps_copy(caps));
  gst_caps_set_simple(with_config.get(), "codec_data", GST_TYPE_BUFFER, buffer_of(config).get(), nullptr);
  for (auto &sample : bare)
    sample.reset(gst_sample_new(gst_sample_get_buffer(sample.get()), with_config.get(), nullptr, nullptr));
  const Parsed parsed = parse(bare), whole = parse(clip);
  for (size_t i = 0; i < bare.size(); ++i) {
    fail_unless(parsed.understood[i]);
    assert_equals_uint64(parsed.pictures[i].fingerprint, whole.pictures[i].fingerprint);
    assert_equals_int(parsed.pictures[i].references.count, whole.pictures[i].references.count);
  }
  auto parser = cps::PictureParser::create(with_config.get());
  parser->reset();
  cps::CodedPicture picture;
  fail_unless(parser->parse(gst_sample_get_buffer(bare[0].get()), picture) && picture.random_access);
}
GST_END_TEST;

GST_START_TEST(test_framings) {
  const auto accepts = [](const char *description) {
    Ref<GstCaps> caps(gst_caps_from_string(description));
    return cps::PictureParser::create(caps.get()) != nullptr;
  };
  fail_unless(accepts("video/x-av1"));
  fail_unless(accepts("video/x-av1,stream-format=obu-stream,alignment=tu"));
  fail_unless(accepts("video/x-av1,stream-format=obu-stream,alignment=frame"));
  fail_if(accepts("video/x-av1,stream-format=obu-stream,alignment=obu"));
  fail_if(accepts("video/x-av1,stream-format=annexb,alignment=tu"));
}
GST_END_TEST;

GST_START_TEST(test_damage) {
  if (have_elements({"av1enc", "av1parse"}))
    check_survives_damage(encode(kPyramid));
}
GST_END_TEST;

static Suite *av1_suite(void) {
  Suite *s = suite_create("av1");
  TCase *tc = tcase_create("general");
  suite_add_tcase(s, tc);
  tcase_set_timeout(tc, 60);
  tcase_add_test(tc, test_clips);
  tcase_add_test(tc, test_units);
  tcase_add_test(tc, test_single_frames);
  tcase_add_test(tc, test_no_key_frame);
  tcase_add_test(tc, test_damaged_unit);
  tcase_add_test(tc, test_containers);
  tcase_add_test(tc, test_sequence_header_of_caps);
  tcase_add_test(tc, test_framings);
  tcase_add_test(tc, test_damage);
  return s;
}

GST_CHECK_MAIN(av1);
