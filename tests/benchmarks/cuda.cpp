// SPDX-License-Identifier: LGPL-2.1-or-later
// What the process stage costs on a GPU: kernels on the device's own timers against the time that the bytes which have
// to move would take, and a clip as the elements run it, by the clock.
//
//   bench-cuda [CLIPS]
//
// Frames are 1080p NV12 of moving noise, in device memory as a decoder leaves them, in more sets than its cache holds;
// n = 16, K = 2048, bf16. *kernels* is the time between two events with CLIPS clips between them, nothing waiting:
// in one graph, because the host takes longer to launch most kernels than the GPU to run them, and as the elements
// launch them, one by one. *needed bytes* are the 32-byte sectors of the frames that any tap of docs/spec.md#energy or
// #pixels lies in, each once, and the tensors; the bandwidth is that of a copy on the device, bytes read and written.
// *floor* adds 3 us a launch. *clip* synchronises as patchenergy and patchselect do, once a frame and element.
#include "gst/cuda/context.h"
#include "gst/cuda/energy.h"
#include "gst/cuda/memory.h"
#include "gst/cuda/patchselector.h"
#include "tests/benchmarks/common.h"
#include "tests/common/sectors.h"
#include "tests/cuda/events.h"

#include <random>

namespace {

using namespace bench;
using cps::Size;
using cps::cuda::CurrentContext;
using cps::cuda::Device;

constexpr Size kSource = {1920, 1080};
constexpr int kFrames = 16, kSets = 6, kPatch = 14;
constexpr size_t kPitch = 2048, kFrameBytes = kPitch * 1080 * 3 / 2;
constexpr double kLaunchSeconds = 3e-6;

cps::PictureView nv12(const uint8_t *data) {
  cps::PictureView view;
  view.model = cps::ColorModel::Yuv;
  view.size = kSource;
  view.sub_x = view.sub_y = 2;
  const uint8_t *const chroma = data + kPitch * 1080;
  view.plane[0] = {data, kPitch, 1, 1920, 1080, 8, 0};
  view.plane[1] = {chroma, kPitch, 2, 960, 540, 8, 0};
  view.plane[2] = {chroma + 1, kPitch, 2, 960, 540, 8, 0};
  return view;
}

void need(bool good, const Device &device) {
  if (!good)
    stop(device.error().text);
}

// Noise in blocks of four that moves by two pixels a frame, and some of its own.
std::vector<uint8_t> noise_frame(int frame) {
  std::minstd_rand random(static_cast<unsigned>(frame + 1));
  std::vector<uint8_t> bytes(kFrameBytes);
  for (size_t i = 0; i < bytes.size(); i++) {
    const size_t x = i % kPitch + static_cast<size_t>(2 * frame), y = i / kPitch;
    const size_t hash = (x / 4 * 2654435761u ^ y / 4 * 40503u) >> 7;
    bytes[i] = static_cast<uint8_t>((hash & 0xf0u) + (random() >> 20 & 7u));
  }
  return bytes;
}

double frame_bytes(const cps::PictureView &view, Size target) {
  test::Sectors sectors;
  sectors.add_small_luma(view);
  sectors.add_target(view, target);
  return sectors.bytes();
}

// The stage as the elements have it.
class Stage {
public:
  Stage(Device &energy_device, Device &clip_device) // one stream an element
      : energy_device_(energy_device), clip_device_(clip_device), energy_(energy_device), clip_(clip_device),
        target_(cps::target_size(kSource, cps::TargetOptions())) {
    options_.patch_size = kPatch;
    const Size map = cps::small_size(kSource);
    const auto count = static_cast<size_t>(options_.k_keep);
    need(energy_.prepare(nv12(nullptr), {}) &&
             map_.reserve(energy_device, sizeof(float) * static_cast<size_t>(map.width * map.height)),
         energy_device);
    need(patches_.reserve(clip_device, count * 3 * kPatch * kPatch * 2) && fields_.reserve(clip_device, count * 48) &&
             scores_.reserve(clip_device, count * 4),
         clip_device);
  }

  Size target() const { return target_; }
  double tensor_bytes() const { return static_cast<double>(options_.k_keep) * (3 * kPatch * kPatch * 2 + 48 + 4); }

  // `synchronise`: as the elements do; else nothing waits, and both are given the same device.
  void run(const uint8_t *frames, bool synchronise) {
    need(clip_.begin(nv12(frames), target_, options_, kFrames), clip_device_);
    for (int i = 0; i < kFrames; i++) {
      const cps::PictureView picture = nv12(frames + static_cast<size_t>(i) * kFrameBytes);
      need(energy_.next(picture, i == 0, map_.as<float>()) && (!synchronise || energy_device_.synchronise()),
           energy_device_);
      need(clip_.add(picture, map_.as<float>(), 100 * i, i % 5 == 0) &&
               (!synchronise || i == kFrames - 1 || clip_device_.synchronise()),
           clip_device_);
    }
    int64_t count = 0;
    need(clip_.select(count) &&
             clip_.cut(cps::yuv_to_rgb(0.2126, 0.0722, false), {}, cps::PixelType::BF16,
                       {patches_.as<void>(), fields_.as<int64_t>(), scores_.as<float>()}) &&
             (!synchronise || clip_device_.synchronise()),
         clip_device_);
  }

private:
  Device &energy_device_, &clip_device_;
  cps::cuda::Energy energy_;
  cps::cuda::PatchSelector clip_;
  Size target_;
  cps::SelectOptions options_;
  cps::cuda::Memory map_, patches_, fields_, scores_;
};

double copy_bandwidth(Device &device, const cps::cuda::Events &events) {
  constexpr size_t kBytes = 256 << 20;
  constexpr int kRounds = 20;
  cps::cuda::Memory from, to;
  need(from.reserve(device, kBytes) && to.reserve(device, kBytes) && device.clear(from.address(), kBytes), device);
  std::vector<double> times;
  for (int i = 0; i < kRounds; i++)
    times.push_back(events.seconds(
        device.stream(), [&] { cps::cuda::copy_on_device(to.address(), from.address(), kBytes, device.stream()); }));
  return 2.0 * kBytes / median(times);
}

} // namespace

int main(int argc, char **argv) {
  gst_init(&argc, &argv);
  const int clips = argc > 1 ? std::max(1, std::atoi(argv[1])) : 60;
  cps::cuda::Error error;
  const Owned<GstCudaContext> context = cps::cuda::available() ? cps::cuda::primary_context(0, error) : nullptr;
  const auto device = context ? Device::create(context.get(), error) : nullptr;
  const auto other = device ? Device::create(context.get(), error) : nullptr;
  if (!other) {
    std::printf("There is no GPU here%s%s: nothing to measure.\n", error.text.empty() ? "" : ": ", error.text.c_str());
    return 77;
  }
  const CurrentContext current(*device);
  const cps::cuda::Events events;

  cps::cuda::Memory frames;
  need(frames.reserve(*device, kSets * kFrames * kFrameBytes), *device);
  for (int i = 0; i < kFrames; i++) {
    const std::vector<uint8_t> frame = noise_frame(i);
    for (int set = 0; set < kSets; set++)
      need(device->upload(frames.address() + static_cast<size_t>(set * kFrames + i) * kFrameBytes, frame.data(),
                          frame.size()),
           *device);
  }
  const auto set = [&](int clip) {
    return frames.as<uint8_t>() + static_cast<size_t>(clip % kSets * kFrames) * kFrameBytes;
  };

  Stage alone(*device, *device), elements(*device, *other);
  alone.run(set(0), true); // warms up
  const unsigned before = device->launches();
  alone.run(set(1), true);
  const unsigned launches = device->launches() - before;
  const auto enqueue = [&] {
    for (int i = 0; i < clips; i++)
      alone.run(set(i), false);
  };
  const Stopwatch host;
  double launched = 0;
  const double together = events.seconds(device->stream(), [&] {
    enqueue();
    launched = host.wall() / clips;
  }) / clips;
  const double as_graph = events.seconds_as_graph(device->stream(), enqueue) / clips;
  const double kernels = as_graph > 0 ? as_graph : together;
  std::vector<double> wall;
  for (int i = 0; i < clips; i++) {
    const Stopwatch stopwatch;
    elements.run(set(i), true);
    wall.push_back(stopwatch.wall());
  }

  const double bandwidth = copy_bandwidth(*device, events);
  const double bytes = kFrames * frame_bytes(nv12(set(0)), alone.target()) + alone.tensor_bytes();
  const double move = bytes / bandwidth, floor = move + kLaunchSeconds * launches;
  std::printf("%dx%d NV12, n = %d, K = 2048, bf16, %d clips\n", kSource.width, kSource.height, kFrames, clips);
  std::printf("  launches a clip       %10u  (%.1f a frame, and %d)\n", launches, (launches - 2.0) / kFrames, 2);
  std::printf("  copy bandwidth        %10.0f GB/s\n", bandwidth * 1e-9);
  std::printf("  needed bytes          %10.1f MB, %.1f us at that bandwidth\n", bytes * 1e-6, move * 1e6);
  std::printf("  floor                 %10.1f us\n", floor * 1e6);
  std::printf("  kernels               %10.1f us, %.2f times the floor\n", kernels * 1e6, kernels / floor);
  std::printf("  launched one by one   %10.1f us, of which the host takes %.1f us\n", together * 1e6, launched * 1e6);
  std::printf("  clip                  %10.1f us by the clock, median\n", median(wall) * 1e6);
  return 0;
}
