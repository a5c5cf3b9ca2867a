// SPDX-License-Identifier: LGPL-2.1-or-later
// `--bench` to a test of kernels: instead of testing, it times the functions at typical sizes, and prints the bytes
// that must move (docs/benchmarks.md: what is needed of the input, and the output, each byte once) over the time.
// Nothing asserts on it.
#pragma once

#include "kernels/plane.h"

#include <gst/check/gstcheck.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace bench {

constexpr cps::Size kSource = {1920, 1080};
constexpr int kPatch = 14, kFrames = 16;

// How the samples of a format lie in memory.
struct Format {
  const char *name;
  cps::ColorModel model;
  int bits, shift;
  bool packed; // chroma, or R, G and B, side by side
};
constexpr Format kI420 = {"I420", cps::ColorModel::Yuv, 8, 0, false},
                 kNv12 = {"NV12", cps::ColorModel::Yuv, 8, 0, true},
                 kP010 = {"P010_10LE", cps::ColorModel::Yuv, 10, 6, true},
                 kRgb = {"RGB", cps::ColorModel::Rgb, 8, 0, true};

// A picture of noise, with rows as decoders leave them: from a multiple of 64 bytes to the next.
class Picture {
public:
  explicit Picture(const Format &format, cps::Size size = kSource, unsigned seed = 1) {
    const int word = format.bits > 8 ? 2 : 1;
    const bool yuv = format.model == cps::ColorModel::Yuv;
    view_.model = format.model;
    view_.size = size;
    view_.sub_x = view_.sub_y = yuv ? 2 : 1;
    size_t place[3] = {};
    for (int i = 0; i < view_.planes(); ++i) {
      const int sub = i > 0 ? view_.sub_x : 1, together = !format.packed || (yuv && i == 0) ? 1 : yuv ? 2 : 3;
      const bool first = i == 0 || !format.packed || (yuv && i == 1); // in memory of its own
      cps::PlaneView &plane = view_.plane[i];
      plane.width = (size.width + sub - 1) / sub;
      plane.height = (size.height + sub - 1) / sub;
      plane.step = word * together;
      plane.stride = (plane.width * plane.step + 63) / 64 * 64;
      plane.bits = format.bits;
      plane.shift = format.shift;
      place[i] = first ? bytes_.size() : place[i - 1] + static_cast<size_t>(word);
      if (first)
        bytes_.resize(bytes_.size() + static_cast<size_t>(plane.stride * plane.height));
    }
    bytes_.resize(bytes_.size() + 63);
    std::minstd_rand random(seed);
    std::generate(bytes_.begin(), bytes_.end(), [&random] { return static_cast<uint8_t>(random() >> 16); });
    const size_t start = (64 - reinterpret_cast<uintptr_t>(bytes_.data()) % 64) % 64;
    for (int i = 0; i < view_.planes(); ++i)
      view_.plane[i].data = bytes_.data() + start + place[i];
  }
  Picture(const Picture &) = delete;
  Picture &operator=(const Picture &) = delete;

  const cps::PictureView &view() const { return view_; }

  // Of all samples.
  double bytes() const {
    double sum = 0;
    for (int i = 0; i < view_.planes(); ++i)
      sum += static_cast<double>(view_.plane[i].width) * view_.plane[i].height * (view_.plane[i].bits > 8 ? 2 : 1);
    return sum;
  }

private:
  std::vector<uint8_t> bytes_;
  cps::PictureView view_;
};

// Seconds that a call takes: the lowest mean of ten rounds, for whatever disturbs one makes it longer.
template <typename Function> double seconds_of(const Function &run) {
  using Clock = std::chrono::steady_clock;
  double lowest = std::numeric_limits<double>::infinity();
  int calls = 1;
  for (int round = 0; round < 10;) {
    const auto begin = Clock::now();
    for (int i = 0; i < calls; ++i)
      run();
    const double taken = std::chrono::duration<double>(Clock::now() - begin).count();
    if (taken < 0.02 && round == 0) { // too short for the clock
      calls *= 2;
      continue;
    }
    lowest = std::min(lowest, taken / calls);
    round++;
  }
  return lowest;
}

// One line: `run` moves `bytes`.
template <typename Function> void time(const std::string &what, double bytes, const Function &run) {
  const double seconds = seconds_of(run);
  std::printf("%-44s %12.0f bytes %10.1f us %8.2f GB/s\n", what.c_str(), bytes, 1e6 * seconds, 1e-9 * bytes / seconds);
  std::fflush(stdout);
}

// What nothing here can beat for long: a copy of memory, bytes read and written.
inline void time_copy() {
  const std::vector<char> from(size_t{64} << 20, 1);
  std::vector<char> to(from.size());
  time("copy", 2.0 * static_cast<double>(from.size()), [&] {
    std::memcpy(to.data(), from.data(), from.size());
    __asm__ volatile("" : : "r"(to.data()) : "memory"); // so that it is done
  });
}

// The main() of a test.
inline int run(int argc, char **argv, Suite *(*suite)(), const char *name, void (*bench)()) {
  if (argc == 2 && std::strcmp(argv[1], "--bench") == 0) {
    time_copy();
    bench();
    return 0;
  }
  gst_check_init(&argc, &argv);
  return gst_check_run_suite(suite(), name, __FILE__);
}

} // namespace bench
