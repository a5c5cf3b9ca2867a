// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/bitstream/neededunits.h"

#include <gst/check/gstcheck.h>

#include <algorithm>
#include <vector>

using cps::CodedPicture;
using cps::NeededUnits;
using cps::StreamIndex;

namespace {

using Flags = std::vector<bool>;

// One character a unit: '1' is true.
Flags flags(const char *text) {
  Flags out;
  for (; *text; ++text)
    out.push_back(*text == '1');
  return out;
}

CodedPicture picture(int32_t order, bool reference = true) {
  CodedPicture p;
  p.has_picture = true;
  p.order = order;
  p.reference = reference;
  return p;
}

CodedPicture entry(int32_t order) {
  CodedPicture p = picture(order);
  p.random_access = true;
  return p;
}

CodedPicture start() {
  CodedPicture p = entry(0);
  p.starts_sequence = true;
  return p;
}

StreamIndex index_of(const std::vector<CodedPicture> &pictures) {
  StreamIndex index;
  for (const auto &p : pictures)
    index.add(p, {GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE}, false);
  index.finish();
  return index;
}

void check(const StreamIndex &index, const std::vector<uint64_t> &wanted, const Flags &keep, const Flags &drain) {
  const NeededUnits needed = cps::needed_units(index, wanted, INT64_MAX);
  fail_unless(needed.keep == keep);
  fail_unless(needed.drain == drain);
  assert_equals_uint64(needed.end,
                       static_cast<size_t>(std::find(keep.rbegin(), keep.rend(), true).base() - keep.begin()));
}

} // namespace

GST_START_TEST(test_leading_pictures) {
  const StreamIndex index = index_of(
      {start(), picture(1), picture(2, false), entry(6), picture(4), picture(5, false), picture(3, false), picture(7)});
  // Frames: 0 1 2, then 6 4 5 3 7.
  check(index, {7}, flags("00010001"), flags("00010000"));
  check(index, {5}, flags("11011100"), flags("00000000"));
  check(index, {2, 6}, flags("11110000"), flags("00010000"));
}
GST_END_TEST;

// An entry point that is shown before the one it follows: a picture that is shown before both may need what lies before
// both, and neither may make the decoder forget it.
GST_START_TEST(test_nested_entry_points) {
  const StreamIndex index = index_of({start(), entry(4), entry(2), picture(1, false), picture(3, false)});
  check(index, {1}, flags("11110"), flags("00000"));
  check(index, {3}, flags("00101"), flags("00100"));
  check(index, {2, 4}, flags("01100"), flags("01100"));
}
GST_END_TEST;

// Decoders drain themselves where a sequence starts, but not where they hear of it too late.
GST_START_TEST(test_drain) {
  CodedPicture late = start();
  late.late_start = true;
  check(index_of({start(), picture(1), start(), picture(1), late, picture(1)}), {0, 2, 4}, flags("101010"),
        flags("000010"));
  // Up to the first gap all is as in a full decode, and so is what decoders make up for errors.
  CodedPicture nothing;
  const StreamIndex whole = index_of({start(), picture(1), nothing, entry(2), nothing, picture(3), entry(4)});
  check(whole, {0, 1, 2, 3, 4}, flags("1111111"), flags("0000000"));
  check(whole, {0, 1, 3, 4}, flags("1111111"), flags("0000000"));
  check(whole, {0, 2, 3, 4}, flags("1011111"), flags("0001001"));
}
GST_END_TEST;

// Pictures that refer to the first alone, with orders that are coded in four bits: a decoder that has seen order 0
// would take 20 for 4.
GST_START_TEST(test_order_window) {
  std::vector<CodedPicture> pictures = {start()};
  for (int32_t order = 1; order <= 20; ++order) {
    pictures.push_back(picture(order));
    pictures.back().references.known = true;
    pictures.back().references.count = 1;
  }
  for (CodedPicture &p : pictures)
    p.anchors_order = true;
  const StreamIndex index = index_of(pictures);
  const auto kept = [&index](int64_t window) { return cps::needed_units(index, {20}, window).keep; };
  fail_unless(kept(INT64_MAX) == flags("100000000000000000001"));
  fail_unless(kept(8) == flags("100000100000010000001"));
}
GST_END_TEST;

// What decoders make up for a loss may come from anything before; what lies behind an entry point since is safe.
GST_START_TEST(test_loss) {
  std::vector<CodedPicture> pictures = {start(), picture(1, false), entry(4), picture(6), picture(5, false), entry(9)};
  pictures[3].after_loss = true;
  const StreamIndex index = index_of(pictures);
  check(index, {2}, flags("001000"), flags("001000"));
  check(index, {4}, flags("111100"), flags("000000"));
  check(index, {5}, flags("000001"), flags("000001"));
}
GST_END_TEST;

static Suite *neededunits_suite(void) {
  Suite *s = suite_create("neededunits");
  TCase *tc = tcase_create("general");
  suite_add_tcase(s, tc);
  tcase_add_test(tc, test_leading_pictures);
  tcase_add_test(tc, test_nested_entry_points);
  tcase_add_test(tc, test_drain);
  tcase_add_test(tc, test_order_window);
  tcase_add_test(tc, test_loss);
  return s;
}

GST_CHECK_MAIN(neededunits);
