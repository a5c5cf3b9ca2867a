// Each stream of h264streams.cpp: what a decoder makes of all of it, and what is sampled of it, against what was coded.
#include "tests/matrix/h264coder.h"
#include "tests/pipelines/clips.h"

#include <algorithm>

namespace {

using namespace pipes;

// Number and checksum of a frame, as lines of text.
std::string line_of(int number, const std::string &pixels) {
  return std::to_string(number) + " " + pixels + "\n";
}

std::string expected(const coder::Stream &stream, const std::vector<int> &numbers) {
  std::string text;
  for (const int number : numbers) {
    const Bytes &samples = stream.pictures.at(number).samples();
    gchar *sum = g_compute_checksum_for_data(G_CHECKSUM_SHA256, samples.data(), samples.size());
    text += line_of(number, sum);
    g_free(sum);
  }
  return text;
}

struct Sampled {
  std::string lines;
  std::vector<int> entries; // numbers of the frames with the flag
  Outcome outcome;
};

// The frames that leave `element`.
Sampled run_line(const std::string &description, const char *element) {
  Line line(description);
  Sampled out;
  line.on_buffer(element, "src", [&out](GstPad *pad, GstBuffer *buffer) {
    const int number = read_number(pad, buffer);
    out.lines += line_of(number, checksum(pad, buffer));
    const CpsFrameMeta *meta = cps_buffer_get_frame_meta(buffer);
    if (meta && meta->frame_id != static_cast<guint64>(number))
      out.lines += "called " + std::to_string(meta->frame_id) + "\n";
    if (meta && meta->flags & CPS_FRAME_FLAG_RANDOM_ACCESS)
      out.entries.push_back(number);
  });
  out.outcome = line.run();
  return out;
}

void check_run(const std::string &what, const Sampled &sampled, const std::string &lines) {
  fail_unless(sampled.outcome.eos, "%s: %s (%s)", what.c_str(), sampled.outcome.error.c_str(),
              sampled.outcome.debug.c_str());
  for (const std::string &warning : sampled.outcome.warnings)
    fail("%s: %s", what.c_str(), warning.c_str());
  fail_unless(sampled.lines == lines, "%s:\n%sinstead of\n%s", what.c_str(), sampled.lines.c_str(), lines.c_str());
}

void check_stream(const coder::Stream &stream) {
  const TemporaryFolder folder;
  const std::string path = folder.file("stream.h264"), reading = "filesrc location=" + path + " ! h264parse ! ",
                    decoder = "avdec_h264 name=decoder ! ";
  write_file(path, stream.bytes);
  const std::vector<int> numbers = count_up(0, stream.frames);
  check_run(stream.name, run_line(reading + decoder + "fakesink", "decoder"), expected(stream, numbers));

  for (const char *strategy : {"stream", "skip"})
    for (const int n : {1, 2, 3, 5, 8, 16, 64, stream.frames}) {
      const std::string what = stream.name + ", " + strategy + ", n = " + std::to_string(n);
      const Sampled sampled =
          run_line(reading + "frameplanner uniform-strategy=" + strategy + " ! " + decoder +
                       "uniformsampler name=sampler sequence-length=" + std::to_string(n) + " ! fakesink",
                   "sampler");
      check_run(what, sampled, expected(stream, spread(numbers, n)));
      if (n == stream.frames)
        check_numbers(what + ", entry points", sampled.entries, stream.entries);
    }
}

} // namespace

GST_START_TEST(test_stream) {
  if (have_elements({"h264parse", "avdec_h264"}))
    check_stream(coder::h264_streams()[static_cast<size_t>(__i__)]);
}
GST_END_TEST

static Suite *synthetic_suite(void) {
  Suite *suite = suite_create("synthetic");
  TCase *tests = make_tests(suite);
  tcase_add_loop_test(tests, test_stream, 0, static_cast<int>(coder::h264_streams().size()));
  return suite;
}

GST_CHECK_MAIN(synthetic)
