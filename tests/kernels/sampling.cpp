// SPDX-License-Identifier: LGPL-2.1-or-later
#include "kernels/sampling.h"

#include <gst/check/gstcheck.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

namespace {

using Ids = std::vector<uint64_t>;
using Times = std::vector<uint64_t>;

constexpr uint64_t kSecond = 1000000000;

Times regular_times(uint64_t count, uint64_t interval, uint64_t first = 0) {
  Times times;
  for (uint64_t i = 0; i < count; ++i)
    times.push_back(first + i * interval);
  return times;
}

cps::SamplingPlan uniform(uint32_t length) {
  cps::SamplingPlan plan;
  plan.sequence_length = length;
  return plan;
}

cps::SamplingPlan section(uint32_t length, uint64_t start, uint64_t stop) {
  cps::SamplingPlan plan = uniform(length);
  plan.start = start;
  plan.stop = stop;
  return plan;
}

cps::SamplingPlan rate(int32_t num, int32_t den, uint32_t max_frames = 0) {
  cps::SamplingPlan plan;
  plan.rate_num = num;
  plan.rate_den = den;
  plan.max_frames = max_frames;
  return plan;
}

cps::Sampling resolve_clips(const cps::SamplingPlan &plan, uint64_t total, const Times &times) {
  cps::Sampling sampling{{12345}, {{1, 2, 3, 4}}};
  std::string error = "not cleared";
  fail_unless(cps::resolve_sampling(plan, total, times, sampling, error), "%s", error.c_str());
  fail_unless(error.empty());
  return sampling;
}

Ids resolve(const cps::SamplingPlan &plan, uint64_t total, const Times &times = {}) {
  const cps::Sampling sampling = resolve_clips(plan, total, times);
  assert_equals_int(sampling.clips.size(), 1);
  fail_unless(sampling.clips[0].first == 0 && sampling.clips[0].length == sampling.ids.size());
  return sampling.ids;
}

Ids resolve(const cps::SamplingPlan &plan, const Times &times) {
  return resolve(plan, times.size(), times);
}

// Fails with a sentence in which all of `words` are.
void check_error(const cps::SamplingPlan &plan, uint64_t total, const Times &times,
                 const std::vector<std::string> &words) {
  cps::Sampling sampling{{12345}, {{1, 2, 3, 4}}};
  std::string error;
  fail_if(cps::resolve_sampling(plan, total, times, sampling, error));
  fail_unless(sampling.ids.empty() && sampling.clips.empty());
  for (const std::string &word : words)
    fail_if(error.find(word) == std::string::npos, "'%s' is not in '%s'", word.c_str(), error.c_str());
}

} // namespace

GST_START_TEST(test_uniform_positions) {
  fail_unless(resolve(uniform(16), 40) == Ids({0, 2, 5, 7, 10, 13, 15, 18, 20, 23, 26, 28, 31, 33, 36, 39}));
  fail_unless(resolve(uniform(1), 40) == Ids({0}));
  fail_unless(resolve(uniform(2), 40) == Ids({0, 39}));
  fail_unless(resolve(uniform(5), 3) == Ids({0, 0, 1, 1, 2}));
  fail_unless(resolve(uniform(3), 1) == Ids({0, 0, 0}));
}
GST_END_TEST;

GST_START_TEST(test_uniform_does_not_overflow) {
  const uint64_t total = std::numeric_limits<uint64_t>::max();
  const Ids ids = resolve(uniform(65536), total);
  // (2^64 - 2) * i / 65535 with 65535 * 0x0001000100010001 = 2^64 - 1
  for (uint64_t i = 1; i < ids.size(); ++i)
    fail_unless(ids[i] == i * 0x0001000100010001u - 1);
}
GST_END_TEST;

GST_START_TEST(test_frame_ids_are_kept) {
  cps::SamplingPlan plan = rate(25, 1);
  plan.frame_ids = {5, 0, 5, 9};
  plan.sequence_length = 0; // not in use
  plan.start = 3;
  fail_if(cps::sampling_needs_times(plan));
  fail_unless(resolve(plan, 10) == Ids({5, 0, 5, 9}));
}
GST_END_TEST;

GST_START_TEST(test_frame_ids_out_of_range) {
  cps::SamplingPlan plan;
  plan.frame_ids = {0, 10};
  check_error(plan, 10, {}, {"frame-ids", "10", "0 to 9"});
  plan.frame_ids = {-1};
  check_error(plan, 10, {}, {"frame-ids", "-1", "0 to 9"});
  plan.frame_ids = {std::numeric_limits<int64_t>::min(), 3};
  check_error(plan, 10, {}, {"frame-ids", "-9223372036854775808"});
}
GST_END_TEST;

GST_START_TEST(test_sections_count_their_frames) {
  const Times times = regular_times(10, 100, 1000);
  fail_unless(resolve(section(3, 1200, 1700), times) == Ids({2, 4, 6})); // start is in it, stop is not
  fail_unless(resolve(section(2, 1201, 1701), times) == Ids({3, 7}));
  fail_unless(resolve(section(2, cps::kNoTime, 1300), times) == Ids({0, 2}));
  fail_unless(resolve(section(2, 1800, cps::kNoTime), times) == Ids({8, 9}));
  fail_unless(resolve(section(1, 1500, 1501), times) == Ids({5}));
  fail_unless(resolve(section(3, 0, 1000000), times) == Ids({0, 4, 9}));
  fail_unless(cps::sampling_needs_times(section(3, 0, cps::kNoTime)));
  fail_unless(cps::sampling_needs_times(section(3, cps::kNoTime, 0)));
  fail_if(cps::sampling_needs_times(uniform(3)));
}
GST_END_TEST;

GST_START_TEST(test_frames_without_time_are_in_no_section) {
  const Times times = {cps::kNoTime, 0, cps::kNoTime, 100, 200, cps::kNoTime};
  fail_unless(resolve(section(3, 0, cps::kNoTime), times) == Ids({1, 3, 4}));
  fail_unless(resolve(rate(10000000, 1), times) == Ids({1, 3, 4}));
}
GST_END_TEST;

GST_START_TEST(test_section_errors) {
  const Times times = regular_times(10, 100, 1000);
  check_error(section(3, 500, 400), 10, times, {"start", "stop", "500", "400"});
  check_error(section(3, 400, 400), 10, times, {"start", "stop", "1000", "1900"});
  check_error(section(3, 2000, cps::kNoTime), 10, times, {"start", "stop"});
  check_error(section(3, 0, 1000), 10, times, {"start", "stop"});
  check_error(section(0, 1000, 1500), 10, times, {"sequence-length"});
  check_error(section(3, 0, 5000), 10, {}, {"start", "stop", "time"});
  check_error(section(3, 0, 5000), 11, times, {"start", "stop", "10 of 11"});
  check_error(section(3, 0, 5000), 2, {cps::kNoTime, cps::kNoTime}, {"start", "stop", "time"});
}
GST_END_TEST;

GST_START_TEST(test_option_errors) {
  const Times times = regular_times(10, 100);
  check_error(uniform(5), 0, {}, {"no pictures"});
  check_error(uniform(0), 10, {}, {"sequence-length", "at least 1"});
  check_error(rate(-1, 1), 10, times, {"sample-fps", "-1/1"});
  check_error(rate(1, 0), 10, times, {"sample-fps", "1/0"});
  check_error(rate(0, -1), 10, times, {"sample-fps"});
  check_error(rate(1, 1), 10, {}, {"sample-fps", "time"});
  check_error(rate(1, 1), 1, {cps::kNoTime}, {"sample-fps", "time"});
  check_error(rate(std::numeric_limits<int32_t>::max(), 1), 2, {0, 100 * kSecond}, {"sample-fps", "max-frames"});
}
GST_END_TEST;

GST_START_TEST(test_rate_takes_the_nearest) {
  const Times times = regular_times(10, kSecond / 10); // 0 to 0.9 s, which lasts until 1 s
  cps::SamplingPlan plan = rate(5, 1);
  plan.sequence_length = 0; // not in use
  fail_unless(cps::sampling_needs_times(plan));
  fail_unless(resolve(plan, times) == Ids({0, 2, 4, 6, 8}));
  fail_unless(resolve(rate(10, 1), times) == Ids({0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  fail_unless(resolve(rate(4, 1), times) == Ids({0, 2, 5, 7})); // 0.25 and 0.75 tie: the earlier one
  fail_unless(resolve(rate(3, 1), times) == Ids({0, 3, 7}));
  fail_unless(resolve(rate(20, 1), times).size() == 20); // repeats
  fail_unless(resolve(rate(1, 1), times) == Ids({0}));
  fail_unless(resolve(rate(1, 100), times) == Ids({0}));
}
GST_END_TEST;

GST_START_TEST(test_rate_of_a_section) {
  const Times times = regular_times(10, kSecond / 10);
  cps::SamplingPlan plan = rate(5, 1);
  plan.start = kSecond * 25 / 100; // positions 0.25, 0.45, 0.65, 0.85; frame 2 is not in the section
  fail_unless(resolve(plan, times) == Ids({3, 4, 6, 8}));
  plan.stop = kSecond * 65 / 100; // 0.65 is not before it
  fail_unless(resolve(plan, times) == Ids({3, 4}));
  plan.stop += kSecond / 40; // a quarter of an interval may come of rounding
  fail_unless(resolve(plan, times) == Ids({3, 4}));
  plan.stop += 1; // but no more
  fail_unless(resolve(plan, times) == Ids({3, 4, 6}));
  plan.start = 0;
  plan.stop = 10 * kSecond; // the stream ends first, at 1 s
  fail_unless(resolve(plan, times) == Ids({0, 2, 4, 6, 8}));
  plan = rate(1000, 1);
  plan.start = kSecond * 5 / 10;
  plan.stop = plan.start + 1;
  fail_unless(resolve(plan, times) == Ids({5})); // one frame: one position
}
GST_END_TEST;

GST_START_TEST(test_rate_maximum) {
  const Times times = regular_times(10, kSecond / 10);
  fail_unless(resolve(rate(5, 1, 5), times) == Ids({0, 2, 4, 6, 8}));
  fail_unless(resolve(rate(5, 1, 4), times) == Ids({0, 3, 6, 9}));
  fail_unless(resolve(rate(std::numeric_limits<int32_t>::max(), 1, 2), times) == Ids({0, 9}));
  cps::SamplingPlan plan = rate(10, 1, 3);
  plan.start = kSecond * 2 / 10;
  plan.stop = kSecond * 7 / 10;
  fail_unless(resolve(plan, times) == Ids({2, 4, 6}));
}
GST_END_TEST;

GST_START_TEST(test_rate_with_odd_times) {
  fail_unless(resolve(rate(1, 1), Times{kSecond, kSecond, kSecond}) == Ids({0}));              // all at once
  fail_unless(resolve(rate(1, 1), Times{2 * kSecond, 0, kSecond}) == Ids({1, 2, 0}));          // out of order
  fail_unless(resolve(rate(1, 1), Times{0, kSecond, kSecond, 2 * kSecond}) == Ids({0, 1, 3})); // equal: the first
}
GST_END_TEST;

// The same content has the same frames at a rate, whatever the unit that its container rounds time stamps to.
GST_START_TEST(test_rate_whatever_is_rounded) {
  struct Rate {
    uint64_t num, den;
  };
  constexpr Rate kFilmed[] = {{24000, 1001}, {24, 1}, {25, 1},       {30000, 1001}, {30, 1},
                              {48, 1},       {50, 1}, {60000, 1001}, {60, 1}};
  constexpr uint64_t kUnits[] = {1000, 1000000, 1000000000, 90000}; // a second
  for (const Rate &filmed : kFilmed)
    for (const Rate &sampled : {Rate{1, 2}, Rate{1, 1}, Rate{2, 1}, Rate{5, 1}, filmed})
      for (const uint64_t seconds : {1, 4, 10})
        for (const uint64_t unit : kUnits)
          for (const bool up : {false, true}) {
            Times times;
            for (uint64_t i = 0; i < seconds * filmed.num / filmed.den; ++i) {
              const uint64_t ticks = (i * filmed.den * unit + (up ? filmed.num - 1 : 0)) / filmed.num;
              times.push_back((ticks * kSecond + (up ? unit - 1 : 0)) / unit);
            }
            const uint64_t frames = times.size(), num = frames * filmed.den * sampled.num,
                           den = filmed.num * sampled.den;
            const uint64_t whole = num % den == 0 ? num / den : num / den + 1;
            const Ids ids = resolve(rate(static_cast<int32_t>(sampled.num), static_cast<int32_t>(sampled.den)), times);
            fail_unless(ids.size() == whole || (num % den > 0 && ids.size() == num / den),
                        "%" G_GUINT64_FORMAT " frames at %" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT
                        ", sampled at %" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT " in 1/%" G_GUINT64_FORMAT
                        " s: %zu, not %" G_GUINT64_FORMAT,
                        frames, filmed.num, filmed.den, sampled.num, sampled.den, unit, ids.size(), whole);
            Times exact;
            for (uint64_t i = 0; i < frames; ++i)
              exact.push_back(i * filmed.den * kSecond / filmed.num);
            assert_equals_uint64(
                ids.size(),
                resolve(rate(static_cast<int32_t>(sampled.num), static_cast<int32_t>(sampled.den)), exact).size());
          }
}
GST_END_TEST;

GST_START_TEST(test_rate_at_random) {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    Times times;
    uint64_t time = random() % 1000;
    for (unsigned i = 0, count = 2 + random() % 20; i < count; ++i, time += 1 + random() % 50)
      times.push_back(time * 1000000);
    cps::SamplingPlan plan = rate(1 + static_cast<int32_t>(random() % 60), 1 + static_cast<int32_t>(random() % 3));
    if (random() % 2)
      plan.start = times[times.size() / 3] - random() % 5000000;
    const uint64_t start = plan.start == cps::kNoTime ? times[0] : plan.start;

    Times inside;
    std::copy_if(times.begin(), times.end(), std::back_inserter(inside), [&](uint64_t t) { return t >= start; });
    const auto first = static_cast<uint64_t>(times.size() - inside.size());
    const long double last = inside.back(), mean = (last - inside[0]) / static_cast<long double>(inside.size() - 1);
    Ids expected;
    for (int i = 0; inside.size() > 1 || i == 0; ++i) {
      const long double at = start + static_cast<long double>(i) * plan.rate_den * kSecond / plan.rate_num;
      if (inside.size() > 1 && at >= last + mean * 3 / 4 - 1e-6L && i > 0)
        break;
      size_t nearest = 0;
      for (size_t j = 1; j < inside.size(); ++j)
        if (std::fabs(inside[j] - at) < std::fabs(inside[nearest] - at) - 1e-6L)
          nearest = j;
      expected.push_back(first + nearest);
    }
    fail_unless(resolve(plan, times) == expected, "round %d", round);
  }
}
GST_END_TEST;

// A window is what the section of its start and stop is.
GST_START_TEST(test_windows_are_sections) {
  std::mt19937 random(15);
  for (int round = 0; round < 400; ++round) {
    Times times;
    uint64_t time = random() % 500;
    for (unsigned i = 0, count = 1 + random() % 60; i < count; ++i)
      times.push_back(time += random() % 10 == 0 ? random() % 900 : random() % 60); // with gaps and equal times
    cps::SamplingPlan plan =
        round % 3 == 0 ? rate(1 + static_cast<int32_t>(random() % 9), 1, random() % 5) : uniform(1 + random() % 5);
    if (plan.rate_num > 0) // times are in units of 10 ms
      for (uint64_t &t : times)
        t *= 10000000;
    const uint64_t unit = plan.rate_num > 0 ? 10000000 : 1;
    plan.window = (1 + random() % 300) * unit;
    plan.hop = random() % 2 ? (1 + random() % 500) * unit : 0;
    if (random() % 3 == 0)
      plan.start = random() % 600 * unit;
    if (random() % 3 == 0)
      plan.stop = (plan.start == cps::kNoTime ? times[0] : plan.start) + random() % 900 * unit;

    Ids expected;
    std::vector<cps::SampledClip> clips;
    const uint64_t hop = plan.hop > 0 ? plan.hop : plan.window;
    for (uint64_t start = plan.start == cps::kNoTime ? times[0] : plan.start;
         start <= times.back() && start < plan.stop; start += hop) {
      cps::SamplingPlan single = plan;
      single.window = single.hop = 0;
      single.start = start;
      single.stop = std::min(start + plan.window, plan.stop);
      if (std::none_of(times.begin(), times.end(), [&](uint64_t t) { return t >= start && t < single.stop; }))
        continue;
      const Ids ids = resolve(single, times);
      clips.push_back({expected.size(), static_cast<uint32_t>(ids.size()), start, single.stop});
      expected.insert(expected.end(), ids.begin(), ids.end());
    }
    if (clips.empty()) {
      check_error(plan, times.size(), times, {"no picture in a window"});
      continue;
    }
    const cps::Sampling sampling = resolve_clips(plan, times.size(), times);
    fail_unless(sampling.ids == expected, "round %d", round);
    assert_equals_int(sampling.clips.size(), clips.size());
    for (size_t i = 0; i < clips.size(); ++i) {
      const cps::SampledClip &is = sampling.clips[i], &should_be = clips[i];
      fail_unless(is.first == should_be.first && is.length == should_be.length && is.start == should_be.start &&
                      is.stop == should_be.stop,
                  "round %d, clip %zu", round, i);
    }
  }
}
GST_END_TEST;

GST_START_TEST(test_clips_of_a_length) {
  cps::SamplingPlan plan = uniform(10);
  plan.clip_length = 4;
  const cps::Sampling sampling = resolve_clips(plan, 19, {});
  fail_unless(sampling.ids == Ids({0, 2, 4, 6, 8, 10, 12, 14, 16, 18}));
  assert_equals_int(sampling.clips.size(), 3);
  const size_t firsts[] = {0, 4, 8}, lengths[] = {4, 4, 2};
  for (size_t i = 0; i < 3; ++i) {
    assert_equals_int(sampling.clips[i].first, firsts[i]);
    assert_equals_int(sampling.clips[i].length, lengths[i]);
    fail_unless(sampling.clips[i].start == cps::kNoTime && sampling.clips[i].stop == cps::kNoTime);
  }
  plan.frame_ids = {5, 3, 5, 1, 0};
  fail_unless(resolve_clips(plan, 19, {}).ids == Ids({5, 3, 5, 1, 0}));
  assert_equals_int(resolve_clips(plan, 19, {}).clips[1].length, 1);

  plan = uniform(6);
  plan.window = 100;
  plan.clip_length = 4;
  const cps::Sampling windows = resolve_clips(plan, 20, regular_times(20, 10));
  assert_equals_int(windows.clips.size(), 4);
  fail_unless(windows.clips[3].length == 2 && windows.clips[3].start == 100 && windows.clips[3].stop == 200);
}
GST_END_TEST;

GST_START_TEST(test_window_errors) {
  cps::SamplingPlan plan = uniform(4);
  plan.window = 10;
  check_error(plan, 3, {}, {"window can be used only", "0 of 3"});
  check_error(plan, 2, {cps::kNoTime, cps::kNoTime}, {"window cannot be used", "none of its pictures has a time"});
  plan.frame_ids = {1};
  check_error(plan, 3, {0, 1, 2}, {"frame-ids and window"});
  plan = uniform(1 << 20);
  plan.window = 10;
  check_error(plan, 5, regular_times(5, 10), {"window and hop", "start and stop"});
  // Ends although there are 2^62 windows of 1 ns, and although the last hop is behind all times.
  plan = uniform(1);
  plan.window = plan.hop = 1;
  const uint64_t late = std::numeric_limits<int64_t>::max();
  assert_equals_int(resolve_clips(plan, 2, {0, late}).clips.size(), 2);
  plan.window = plan.hop = cps::kNoTime - 1;
  assert_equals_int(resolve_clips(plan, 3, {5, late, cps::kNoTime - 1}).clips.size(), 1);
}
GST_END_TEST;

static Suite *sampling_suite() {
  Suite *suite = suite_create("sampling");
  TCase *tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, test_uniform_positions);
  tcase_add_test(tests, test_uniform_does_not_overflow);
  tcase_add_test(tests, test_frame_ids_are_kept);
  tcase_add_test(tests, test_frame_ids_out_of_range);
  tcase_add_test(tests, test_sections_count_their_frames);
  tcase_add_test(tests, test_frames_without_time_are_in_no_section);
  tcase_add_test(tests, test_section_errors);
  tcase_add_test(tests, test_option_errors);
  tcase_add_test(tests, test_rate_takes_the_nearest);
  tcase_add_test(tests, test_rate_of_a_section);
  tcase_add_test(tests, test_rate_maximum);
  tcase_add_test(tests, test_rate_with_odd_times);
  tcase_add_test(tests, test_rate_whatever_is_rounded);
  tcase_add_test(tests, test_rate_at_random);
  tcase_add_test(tests, test_windows_are_sections);
  tcase_add_test(tests, test_clips_of_a_length);
  tcase_add_test(tests, test_window_errors);
  return suite;
}

GST_CHECK_MAIN(sampling)
