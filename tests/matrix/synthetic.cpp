// SPDX-License-Identifier: LGPL-2.1-or-later
// Each stream of h264streams.cpp: what a decoder makes of all of it, and what is sampled of it, against what was coded.
#include "tests/matrix/h264coder.h"
#include "tests/pipelines/clips.h"

#include <algorithm>
#include <random>
#include <sstream>

namespace {

using namespace pipes;

// Number and checksum of a frame, as lines of text.
std::string line_of(int number, const std::string &pixels) {
  return std::to_string(number) + " " + pixels + "\n";
}

bool is_hidden(const coder::Stream &stream, int number) {
  return std::find(stream.hidden.begin(), stream.hidden.end(), number) != stream.hidden.end();
}

// Of the frames in `numbers`, those before the hidden ones stand in for them.
std::string expected(const coder::Stream &stream, const std::vector<int> &numbers) {
  std::string text;
  int shown = -1;
  for (const int number : numbers) {
    shown = is_hidden(stream, number) ? shown : number;
    if (shown < 0)
      continue; // nothing before it
    const Bytes &samples = stream.pictures.at(shown).samples();
    gchar *sum = g_compute_checksum_for_data(G_CHECKSUM_SHA256, samples.data(), samples.size());
    text += line_of(shown, sum);
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
    if (meta && meta->status == CPS_FRAME_STATUS_OK && meta->frame_id != static_cast<guint64>(number))
      out.lines += "called " + std::to_string(meta->frame_id) + "\n";
    if (meta && meta->flags & CPS_FRAME_FLAG_RANDOM_ACCESS)
      out.entries.push_back(number);
  });
  out.outcome = line.run();
  return out;
}

void check_run(const std::string &what, const Sampled &sampled, const std::string &lines, bool may_warn = false) {
  fail_unless(sampled.outcome.eos, "%s: %s (%s)", what.c_str(), sampled.outcome.error.c_str(),
              sampled.outcome.debug.c_str());
  for (const std::string &warning : sampled.outcome.warnings)
    fail_unless(may_warn, "%s: %s", what.c_str(), warning.c_str());
  std::istringstream is(sampled.lines), should_be(lines);
  for (std::string a, b; is || should_be;) {
    std::getline(is, a);
    std::getline(should_be, b);
    fail_unless(a == b, "%s: frame '%s' instead of '%s'", what.c_str(), a.c_str(), b.c_str());
    a.clear(), b.clear();
  }
}

// Frames here and there, ascending: some far apart, some next to each other.
std::vector<int> pick(std::mt19937 &random, int frames) {
  std::vector<int> numbers;
  const unsigned step = 1u << random() % 6;
  for (unsigned n = random() % static_cast<unsigned>(frames); n < static_cast<unsigned>(frames);
       n += 1 + random() % (2 * step))
    numbers.push_back(static_cast<int>(n));
  return numbers;
}

std::string list_of(const std::vector<int> &numbers) {
  std::string text;
  for (const int number : numbers)
    text += (text.empty() ? "" : ",") + std::to_string(number);
  return text;
}

// Fewer plans, because each of them opens a decoder of NVIDIA, which takes a quarter of a second.
bool only_nvidia() {
  return g_getenv("CPS_ONLY_NVIDIA") != nullptr;
}

void check_stream(const coder::Stream &stream, const std::string &decoder) {
  const TempDir folder;
  const std::string path = folder.file("stream.h264"), reading = "filesrc location=" + path + " ! h264parse ! ";
  write_file(path, stream.bytes);
  const bool may_warn = !stream.hidden.empty();
  const std::vector<int> numbers = count_up(0, stream.frames);
  std::vector<int> shown;
  std::copy_if(numbers.begin(), numbers.end(), std::back_inserter(shown),
               [&stream](int number) { return !is_hidden(stream, number); });
  check_run(stream.name, run_line(reading + decoder + "fakesink", "decoder"), expected(stream, shown));

  std::string format; // the parser's choice, with parameter sets in the caps
  const auto check = [&](const std::string &strategy, const std::string &sampling, const std::vector<int> &wanted) {
    const std::string what = stream.name + ", " + format + strategy + ", " + sampling;
    const Sampled sampled = run_line(reading + format + "frameplanner uniform-strategy=" + strategy + " ! " + decoder +
                                         "uniformsampler name=sampler " + sampling + " ! fakesink",
                                     "sampler");
    check_run(what, sampled, expected(stream, wanted), may_warn);
    if (wanted == numbers)
      check_numbers(what + ", entry points", sampled.entries, stream.entries);
  };
  const std::vector<int> lengths = only_nvidia() ? std::vector{3, 16} : std::vector{1, 2, 3, 8, 16, 64, stream.frames};
  for (const char *strategy : {"stream", "skip"})
    for (const int n : lengths)
      check(strategy, "sequence-length=" + std::to_string(n), spread(numbers, n));
  std::mt19937 random(static_cast<unsigned>(stream.frames));
  for (int i = 0; i < (may_warn ? 0 : only_nvidia() ? 4 : 16); ++i) {
    format = i % 2 == 0 ? "" : "video/x-h264,stream-format=byte-stream,alignment=au ! ";
    const std::vector<int> wanted = pick(random, stream.frames);
    check("skip", "frame-ids=<" + list_of(wanted) + ">", wanted);
  }
}

} // namespace

// Those of NVIDIA that are there; they put out NV12.
static std::vector<std::string> nvidia_decoders() {
  std::vector<std::string> found;
  for (const char *decoder : {"nvh264sldec", "nvh264dec"})
    if (const Owned<GstElementFactory> factory{gst_element_factory_find(decoder)})
      found.push_back(decoder + std::string(" ! cudadownload ! videoconvert name=decoder ! ") +
                      "video/x-raw,format=I420 ! ");
  return found;
}

GST_START_TEST(test_stream) {
  const coder::Stream &stream = coder::h264_streams()[static_cast<size_t>(__i__)];
  if (!only_nvidia() && have_elements({"h264parse", "avdec_h264"}))
    check_stream(stream, "avdec_h264 name=decoder ! ");
  for (const std::string &decoder : nvidia_decoders())
    check_stream(stream, decoder);
}
GST_END_TEST;

static Suite *synthetic_suite(void) {
  Suite *suite = suite_create("synthetic");
  TCase *tests = make_tests(suite);
  tcase_add_loop_test(tests, test_stream, 0, static_cast<int>(coder::h264_streams().size()));
  return suite;
}

int main(int argc, char **argv) {
  gst_check_init(&argc, &argv);
  if (only_nvidia() && nvidia_decoders().empty()) {
    g_print("skipped: neither nvh264sldec nor nvh264dec\n");
    return 77; // as Meson has it
  }
  return gst_check_run_suite(synthetic_suite(), "synthetic", __FILE__);
}
