// SPDX-License-Identifier: LGPL-2.1-or-later
// One time line from whatever stamps there are.
#include "gst/bitstream/frametimes.h"

#include <gst/check/gstcheck.h>

using cps::FrameStamps;
using cps::kUntimed;
using Times = std::vector<int64_t>;

namespace {

constexpr int64_t kNone = kUntimed;

struct Case {
  const char *what;
  std::vector<FrameStamps> frames; // presentation, decode, place in decode order
  int64_t interval;
  Times times;
};

const Case kCases[] = {
    {"nothing", {}, 40, {}},
    {"stamped", {{0, kNone, 0}, {40, kNone, 1}, {90, kNone, 2}}, 0, {0, 40, 90}},
    {"reordered", {{0, 0, 0}, {40, 80, 2}, {80, 40, 1}}, 0, {0, 40, 80}},
    {"equal times", {{0, kNone, 0}, {0, kNone, 1}, {40, kNone, 2}}, 40, {0, 0, 40}},
    {"before the stream's beginning", {{-80, kNone, 0}, {-40, kNone, 1}, {0, kNone, 2}}, 40, {0, 0, 0}},
    {"raw: by rate", {{kNone, kNone, 0}, {kNone, kNone, 2}, {kNone, kNone, 1}}, 40, {0, 40, 80}},
    {"raw without a rate", {{kNone, kNone, 0}, {kNone, kNone, 1}}, 0, {}},
    {"a raw stream's parser counts decode order", {{0, kNone, 0}, {80, kNone, 2}, {40, kNone, 1}}, 0, {0, 40, 80}},
    {"AVI: key frames repeat their decode time, one frame was dropped",
     {{0, 0, 0}, {kNone, 80, 2}, {kNone, 40, 1}, {kNone, 240, 5}, {200, 200, 4}, {kNone, 160, 3}},
     40,
     {0, 40, 80, 160, 200, 240}},
    {"program stream: some have none",
     {{80, 0, 0}, {kNone, 80, 2}, {160, 40, 1}, {200, 160, 4}, {kNone, 120, 3}, {280, 200, 5}},
     40,
     {80, 120, 160, 200, 240, 280}},
    {"between and around, without decode times",
     {{kNone, kNone, 0}, {100, kNone, 1}, {kNone, kNone, 2}, {200, kNone, 3}, {kNone, kNone, 4}},
     40,
     {60, 100, 150, 200, 240}},
    {"the interval of those that have times",
     {{0, kNone, 0}, {kNone, kNone, 1}, {100, kNone, 2}, {kNone, kNone, 3}},
     0,
     {0, 50, 100, 150}},
    {"one that does not fit",
     {{0, kNone, 0},
      {40, kNone, 1},
      {80, kNone, 2},
      {120, kNone, 3},
      {20, kNone, 4},
      {200, kNone, 5},
      {240, kNone, 6},
      {280, kNone, 7},
      {320, kNone, 8},
      {360, kNone, 9}},
     40,
     {0, 40, 80, 120, 160, 200, 240, 280, 320, 360}},
};

} // namespace

GST_START_TEST(test_cases) {
  for (const Case &c : kCases) {
    std::string error;
    const Times times = cps::time_frames(c.frames, c.interval, error);
    fail_unless(times == c.times && error.empty(), "%s: %s", c.what, error.c_str());
  }
}
GST_END_TEST;

// Two recordings, one behind the other: no time line has both.
GST_START_TEST(test_time_goes_back) {
  std::vector<FrameStamps> frames;
  for (uint32_t i = 0; i < 20; i++)
    frames.push_back({40000000 * int64_t{i < 12 ? i : i - 12}, kNone, i});
  std::string error;
  fail_unless(cps::time_frames(frames, 40000000, error).empty());
  fail_unless(error.find("frame 12 is at 0.000 s") != std::string::npos && error.find("0.440 s") != std::string::npos,
              "%s", error.c_str());
}
GST_END_TEST;

static Suite *frametimes_suite() {
  Suite *suite = suite_create("frametimes");
  TCase *tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, test_cases);
  tcase_add_test(tests, test_time_goes_back);
  return suite;
}

GST_CHECK_MAIN(frametimes)
