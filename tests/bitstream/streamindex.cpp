// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/bitstream/streamindex.h"

#include <gst/check/gstcheck.h>

#include <vector>

using cps::CodedPicture;
using cps::kNoFrame;
using cps::StreamIndex;

namespace {

CodedPicture picture(int32_t order, uint64_t fingerprint = 1) {
  CodedPicture p;
  p.has_picture = true;
  p.order = order;
  p.fingerprint = fingerprint;
  return p;
}

CodedPicture sequence_start(int32_t order) {
  CodedPicture p = picture(order);
  p.starts_sequence = true;
  return p;
}

void check_frames(const StreamIndex &index, const std::vector<uint32_t> &expected) {
  assert_equals_uint64(index.units(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i)
    assert_equals_int(index.unit(i).frame, expected[i]);
  for (uint32_t id = 0; id < index.frames(); ++id)
    assert_equals_int(index.frame(id).frame, id);
}

StreamIndex index_of(const std::vector<CodedPicture> &pictures) {
  StreamIndex index;
  GstClockTime pts = 0;
  for (const auto &p : pictures)
    index.add(p, {pts++, GST_CLOCK_TIME_NONE}, false);
  index.finish();
  return index;
}

} // namespace

GST_START_TEST(test_order_starts_over_with_each_sequence) {
  check_frames(index_of({sequence_start(0), picture(8), picture(4), sequence_start(0), picture(-2), picture(2)}),
               {0, 2, 1, 4, 3, 5});
  // The first picture need not start a sequence; equal orders keep decode order.
  check_frames(index_of({picture(5), picture(3), picture(3), sequence_start(-9)}), {2, 0, 1, 3});
}
GST_END_TEST;

// Far references are numbers of four bytes among single ones, wherever they come to lie.
GST_START_TEST(test_references_near_and_far) {
  StreamIndex index;
  for (uint32_t i = 0; i < 70000; ++i) {
    CodedPicture p = picture(static_cast<int32_t>(i));
    p.references.known = true;
    if (i % 1000 == 999)
      for (const uint32_t distance : {1u, 254u, 255u, 256u, i})
        if (distance <= i)
          p.references.units[p.references.count++] = i - distance;
    index.add(p, {i, GST_CLOCK_TIME_NONE}, false);
  }
  index.finish();
  for (uint32_t i = 999; i < 70000; i += 1000) {
    std::vector<size_t> found;
    index.visit_references(i, [&](size_t unit) { found.push_back(unit); });
    fail_unless(found == std::vector<size_t>({i - 1, i - 254, i - 255, i - 256, 0}));
  }
}
GST_END_TEST;

GST_START_TEST(test_what_is_no_frame) {
  CodedPicture second_field = picture(1);
  second_field.second_field = true;
  CodedPicture hidden = picture(2);
  hidden.output = false;
  CodedPicture parameter_sets;

  StreamIndex index;
  index.add(parameter_sets, {0, 0}, false);
  index.add(sequence_start(0), {1, 1}, false);
  index.add(second_field, {1, 1}, false);
  index.add(hidden, {2, 2}, false);
  index.add(picture(8), {3, 3}, true); // outside the segment, and so is its second field
  index.add(second_field, {3, 3}, true);
  index.add(picture(4), {4, 4}, false);
  index.add(parameter_sets, {5, 5}, false);
  index.add(second_field, {4, 4}, false);
  index.finish();
  assert_equals_int(index.frames(), 2);
  check_frames(index, {kNoFrame, 0, 0, kNoFrame, kNoFrame, kNoFrame, 1, kNoFrame, 1});
  assert_equals_uint64(index.frame(1).pts, 4);

  index.clear();
  assert_equals_uint64(index.units(), 0);
  assert_equals_int(index.frames(), 0);
}
GST_END_TEST;

// Neither what comes before the first whole picture, nor what is shown before it.
GST_START_TEST(test_what_has_lost_its_references) {
  const auto whole = [](CodedPicture p) {
    p.recovers = true;
    return p;
  };
  CodedPicture second_field = picture(9);
  second_field.second_field = true;
  check_frames(index_of({picture(4), whole(picture(10)), second_field, picture(8), picture(12), picture(11),
                         whole(picture(20)), picture(18), sequence_start(0)}),
               {kNoFrame, 0, 0, kNoFrame, 2, 1, 4, 3, 5});
  check_frames(index_of({picture(4), whole(sequence_start(10)), picture(8), picture(12)}), {kNoFrame, 1, 0, 2});
  check_frames(index_of({picture(4), picture(2)}), {1, 0}); // none is whole
}
GST_END_TEST;

GST_START_TEST(test_empty) {
  StreamIndex index;
  index.finish();
  assert_equals_int(index.frames(), 0);
  assert_equals_uint64(index.find(1, 0), 0);
  assert_equals_uint64(index.find(1, 7), 0);
}
GST_END_TEST;

GST_START_TEST(test_find_nearest) {
  std::vector<CodedPicture> pictures;
  for (uint64_t fingerprint : {7, 8, 9, 7, 5, 7})
    pictures.push_back(picture(0, fingerprint));
  const StreamIndex index = index_of(pictures);
  assert_equals_uint64(index.find(9, 2), 2); // exactly there
  assert_equals_uint64(index.find(7, 1), 3); // after, though one before is as near
  assert_equals_uint64(index.find(7, 4), 5);
  assert_equals_uint64(index.find(9, 5), 2); // before
  assert_equals_uint64(index.find(7, 99), 5);
  assert_equals_uint64(index.find(8, 6), 1);
  assert_equals_uint64(index.find(1, 3), 6); // nowhere
}
GST_END_TEST;

// The only sequence header of a stream may be anywhere before.
GST_START_TEST(test_far_references) {
  CodedPicture far = picture(0);
  far.references.known = true;
  far.references.count = 2;
  far.references.units[0] = 3;
  far.references.units[1] = 99999;
  std::vector<CodedPicture> pictures(100000, picture(0));
  pictures.push_back(far);
  std::vector<size_t> references;
  index_of(pictures).visit_references(100000, [&references](size_t unit) { references.push_back(unit); });
  fail_unless(references == std::vector<size_t>({3, 99999}));
}
GST_END_TEST;

// Pictures repeat in still scenes: the time tells which.
GST_START_TEST(test_find_nearest_in_time) {
  StreamIndex index;
  const struct {
    uint64_t fingerprint;
    GstClockTime pts;
  } units[] = {{7, 0}, {8, 40}, {7, 100}, {9, GST_CLOCK_TIME_NONE}, {7, 200}, {9, 240}};
  for (const auto &unit : units)
    index.add(picture(0, unit.fingerprint), {unit.pts, GST_CLOCK_TIME_NONE}, false);
  index.finish();
  assert_equals_uint64(index.find_nearest(7, 100), 2); // exactly there
  assert_equals_uint64(index.find_nearest(7, 149), 2);
  assert_equals_uint64(index.find_nearest(7, 151), 4);
  assert_equals_uint64(index.find_nearest(7, 49), 0);
  assert_equals_uint64(index.find_nearest(7, 50), 0); // the first of two that are as near
  assert_equals_uint64(index.find_nearest(7, 9999), 4);
  assert_equals_uint64(index.find_nearest(8, 9999), 1);
  assert_equals_uint64(index.find_nearest(9, 0), 5); // any time is nearer than none
  assert_equals_uint64(index.find_nearest(7, GST_CLOCK_TIME_NONE), 0);
  assert_equals_uint64(index.find_nearest(1, 40), 6); // nowhere
  assert_equals_uint64(StreamIndex().find_nearest(7, 0), 0);
}
GST_END_TEST;

// Time stamps in decode order, where that is not display order, are not those of frames.
GST_START_TEST(test_times) {
  const auto is_timed = [](const std::vector<std::pair<int32_t, GstClockTime>> &pictures) {
    StreamIndex index;
    for (const auto &[order, pts] : pictures)
      index.add(picture(order), {pts, GST_CLOCK_TIME_NONE}, false);
    index.finish();
    for (uint32_t id = 0; id < index.frames(); ++id)
      fail_unless(index.stamped() == GST_CLOCK_TIME_IS_VALID(index.frame(id).pts));
    return index.stamped();
  };
  fail_unless(is_timed({{0, 0}, {2, 40}, {4, 80}}));
  fail_unless(is_timed({{0, 0}, {4, 80}, {2, 40}}));
  fail_unless(is_timed({{0, 80}, {4, 0}, {2, 40}})); // wrong, but who knows how
  fail_if(is_timed({{0, 0}, {4, 40}, {2, 80}}));
  fail_if(is_timed({{0, 40}, {4, 40}, {2, 40}}));
  StreamIndex partly;
  partly.add(picture(0), {0, 0}, false);
  partly.add(picture(2), {GST_CLOCK_TIME_NONE, 0}, false);
  partly.finish();
  fail_if(partly.stamped());
  fail_unless(GST_CLOCK_TIME_IS_VALID(partly.frame(0).pts));
}
GST_END_TEST;

GST_START_TEST(test_memory) {
  // An hour of video at 30 frames a second costs a few MiB.
  fail_unless(sizeof(StreamIndex::AccessUnit) + sizeof(uint32_t) + sizeof(int64_t) <= 80); // the times of frames, too
}
GST_END_TEST;

// Of a stream whose entry points have these times, with a picture after each.
static StreamIndex index_of_entries(const std::vector<int> &times) {
  StreamIndex index;
  int32_t order = 0;
  const auto add = [&](bool entry, int time) {
    CodedPicture p = picture(order++);
    p.random_access = entry;
    cps::UnitTimes stamps;
    if (time >= 0)
      stamps.pts = static_cast<GstClockTime>(stamps.time = time);
    index.add(p, stamps, false);
  };
  for (const int time : times) {
    add(true, time);
    add(false, time < 0 ? -1 : time + 1);
  }
  index.finish();
  return index;
}

GST_START_TEST(test_places) {
  fail_unless(index_of_entries({0}).has_places());
  fail_unless(index_of_entries({0, 10, 20}).has_places());
  fail_if(index_of_entries({0, 10, -1}).has_places());
  fail_if(index_of_entries({0, 10, 10}).has_places());
  fail_if(index_of_entries({0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 50}).has_places());
  fail_if(index_of_entries({0, 10, 20, 0, 10, 20}).has_places());
}
GST_END_TEST;

// What is read back is what was written; anything else is refused and leaves an empty index.
GST_START_TEST(test_image) {
  StreamIndex index = index_of({sequence_start(0), picture(8), picture(4), sequence_start(0), picture(-2), picture(2)});
  index.set_traits({77, true});
  const std::string image = index.image();
  const auto load = [](const std::string &bytes, uint32_t frames) {
    StreamIndex loaded;
    const bool good = loaded.load(reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size(), frames);
    fail_unless(good || (loaded.units() == 0 && loaded.frames() == 0));
    return std::make_pair(good, loaded);
  };
  const auto [good, loaded] = load(image, 6);
  fail_unless(good);
  check_frames(loaded, {0, 2, 1, 4, 3, 5});
  fail_unless(loaded.times() == index.times());
  fail_unless(loaded.traits().order_window == 77 && loaded.traits().full_range);
  fail_unless(loaded.image() == image);
  fail_if(load(image, 5).first);
  fail_if(load(image, 7).first);
  for (size_t size = 0; size < image.size(); ++size)
    fail_if(load(image.substr(0, size), 6).first);
  fail_if(load(image + "x", 6).first);
}
GST_END_TEST;

static Suite *streamindex_suite(void) {
  Suite *s = suite_create("streamindex");
  TCase *tc = tcase_create("general");
  suite_add_tcase(s, tc);
  tcase_add_test(tc, test_references_near_and_far);
  tcase_add_test(tc, test_order_starts_over_with_each_sequence);
  tcase_add_test(tc, test_what_is_no_frame);
  tcase_add_test(tc, test_what_has_lost_its_references);
  tcase_add_test(tc, test_empty);
  tcase_add_test(tc, test_far_references);
  tcase_add_test(tc, test_find_nearest);
  tcase_add_test(tc, test_find_nearest_in_time);
  tcase_add_test(tc, test_times);
  tcase_add_test(tc, test_memory);
  tcase_add_test(tc, test_places);
  tcase_add_test(tc, test_image);
  return s;
}

GST_CHECK_MAIN(streamindex);
