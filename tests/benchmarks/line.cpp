// SPDX-License-Identifier: LGPL-2.1-or-later
// What the line costs after the decoder: time against the same line that ends in fakesink there, and memory.
//
//   bench-line [FILE [ROUNDS]]
//
// FILE is MP4 with H.264; without one it is the demo clip, or a clip of 1080p that is made here.
#include "gst/codecpatch/codecpatch.h"
#include "tests/benchmarks/clips.h"

#include <optional>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace bench;

// Time between the moment that a frame enters the sampler and the moment that its push returns, which is all that is
// done after the decoder: the line has one streaming thread from there on.
struct AfterDecoder {
  double wall = 0, cpu = 0;
  GstPadChainFunction chain = nullptr;
};
AfterDecoder after_decoder;

GstFlowReturn timed_chain(GstPad *pad, GstObject *parent, GstBuffer *buffer) {
  const Stopwatch stopwatch(CLOCK_THREAD_CPUTIME_ID);
  const GstFlowReturn flow = after_decoder.chain(pad, parent, buffer);
  after_decoder.wall += stopwatch.wall();
  after_decoder.cpu += stopwatch.cpu();
  return flow;
}

struct Cost {
  double wall = 0, cpu = 0;             // of the whole line
  double after_wall = 0, after_cpu = 0; // of what comes after the decoder
};

enum class End { Tensors, Decoder };

std::string description(const std::string &file, End end, int length) {
  const std::string sampler = " ! uniformsampler name=sampler sequence-length=" + std::to_string(length);
  return "filesrc location=\"" + file + "\" ! qtdemux ! h264parse ! frameplanner ! avdec_h264" + sampler +
         (end == End::Decoder ? " ! fakesink" : " ! patchenergy ! patchselect ! tensormetasink max-buffers=1");
}

Cost run(const std::string &file, End end, int length) {
  const Owned<GstElement> pipeline = make_line(description(file, end, length));
  const Owned<GstPad> pad = pad_of(pipeline.get(), "sampler", "sink");
  after_decoder = AfterDecoder();
  after_decoder.chain = GST_PAD_CHAINFUNC(pad.get());
  gst_pad_set_chain_function(pad.get(), timed_chain);

  const Stopwatch stopwatch;
  play(pipeline.get());
  return {stopwatch.wall(), stopwatch.cpu(), after_decoder.wall, after_decoder.cpu};
}

void compare_times(const std::string &file, int rounds, int length) {
  std::vector<Cost> whole, decoder;
  run(file, End::Tensors, length); // warms up
  for (int i = 0; i < rounds; i++) {
    whole.push_back(run(file, End::Tensors, length));
    decoder.push_back(run(file, End::Decoder, length));
  }
  const auto wall = [](const Cost &cost) { return cost.wall; };
  const auto cpu = [](const Cost &cost) { return cost.cpu; };
  const double whole_wall = median_of(whole, wall), decoder_wall = median_of(decoder, wall),
               whole_cpu = median_of(whole, cpu), decoder_cpu = median_of(decoder, cpu);
  std::printf("n = %d, medians of %d   wall ms    CPU ms\n", length, rounds);
  std::printf("  whole line         %10.1f%10.1f\n", 1e3 * whole_wall, 1e3 * whole_cpu);
  std::printf("  up to the decoder  %10.1f%10.1f\n", 1e3 * decoder_wall, 1e3 * decoder_cpu);
  std::printf("  difference         %9.1f%%%9.1f%%  of the whole line\n", 100 * (1 - decoder_wall / whole_wall),
              100 * (1 - decoder_cpu / whole_cpu));
  std::printf("  after the decoder  %10.1f%10.1f\n", 1e3 * median_of(whole, [](const Cost &c) { return c.after_wall; }),
              1e3 * median_of(whole, [](const Cost &c) { return c.after_cpu; }));
  std::printf("  share of it        %9.1f%%%9.1f%%\n",
              100 * median_of(whole, [](const Cost &c) { return c.after_wall / c.wall; }),
              100 * median_of(whole, [](const Cost &c) { return c.after_cpu / c.cpu; }));
}

// Memory is that of a process of its own, for a peak does not go down again.

double peak_of_child(const char *program, const std::string &file, const char *end, int length) {
  const pid_t child = fork();
  if (child == 0) {
    const std::string text = std::to_string(length);
    execl(program, program, "--once", file.c_str(), end, text.c_str(), static_cast<char *>(nullptr));
    _exit(127);
  }
  int status = 0;
  struct rusage usage = {};
  if (child < 0 || wait4(child, &status, 0, &usage) < 0 || status != 0)
    stop("the child fails");
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

// 64 MiB and six bytes for each target pixel of a sampled frame (by default 224 x 224 pixels, more or less).
void compare_memory(const char *program, const std::string &file) {
  std::printf("peak RSS in MiB      decoder  whole line  more by  allowance\n");
  for (const int length : {16, 256}) {
    const double decoder = peak_of_child(program, file, "decoder", length);
    const double whole = peak_of_child(program, file, "tensors", length);
    const double allowance = 64 + 6.0 * 168 * 308 * length / (1 << 20);
    std::printf("  n = %-3d           %9.1f%12.1f%9.1f%11.1f\n", length, decoder, whole, whole - decoder, allowance);
  }
}

} // namespace

int main(int argc, char **argv) {
  gst_init(&argc, &argv);
  if (argc == 5 && std::string(argv[1]) == "--once") {
    run(argv[2], std::string(argv[3]) == "decoder" ? End::Decoder : End::Tensors, std::atoi(argv[4]));
    return 0;
  }
  const char *shared = g_getenv("CPS_SHARED_DIR");
  std::string file = argc > 1 ? argv[1] : std::string(shared ? shared : ".") + "/videos/demo.mp4";
  const int rounds = argc > 2 ? std::max(1, std::atoi(argv[2])) : 9;
  static std::optional<TempDir> folder; // static: stop() ends the program without unwinding
  if (!std::filesystem::exists(file)) {
    file = folder.emplace().file("clip.mp4");
    make_clip(file, 120, "key-int-max=60");
  }
  std::printf("%s\n", std::filesystem::path(file).filename().c_str());
  for (const int length : {16, 256})
    compare_times(file, rounds, length);
  compare_memory("/proc/self/exe", file);
  return 0;
}
