// SPDX-License-Identifier: LGPL-2.1-or-later
// Access units as they come: framing, fingerprints, damage, caps, and files.
#include "tests/bitstream/h264/fixture.h"

using namespace h264;

GST_START_TEST(test_fingerprint_ignores_framing) {
  if (!have_elements({"x264enc", "h264parse"}))
    return;
  const std::string options = "bframes=2 key-int-max=10 option-string=slices=2";
  const Clip original = encode({options, 40, "stream-format=byte-stream", "snow"});
  const auto fingerprints = fingerprints_of(original);
  check_unique(fingerprints);
  for (const char *convert :
       {"h264parse ! video/x-h264,stream-format=avc", "h264parse ! video/x-h264,stream-format=avc3",
        "h264parse config-interval=-1 ! video/x-h264,stream-format=avc ! h264parse config-interval=-1 ! "
        "video/x-h264,stream-format=byte-stream"}) {
    const Clip converted =
        run(std::string("appsrc name=in ! ") + convert + ",alignment=au ! appsink name=out", &original);
    fail_unless(fingerprints_of(converted) == fingerprints, "%s", convert);
  }
}
GST_END_TEST;

GST_START_TEST(test_fingerprint_ignores_all_but_slices) {
  H264Stream stream;
  const Bytes slice = ref(1, 2).nal(stream);
  const Bytes aud{0, 0, 0, 1, 0x09, 0xf0};
  const Clip clip = clip_of(
      {
          slice,
          Bytes(slice.begin() + 1, slice.end()), // three-byte start code
          slice + Bytes(5, 0),                   // trailing zeros
          aud + stream.parameter_sets() + h264_recovery_point(0) + slice + Bytes{0, 0, 1, 0x0c, 0xff, 0x80},
          stream.parameter_sets() + aud,
          ref(1, 3).nal(stream),
          slice + slice,
          Bytes(),
      },
      "video/x-h264");
  const Parsed parsed = parse(clip);
  for (size_t i = 1; i < 4; ++i)
    assert_equals_uint64(parsed.pictures[i].fingerprint, parsed.pictures[0].fingerprint);
  fail_unless(!parsed.pictures[4].has_picture && parsed.understood[4] && parsed.pictures[4].fingerprint == 0);
  fail_unless(parsed.pictures[5].fingerprint != parsed.pictures[0].fingerprint);
  fail_unless(parsed.pictures[6].fingerprint != parsed.pictures[0].fingerprint);
  fail_unless(!parsed.pictures[7].has_picture && parsed.pictures[7].fingerprint == 0);
  // The first needs parameter sets that come later: it counts nevertheless.
  fail_unless(!parsed.understood[0] && parsed.pictures[0].has_picture && parsed.understood[3]);
}
GST_END_TEST;

GST_START_TEST(test_damage) {
  H264Stream stream;
  Pictures pictures{idr(), ref(1, 4), non_ref(2, 2), ref(2, 8), non_ref(3, 6)};
  std::vector<Bytes> units;
  for (const auto &picture : pictures)
    units.push_back((units.empty() ? stream.parameter_sets() : Bytes()) + picture.nal(stream));
  units[3].resize(6); // start code, NAL unit header, one byte
  const Parsed parsed = parse(clip_of(units, "video/x-h264"));
  fail_unless(!parsed.understood[3] && parsed.understood[4]);
  // Right after the picture before it in decode order.
  check_frames(parsed.index, {0, 3, 1, 2, 4});

  // Any slice of a picture tells its order.
  const Bytes no_header{0, 0, 1, 0x61, 0x80};
  check_orders(parse(clip_of({units[0], no_header + pictures[1].nal(stream)}, "video/x-h264")), {0, 4});

  H264Stream fields;
  fields.fields = true;
  check_survives_damage(hand_made(fields, {field(idr(), Top), field(ref(0, 1), Bottom), field(non_ref(1, 4), Top),
                                           field(non_ref(1, 5), Bottom), reset(ref(1, 8))}));
  H264Stream cycle;
  cycle.poc_type = 1;
  cycle.offset_for_ref_frame = {2, 4, 6};
  check_survives_damage(hand_made(cycle, {idr(), ref(1, 0), non_ref(2, 1), ref(2, 0)}));
  if (!have_elements({"x264enc", "h264parse"}))
    return;
  for (const char *format : {"stream-format=byte-stream", "stream-format=avc"})
    check_survives_damage(
        encode({"bframes=3 b-pyramid=true key-int-max=5 option-string=slices=2:open-gop=1", 40, format}));
}
GST_END_TEST;

GST_START_TEST(test_reset_keeps_parameter_sets) {
  H264Stream stream;
  const Clip clip = hand_made(stream, {idr(), ref(1, 7), ref(2, 14)});
  auto parser = cps::PictureParser::create(gst_sample_get_caps(clip[0].get()));
  cps::CodedPicture picture;
  for (const auto &sample : clip)
    fail_unless(parser->parse(gst_sample_get_buffer(sample.get()), picture));
  parser->reset();
  fail_unless(parser->parse(buffer_of(ref(3, 4).nal(stream)).get(), picture));
  assert_equals_int(picture.order, 4); // 20 without the reset
}
GST_END_TEST;

GST_START_TEST(test_caps) {
  const auto accepts = [](const char *description) {
    Ref<GstCaps> caps(gst_caps_from_string(description));
    return cps::PictureParser::create(caps.get()) != nullptr;
  };
  fail_unless(accepts("video/x-h264,stream-format=byte-stream,alignment=au"));
  fail_if(accepts("video/x-h264,stream-format=byte-stream,alignment=nal"));
  fail_if(accepts("video/x-h264,stream-format=avc,alignment=au")); // how long are NAL unit lengths?
  fail_if(accepts("video/x-h264,stream-format=avc,alignment=au,codec_data=(buffer)01"));
  fail_if(accepts("video/x-h264,stream-format=avc,alignment=au,codec_data=(buffer)014d0028ffe10010"));
  fail_unless(accepts("video/x-raw")); // every buffer is a picture
  fail_if(accepts("ANY"));
  fail_if(accepts("EMPTY"));
  fail_unless(cps::PictureParser::create(nullptr) == nullptr);

  Ref<GstCaps> h264(gst_caps_from_string("video/x-h264,stream-format=byte-stream,alignment=au"));
  Ref<GstCaps> h265(gst_caps_from_string("video/x-h265,stream-format=byte-stream,alignment=au"));
  auto parser = cps::PictureParser::create(h264.get());
  fail_unless(parser->set_caps(h264.get()));
  fail_if(parser->set_caps(h265.get()));
}
GST_END_TEST;

// Lengths of two bytes, parameter sets in the caps alone.
GST_START_TEST(test_short_lengths) {
  const H264Stream stream;
  const Pictures pictures{idr(), ref(1, 4), non_ref(2, 2)};
  const auto with_length = [](const Bytes &nal) {
    return Bytes{static_cast<uint8_t>(nal.size() >> 8), static_cast<uint8_t>(nal.size())} + nal;
  };
  const Bytes sets = stream.parameter_sets();
  const size_t sps_end = static_cast<size_t>(std::find(sets.begin() + 4, sets.end(), 0x68) - sets.begin()) - 4;
  const Bytes sps(sets.begin() + 4, sets.begin() + static_cast<std::ptrdiff_t>(sps_end));
  const Bytes pps(sets.begin() + static_cast<std::ptrdiff_t>(sps_end) + 4, sets.end());
  const Bytes record = Bytes{1, 77, 0, 40, 0xfd, 0xe1} + with_length(sps) + Bytes{1} + with_length(pps);
  const auto codec_data = buffer_of(record);
  Ref<GstCaps> caps(gst_caps_new_simple("video/x-h264", "stream-format", G_TYPE_STRING, "avc", "alignment",
                                        G_TYPE_STRING, "au", "codec_data", GST_TYPE_BUFFER, codec_data.get(), nullptr));
  Clip clip;
  for (const auto &picture : pictures) {
    const Bytes nal = picture.nal(stream);
    clip.push_back(sample_of(with_length(Bytes(nal.begin() + 4, nal.end())), caps.get(), GST_CLOCK_TIME_NONE));
  }
  check_frames(parse(clip).index, {0, 2, 1});
  fail_unless(fingerprints_of(clip) == fingerprints_of(hand_made(stream, pictures)));

  // Headers with their lengths and the padding that these count; none that is shorter than its length says.
  auto parser = cps::PictureParser::create(caps.get());
  const auto headers_of = [&parser](const Bytes &unit) {
    const auto buffer = buffer_of(unit);
    Bytes bytes;
    const cps::UnitSummary summary = parser->summarize(buffer.get());
    for (const cps::Part &part : summary.parameter_sets)
      bytes = bytes + Bytes(unit.begin() + static_cast<std::ptrdiff_t>(part.offset),
                            unit.begin() + static_cast<std::ptrdiff_t>(part.offset + part.size));
    return bytes;
  };
  const Bytes slice = bytes_of(gst_sample_get_buffer(clip[0].get())), padded = with_length(sps + Bytes{0, 0}),
              whole = padded + with_length(pps);
  fail_unless(headers_of(whole + slice) == whole);
  fail_unless(headers_of(Bytes(whole.begin(), whole.end() - 1)) == padded);

  // A slice behind a start code, in what goes by the length of another unit; another one follows with a length.
  const Bytes prefix{0x6e, 0xc0, 0x80, 0x0f};
  for (auto &sample : clip) {
    const Bytes unit = bytes_of(gst_sample_get_buffer(sample.get())), nal(unit.begin() + 2, unit.end());
    const Bytes nested = with_length(prefix + Bytes{0, 0, 0, 1} + nal) + with_length({0x0c, 0xff, 0x80});
    if (&sample == &clip[1])
      for (const Bytes &first : {sps, prefix + Bytes{0, 0, 0, 1} + sps}) // no header goes without the slice
        fail_unless(headers_of(with_length(first + Bytes{0, 0, 0, 1} + nal)).empty());
    sample = sample_of(nested, caps.get(), GST_CLOCK_TIME_NONE);
  }
  check_frames(parse(clip).index, {0, 2, 1});
  fail_unless(fingerprints_of(clip) == fingerprints_of(hand_made(stream, pictures)));
  if (have_elements({"avdec_h264"}))
    assert_equals_uint64(run("appsrc name=in ! avdec_h264 max-threads=1 ! appsink name=out", &clip).size(), 3);

  // A unit that is shorter than its length says.
  for (size_t i = 0; i < pictures.size(); ++i) {
    const Bytes nal = pictures[i].nal(stream);
    clip[i] = sample_of(with_length(Bytes(nal.begin() + 4, nal.end())), caps.get(), GST_CLOCK_TIME_NONE);
  }
  Bytes cut = bytes_of(gst_sample_get_buffer(clip[2].get()));
  cut.resize(cut.size() - 20);
  clip[2] = sample_of(cut, caps.get(), GST_CLOCK_TIME_NONE);
  check_frames(parse(clip).index, {0, 2, 1});
}
GST_END_TEST;

GST_START_TEST(test_shared_videos) {
  if (!have_elements({"qtdemux", "h264parse"}))
    return;
  const struct {
    const char *name;
    uint32_t frames;
  } videos[] = {{"demo.mp4", 115}, {"nasa_13013.mp4", 325}, {"bt709_full_range.mp4", 30}};
  for (const auto &video : videos) {
    const std::string path = shared_video(video.name);
    if (path.empty())
      continue;
    const Clip clip = run("filesrc location=" + path +
                          " ! qtdemux name=d d.video_0 ! h264parse ! "
                          "video/x-h264,alignment=au ! appsink name=out");
    const Parsed parsed = parse(clip);
    assert_equals_int(parsed.index.frames(), video.frames);
    check_order_by_pts(clip, parsed, video.name);
    if (g_str_equal(video.name, "demo.mp4")) {
      Frames frames;
      for (uint32_t unit : random_access_units(parsed))
        frames.push_back(parsed.index.unit(unit).frame);
      fail_unless(frames == Frames({0, 91}));
    }
  }
}
GST_END_TEST;

TCase *h264::unit_tests() {
  TCase *tests = test::subject("units", kSeconds);
  tcase_add_test(tests, test_fingerprint_ignores_framing);
  tcase_add_test(tests, test_fingerprint_ignores_all_but_slices);
  tcase_add_test(tests, test_damage);
  tcase_add_test(tests, test_reset_keeps_parameter_sets);
  tcase_add_test(tests, test_caps);
  tcase_add_test(tests, test_short_lengths);
  tcase_add_test(tests, test_shared_videos);
  return tests;
}
