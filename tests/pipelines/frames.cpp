// Which frames a line with a frameplanner samples, of every container, against a full decode.
#include "tests/pipelines/clips.h"

namespace {

using namespace pipes;

constexpr int kCount = 70;

struct Source {
  const char *encoder;
  const char *muxer;   // "": raw byte stream
  const char *demuxer; // "": none
  int width = kClipWidth, height = kClipHeight;
  int lost = 0;
};

// tsdemux cannot seek in files below some 64 KiB.
constexpr int kLarge = 480;

constexpr Source kSources[] = {
    {kH264, "mp4mux", "qtdemux ! "},
    {kH264B, "mp4mux", "qtdemux ! "},
    {kH264B, "mp4mux fragment-duration=500", "qtdemux ! ", kClipWidth, kClipHeight, 2},
    {kH264B, "qtmux", "qtdemux ! "},
    {kH264B, "matroskamux", "matroskademux ! "},
    {kH264B, "mpegtsmux", "tsdemux ! ", kLarge, kLarge},
    {kH264B, "", ""},
    {kH264, "avimux", "avidemux ! "},
    {kH264Open, "mp4mux", "qtdemux ! "},
    {kH264Open, "mpegtsmux", "tsdemux ! ", kLarge, kLarge},
    {kH264Open, "", ""},
    {kH265, "mp4mux", "qtdemux ! "},
    {kH265Open, "mp4mux", "qtdemux ! "},
    {kH265Open, "matroskamux", "matroskademux ! "},
    {kH265Open, "mpegtsmux", "tsdemux ! ", kLarge, kLarge},
    {kH265Open, "", ""},
};

// `lost`: frames that the file has behind the end that it gives itself.
void check_lengths(const std::string &what, const std::string &reading, const std::string &decoder, int lost = 0) {
  const std::vector<int> decoded = decode_all(reading, decoder);
  const int count = static_cast<int>(decoded.size());
  check_numbers(what + ", full decode", decoded, count_up(0, count));
  fail_unless(count >= kCount - lost, "%s: %d frames", what.c_str(), count);
  for (const int n : {1, 2, 8, 16, 64, kCount, 3 * kCount}) {
    Line line(reading + " ! frameplanner ! " + decoder +
              " ! uniformsampler name=sampler sequence-length=" + std::to_string(n) + " ! fakesink");
    Frames frames;
    frames.watch(line, "sampler");
    const Outcome outcome = line.run();
    const std::string name = what + ", n = " + std::to_string(n);
    fail_unless(outcome.eos, "%s: %s", name.c_str(), outcome.error.c_str());
    fail_if(outcome.warned_of("estimate"), "%s: no exact plan", name.c_str());
    check_clip(name, frames.all(), spread(decoded, n), count);
  }
}

} // namespace

// One source a run.
GST_START_TEST(exact_frames) {
  const Source &source = kSources[__i__];
  const std::string parser = parser_of(source.encoder), encoder(source.encoder, strchr(source.encoder, ' '));
  if (!have_elements({encoder.c_str(), parser.c_str(), decoder_of(parser).c_str()}))
    return;
  const TemporaryFolder folder;
  const std::string path = folder.file("clip");
  encode(path, source.encoder, source.muxer, kCount, source.width, source.height);
  check_lengths(std::string(source.encoder) + " ! " + source.muxer,
                "filesrc location=" + path + " ! " + source.demuxer + parser, decoder_of(parser), source.lost);
}
GST_END_TEST

// Another decoder, which puts pictures out in another order.
GST_START_TEST(other_decoder) {
  if (!have_elements({"x265enc", "libde265dec"}))
    return;
  const TemporaryFolder folder;
  const std::string path = folder.file("clip.mp4");
  encode(path, kH265Open, "mp4mux", kCount);
  check_lengths("libde265dec", "filesrc location=" + path + " ! qtdemux ! h265parse", "libde265dec");
}
GST_END_TEST

static Suite *frames_suite() {
  Suite *suite = suite_create("pipelines-frames");
  TCase *tests = make_tests(suite);
  tcase_add_loop_test(tests, exact_frames, 0, G_N_ELEMENTS(kSources));
  tcase_add_test(tests, other_decoder);
  return suite;
}

GST_CHECK_MAIN(frames)
