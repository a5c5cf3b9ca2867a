// SPDX-License-Identifier: LGPL-2.1-or-later
// What talks to the driver: kernels, streams, errors.
#include "gst/cuda/kernels.h"
#include "tests/cuda/common.h"

#include "kernels/kernelargs.h"

#include <algorithm>
#include <sys/wait.h>
#include <unistd.h>

using namespace test;
using cps::Owned;
using cps::cuda::CurrentContext;
using cps::cuda::Device;

namespace {

// A run of a small kernel, with values that tell this run from others.
class Normalising {
public:
  Normalising(Device &device, float seed) : device_(device), seed_(seed) {}

  bool begin() {
    const CurrentContext current(device_);
    std::vector<float> residual(kCount);
    for (size_t i = 0; i < kCount; i++)
      residual[i] = residual_at(i);
    cps::EnergyRanks ranks = {};
    ranks.motion_percentile = 1.0f;
    ranks.residual_percentile = kPercentile;
    if (!residual_.reserve(device_, kCount * sizeof(float)) || !motion_.reserve(device_, kCount) ||
        !ranks_.reserve(device_, sizeof ranks) || !energy_.reserve(device_, kCount * sizeof(float)) ||
        !device_.upload(residual_.address(), residual.data(), kCount * sizeof(float)) ||
        !device_.clear(motion_.address(), kCount) || !device_.upload(ranks_.address(), &ranks, sizeof ranks))
      return false;
    cps::EnergyNormaliseArgs args;
    args.residual = residual_.as<float>();
    args.motion = motion_.as<uint8_t>();
    args.ranks = ranks_.as<cps::EnergyRanks>();
    args.count = kCount;
    args.energy = energy_.as<float>();
    constexpr auto threads = static_cast<unsigned>(cps::kNormaliseThreads);
    const bool launched =
        device_.launch("cps_energy_normalise", {(kCount + threads - 1) / threads, 1}, threads, 0, &args);
    args = {}; // it was copied
    return launched;
  }

  void check() {
    const CurrentContext current(device_);
    fail_unless(device_.synchronise(), "%s", device_.error().text.c_str());
    std::vector<float> energy(kCount);
    fail_unless_equals_int(cps::cuda::copy_to_host(energy.data(), energy_.address(), kCount * 4, device_.stream()),
                           CUDA_SUCCESS);
    fail_unless(device_.synchronise());
    for (size_t i = 0; i < kCount; i++) {
      const float residual = cps::normalised(residual_at(i), kPercentile);
      fail_unless(energy[i] == cps::mean_energy(0.0f, residual), "%zu: %f", i, static_cast<double>(energy[i]));
    }
  }

private:
  static constexpr size_t kCount = 5000;
  static constexpr float kPercentile = 900.0f;
  float residual_at(size_t i) const { return seed_ + static_cast<float>(i % 1000); }

  Device &device_;
  float seed_;
  cps::cuda::Memory residual_, motion_, ranks_, energy_;
};

void check_begins(Normalising &run, const Device &device) {
  fail_unless(run.begin(), "%s", device.error().text.c_str());
}

} // namespace

GST_START_TEST(test_kernels) {
  const Owned<GstCudaContext> context = new_context();
  const auto device = new_device(context.get());
  fail_unless(device->context() == context.get());
  fail_unless_equals_int(device->launches(), 0);
  Normalising run(*device, 1.0f);
  check_begins(run, *device);
  run.check();
  check_begins(run, *device);
  run.check();
  fail_unless_equals_int(device->launches(), 2);
}
GST_END_TEST;

GST_START_TEST(test_two_streams) {
  const Owned<GstCudaContext> context = new_context();
  const auto one = new_device(context.get()), two = new_device(context.get());
  fail_unless(one->stream() != two->stream());
  Normalising first(*one, 1.0f), second(*two, 2.0f), third(*one, 3.0f);
  check_begins(first, *one);
  check_begins(second, *two);
  check_begins(third, *one);
  third.check();
  second.check();
  first.check();
}
GST_END_TEST;

GST_START_TEST(test_two_contexts) {
  const Owned<GstCudaContext> context = new_context(), other = new_context();
  const auto one = new_device(context.get()), two = new_device(other.get());
  Normalising first(*one, 1.0f), second(*two, 2.0f);
  check_begins(first, *one);
  check_begins(second, *two);
  first.check();
  second.check();
}
GST_END_TEST;

// Kernels are loaded once a context, and do not keep it.
GST_START_TEST(test_kernels_of_a_context) {
  bool gone = false;
  {
    const Owned<GstCudaContext> context = new_context();
    g_object_weak_ref(
        G_OBJECT(context.get()), [](gpointer flag, GObject *) { *static_cast<bool *>(flag) = true; }, &gone);
    cps::cuda::Error error;
    const void *first = nullptr;
    for (int i = 0; i < 3; i++) {
      const auto device = new_device(context.get());
      const CurrentContext current(*device);
      const void *kernels = cps::cuda::Kernels::of(context.get(), error);
      fail_unless(kernels && (!first || kernels == first));
      first = kernels;
      Normalising run(*device, 1.0f);
      check_begins(run, *device);
      run.check();
    }
  }
  fail_unless(gone);
}
GST_END_TEST;

GST_START_TEST(test_kernel_missing) {
  const Owned<GstCudaContext> context = new_context();
  const auto device = new_device(context.get());
  const CurrentContext current(*device);
  const cps::EnergyNormaliseArgs args;
  fail_if(device->launch("cps_no_such_kernel", {1, 1}, 32, 0, &args));
  check_text(device->error().text, "The GPU failed (CUDA_ERROR_NOT_FOUND: ");
  check_text(device->error().text, "; while looking for the kernel cps_no_such_kernel)");
  fail_if(device->error().out_of_memory);
  fail_unless_equals_int(device->launches(), 0);

  // None of it breaks what comes after.
  fail_unless(device->synchronise());
  Normalising run(*device, 4.0f);
  check_begins(run, *device);
  run.check();
}
GST_END_TEST;

GST_START_TEST(test_scratch_memory) {
  const Owned<GstCudaContext> context = new_context();
  auto device = new_device(context.get());
  const CurrentContext current(*device);
  cps::cuda::Memory memory, empty;
  fail_unless(memory.reserve(*device, 1000));
  const CUdeviceptr address = memory.address();
  fail_unless(memory.reserve(*device, 10) && memory.address() == address);
  fail_unless(memory.reserve(*device, 100000));
  const std::vector<uint8_t> bytes = some_bytes(100000, 1);
  fail_unless(device->upload(memory.address(), bytes.data(), bytes.size()));
  fail_unless(device->clear(memory.address() + 10, 20) && device->clear(memory.address(), 0));
  std::vector<uint8_t> back(bytes.size());
  fail_unless_equals_int(cps::cuda::copy_to_host(back.data(), memory.address(), back.size(), device->stream()),
                         CUDA_SUCCESS);
  fail_unless(device->synchronise());
  std::vector<uint8_t> expected = bytes;
  std::fill_n(expected.begin() + 10, 20, 0);
  fail_unless(back == expected);

  fail_unless(empty.reserve(*device, 0));
  fail_unless(device->upload(empty.address(), nullptr, 0));
}
GST_END_TEST;

GST_START_TEST(test_lost_device) {
  if (!simulation())
    return;
  const Owned<GstCudaContext> context = new_context();
  {
    const auto device = new_device(context.get());
    Normalising run(*device, 1.0f);
    check_begins(run, *device);
    run.check();
    simulation()->lose_device(1);
    fail_if(run.begin());
    check_text(device->error().text, "The GPU failed (CUDA_ERROR_");
    check_text(device->error().text, "; while ");
    const CurrentContext current(*device);
    uint8_t byte = 0;
    cps::cuda::Memory memory;
    fail_if(device->synchronise());
    fail_if(memory.reserve(*device, 100000));
    fail_if(device->error().out_of_memory);
    fail_if(device->clear(0x1000, 1));
    fail_if(device->upload(0x1000, &byte, 1));
    cps::cuda::Error error;
    fail_if(Device::create(context.get(), error) != nullptr);
    check_text(error.text, "The GPU failed (CUDA_ERROR_");
  }
  simulation()->lose_device(0);
}
GST_END_TEST;

// CUDA does not survive a fork: the child is told so, and its parent goes on.
GST_START_TEST(test_forked) {
  const Owned<GstCudaContext> context = new_context();
  const auto device = new_device(context.get());
  const pid_t child = fork();
  if (child == 0) {
    cps::cuda::Error error;
    const bool told = !cps::cuda::available() && !Device::create(context.get(), error) &&
                      contains(error.text, "in the child of a process that has used it");
    _exit(told ? 0 : 1);
  }
  int status = -1;
  fail_unless(child > 0 && waitpid(child, &status, 0) == child);
  fail_unless_equals_int(status, 0);
  Normalising run(*device, 1.0f);
  check_begins(run, *device);
  run.check();
}
GST_END_TEST;

GST_START_TEST(test_texts) {
  using cps::cuda::bytes_text;
  check_equal(bytes_text(0), "0 bytes");
  check_equal(bytes_text(999999), "999999 bytes");
  check_equal(bytes_text(1499999), "1 MB");
  check_equal(bytes_text(1500000), "2 MB");
  check_text(cps::cuda::error_of(CUDA_ERROR_LAUNCH_FAILED, "waiting").text,
             "The GPU failed (CUDA_ERROR_LAUNCH_FAILED: ");
  check_text(cps::cuda::error_of(CUDA_ERROR_NO_BINARY_FOR_GPU, "loading").text, "compute capability 7.5");
  check_text(cps::cuda::error_of(static_cast<CUresult>(123456), "waiting").text, "CUDA error 123456");
}
GST_END_TEST;

static Suite *cuda_device_suite() {
  Suite *suite = suite_create("cuda-device");
  TCase *tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, test_kernels);
  tcase_add_test(tests, test_two_streams);
  tcase_add_test(tests, test_two_contexts);
  tcase_add_test(tests, test_kernels_of_a_context);
  tcase_add_test(tests, test_kernel_missing);
  tcase_add_test(tests, test_scratch_memory);
  tcase_add_test(tests, test_lost_device);
  tcase_add_test(tests, test_forked);
  tcase_add_test(tests, test_texts);
  return suite;
}

int main(int argc, char **argv) {
  return run_cuda_tests(argc, argv, cuda_device_suite, "cuda-device");
}
