// SPDX-License-Identifier: LGPL-2.1-or-later
// Where decoders may begin.
#include "tests/bitstream/h264/fixture.h"

using namespace h264;

GST_START_TEST(test_random_access) {
  if (!have_elements({"x264enc", "h264parse"}))
    return;
  const auto units = [](const std::string &options) { return random_access_units(parse(encode({options}))); };
  assert_equals_uint64(units("bframes=3 b-adapt=false key-int-max=10 option-string=scenecut=0").size(), 7);
  assert_equals_uint64(units("bframes=3 b-adapt=false key-int-max=10 option-string=scenecut=0:open-gop=1").size(), 7);
  assert_equals_uint64(units("bframes=0 key-int-max=10 option-string=scenecut=0:slices=4:open-gop=1").size(), 7);
  // Intra refresh: recovery takes as many pictures as a refresh does.
  fail_unless(units("bframes=0 intra-refresh=true key-int-max=10") == Frames{0});
}
GST_END_TEST;

GST_START_TEST(test_random_access_needs_recovery_point) {
  H264Stream stream;
  H264Picture inter = ref(4, 8);
  inter.inter = true;
  const Clip clip = clip_of(
      {
          stream.parameter_sets() + idr().nal(stream), ref(1, 2).nal(stream),       // just intra
          h264_recovery_point(0) + ref(2, 4).nal(stream),                           // random access
          h264_recovery_point(1) + ref(3, 6).nal(stream),                           // exact one picture later
          h264_recovery_point(0) + inter.nal(stream),                               // refers to others
          h264_recovery_point(0) + ref(5, 10).nal(stream) + ref(5, 10).nal(stream), // two slices
      },
      "video/x-h264");
  fail_unless(random_access_units(parse(clip)) == Frames({0, 2, 5}));

  // An I slice and a P slice.
  H264Picture p = ref(1, 2);
  p.inter = true;
  p.first_mb = 1;
  const Clip partly = clip_of(
      {stream.parameter_sets() + idr().nal(stream), h264_recovery_point(0) + ref(1, 2).nal(stream) + p.nal(stream)},
      "video/x-h264");
  fail_unless(random_access_units(parse(partly)) == Frames{0});
}
GST_END_TEST;

// Where decoders that have begun in the middle take pictures for whole.
GST_START_TEST(test_recovery) {
  const auto recovering = [](const std::vector<Bytes> &units) {
    Frames found;
    const Parsed parsed = parse(clip_of(units, "video/x-h264"));
    for (size_t i = 0; i < parsed.index.units(); i++)
      if (parsed.index.unit(i).recovers)
        found.push_back(static_cast<uint32_t>(i));
    return found;
  };
  H264Stream stream;
  const auto inter = [&stream](int number) {
    H264Picture picture = ref(number, 2 * number);
    picture.inter = true;
    return picture.nal(stream);
  };
  const Bytes sets = stream.parameter_sets();
  fail_unless(recovering({sets + inter(3), h264_recovery_point(2) + inter(4), inter(5), inter(6), inter(7)}) ==
              Frames{3});
  fail_unless(recovering({sets + inter(15), h264_recovery_point(2) + inter(15), inter(0), inter(1)}) == Frames{3});
  // Intra pictures count where nothing has been promised.
  fail_unless(recovering({sets + inter(3), ref(4, 8).nal(stream), inter(5)}) == Frames{1});
  fail_unless(recovering({sets + inter(3), h264_recovery_point(1) + ref(4, 8).nal(stream), inter(5)}) == Frames{2});
  fail_unless(recovering({sets + inter(3), h264_recovery_point(9) + inter(4), idr().nal(stream)}) == Frames{2});
}
GST_END_TEST;

// Each random-access picture decoded all by itself is what it is in the whole stream, bit by bit.
GST_START_TEST(test_random_access_is_exact) {
  if (!have_elements({"x264enc", "h264parse", "avdec_h264"}))
    return;
  // Few references, for avdec_h264 gives up at gaps of frame_num that are longer than a picture or two.
  for (const char *options : {"option-string=scenecut=0:b-pyramid=none:open-gop=1", "option-string=b-pyramid=none",
                              "interlaced=true option-string=scenecut=0:b-pyramid=none:open-gop=1:slices=2"}) {
    // Parameter sets in the caps, for not every random-access picture brings its own.
    const Clip clip =
        encode({std::string("bframes=3 b-adapt=false ref=1 key-int-max=12 ") + options, 70, "stream-format=avc"});
    const Parsed parsed = parse(clip);
    const std::string decoder = "appsrc name=in ! h264parse ! avdec_h264 max-threads=1 ! appsink name=out";
    const Clip all = run(decoder, &clip);
    assert_equals_uint64(all.size(), clip.size());
    const auto units = random_access_units(parsed);
    fail_unless(units.size() > 4);
    for (uint32_t unit : units) {
      Clip alone;
      alone.emplace_back(gst_sample_ref(clip[unit].get()));
      const Clip shown = run(decoder, &alone);
      fail_unless(shown.size() == 1, "%s: unit %u alone gives %zu pictures", options, unit, shown.size());
      fail_unless(bytes_of(gst_sample_get_buffer(shown[0].get())) ==
                      bytes_of(gst_sample_get_buffer(all[parsed.index.unit(unit).frame].get())),
                  "%s: unit %u is not exact", options, unit);
    }
  }
}
GST_END_TEST;

TCase *h264::random_access_tests() {
  TCase *tests = test::subject("random-access", kSeconds);
  tcase_add_test(tests, test_random_access);
  tcase_add_test(tests, test_random_access_needs_recovery_point);
  tcase_add_test(tests, test_recovery);
  tcase_add_test(tests, test_random_access_is_exact);
  return tests;
}
