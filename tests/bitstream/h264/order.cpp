// SPDX-License-Identifier: LGPL-2.1-or-later
// The order in which pictures are shown.
#include "tests/bitstream/h264/fixture.h"

using namespace h264;

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
      assert_equals_int(parsed.pictures[i].after_loss, false); // as if the start of a sequence were lost
    }
    assert_equals_int(parsed.index.unit(5).sequence, 2);
  }
  // An IDR picture forgets all before it, too.
  check_orders(parse(hand_made(H264Stream(), {idr(), ref(1, 7), ref(2, 14), idr(), ref(1, 4)})), {0, 7, 14, 0, 4});
  // Orders that follow a reset are not compared with those before it.
  check_hand_made(H264Stream(), {idr(), ref(1, 7), reset(ref(2, 14)), ref(1, 4), non_ref(2, 2)}, {0, 1, 2, 4, 3});
}
GST_END_TEST;

TCase *h264::order_tests() {
  TCase *tests = test::subject("order", kSeconds);
  tcase_add_test(tests, test_order_of_encoder);
  tcase_add_test(tests, test_order_lsb_wraps);
  tcase_add_test(tests, test_order_lsb_anchor);
  tcase_add_test(tests, test_order_lsb_half_way);
  tcase_add_test(tests, test_order_of_bottom_field);
  tcase_add_test(tests, test_order_type_1);
  tcase_add_test(tests, test_order_type_2);
  tcase_add_test(tests, test_frame_num_gaps);
  tcase_add_test(tests, test_order_reset);
  return tests;
}
