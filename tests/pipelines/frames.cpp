// SPDX-License-Identifier: LGPL-2.1-or-later
// Which frames a line with a frameplanner samples, of every container, against a full decode.
#include "tests/pipelines/clips.h"

#include <csignal>
#include <thread>
#include <unistd.h>

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

// In files below some 64 KiB tsdemux says that it cannot seek.
constexpr int kLarge = 480;

constexpr Source kSources[] = {
    {kH264, "mp4mux", "qtdemux ! "},
    {kH264B, "mp4mux", "qtdemux ! "},
    {kH264B, "mp4mux fragment-duration=500", "qtdemux ! ", kClipWidth, kClipHeight, 2},
    {kH264B, "qtmux", "qtdemux ! "},
    {kH264B, "matroskamux", "matroskademux ! "},
    {kH264B, "mpegtsmux", "tsdemux ! ", kLarge, kLarge},
    {kH264B, "mpegtsmux", "tsdemux ! "},
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

// The pixels of the frames that `strategy` comes to, and their numbers.
std::vector<std::string> sampled_pixels(const std::string &what, const std::string &reading, const std::string &decoder,
                                        const std::string &strategy) {
  Line line(reading + " ! frameplanner uniform-strategy=" + strategy + " ! " + decoder +
            " ! uniformsampler name=sampler sequence-length=9 ! fakesink");
  std::vector<std::string> pixels;
  line.on_buffer("sampler", "src", [&pixels](GstPad *pad, GstBuffer *buffer) {
    pixels.push_back(std::to_string(cps_buffer_get_frame_meta(buffer)->frame_id) + " " + checksum(pad, buffer));
  });
  const Outcome outcome = line.run();
  fail_unless(outcome.eos && outcome.warnings.empty(), "%s, %s: %s", what.c_str(), strategy.c_str(),
              outcome.error.c_str());
  return pixels;
}

// What is left out makes no difference to what is sampled.
void check_strategies(const std::string &what, const std::string &reading, const std::string &decoder) {
  const std::vector<std::string> expected = sampled_pixels(what, reading, decoder, "stream");
  assert_equals_uint64(expected.size(), 9);
  for (const char *strategy : {"auto", "skip", "seek"})
    fail_unless(sampled_pixels(what, reading, decoder, strategy) == expected, "%s, %s: other frames", what.c_str(),
                strategy);
}

} // namespace

// One source a run.
GST_START_TEST(test_exact_frames) {
  const Source &source = kSources[__i__];
  const std::string parser = parser_of(source.encoder), encoder(source.encoder, strchr(source.encoder, ' '));
  if (!have_elements({encoder.c_str(), parser.c_str(), decoder_of(parser).c_str()}))
    return;
  const TempDir folder;
  const std::string path = folder.file("clip");
  encode(path, source.encoder, source.muxer, kCount, source.width, source.height);
  const std::string what = std::string(source.encoder) + " ! " + source.muxer,
                    reading = "filesrc location=" + path + " ! " + source.demuxer + parser;
  check_lengths(what, reading, decoder_of(parser), source.lost);
  check_strategies(what, reading, decoder_of(parser));
}
GST_END_TEST;

// A pipe seeks neither forth nor back: the stream passes as it is, and the application's word on its length counts.
GST_START_TEST(test_pipes_of_transport_streams) {
  const TempDir folder;
  const std::string path = folder.file("clip");
  encode(path, kH264B, "mpegtsmux", kCount);
  const std::string bytes = read_file(path);
  const std::string rest = " ! tsdemux ! h264parse ! frameplanner ! avdec_h264 ! uniformsampler name=sampler "
                           "sequence-length=8 total-frames=" +
                           std::to_string(kCount) + " ! fakesink";
  const auto check = [](const char *what, Line &line) {
    Frames frames;
    frames.watch(line, "sampler");
    const Outcome outcome = line.run();
    fail_unless(outcome.eos, "%s: %s", what, outcome.error.c_str());
    fail_unless(outcome.warned_of("cannot be indexed") && outcome.warnings.size() == 1, "%s", what);
    check_clip(what, frames.all(), spread(count_up(0, kCount), 8), kCount);
  };
  signal(SIGPIPE, SIG_IGN);
  int ends[2];
  fail_unless(pipe(ends) == 0);
  std::thread writer([&] {
    for (size_t at = 0; at < bytes.size();) {
      const ssize_t written = write(ends[1], bytes.data() + at, bytes.size() - at);
      if (written <= 0)
        break;
      at += static_cast<size_t>(written);
    }
    close(ends[1]);
  });
  {
    Line line("fdsrc fd=" + std::to_string(ends[0]) + rest);
    check("fdsrc", line);
  }
  close(ends[0]);
  writer.join();

  Line line("appsrc name=in stream-type=stream format=bytes "
            "caps=video/mpegts,systemstream=(boolean)true,packetsize=(int)188" +
            rest);
  const Owned<GstElement> in = line.get("in");
  for (size_t at = 0; at < bytes.size(); at += 1880) {
    const size_t size = std::min<size_t>(1880, bytes.size() - at);
    gst_app_src_push_buffer(GST_APP_SRC(in.get()), gst_buffer_new_memdup(bytes.data() + at, size));
  }
  gst_app_src_end_of_stream(GST_APP_SRC(in.get()));
  check("appsrc", line);
}
GST_END_TEST;

// Another decoder, which puts pictures out in another order.
GST_START_TEST(test_other_decoder) {
  if (!have_elements({"x265enc", "libde265dec"}))
    return;
  const TempDir folder;
  const std::string path = folder.file("clip.mp4");
  encode(path, kH265Open, "mp4mux", kCount);
  check_lengths("libde265dec", "filesrc location=" + path + " ! qtdemux ! h265parse", "libde265dec");
}
GST_END_TEST;

static Suite *frames_suite() {
  Suite *suite = suite_create("pipelines-frames");
  TCase *tests = make_tests(suite);
  tcase_add_loop_test(tests, test_exact_frames, 0, G_N_ELEMENTS(kSources));
  tcase_add_test(tests, test_pipes_of_transport_streams);
  tcase_add_test(tests, test_other_decoder);
  return suite;
}

GST_CHECK_MAIN(frames)
