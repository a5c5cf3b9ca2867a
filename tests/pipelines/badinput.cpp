// SPDX-License-Identifier: LGPL-2.1-or-later
// Whatever is wrong ends in one error that says what and where, and leaves nothing half-written behind.
#include "tests/pipelines/clips.h"

#include <csignal>
#include <sys/resource.h>

namespace {

using namespace pipes;

constexpr int kCount = 30;

// Clips of a test, and a folder for what it writes.
class Fixture {
public:
  std::string clip(const char *name, const std::string &encoder, const char *muxer, int frames = kCount,
                   int width = kClipWidth, int height = kClipHeight) const {
    const std::string path = in_.file(name);
    encode(path, encoder, muxer, frames, width, height);
    return path;
  }
  std::string h264() const { return clip("clip.h264", kH264, ""); }
  std::string file(const char *name) const { return in_.file(name); }
  std::string location() const { return out_.file("clip-%05d.safetensors"); }

  // The error must be of this domain and name all of `words`.
  void check(const std::string &line, GQuark domain, std::initializer_list<const char *> words) const {
    const Outcome outcome = run(line);
    fail_unless(outcome.failed(), "no error from %s", line.c_str());
    g_print("%s: %s\n", outcome.element.c_str(), outcome.error.c_str());
    fail_unless(outcome.domain == domain, "%s: an error of %s: %s", line.c_str(), g_quark_to_string(outcome.domain),
                outcome.error.c_str());
    for (const char *word : words)
      fail_unless(outcome.error.find(word) != std::string::npos, "%s: \"%s\" does not say \"%s\"", line.c_str(),
                  outcome.error.c_str(), word);
    fail_unless(out_.files().empty());
  }

  // From the decoder on, with options for sampler and selection.
  std::string tail(const std::string &sampler = "", const std::string &select = "") const {
    return " ! uniformsampler name=sampler " + sampler + " ! patchenergy ! patchselect " + select +
           " ! tensormetasink location=" + location();
  }
  std::string raw(const std::string &path, const std::string &sampler = "", const std::string &select = "") const {
    return "filesrc location=" + path + " ! h264parse ! frameplanner ! avdec_h264" + tail(sampler, select);
  }
  std::string mp4(const std::string &path, const std::string &sampler = "") const {
    return "filesrc location=" + path + " ! qtdemux ! h264parse ! frameplanner ! avdec_h264" + tail(sampler);
  }

private:
  TempDir in_, out_;
};

} // namespace

GST_START_TEST(test_no_video) {
  const Fixture at;
  if (have_elements({"avenc_aac"})) {
    run("audiotestsrc num-buffers=50 ! avenc_aac ! aacparse ! mp4mux ! filesink location=" + at.file("audio.mp4"));
    at.check(at.mp4(at.file("audio.mp4")), GST_STREAM_ERROR, {});
  }
  write_file(at.file("empty.h264"), "");
  at.check(at.raw(at.file("empty.h264")), GST_STREAM_ERROR, {});
  // Parameter sets alone
  const std::string clip = read_file(at.h264());
  write_file(at.file("headers.h264"), clip.substr(0, clip.find(std::string("\0\0\1\x65", 4))));
  at.check(at.raw(at.file("headers.h264")), GST_STREAM_ERROR, {});
  at.check("videotestsrc num-buffers=0 ! video/x-raw,framerate=25/1" + at.tail(), GST_STREAM_ERROR, {"without"});
}
GST_END_TEST;

GST_START_TEST(test_damaged_files) {
  const Fixture at;
  const std::string whole = read_file(at.clip("clip.mp4", kH264B, "mp4mux faststart=true", 100));
  const size_t data = whole.find("mdat");
  fail_unless(data != std::string::npos);
  write_file(at.file("cut.mp4"), whole.substr(0, data + (whole.size() - data) / 2));
  at.check(at.mp4(at.file("cut.mp4"), "on-error=fail"), GST_STREAM_ERROR, {"truncated"});
  const Outcome rest = run("filesrc location=" + at.file("cut.mp4") +
                           " ! qtdemux ! h264parse ! frameplanner ! avdec_h264 ! uniformsampler ! fakesink");
  fail_unless(rest.eos && rest.warned_of("truncated"), "%s", rest.error.c_str());
  // The index at the end is gone
  const std::string late = read_file(at.clip("late.mp4", kH264B, "mp4mux"));
  write_file(at.file("cut.mp4"), late.substr(0, late.size() / 2));
  at.check(at.mp4(at.file("cut.mp4")), GST_STREAM_ERROR, {});

  std::string garbage;
  guint32 state = 1;
  for (int i = 0; i < 200000; i++)
    garbage += static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  write_file(at.file("garbage"), garbage);
  at.check(at.mp4(at.file("garbage")), GST_STREAM_ERROR, {});
  const Outcome outcome = run(at.raw(at.file("garbage")));
  fail_unless(outcome.failed() && outcome.domain == GST_STREAM_ERROR, "%s", outcome.error.c_str());
}
GST_END_TEST;

// A picture every three seconds: nothing is missing at the end.
GST_START_TEST(test_slow_video) {
  const Fixture at;
  const std::string path = at.file("slow.mp4");
  const Outcome made = run("videotestsrc num-buffers=6 ! video/x-raw,width=160,height=96,framerate=1/3 ! " +
                           std::string(kH264) + " ! h264parse ! mp4mux ! filesink location=" + path);
  fail_unless(made.eos, "%s", made.error.c_str());
  for (const char *ids : {"", "frame-ids=\"<0,2>\" "}) {
    const Outcome outcome = run("filesrc location=" + path +
                                " ! qtdemux ! h264parse ! frameplanner ! avdec_h264 ! uniformsampler on-error=fail "
                                "sequence-length=6 " +
                                ids + "! patchenergy ! patchselect k-keep=9 ! tensormetasink name=sink");
    const std::vector<uint64_t> expected = *ids ? std::vector<uint64_t>{0, 2} : std::vector<uint64_t>{0, 1, 2, 3, 4, 5};
    fail_unless(outcome.only_clip().frame_ids() == expected);
    fail_unless(outcome.warnings.empty(), "%s", outcome.warnings[0].c_str());
  }
}
GST_END_TEST;

GST_START_TEST(test_caps) {
  const Fixture at;
  write_file(at.file("clip.v210"), std::string(128 * 48 * 32 * 10, '\x10'));
  at.check("filesrc location=" + at.file("clip.v210") + " ! rawvideoparse name=parse format=v210 width=48 height=32" +
               at.tail("total-frames=20"),
           GST_STREAM_ERROR, {"v210", "videoconvert"});
  // Another size in the middle of the clip
  const std::string both = read_file(at.clip("a.h264", kH264, "", 20)) +
                           read_file(at.clip("b.h264", kH264, "", 20, kClipWidth + 32, kClipHeight));
  write_file(at.file("both.h264"), both);
  at.check(at.raw(at.file("both.h264")), GST_STREAM_ERROR, {"160x96", "192x96", "start and stop"});
}
GST_END_TEST;

GST_START_TEST(test_settings) {
  const Fixture at;
  const std::string path = at.h264();
  const GQuark domain = GST_LIBRARY_ERROR;
  at.check(at.raw(path, "", "selection-unit=block2x2 k-keep=6"), domain, {"block2x2", "k-keep", "6"});
  at.check(at.raw(path, "", "patch-size=0"), domain, {"patch-size", "0"});
  at.check(at.raw(path, "", "input-size=0"), domain, {"input-size"});
  at.check(at.raw(path, "", "output-dtype=u8 scale=2"), domain, {"scale", "u8"});
  at.check(at.raw(path, "", "output-dtype=u8 mean=\"<1.0,1.0,1.0>\""), domain, {"mean", "u8"});
  at.check(at.raw(path, "", "std=\"<1.0,0.0,1.0>\""), domain, {"std"});
  at.check(at.raw(path, "frame-ids=\"<0,30>\""), domain, {"frame-ids", "30", "0 to 29"});
  at.check(at.raw(path, "frame-ids=\"<-1>\""), domain, {"frame-ids", "-1"});
  at.check(at.raw(path, "start=5000000000 stop=6000000000"), domain, {"start", "stop"});
  at.check(at.raw(path, "start=2000000000 stop=1000000000"), domain, {"start", "stop"});
  at.check(at.raw(path, "sequence-length=0"), domain, {"sequence-length"});
  at.check(at.raw(path, "sequence-length=2000000"), domain, {"sequence-length", "2000000"});
  at.check(at.raw(path, "sample-fps=2147483647/1 max-frames=2000000000"), domain, {"sample-fps", "max-frames"});
  const std::string unplanned = "filesrc location=" + path + " ! h264parse ! video/x-h264,framerate=25/1 ! avdec_h264";
  at.check(unplanned + at.tail("frame-ids=\"<99>\" total-frames=30"), domain, {"frame-ids", "99"});
  at.check(unplanned + at.tail("total-frames=4000000000000 start=0"), domain, {"total-frames", "4000000000000"});
  at.check(unplanned + at.tail("total-frames=30 sample-fps=2147483647/1 max-frames=2000000000"), domain,
           {"sample-fps", "max-frames"});
}
GST_END_TEST;

GST_START_TEST(test_lines) {
  const Fixture at;
  const std::string read = "filesrc location=" + at.h264() + " ! h264parse ! frameplanner ! avdec_h264 ! ";
  at.check(read + "patchenergy ! patchselect ! tensormetasink", GST_STREAM_ERROR, {"uniformsampler"});
  at.check(read + "uniformsampler ! patchselect ! tensormetasink", GST_STREAM_ERROR, {"patchenergy"});
  at.check(read + "uniformsampler ! patchenergy ! videoscale ! video/x-raw,width=80 ! patchselect ! tensormetasink",
           GST_STREAM_ERROR, {"patchenergy"});
}
GST_END_TEST;

GST_START_TEST(test_locations) {
  const Fixture at;
  const std::string path = at.h264();
  const auto line = [&](const std::string &location) {
    return "filesrc location=" + path +
           " ! h264parse ! frameplanner ! avdec_h264 ! uniformsampler ! patchenergy ! patchselect ! "
           "tensormetasink location=" +
           location;
  };
  write_file(at.file("no-folder"), "");
  at.check(line(at.file("missing/clip.safetensors")), GST_RESOURCE_ERROR, {"location", "missing"});
  at.check(line(at.file("no-folder/clip.safetensors")), GST_RESOURCE_ERROR, {"location", "no-folder"});
  at.check(line(at.file("clip-%s.safetensors")), GST_RESOURCE_ERROR, {"location", "clip-%s.safetensors"});
  at.check(line("/proc/clip.safetensors"), GST_RESOURCE_ERROR, {"location", "/proc"});
}
GST_END_TEST;

// A limit on file sizes stands in for a disk that is full.
GST_START_TEST(test_full_disk) {
  const Fixture at;
  const std::string path = at.h264();
  signal(SIGXFSZ, SIG_IGN);
  struct rlimit old, limit;
  getrlimit(RLIMIT_FSIZE, &old);
  limit = old;
  limit.rlim_cur = 100000;
  setrlimit(RLIMIT_FSIZE, &limit);
  at.check(at.raw(path), GST_RESOURCE_ERROR, {"location", "clip-00000.safetensors"});
  setrlimit(RLIMIT_FSIZE, &old);
}
GST_END_TEST;

// Nobody takes the tensors: the stream ends all the same.
GST_START_TEST(test_no_consumer) {
  const Fixture at;
  const Outcome outcome =
      run("filesrc location=" + at.h264() +
          " ! h264parse ! frameplanner ! avdec_h264 ! uniformsampler ! patchenergy ! patchselect k-keep=9 ! "
          "tensormetasink name=sink max-buffers=1");
  fail_unless_equals_int(static_cast<int>(outcome.only_clip().count()), 9);
}
GST_END_TEST;

// Pictures that never reach the decoder. Frame 7 is one that no other refers to.
GST_START_TEST(test_lost_pictures) {
  const Fixture at;
  const std::string path = at.clip("clip.mp4", kH264Open, "mp4mux");
  const auto line = [&](const char *option) {
    return "filesrc location=" + path +
           " ! qtdemux ! h264parse ! frameplanner name=planner ! avdec_h264 ! uniformsampler name=sampler "
           "sequence-length=30 on-error=" +
           option + " ! patchenergy ! patchselect k-keep=500 ! tensormetasink name=sink";
  };
  const auto is_not_7 = [](GstPad *, GstBuffer *buffer) { return cps_buffer_get_frame_meta(buffer)->frame_id != 7; };
  {
    Line substituting(line("substitute"));
    substituting.filter("planner", "src", is_not_7);
    Frames frames;
    frames.watch(substituting, "sampler");
    const Outcome outcome = substituting.run();
    const Tensors &clip = outcome.only_clip();
    fail_unless(outcome.warned_of("Frame 7 could not be decoded"));
    std::vector<int> shown = count_up(0, kCount);
    shown[7] = 6;
    check_numbers("substituted", numbers_of(frames.all()), shown);
    for (guint i = 0; i < clip.clip->n_frames; i++) {
      assert_equals_uint64(clip.clip->frames[i].frame_id, i);
      assert_equals_uint64(clip.clip->frames[i].pts / GST_MSECOND, 40 * i);
      fail_unless_equals_int(clip.clip->frames[i].status, i == 7 ? CPS_FRAME_STATUS_SUBSTITUTED : CPS_FRAME_STATUS_OK);
    }
  }
  Line failing(line("fail"));
  failing.filter("planner", "src", is_not_7);
  const Outcome failed = failing.run();
  fail_unless(failed.domain == GST_STREAM_ERROR && failed.error.find("Frame 7") != std::string::npos &&
                  failed.error.find("on-error") != std::string::npos,
              "%s", failed.error.c_str());
  fail_unless(failed.clips.empty());

  Line nothing(line("substitute"));
  nothing.filter("planner", "src", [](GstPad *, GstBuffer *) { return false; });
  const Outcome empty = nothing.run();
  fail_unless(empty.domain == GST_STREAM_ERROR, "%s", empty.error.c_str());
}
GST_END_TEST;

// A file with an access unit that no decoder takes.
GST_START_TEST(test_corrupted_file) {
  const std::string path = shared_file("videos/corrupted.mp4");
  if (path.empty())
    return;
  const auto sample = [&path](const std::string &on_error) {
    return run("filesrc location=" + path + " ! qtdemux ! h264parse ! frameplanner ! avdec_h264 ! uniformsampler " +
               "sequence-length=50 on-error=" + on_error +
               " ! patchenergy ! patchselect k-keep=500 ! tensormetasink name=sink");
  };
  // One of its 50 pictures has no readable slice; it keeps its number all the same.
  const Outcome substituted = sample("substitute");
  fail_if(substituted.failed(), "%s", substituted.error.c_str());
  assert_equals_uint64(substituted.warnings.size(), 1);
  const CpsClip &clip = *substituted.only_clip().clip;
  assert_equals_uint64(clip.n_frames, 50);
  for (guint i = 0; i < clip.n_frames; i++) {
    assert_equals_uint64(clip.frames[i].frame_id, i);
    fail_unless_equals_int(clip.frames[i].status, i == 32 ? CPS_FRAME_STATUS_SUBSTITUTED : CPS_FRAME_STATUS_OK);
  }

  const Outcome failed = sample("fail");
  fail_unless(failed.failed() && failed.domain == GST_STREAM_ERROR);
  fail_unless(failed.error.find("on-error") != std::string::npos, "%s", failed.error.c_str());
}
GST_END_TEST;

static Suite *badinput_suite() {
  Suite *suite = suite_create("pipelines-badinput");
  TCase *tests = make_tests(suite);
  tcase_add_test(tests, test_no_video);
  tcase_add_test(tests, test_damaged_files);
  tcase_add_test(tests, test_slow_video);
  tcase_add_test(tests, test_caps);
  tcase_add_test(tests, test_settings);
  tcase_add_test(tests, test_lines);
  tcase_add_test(tests, test_locations);
  tcase_add_test(tests, test_full_disk);
  tcase_add_test(tests, test_no_consumer);
  tcase_add_test(tests, test_lost_pictures);
  tcase_add_test(tests, test_corrupted_file);
  return suite;
}

GST_CHECK_MAIN(badinput)
