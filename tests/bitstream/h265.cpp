// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/bitstream/clips.h"
#include "tests/bitstream/h265writer.h"

namespace {

using Frames = std::vector<uint32_t>;

struct Source {
  std::string options; // of x265
  int frames = 60;
  std::string format = "stream-format=byte-stream";
  std::string pattern = "ball";
  std::string raw = "I420";
};

// Without repeat-headers, with which x265enc 1.22 now and then puts out garbage in front of the first picture.
Clip encode(const Source &source) {
  return run("videotestsrc num-buffers=" + std::to_string(source.frames) + " pattern=" + source.pattern +
             " ! video/x-raw,width=96,height=64,framerate=25/1,format=" + source.raw +
             " ! x265enc bitrate=200 speed-preset=ultrafast option-string=pools=1:frame-threads=1:" + source.options +
             " ! h265parse ! video/x-h265,alignment=au," + source.format + " ! appsink name=out");
}

Clip decode(const Clip &clip) {
  return run("appsrc name=in ! h265parse ! avdec_h265 max-threads=1 ! appsink name=out", &clip);
}

Clip slice_of(const Clip &clip, size_t first, size_t last) {
  Clip part;
  for (size_t i = first; i < last; ++i)
    part.emplace_back(gst_sample_ref(clip[i].get()));
  return part;
}

const char *const kOpenGop = "keyint=12:min-keyint=12:scenecut=0:open-gop=1:bframes=3:b-adapt=0";

// Access units of hand-made pictures, with parameter sets before the first.
Parsed parse_hand_made(const std::vector<Bytes> &units) {
  std::vector<Bytes> with_parameters = units;
  with_parameters[0] = h265_parameter_sets() + units[0];
  return parse(clip_of(with_parameters, "video/x-h265"));
}

} // namespace

GST_START_TEST(test_order_of_encoder) {
  if (!have_elements({"x265enc", "h265parse"}))
    return;
  const char *options[] = {
      "bframes=0",
      "bframes=1:b-adapt=0",
      "bframes=3:b-adapt=0:b-pyramid=0",
      "bframes=4:b-adapt=0:b-pyramid=1",
      "bframes=8:b-adapt=0:b-pyramid=1:ref=5:rc-lookahead=20",
      "bframes=8:b-adapt=2:rc-lookahead=20",
      kOpenGop,
      "keyint=12:min-keyint=12:scenecut=0:open-gop=0:bframes=3:b-adapt=0",
      "bframes=3:b-adapt=0:temporal-layers=1:b-pyramid=1",
      "bframes=3:b-adapt=0:slices=2",
      "bframes=2:intra-refresh=1:keyint=20",
      "bframes=3:weightb=1:weightp=1",
      "bframes=3:aud=1",
      "bframes=3:log2-max-poc-lsb=4:b-adapt=0",
      "bframes=3:log2-max-poc-lsb=4:b-adapt=0:temporal-layers=1:b-pyramid=1",
      "interlace=tff:bframes=2",
  };
  for (const char *option : options)
    for (const char *raw : {"I420", "I420_10LE"})
      for (const char *format : {"stream-format=byte-stream", "stream-format=hvc1"}) {
        const Clip clip = encode({option, 60, format, "ball", raw});
        check_order_by_pts(clip, parse(clip), std::string(option) + " " + raw + " " + format);
      }
}
GST_END_TEST;

GST_START_TEST(test_random_access) {
  if (!have_elements({"x265enc", "h265parse"}))
    return;
  const Clip clip = encode({kOpenGop});
  const Parsed open = parse(clip);
  const auto units = random_access_units(open);
  assert_equals_uint64(units.size(), 5);
  for (uint32_t unit : units) { // a GOP apart, and the sequence goes on
    assert_equals_int(open.index.unit(unit).frame % 12, 0);
    assert_equals_int(open.pictures[unit].starts_sequence, unit == 0);
  }
  const Parsed closed = parse(encode({"keyint=12:min-keyint=12:scenecut=0:open-gop=0:bframes=3:b-adapt=0"}));
  assert_equals_uint64(random_access_units(closed).size(), 5);
  for (uint32_t unit : random_access_units(closed))
    fail_unless(closed.pictures[unit].starts_sequence);
}
GST_END_TEST;

// What decoders leave out does not count: RASL pictures of the first picture, and of one after an end of sequence.
GST_START_TEST(test_frames_are_what_decoders_show) {
  if (!have_elements({"x265enc", "h265parse", "avdec_h265"}))
    return;
  const Clip clip = encode({kOpenGop, 60, "stream-format=hvc1"});
  const Parsed whole = parse(clip);
  assert_equals_uint64(whole.index.frames(), decode(clip).size());
  const uint32_t cra = random_access_units(whole)[2];

  const Clip tail = slice_of(clip, cra, clip.size());
  const Parsed parsed = parse(tail);
  fail_unless(parsed.index.frames() < tail.size());
  assert_equals_uint64(parsed.index.frames(), decode(tail).size());
  assert_equals_int(parsed.index.unit(0).frame, 0);
  fail_unless(!parsed.pictures[1].output && parsed.index.unit(1).frame == cps::kNoFrame);

  Clip cut = slice_of(clip, 0, clip.size());
  GstSample *before = clip[cra - 1].get();
  cut[cra - 1] = sample_of(bytes_of(gst_sample_get_buffer(before)) + Bytes{0, 0, 0, 2, 0x48, 1},
                           gst_sample_get_caps(before), GST_BUFFER_PTS(gst_sample_get_buffer(before)));
  const Parsed with_end = parse(cut);
  fail_unless(with_end.pictures[cra].starts_sequence && !with_end.pictures[cra + 1].output);
  // A decoder may also discard what it has not shown yet when the sequence ends (C.5.2.2), which depends on its buffer:
  // those pictures do count.
  std::vector<GstClockTime> frames;
  for (uint32_t id = 0; id < with_end.index.frames(); ++id)
    frames.push_back(with_end.index.frame(id).pts);
  const Clip shown = decode(cut);
  fail_unless(shown.size() <= frames.size());
  for (const auto &picture : shown)
    fail_unless(std::count(frames.begin(), frames.end(), GST_BUFFER_PTS(gst_sample_get_buffer(picture.get()))) == 1);
}
GST_END_TEST;

// Each random-access picture decoded all by itself is what it is in the whole stream, bit by bit.
GST_START_TEST(test_random_access_is_exact) {
  if (!have_elements({"x265enc", "h265parse", "avdec_h265"}))
    return;
  const Clip clip = encode({kOpenGop, 60, "stream-format=hvc1"});
  const Parsed parsed = parse(clip);
  const Clip all = decode(clip);
  for (uint32_t unit : random_access_units(parsed)) {
    const Clip shown = decode(slice_of(clip, unit, unit + 1));
    assert_equals_uint64(shown.size(), 1);
    fail_unless(bytes_of(gst_sample_get_buffer(shown[0].get())) ==
                bytes_of(gst_sample_get_buffer(all[parsed.index.unit(unit).frame].get())));
  }
}
GST_END_TEST;

GST_START_TEST(test_prev_tid0_picture) {
  // Only the last picture that is no leading, sub-layer non-reference or higher-layer picture anchors the lsb (4 bits).
  const H265Picture anchor{H265Picture::TrailR, 4};
  const H265Picture after{H265Picture::TrailR, 10}; // near 4, but nearer to 16 + 8 after an `other` of 16
  for (const H265Picture &other :
       {H265Picture{H265Picture::TrailN, 11}, H265Picture{H265Picture::RadlR, 11}, H265Picture{H265Picture::RaslR, 11},
        H265Picture{H265Picture::RaslN, 11}, H265Picture{H265Picture::TrailR, 11, 1}}) {
    const H265Picture wrapped{H265Picture::TrailR, 3}; // after 11 this would be 16 + 3
    const Parsed parsed = parse_hand_made(
        {H265Picture{H265Picture::IdrWRadl}.nal(), anchor.nal(), other.nal(), wrapped.nal(), after.nal()});
    assert_equals_int(parsed.pictures[1].order, 4);
    assert_equals_int(parsed.pictures[2].order, 11);
    assert_equals_int(parsed.pictures[3].order, 3);
    assert_equals_int(parsed.pictures[4].order, 10);
  }
  const Parsed parsed =
      parse_hand_made({H265Picture{H265Picture::IdrWRadl}.nal(), anchor.nal(),
                       H265Picture{H265Picture::TrailR, 11}.nal(), H265Picture{H265Picture::TrailR, 3}.nal()});
  assert_equals_int(parsed.pictures[3].order, 19);
}
GST_END_TEST;

GST_START_TEST(test_sequences) {
  const H265Picture idr{H265Picture::IdrWRadl};
  const H265Picture cra{H265Picture::Cra, 8};
  const H265Picture rasl{H265Picture::RaslN, 6};
  const H265Picture bla{H265Picture::BlaWLp, 8};
  const H265Picture radl{H265Picture::RadlN, 7};
  const H265Picture next_cra{H265Picture::Cra, 14};
  const H265Picture next_rasl{H265Picture::RaslN, 12};
  const H265Picture next_radl{H265Picture::RadlN, 13};
  const H265Picture last_cra{H265Picture::Cra, 4}; // 16 + 4
  // Leading pictures of the first picture, of one that goes on, after an end of sequence, of a broken link, of an IDR
  // picture, and after an end of sequence at the head of the next unit.
  const Parsed parsed =
      parse_hand_made({cra.nal(), rasl.nal(), radl.nal(), next_cra.nal(), next_rasl.nal(), next_radl.nal(),
                       last_cra.nal() + h265_end_of_sequence(), cra.nal(), rasl.nal(), bla.nal(), rasl.nal(),
                       radl.nal(), idr.nal(), radl.nal(), h265_end_of_sequence() + cra.nal(), rasl.nal()});
  const std::vector<bool> starts{true,  false, false, false, false, false, false, true,
                                 false, true,  false, false, true,  false, true,  false};
  const std::vector<bool> output{true,  false, true,  true, true, true, true, true,
                                 false, true,  false, true, true, true, true, false};
  for (size_t i = 0; i < starts.size(); ++i) {
    fail_unless(parsed.understood[i]);
    fail_unless(parsed.pictures[i].starts_sequence == starts[i], "unit %zu", i);
    fail_unless(parsed.pictures[i].output == output[i], "unit %zu", i);
    fail_unless(parsed.pictures[i].late_start == (i == 0 || i == 7 || i == 14), "unit %zu", i);
  }
  check_frames(parsed.index,
               {1, cps::kNoFrame, 0, 4, 2, 3, 5, 6, cps::kNoFrame, 8, cps::kNoFrame, 7, 9, 10, 11, cps::kNoFrame});
  fail_unless(random_access_units(parsed) == Frames({0, 3, 6, 7, 9, 12, 14}));
  assert_equals_int(parsed.pictures[6].order, 20);
  assert_equals_int(parsed.pictures[7].order, 8); // starts over
}
GST_END_TEST;

// The IDR picture is gone that the second sequence began with: its pictures are no earlier ones of the first.
GST_START_TEST(test_lost_start) {
  const auto anchor = [](unsigned lsb) { return H265Picture{H265Picture::TrailR, lsb}.nal(); };
  const auto between = [](unsigned lsb) { return H265Picture{H265Picture::TrailN, lsb}.nal(); };
  const Bytes idr = H265Picture{H265Picture::IdrWRadl}.nal();
  const Parsed parsed = parse_hand_made(
      {idr, anchor(2), between(1), anchor(4), between(3), anchor(2), between(1), anchor(4), between(3)});
  check_frames(parsed.index, {0, 2, 1, 4, 3, 6, 5, 8, 7});
  for (size_t i = 0; i < parsed.pictures.size(); i++) {
    assert_equals_int(parsed.pictures[i].starts_sequence, i == 0 || i == 5);
    assert_equals_int(parsed.pictures[i].after_loss, i == 5);
  }
  fail_unless(random_access_units(parsed) == Frames({0}));

  // A picture in two parts begins none.
  check_frames(parse_hand_made({idr, anchor(2), anchor(2), between(1)}).index, {0, 2, 3, 1});
}
GST_END_TEST;

GST_START_TEST(test_pic_output_flag) {
  H265Picture hidden{H265Picture::TrailR, 2};
  hidden.output = false;
  const Parsed parsed = parse_hand_made(
      {H265Picture{H265Picture::IdrWRadl}.nal(), hidden.nal(), H265Picture{H265Picture::TrailR, 1}.nal()});
  check_frames(parsed.index, {0, cps::kNoFrame, 1});
}
GST_END_TEST;

GST_START_TEST(test_other_layers_do_not_count) {
  const H265Picture idr{H265Picture::IdrWRadl};
  const H265Picture base{H265Picture::TrailR, 2};
  H265Picture enhancement = base;
  enhancement.layer = 1;
  const Parsed parsed = parse_hand_made({idr.nal(), base.nal() + enhancement.nal(), base.nal(), enhancement.nal()});
  assert_equals_uint64(parsed.pictures[1].fingerprint, parsed.pictures[2].fingerprint);
  fail_if(parsed.pictures[3].has_picture);
}
GST_END_TEST;

GST_START_TEST(test_fingerprint_ignores_framing) {
  if (!have_elements({"x265enc", "h265parse"}))
    return;
  const Clip original = encode({"keyint=10:slices=2", 40, "stream-format=byte-stream", "snow"});
  const auto fingerprints = fingerprints_of(original);
  check_unique(fingerprints);
  for (const char *convert :
       {"h265parse ! video/x-h265,stream-format=hvc1", "h265parse ! video/x-h265,stream-format=hev1",
        "h265parse config-interval=-1 ! video/x-h265,stream-format=hvc1 ! h265parse config-interval=-1 ! "
        "video/x-h265,stream-format=byte-stream"}) {
    const Clip converted =
        run(std::string("appsrc name=in ! ") + convert + ",alignment=au ! appsink name=out", &original);
    fail_unless(fingerprints_of(converted) == fingerprints, "%s", convert);
  }
}
GST_END_TEST;

GST_START_TEST(test_damage) {
  const H265Picture idr{H265Picture::IdrWRadl};
  Bytes truncated = H265Picture{H265Picture::TrailR, 3}.nal();
  truncated.resize(6); // start code and NAL unit header
  const Parsed parsed =
      parse_hand_made({idr.nal(), H265Picture{H265Picture::TrailR, 4}.nal(), H265Picture{H265Picture::TrailN, 2}.nal(),
                       truncated, H265Picture{H265Picture::TrailN, 3}.nal()});
  fail_unless(!parsed.understood[3] && parsed.understood[4]);
  check_frames(parsed.index, {0, 4, 1, 2, 3});
  if (!have_elements({"x265enc", "h265parse"}))
    return;
  for (const char *format : {"stream-format=byte-stream", "stream-format=hvc1"})
    check_survives_damage(encode({std::string(kOpenGop) + ":slices=2", 40, format}));
}
GST_END_TEST;

GST_START_TEST(test_caps) {
  const auto accepts = [](const char *description) {
    Ref<GstCaps> caps(gst_caps_from_string(description));
    return cps::PictureParser::create(caps.get()) != nullptr;
  };
  fail_unless(accepts("video/x-h265,stream-format=byte-stream,alignment=au"));
  fail_if(accepts("video/x-h265,stream-format=byte-stream,alignment=nal"));
  fail_if(accepts("video/x-h265,stream-format=hvc1,alignment=au"));
  fail_if(accepts("video/x-h265,stream-format=hvc1,alignment=au,codec_data=(buffer)010203"));
}
GST_END_TEST;

GST_START_TEST(test_shared_videos) {
  if (!have_elements({"qtdemux", "h265parse"}))
    return;
  const std::string path = shared_video("h265_10bits.mp4");
  if (path.empty())
    return;
  const Clip clip = run("filesrc location=" + path +
                        " ! qtdemux ! h265parse ! video/x-h265,alignment=au ! "
                        "appsink name=out");
  const Parsed parsed = parse(clip);
  assert_equals_int(parsed.index.frames(), 30);
  check_order_by_pts(clip, parsed, path);
}
GST_END_TEST;

static Suite *h265_suite(void) {
  Suite *s = suite_create("h265");
  TCase *tc = tcase_create("general");
  suite_add_tcase(s, tc);
  tcase_set_timeout(tc, 100);
  tcase_add_test(tc, test_order_of_encoder);
  tcase_add_test(tc, test_random_access);
  tcase_add_test(tc, test_frames_are_what_decoders_show);
  tcase_add_test(tc, test_random_access_is_exact);
  tcase_add_test(tc, test_prev_tid0_picture);
  tcase_add_test(tc, test_sequences);
  tcase_add_test(tc, test_lost_start);
  tcase_add_test(tc, test_pic_output_flag);
  tcase_add_test(tc, test_other_layers_do_not_count);
  tcase_add_test(tc, test_fingerprint_ignores_framing);
  tcase_add_test(tc, test_damage);
  tcase_add_test(tc, test_caps);
  tcase_add_test(tc, test_shared_videos);
  return s;
}

GST_CHECK_MAIN(h265);
