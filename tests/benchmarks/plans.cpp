// SPDX-License-Identifier: LGPL-2.1-or-later
// For video.py: makes its clip, and measures the floor of its plans.
//
//   bench-plans make FILE FRAMES X264ENC_PROPERTIES
//   bench-plans floor FILE THREADS
//
// `floor` reads plans from standard input, one a line: indices of frames, separated by commas, ascending. It writes one
// line each: access units, wall seconds and CPU seconds of libavcodec alone, which decodes from memory what
// frameplanner lets through for the plan. The decoder is opened and closed within the time.
#include "tests/benchmarks/floor.h"

#include <iostream>

namespace {

using namespace bench;

Packets needed(const std::string &file, const std::string &ids) {
  return packets_of(collect("filesrc location=\"" + file +
                                "\" ! qtdemux ! h264parse ! frameplanner ! avdec_h264 name=decoder" +
                                " ! uniformsampler frame-ids=\"<" + ids + ">\" ! fakevideosink sync=false",
                            "decoder", "sink"));
}

int measure_floor(const std::string &file, int threads) {
  for (std::string ids; std::getline(std::cin, ids);) {
    const Packets packets = needed(file, ids);
    const Stopwatch watch;
    decode(packets, threads);
    std::printf("%zu %.6f %.6f\n", packets.packets.size(), watch.wall(), watch.cpu());
    std::fflush(stdout);
  }
  return 0;
}

} // namespace

int main(int argc, char **argv) {
  gst_init(&argc, &argv);
  const std::string task = argc > 1 ? argv[1] : "";
  if (task == "make" && argc == 5) {
    make_clip(argv[2], static_cast<size_t>(std::atol(argv[3])), argv[4]);
    return 0;
  }
  if (task == "floor" && argc == 4)
    return measure_floor(argv[2], std::atoi(argv[3]));
  stop("usage: bench-plans make FILE FRAMES X264ENC_PROPERTIES, or bench-plans floor FILE THREADS");
}
