// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/bitstream/h264/fixture.h"

using namespace h264;

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

TCase *h264::field_tests() {
  TCase *tests = test::subject("fields", kSeconds);
  tcase_add_test(tests, test_field_pairs);
  tcase_add_test(tests, test_fields_in_one_unit);
  tcase_add_test(tests, test_unpaired_fields);
  return tests;
}
