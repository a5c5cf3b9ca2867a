// SPDX-License-Identifier: LGPL-2.1-or-later
// Every plan that uniformsampler knows, with and without a frameplanner, and through the elements that may lie between.
#include "tests/pipelines/clips.h"

namespace {

using namespace pipes;

constexpr int kCount = 70; // 2.8 s

// An MP4 file with reordered frames.
class Fixture {
public:
  Fixture() : path_(folder_.file("clip.mp4")) { encode(path_, kH264B, "mp4mux", kCount); }
  std::string reading() const { return "filesrc location=" + path_ + " ! qtdemux ! h264parse ! "; }

private:
  TempDir folder_;
  std::string path_;
};

struct Run {
  Outcome outcome;
  std::vector<Seen> frames;
};

// A line from the parser on, that has a uniformsampler named `sampler`.
Run run_line(const Fixture &clip, const std::string &line_text) {
  Line line(clip.reading() + line_text);
  Frames frames;
  frames.watch(line, "sampler");
  Run run;
  run.outcome = line.run();
  run.frames = frames.all();
  fail_unless(run.outcome.eos, "%s: %s", line_text.c_str(), run.outcome.error.c_str());
  return run;
}

std::string planned(const std::string &options) {
  return "frameplanner ! avdec_h264 ! uniformsampler name=sampler " + options + " ! fakesink";
}

void check_plan(const Fixture &clip, const std::string &options, const std::vector<int> &expected) {
  const Run run = run_line(clip, planned(options));
  fail_unless(run.outcome.warnings.empty());
  check_clip(options, run.frames, expected, kCount);
}

} // namespace

GST_START_TEST(test_frame_ids) {
  const Fixture clip;
  check_plan(clip, "frame-ids=\"<5,3,69,3,3,40>\"", {5, 3, 69, 3, 3, 40});
  check_plan(clip, "frame-ids=\"<0>\" sequence-length=9 sample-fps=3/1", {0});
}
GST_END_TEST;

GST_START_TEST(test_sections) {
  const Fixture clip;
  check_plan(clip, "sequence-length=5 start=400000000 stop=1200000000", spread(count_up(10, 30), 5));
  check_plan(clip, "sequence-length=5 start=1000000001", spread(count_up(26, kCount), 5));
  check_plan(clip, "sequence-length=3 stop=1", {0, 0, 0});
}
GST_END_TEST;

GST_START_TEST(test_rates) {
  const Fixture clip;
  std::vector<int> every_fifth;
  for (int i = 0; i < kCount; i += 5)
    every_fifth.push_back(i);
  check_plan(clip, "sample-fps=5/1", every_fifth);
  check_plan(clip, "sample-fps=5/1 max-frames=14", every_fifth);
  check_plan(clip, "sample-fps=5/1 max-frames=4", spread(count_up(0, kCount), 4));
  // 0.5 s lies between frames 12 and 13: the earlier one
  check_plan(clip, "sample-fps=2/1 stop=1000000000", {0, 12});
}
GST_END_TEST;

// The frames count themselves, and only the first is known to be a random-access point.
GST_START_TEST(test_without_planner) {
  const Fixture clip;
  const std::string tail = "avdec_h264 ! uniformsampler name=sampler sequence-length=8 ";
  const std::vector<int> expected = spread(count_up(0, kCount), 8);
  const Run given = run_line(clip, tail + "total-frames=70 ! fakesink");
  fail_unless(given.outcome.warnings.empty());
  check_clip("total-frames", given.frames, expected, kCount);
  const Run estimated = run_line(clip, tail + "! fakesink");
  fail_unless(estimated.outcome.warned_of("estimate"));
  fail_unless(estimated.outcome.warned_of("frameplanner"));
  check_clip("estimate", estimated.frames, expected, kCount);
  for (const Seen &frame : estimated.frames)
    fail_if(frame.random_access);
  // One that hopes for too many gets what there is, and says so
  const Run short_stream = run_line(clip, tail + "total-frames=80 ! fakesink");
  fail_unless(short_stream.outcome.warned_of("79"));
  check_numbers("too many", numbers_of(short_stream.frames), {0, 11, 22, 33, 45, 56, 67, 67});
  fail_unless_equals_int(short_stream.frames.back().status, CPS_FRAME_STATUS_SUBSTITUTED);
}
GST_END_TEST;

GST_START_TEST(test_random_access_points) {
  const Fixture clip;
  for (const Seen &frame : run_line(clip, planned("sequence-length=70")).frames)
    fail_unless(frame.random_access == (frame.number % 25 == 0), "frame %d", frame.number);
}
GST_END_TEST;

GST_START_TEST(test_elements_between) {
  const Fixture clip;
  const std::string sampler = "uniformsampler name=sampler sequence-length=8 ! fakesink ";
  for (const std::string &line : {
           "queue ! frameplanner ! queue ! avdec_h264 ! queue ! " + sampler,
           "frameplanner ! avdec_h264 ! tee name=t ! queue ! " + sampler + "t. ! queue ! fakesink",
           "frameplanner ! avdec_h264 ! videoconvert ! video/x-raw,format=RGB ! " + sampler,
           "frameplanner ! avdec_h264 ! videoconvert ! video/x-raw,format=NV12 ! queue ! " + sampler,
           "frameplanner ! tee name=t ! queue ! avdec_h264 ! " + sampler + "t. ! queue ! fakesink",
           "frameplanner uniform-strategy=stream ! avdec_h264 max-threads=1 ! " + sampler,
           "frameplanner ! avdec_h264 max-threads=4 ! " + sampler,
       }) {
    const Run run = run_line(clip, line);
    fail_unless(run.outcome.warnings.empty(), "%s", line.c_str());
    check_clip(line, run.frames, spread(count_up(0, kCount), 8), kCount);
  }
}
GST_END_TEST;

static Suite *plans_suite() {
  Suite *suite = suite_create("pipelines-plans");
  TCase *tests = make_tests(suite);
  tcase_add_test(tests, test_frame_ids);
  tcase_add_test(tests, test_sections);
  tcase_add_test(tests, test_rates);
  tcase_add_test(tests, test_without_planner);
  tcase_add_test(tests, test_random_access_points);
  tcase_add_test(tests, test_elements_between);
  return suite;
}

GST_CHECK_MAIN(plans)
