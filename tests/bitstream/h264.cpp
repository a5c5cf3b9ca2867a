// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/bitstream/clips.h"
#include "tests/bitstream/h264writer.h"

namespace {

using Frames = std::vector<uint32_t>;
using Pictures = std::vector<H264Picture>;
constexpr auto Top = H264Picture::Top;
constexpr auto Bottom = H264Picture::Bottom;

struct Source {
  std::string encoder;
  int frames = 70;
  std::string format = "stream-format=byte-stream";
  std::string pattern = "ball";
};

// The encoder's property does nothing without caps that say the same.
Clip encode(const Source &source) {
  const bool interlaced = source.encoder.find(" interlaced=true") != std::string::npos;
  return run("videotestsrc num-buffers=" + std::to_string(source.frames) + " pattern=" + source.pattern +
             " ! video/x-raw,format=I420,width=96,height=64,framerate=25/1,interlace-mode=" +
             std::string(interlaced ? "interleaved" : "progressive") +
             " ! x264enc bitrate=200 speed-preset=faster threads=1 " + source.encoder +
             " ! h264parse ! video/x-h264,alignment=au," + source.format + " ! appsink name=out");
}

// The units of every picture, first in decode order; with parameter sets before the first.
Clip hand_made(const H264Stream &stream, const Pictures &pictures) {
  std::vector<Bytes> units;
  for (const H264Picture &picture : pictures)
    units.push_back((units.empty() ? stream.parameter_sets() : Bytes()) + picture.nal(stream));
  return clip_of(units, "video/x-h264");
}

// Top left luma of each decoded picture, in the order in which they come out.
std::vector<int> decode(const Clip &clip) {
  const Clip pictures = run("appsrc name=in ! h264parse ! avdec_h264 max-threads=1 ! "
                            "video/x-raw,format=I420 ! appsink name=out",
                            &clip);
  std::vector<int> lumas;
  for (const auto &picture : pictures)
    lumas.push_back(bytes_of(gst_sample_get_buffer(picture.get()))[0]);
  return lumas;
}

// The decoder must show the first units of our frames in our order.
void check_decoder_agrees(const H264Stream &stream, const Pictures &pictures, const Parsed &parsed) {
  if (!have_elements({"h264parse", "avdec_h264"}))
    return;
  std::vector<int> expected(parsed.index.frames());
  for (size_t i = 0; i < pictures.size(); ++i)
    if (pictures[i].structure != Bottom) // the top left sample is the top field's
      expected[parsed.index.unit(i).frame] = pictures[i].luma;
  const std::vector<int> shown = decode(hand_made(stream, pictures));
  for (size_t i = 0; i < std::max(shown.size(), expected.size()); ++i)
    fail_unless(i < shown.size() && i < expected.size() && shown[i] == expected[i],
                "frame %zu: decoder shows %d, expected %d", i, i < shown.size() ? shown[i] : -1,
                i < expected.size() ? expected[i] : -1);
}

Parsed check_hand_made(const H264Stream &stream, Pictures pictures, const Frames &expected) {
  for (size_t i = 0; i < pictures.size(); ++i)
    pictures[i].luma = static_cast<uint8_t>(20 + 5 * i);
  Parsed parsed = parse(hand_made(stream, pictures));
  check_frames(parsed.index, expected);
  check_decoder_agrees(stream, pictures, parsed);
  return parsed;
}

void check_orders(const Parsed &parsed, const std::vector<int> &expected) {
  assert_equals_uint64(parsed.pictures.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i)
    assert_equals_int(parsed.pictures[i].order, expected[i]);
}

} // namespace

GST_START_TEST(test_order_of_encoder) {
  if (!have_elements({"x264enc", "h264parse"}))
    return;
  const char *options[] = {
      "bframes=0",
      "bframes=1 b-adapt=false",
      "bframes=2 ref=1",
      "bframes=3 b-adapt=false b-pyramid=true ref=4",
      "bframes=4 b-adapt=false option-string=b-pyramid=strict",
      "bframes=8 b-adapt=false b-pyramid=true ref=16",
      "bframes=8 option-string=b-pyramid=none",
      "bframes=3 key-int-max=12 option-string=scenecut=0",
      "bframes=3 b-adapt=false b-pyramid=true key-int-max=12 option-string=open-gop=1:scenecut=0",
      "bframes=2 intra-refresh=true key-int-max=20",
      "bframes=2 weightb=true option-string=weightp=2",
      "bframes=2 option-string=slices=4",
      "bframes=2 sliced-threads=true",
      "bframes=3 interlaced=true b-pyramid=true",
      "bframes=0 interlaced=true",
      "tune=zerolatency",
      "bframes=2 cabac=false aud=true",
      "bframes=2 option-string=fake-interlaced=1",
      "bframes=3 option-string=nal-hrd=vbr:vbv-maxrate=200:vbv-bufsize=200:pic-struct=1",
  };
  for (const char *option : options)
    for (const char *pattern : {"ball", "snow"})
      for (const char *format : {"stream-format=byte-stream", "stream-format=avc"}) {
        const Clip clip = encode({option, 70, format, pattern});
        const Parsed parsed = parse(clip);
        check_order_by_pts(clip, parsed, std::string(option) + " " + pattern + " " + format);
        if (g_str_equal(pattern, "snow"))
          check_unique(fingerprints_of(clip));
      }
}
GST_END_TEST;

// Orders of more than 65536 pictures would be needed to wrap x264's own; a short lsb wraps sooner.
GST_START_TEST(test_order_lsb_wraps) {
  H264Stream stream;
  Pictures pictures{idr()};
  Frames frames{0};
  for (unsigned i = 1; i <= 20; i += 2) {
    pictures.push_back(ref(i / 2 + 1, static_cast<int>(2 * i + 2)));
    pictures.push_back(non_ref(i / 2 + 2, static_cast<int>(2 * i)));
    frames.insert(frames.end(), {i + 1, i});
  }
  check_hand_made(stream, pictures, frames);
}
GST_END_TEST;

// The previous *reference* picture anchors the lsb, and it may fall back behind a wrap.
GST_START_TEST(test_order_lsb_anchor) {
  // The non-reference pictures go back behind the wrap at 16; the reference picture after them does not.
  check_hand_made(
      H264Stream(),
      {idr(), ref(1, 6), ref(2, 12), ref(3, 18), non_ref(4, 14), non_ref(4, 11), ref(4, 22), non_ref(5, 20)},
      {0, 1, 3, 5, 4, 2, 7, 6});
}
GST_END_TEST;

GST_START_TEST(test_order_lsb_half_way) {
  // Half a cycle on is on; half a cycle back is on as well.
  check_orders(parse(hand_made(H264Stream(), {idr(), ref(1, 8), ref(2, 16), non_ref(3, 24)})), {0, 8, 16, 24});
  check_orders(parse(hand_made(H264Stream(), {idr(), ref(1, 7), ref(2, 10), ref(3, 2)})), {0, 7, 10, 18});
}
GST_END_TEST;

GST_START_TEST(test_order_of_bottom_field) {
  H264Stream stream;
  stream.bottom_deltas = true;
  const auto bottom = [](H264Picture p, int delta) {
    p.bottom_delta = delta;
    return p;
  };
  // The order of a frame is that of its first field.
  check_orders(parse(hand_made(stream, {idr(), bottom(ref(1, 4), 1), bottom(ref(2, 8), -1)})), {0, 4, 7});
  // After a reset the top field's order, 2 here, anchors the lsb: 9 is 7 on, not 7 back.
  check_orders(parse(hand_made(stream, {idr(), reset(bottom(ref(1, 4), -2)), ref(1, 9)})), {0, 0, 9});

  stream = {};
  stream.fields = true;
  stream.poc_type = 1;
  stream.offset_for_ref_frame = {4};
  stream.offset_for_top_to_bottom_field = -1;
  check_orders(parse(hand_made(stream, {field(idr(), Top), field(ref(0, 0), Bottom), field(ref(1, 0), Bottom),
                                        field(ref(1, 0), Top), ref(2, 0)})),
               {0, -1, 3, 4, 7});
}
GST_END_TEST;

GST_START_TEST(test_order_type_1) {
  H264Stream stream;
  stream.poc_type = 1;
  stream.offset_for_ref_frame = {4, 8};
  stream.offset_for_non_ref_pic = -10;
  stream.offset_for_top_to_bottom_field = 1;
  Pictures pictures{idr()};
  Frames frames{0};
  for (unsigned i = 1; i < 20; ++i) { // frame_num wraps at 16
    pictures.push_back(ref(i % 16, 0));
    frames.push_back(i);
  }
  check_hand_made(stream, pictures, frames);

  // References at 0, 4, 12, 16, 24; non-reference pictures 10 before the last of them, moved by their own delta.
  check_hand_made(stream, {idr(), ref(1, 0), ref(2, 0), non_ref(3, 4), ref(3, 0), non_ref(4, 8), ref(4, 0)},
                  {0, 1, 3, 2, 5, 4, 6});
}
GST_END_TEST;

GST_START_TEST(test_order_type_2) {
  H264Stream stream;
  stream.poc_type = 2;
  Pictures pictures{idr()};
  check_orders(parse(hand_made(stream, {idr(), ref(1, 0), non_ref(2, 0), ref(2, 0), idr(), ref(1, 0)})),
               {0, 2, 3, 4, 0, 2});
  Frames frames{0};
  for (unsigned i = 1; i < 40; ++i) {
    pictures.push_back(i % 2 ? ref((i / 2 + 1) % 16, 0) : non_ref((i / 2 + 1) % 16, 0));
    frames.push_back(i);
  }
  check_hand_made(stream, pictures, frames);
}
GST_END_TEST;

GST_START_TEST(test_frame_num_gaps) {
  for (unsigned poc_type : {1u, 2u}) {
    H264Stream stream;
    stream.poc_type = poc_type;
    stream.frame_num_gaps = true;
    stream.offset_for_ref_frame = {2};
    // Over a wrap and more; decoders conceal gaps by pictures of their own, so only the order is checked.
    Pictures pictures{idr(), ref(3, 0), ref(12, 0), ref(2, 0), ref(1, 0)};
    const Parsed parsed = parse(hand_made(stream, pictures));
    check_orders(parsed, {0, 6, 24, 36, 66});
  }
}
GST_END_TEST;

GST_START_TEST(test_order_reset) {
  for (unsigned poc_type : {0u, 1u, 2u}) {
    H264Stream stream;
    stream.poc_type = poc_type;
    stream.offset_for_ref_frame = {2};
    const bool lsb = poc_type == 0;
    // After the operation 5 frame_num goes on from 0 and orders from that picture's own.
    const Parsed parsed = check_hand_made(
        stream, {idr(), ref(1, 2 * lsb), ref(2, 4 * lsb), reset(ref(3, 6 * lsb)), ref(1, 2 * lsb), ref(2, 4 * lsb)},
        {0, 1, 2, 3, 4, 5});
    check_orders(parsed, {0, 2, 4, 0, 2, 4});
    for (size_t i = 0; i < 6; ++i) {
      assert_equals_int(parsed.pictures[i].starts_sequence, i == 0 || i == 3);
      assert_equals_int(parsed.pictures[i].late_start, i == 3);
    }
    assert_equals_int(parsed.index.unit(5).sequence, 2);
  }
  // An IDR picture forgets all before it, too.
  check_orders(parse(hand_made(H264Stream(), {idr(), ref(1, 7), ref(2, 14), idr(), ref(1, 4)})), {0, 7, 14, 0, 4});
  // Orders that follow a reset are not compared with those before it.
  check_hand_made(H264Stream(), {idr(), ref(1, 7), reset(ref(2, 14)), ref(1, 4), non_ref(2, 2)}, {0, 1, 2, 4, 3});
}
GST_END_TEST;

GST_START_TEST(test_field_pairs) {
  H264Stream stream;
  stream.fields = true;
  const Pictures pictures{
      field(idr(), Top),         field(ref(0, 1), Bottom),                 // IDR picture and its second field
      field(ref(1, 8), Bottom),  field(ref(1, 9), Top),                    // bottom first
      field(non_ref(2, 4), Top), field(non_ref(2, 5), Bottom), ref(2, 12), // a frame
  };
  const Parsed parsed = check_hand_made(stream, pictures, {0, 0, 2, 2, 1, 1, 3});
  for (size_t i = 0; i < pictures.size(); ++i)
    assert_equals_int(parsed.pictures[i].second_field, i < 6 && i % 2);
  fail_unless(random_access_units(parsed) == Frames{0});

  // The same with both fields in one access unit, as MP4 has them, and one for each as they leave h264parse.
  std::vector<Bytes> units{stream.parameter_sets()};
  for (size_t i = 0; i < pictures.size(); ++i) {
    if (i > 0 && (i % 2 == 0 || i > 5))
      units.emplace_back();
    units.back() = units.back() + pictures[i].nal(stream);
  }
  const Clip paired = clip_of(units, "video/x-h264");
  check_frames(parse(paired).index, {0, 2, 1, 3});
  if (!have_elements({"h264parse"}))
    return;
  const Clip split = run("appsrc name=in ! h264parse ! video/x-h264,alignment=au ! appsink name=out", &paired);
  assert_equals_int(parse(split).index.frames(), 4);
}
GST_END_TEST;

GST_START_TEST(test_fields_in_one_unit) {
  H264Stream stream;
  stream.fields = true;
  H264Picture inter = field(ref(2, 8), Bottom);
  inter.inter = true;
  const Parsed parsed = parse(clip_of(
      {
          stream.parameter_sets() + field(idr(), Top).nal(stream) + field(ref(0, 1), Bottom).nal(stream),
          field(ref(0, 2), Bottom).nal(stream), // nothing left to complete
          field(ref(1, 5), Top).nal(stream) + field(ref(1, 4), Bottom).nal(stream),
          // The second field may refer to the first: the frame is exact all the same.
          h264_recovery_point(0) + field(ref(2, 7), Top).nal(stream) + inter.nal(stream) + inter.nal(stream),
      },
      "video/x-h264"));
  check_orders(parsed, {0, 2, 4, 7});
  for (const auto &picture : parsed.pictures)
    fail_if(picture.second_field);
  fail_unless(random_access_units(parsed) == Frames({0, 3}));
}
GST_END_TEST;

GST_START_TEST(test_unpaired_fields) {
  H264Stream stream;
  stream.fields = true;
  const auto second_fields = [&](const Pictures &pictures) {
    Frames units;
    const Parsed parsed = parse(hand_made(stream, pictures));
    for (size_t i = 0; i < pictures.size(); ++i)
      if (parsed.pictures[i].second_field)
        units.push_back(static_cast<uint32_t>(i));
    return units;
  };
  // Equal parity, other frame_num, a reference field with another, an IDR picture, an operation 5.
  fail_unless(second_fields({field(idr(), Top), field(ref(0, 2), Top)}).empty());
  fail_unless(second_fields({field(idr(), Top), field(ref(1, 1), Bottom)}).empty());
  fail_unless(second_fields({field(idr(), Top), field(non_ref(0, 1), Bottom)}).empty());
  fail_unless(second_fields({field(idr(), Top), field(idr(), Bottom)}).empty());
  fail_unless(second_fields({field(idr(), Top), reset(field(ref(0, 1), Bottom))}).empty());
  // A lone field, then a pair; a third field has nothing to complete.
  fail_unless(second_fields({field(idr(), Top), field(ref(1, 2), Top), field(ref(1, 3), Bottom)}) == Frames{2});
  fail_unless(second_fields({field(idr(), Top), field(ref(0, 1), Bottom), field(ref(0, 2), Top)}) == Frames{1});
  // The first field resets: the second goes on from frame_num 0.
  fail_unless(second_fields({field(idr(), Top), field(ref(0, 1), Bottom), reset(field(ref(1, 8), Top)),
                             field(ref(0, 1), Bottom)}) == Frames({1, 3}));
}
GST_END_TEST;

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

static Suite *h264_suite(void) {
  Suite *s = suite_create("h264");
  TCase *tc = tcase_create("general");
  suite_add_tcase(s, tc);
  tcase_set_timeout(tc, 100);
  tcase_add_test(tc, test_order_of_encoder);
  tcase_add_test(tc, test_order_lsb_wraps);
  tcase_add_test(tc, test_order_lsb_anchor);
  tcase_add_test(tc, test_order_lsb_half_way);
  tcase_add_test(tc, test_order_of_bottom_field);
  tcase_add_test(tc, test_order_type_1);
  tcase_add_test(tc, test_order_type_2);
  tcase_add_test(tc, test_frame_num_gaps);
  tcase_add_test(tc, test_order_reset);
  tcase_add_test(tc, test_field_pairs);
  tcase_add_test(tc, test_fields_in_one_unit);
  tcase_add_test(tc, test_unpaired_fields);
  tcase_add_test(tc, test_random_access);
  tcase_add_test(tc, test_random_access_needs_recovery_point);
  tcase_add_test(tc, test_recovery);
  tcase_add_test(tc, test_random_access_is_exact);
  tcase_add_test(tc, test_fingerprint_ignores_framing);
  tcase_add_test(tc, test_fingerprint_ignores_all_but_slices);
  tcase_add_test(tc, test_damage);
  tcase_add_test(tc, test_reset_keeps_parameter_sets);
  tcase_add_test(tc, test_caps);
  tcase_add_test(tc, test_short_lengths);
  tcase_add_test(tc, test_shared_videos);
  return s;
}

GST_CHECK_MAIN(h264);
