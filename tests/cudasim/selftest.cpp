// SPDX-License-Identifier: LGPL-2.1-or-later
// Is the simulated device one that finds mistakes? Kernels with and without them.
#include "tests/cudasim/control.h"

#include <cuda.h>
#include <gst/check/gstcheck.h>

#include "kernels/device.h"

#include <cub/block/block_reduce.cuh>
#include <cub/block/block_scan.cuh>

#include <csignal>
#include <numeric>
#include <vector>

namespace {

constexpr int kThreads = 128, kBlocks = 7;

struct Args {
  int *out;
  int count;
};

} // namespace

// Each thread writes what the one opposite to it stored.
CPS_KERNEL(kernel_reverse, Args, kThreads) {
  __shared__ int shared[kThreads];
  const unsigned i = threadIdx.x;
  for (int round = 0; round < args.count; ++round) {
    shared[i] = static_cast<int>(i) + round;
    __syncthreads();
    args.out[blockIdx.x * kThreads + i] = shared[kThreads - 1 - i];
    __syncthreads();
  }
}

CPS_KERNEL(kernel_reverse_unguarded, Args, kThreads) {
  CPS_DYNAMIC_SHARED(int, shared);
  shared[threadIdx.x] = static_cast<int>(threadIdx.x);
  args.out[blockIdx.x * kThreads + threadIdx.x] = shared[kThreads - 1 - threadIdx.x];
}

CPS_KERNEL(kernel_votes, Args, kThreads) {
  const int odd = threadIdx.x & 1, last = threadIdx.x == kThreads - 1;
  const int count = __syncthreads_count(odd), any = __syncthreads_or(last), all = __syncthreads_and(!last);
  args.out[threadIdx.x] = count * 100 + any * 10 + all;
}

// Of 40 threads: two warps, the second of which lacks lanes.
CPS_KERNEL(kernel_warps, Args, 40) {
  const int i = static_cast<int>(threadIdx.x), lane = i % warpSize;
  int64_t sum = i;
  for (int delta = 1; delta < warpSize; delta *= 2) {
    const int64_t other = __shfl_up_sync(0xffffffffU, sum, static_cast<unsigned>(delta));
    if (lane >= delta)
      sum += other;
  }
  int *const out = args.out + 8 * i;
  out[0] = static_cast<int>(sum);
  out[1] = static_cast<int>(__ballot_sync(0xffffffffU, i % 3 == 0));
  out[2] = __shfl_xor_sync(0xffffffffU, i, 1);
  out[3] = __shfl_sync(0xffffffffU, i, 2, 4);
  out[4] = __reduce_max_sync(0xffffffffU, -i);
  out[5] = __all_sync(0xffffffffU, i < 32) * 2 + __any_sync(0xffffffffU, i == 3);
  out[6] = 0;
  if (lane < 4)
    out[6] = __shfl_down_sync(0xfU, i, 1, 4);
  __syncwarp();
  out[7] = __popc(static_cast<unsigned>(i)) * 100 + __clz(i);
}

CPS_KERNEL(kernel_collectives, Args, kThreads) {
  using Scan = cub::BlockScan<int, kThreads>;
  using Reduce = cub::BlockReduce<int, kThreads>;
  __shared__ Scan::TempStorage scan;
  __shared__ Reduce::TempStorage reduce;
  const int i = static_cast<int>(threadIdx.x);
  int before = 0, with = 0, all = 0;
  Scan(scan).ExclusiveSum(i, before, all);
  __syncthreads();
  Scan(scan).InclusiveSum(i, with);
  const int largest = Reduce(reduce).Reduce((i * 37) % kThreads, [](int a, int b) { return max(a, b); });
  int *const out = args.out + 4 * i;
  out[0] = before;
  out[1] = with;
  out[2] = all;
  out[3] = largest;
}

CPS_KERNEL(kernel_scan_again, Args, kThreads) {
  using Scan = cub::BlockScan<int, kThreads>;
  __shared__ Scan::TempStorage scan;
  int sum = 0;
  Scan(scan).ExclusiveSum(1, sum);
  Scan(scan).ExclusiveSum(sum, sum);
  args.out[threadIdx.x] = sum;
}

// A histogram, whose total the last block writes.
CPS_KERNEL(kernel_atomics, Args, kThreads) {
  atomicAdd(&args.out[threadIdx.x % 4], 1);
  atomicMax(&args.out[4], static_cast<int>(blockIdx.x));
  atomicMin(&args.out[5], -static_cast<int>(blockIdx.x));
  __threadfence();
  __syncthreads();
  if (threadIdx.x == 0 && atomicAdd(&args.out[6], 1) == static_cast<int>(gridDim.x) - 1)
    args.out[7] = args.out[0] + args.out[1] + args.out[2] + args.out[3];
}

CPS_KERNEL(kernel_divergent, Args, kThreads) {
  if (threadIdx.x < static_cast<unsigned>(args.count))
    return;
  __syncthreads();
}

CPS_KERNEL(kernel_two_barriers, Args, kThreads) {
  if (threadIdx.x < static_cast<unsigned>(args.count)) // NOLINT(bugprone-branch-clone): that is the mistake
    __syncthreads();
  else
    __syncthreads();
}

CPS_KERNEL(kernel_lonely_lane, Args, kThreads) {
  if (threadIdx.x == 0)
    args.out[0] = __any_sync(3, 1);
  __syncthreads();
}

CPS_KERNEL(kernel_too_far, Args, kThreads) {
  CPS_DYNAMIC_SHARED(int, shared);
  shared[threadIdx.x] = args.count;
}

CPS_KERNEL(kernel_increment, Args, kThreads) {
  for (int i = static_cast<int>(threadIdx.x); i < args.count; i += kThreads)
    args.out[i] += 1;
}

namespace {

struct Gpu {
  Gpu() {
    fail_unless(cuInit(0) == CUDA_SUCCESS);
    fail_unless(cuDevicePrimaryCtxRetain(&context, 0) == CUDA_SUCCESS);
    fail_unless(cuCtxPushCurrent(context) == CUDA_SUCCESS);
    fail_unless(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING) == CUDA_SUCCESS);
    fail_unless(cuModuleLoadData(&module, "") == CUDA_SUCCESS);
  }
  ~Gpu() {
    fail_unless(cuModuleUnload(module) == CUDA_SUCCESS);
    fail_unless(cuStreamDestroy(stream) == CUDA_SUCCESS);
    fail_unless(cuCtxPopCurrent(nullptr) == CUDA_SUCCESS);
    fail_unless(cuDevicePrimaryCtxRelease(0) == CUDA_SUCCESS);
    fail_unless(cps_sim_memory_in_use() == 0 && cps_sim_pinned_in_use() == 0);
  }
  Gpu(const Gpu &) = delete;
  Gpu &operator=(const Gpu &) = delete;

  CUresult launch(const char *name, Args args, unsigned grid = 1, unsigned threads = kThreads,
                  unsigned shared_bytes = 0) const {
    CUfunction function = nullptr;
    fail_unless(cuModuleGetFunction(&function, module, name) == CUDA_SUCCESS, "%s", name);
    void *parameters[] = {&args};
    return cuLaunchKernel(function, grid, 1, 1, threads, 1, 1, shared_bytes, stream, parameters, nullptr);
  }
  void wait() const { fail_unless(cuStreamSynchronize(stream) == CUDA_SUCCESS); }

  CUcontext context = nullptr;
  CUstream stream = nullptr;
  CUmodule module = nullptr;
};

// Integers on the device, at first 0.
class Numbers {
public:
  Numbers(const Gpu &gpu, size_t count) : gpu_(gpu), count_(count) {
    fail_unless(cuMemAlloc(&data_, bytes()) == CUDA_SUCCESS);
    fail_unless(cuMemsetD8Async(data_, 0, bytes(), gpu.stream) == CUDA_SUCCESS);
  }
  ~Numbers() { fail_unless(cuMemFree(data_) == CUDA_SUCCESS); }
  Numbers(const Numbers &) = delete;
  Numbers &operator=(const Numbers &) = delete;

  size_t bytes() const { return count_ * sizeof(int); }
  CUdeviceptr address() const { return data_; }
  Args args(int count = 1) const { return {reinterpret_cast<int *>(data_), count}; }
  std::vector<int> read() const {
    std::vector<int> values(count_);
    fail_unless(cuMemcpyDtoHAsync(values.data(), data_, bytes(), gpu_.stream) == CUDA_SUCCESS);
    gpu_.wait();
    return values;
  }

private:
  const Gpu &gpu_;
  size_t count_;
  CUdeviceptr data_ = 0;
};

std::vector<int> reversed_blocks(int last_round) {
  std::vector<int> values(kBlocks * kThreads);
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = kThreads - 1 - static_cast<int>(i) % kThreads + last_round;
  return values;
}

} // namespace

GST_START_TEST(test_barriers) {
  const Gpu gpu;
  const Numbers out(gpu, kBlocks * kThreads);
  unsigned unguarded_wrong = 0;
  for (unsigned seed = 1; seed <= 20; ++seed) {
    cps_sim_set_schedule(seed);
    fail_unless(gpu.launch("kernel_reverse", out.args(5), kBlocks) == CUDA_SUCCESS);
    fail_unless(out.read() == reversed_blocks(4), "seed %u", seed);
    fail_unless(gpu.launch("kernel_reverse_unguarded", out.args(), kBlocks, kThreads, 4 * kThreads) == CUDA_SUCCESS);
    unguarded_wrong += out.read() != reversed_blocks(0);
  }
  fail_unless(unguarded_wrong == 20);
  fail_unless(gpu.launch("kernel_votes", out.args()) == CUDA_SUCCESS);
  const std::vector<int> votes = out.read();
  for (size_t i = 0; i < kThreads; ++i)
    fail_unless(votes[i] == kThreads / 2 * 100 + 10, "%d", votes[i]);
}
GST_END_TEST;

GST_START_TEST(test_warps) {
  const Gpu gpu;
  const Numbers numbers(gpu, size_t{40} * 8);
  fail_unless(gpu.launch("kernel_warps", numbers.args(), 1, 40) == CUDA_SUCCESS);
  const std::vector<int> all = numbers.read();
  for (int i = 0; i < 40; ++i) {
    const int *const out = &all[static_cast<size_t>(i) * 8];
    const bool is_second = i >= 32;
    const int warp_begin = is_second ? 32 : 0;
    fail_unless_equals_int(out[0], (i * (i + 1) - warp_begin * (warp_begin - 1)) / 2);
    fail_unless_equals_int(static_cast<unsigned>(out[1]), is_second ? 0x92U : 0x49249249U);
    fail_unless_equals_int(out[2], i ^ 1);
    fail_unless_equals_int(out[3], i / 4 * 4 + 2);
    fail_unless_equals_int(out[4], -warp_begin);
    fail_unless_equals_int(out[5], is_second ? 0 : 3);
    fail_unless_equals_int(out[6], i % 32 >= 4 ? 0 : i % 4 == 3 ? i : i + 1);
    fail_unless_equals_int(out[7], __builtin_popcount(static_cast<unsigned>(i)) * 100 +
                                       (i ? __builtin_clz(static_cast<unsigned>(i)) : 32));
  }
}
GST_END_TEST;

GST_START_TEST(test_collectives) {
  const Gpu gpu;
  const Numbers numbers(gpu, size_t{4} * kThreads);
  fail_unless(gpu.launch("kernel_collectives", numbers.args()) == CUDA_SUCCESS);
  const std::vector<int> out = numbers.read();
  for (int i = 0; i < kThreads; ++i) {
    const int *const row = &out[static_cast<size_t>(i) * 4];
    fail_unless_equals_int(row[0], i * (i - 1) / 2);
    fail_unless_equals_int(row[1], i * (i + 1) / 2);
    fail_unless_equals_int(row[2], kThreads * (kThreads - 1) / 2);
    fail_unless((row[3] == kThreads - 1) == (i == 0)); // only thread 0 has it
  }
}
GST_END_TEST;

GST_START_TEST(test_atomics) {
  const Gpu gpu;
  const Numbers numbers(gpu, 8);
  fail_unless(gpu.launch("kernel_atomics", numbers.args(), kBlocks) == CUDA_SUCCESS);
  const int quarter = kBlocks * kThreads / 4;
  const std::vector<int> expected = {quarter,     quarter,        quarter, quarter,
                                     kBlocks - 1, -(kBlocks - 1), kBlocks, kBlocks * kThreads};
  fail_unless(numbers.read() == expected);
}
GST_END_TEST;

GST_START_TEST(test_streams_are_late_and_in_order) {
  const Gpu gpu;
  constexpr int kCount = 1000;
  const Numbers numbers(gpu, kCount);
  std::vector<int> early(kCount);
  unsigned missed = 0;
  for (int round = 1; round <= 50; ++round) {
    for (int i = 0; i < 10; ++i)
      fail_unless(gpu.launch("kernel_increment", numbers.args(kCount)) == CUDA_SUCCESS);
    fail_unless(cuMemcpyDtoHAsync(early.data(), numbers.address(), numbers.bytes(), gpu.stream) == CUDA_SUCCESS);
    missed += *static_cast<volatile int *>(&early[kCount - 1]) != 10 * round;
    gpu.wait();
    fail_unless(early == std::vector<int>(kCount, 10 * round));
  }
  fail_unless(missed > 0);
  fail_unless(cps_sim_launches() == 500);
  fail_unless(cps_sim_synchronisations() == 50);
}
GST_END_TEST;

GST_START_TEST(test_events) {
  const Gpu gpu;
  CUevent begin = nullptr, end = nullptr;
  fail_unless(cuEventCreate(&begin, CU_EVENT_DEFAULT) == CUDA_SUCCESS);
  fail_unless(cuEventCreate(&end, CU_EVENT_DEFAULT) == CUDA_SUCCESS);
  float milliseconds = -1;
  fail_unless(cuEventElapsedTime(&milliseconds, begin, end) == CUDA_ERROR_INVALID_HANDLE);
  const Numbers numbers(gpu, 1000);
  fail_unless(cuEventRecord(begin, gpu.stream) == CUDA_SUCCESS);
  for (int i = 0; i < 20; ++i)
    fail_unless(gpu.launch("kernel_increment", numbers.args(1000)) == CUDA_SUCCESS);
  fail_unless(cuEventRecord(end, gpu.stream) == CUDA_SUCCESS);
  fail_unless(cuEventElapsedTime(&milliseconds, begin, end) == CUDA_ERROR_NOT_READY);
  fail_unless(cuEventSynchronize(end) == CUDA_SUCCESS);
  fail_unless(cuEventElapsedTime(&milliseconds, begin, end) == CUDA_SUCCESS);
  fail_unless(milliseconds > 0 && milliseconds < 10000);
  fail_unless(cuEventDestroy(begin) == CUDA_SUCCESS && cuEventDestroy(end) == CUDA_SUCCESS);
}
GST_END_TEST;

GST_START_TEST(test_pictures_are_copied) {
  const Gpu gpu;
  CUdeviceptr device = 0;
  size_t pitch = 0;
  fail_unless(cuMemAllocPitch(&device, &pitch, 100, 20, 16) == CUDA_SUCCESS);
  fail_unless(pitch == 512 && device % 512 == 0);
  std::vector<uint8_t> from(100 * 20), to(from.size());
  std::iota(from.begin(), from.end(), uint8_t{0});
  CUDA_MEMCPY2D copy = {};
  copy.srcMemoryType = CU_MEMORYTYPE_HOST;
  copy.srcHost = from.data();
  copy.srcPitch = copy.WidthInBytes = 100;
  copy.dstMemoryType = CU_MEMORYTYPE_DEVICE;
  copy.dstDevice = device;
  copy.dstPitch = pitch;
  copy.Height = 20;
  fail_unless(cuMemcpy2D(&copy) == CUDA_SUCCESS);
  CUDA_MEMCPY2D back = {};
  back.srcMemoryType = CU_MEMORYTYPE_DEVICE;
  back.srcDevice = device;
  back.srcPitch = pitch;
  back.dstMemoryType = CU_MEMORYTYPE_HOST;
  back.dstHost = to.data();
  back.dstPitch = back.WidthInBytes = 100;
  back.Height = 20;
  fail_unless(cuMemcpy2DAsync(&back, nullptr) == CUDA_SUCCESS);
  fail_unless(cuStreamSynchronize(nullptr) == CUDA_SUCCESS);
  fail_unless(from == to);
  fail_unless(cuMemFree(device) == CUDA_SUCCESS);
}
GST_END_TEST;

GST_START_TEST(test_memory_runs_out) {
  const Gpu gpu;
  cps_sim_set_memory_limit(10000);
  CUdeviceptr first = 0, second = 0;
  fail_unless(cuMemAlloc(&first, 6000) == CUDA_SUCCESS);
  fail_unless(first % 256 == 0);
  fail_unless(cps_sim_memory_in_use() == 6000);
  fail_unless(cuMemAlloc(&second, 6000) == CUDA_ERROR_OUT_OF_MEMORY);
  std::vector<uint8_t> fresh(6000);
  const size_t copied = cps_sim_bytes_to_host();
  fail_unless(cuMemcpyDtoHAsync(fresh.data(), first, fresh.size(), gpu.stream) == CUDA_SUCCESS);
  gpu.wait();
  fail_unless(cps_sim_bytes_to_host() - copied == fresh.size());
  fail_unless(fresh == std::vector<uint8_t>(6000, 0xff));
  fail_unless(cuMemFree(first) == CUDA_SUCCESS);
  fail_unless(cuMemAlloc(&second, 10000) == CUDA_SUCCESS);
  void *pinned = nullptr;
  fail_unless(cuMemAllocHost(&pinned, 20000) == CUDA_SUCCESS);
  fail_unless(cps_sim_pinned_in_use() == 20000 && cps_sim_allocations() == 4);
  fail_unless(cuMemFree(second) == CUDA_SUCCESS && cuMemFreeHost(pinned) == CUDA_SUCCESS);
}
GST_END_TEST;

GST_START_TEST(test_the_device_is_lost) {
  const Gpu gpu;
  CUdeviceptr memory = 0;
  fail_unless(cuMemAlloc(&memory, 4096) == CUDA_SUCCESS);
  cps_sim_lose_device(1);
  CUdeviceptr more = 0;
  fail_unless(cuMemAlloc(&more, 16) == CUDA_ERROR_LAUNCH_FAILED);
  fail_unless(gpu.launch("kernel_increment", {nullptr, 0}) == CUDA_ERROR_LAUNCH_FAILED);
  fail_unless(cuMemsetD8Async(memory, 0, 4096, gpu.stream) == CUDA_ERROR_LAUNCH_FAILED);
  fail_unless(cuStreamSynchronize(gpu.stream) == CUDA_ERROR_LAUNCH_FAILED);
  fail_unless(cuMemFree(memory) == CUDA_SUCCESS);
  const char *text = nullptr;
  fail_unless(cuGetErrorString(CUDA_ERROR_LAUNCH_FAILED, &text) == CUDA_SUCCESS && text);
  cps_sim_lose_device(0);
  gpu.wait();
}
GST_END_TEST;

GST_START_TEST(test_no_device) {
  g_setenv("CPS_SIM_DEVICES", "0", TRUE);
  fail_unless(cuInit(0) == CUDA_ERROR_NO_DEVICE);
  int count = -1;
  fail_unless(cuDeviceGetCount(&count) == CUDA_ERROR_NOT_INITIALIZED && count == 0);
}
GST_END_TEST;

GST_START_TEST(test_misuse_is_an_error) {
  g_setenv("CPS_SIM_STRICT", "0", TRUE);
  const Gpu gpu;
  const Numbers numbers(gpu, 100);
  std::vector<int> host(200);
  fail_unless(cuMemcpyDtoHAsync(host.data(), numbers.address(), 404, gpu.stream) == CUDA_ERROR_INVALID_VALUE);
  fail_unless(cuMemcpyDtoHAsync(host.data(), numbers.address() + 400, 4, gpu.stream) == CUDA_ERROR_INVALID_VALUE);
  fail_unless(cuMemcpyHtoDAsync(numbers.address(), reinterpret_cast<void *>(numbers.address()), 4, gpu.stream) ==
              CUDA_ERROR_INVALID_VALUE);
  fail_unless(cuMemFree(numbers.address() + 4) == CUDA_ERROR_INVALID_VALUE);
  fail_unless(gpu.launch("kernel_increment", numbers.args(), 0) == CUDA_ERROR_INVALID_VALUE);
  fail_unless(gpu.launch("kernel_increment", numbers.args(), 1, 64) == CUDA_ERROR_INVALID_VALUE);
  CUfunction function = nullptr;
  fail_unless(cuModuleGetFunction(&function, gpu.module, "kernel_nothing") == CUDA_ERROR_NOT_FOUND);
  fail_unless(cuModuleGetFunction(&function, gpu.module, "kernel_increment") == CUDA_SUCCESS);
  fail_unless(gpu.launch("kernel_increment", numbers.args(), 1, kThreads, 50000) == CUDA_ERROR_INVALID_VALUE);
  const CUfunction_attribute shared_bytes = CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
  fail_unless(cuFuncSetAttribute(function, shared_bytes, 1 << 20) == CUDA_ERROR_INVALID_VALUE);
  fail_unless(cuFuncSetAttribute(function, shared_bytes, 50000) == CUDA_SUCCESS);
  fail_unless(gpu.launch("kernel_increment", numbers.args(), 1, kThreads, 50000) == CUDA_SUCCESS);
  fail_unless(cuCtxPopCurrent(nullptr) == CUDA_SUCCESS);
  fail_unless(cuMemsetD8Async(numbers.address(), 0, 4, gpu.stream) == CUDA_ERROR_INVALID_CONTEXT);
  fail_unless(cuCtxPushCurrent(gpu.context) == CUDA_SUCCESS);
}
GST_END_TEST;

// These end with abort().

static void run_alone(const char *kernel, int count, unsigned shared_bytes = 0) {
  const Gpu gpu;
  const Numbers numbers(gpu, kThreads);
  fail_unless(gpu.launch(kernel, numbers.args(count), 1, kThreads, shared_bytes) == CUDA_SUCCESS);
  gpu.wait();
}

GST_START_TEST(test_threads_return_before_a_barrier) {
  run_alone("kernel_divergent", 1);
}
GST_END_TEST;

GST_START_TEST(test_threads_wait_at_two_barriers) {
  run_alone("kernel_two_barriers", 64);
}
GST_END_TEST;

GST_START_TEST(test_lanes_wait_for_ever) {
  run_alone("kernel_lonely_lane", 0);
}
GST_END_TEST;

GST_START_TEST(test_scratch_is_used_again) {
  run_alone("kernel_scan_again", 0);
}
GST_END_TEST;

GST_START_TEST(test_shared_memory_overflows) {
  run_alone("kernel_too_far", 1, kThreads * sizeof(int) - 1);
}
GST_END_TEST;

GST_START_TEST(test_device_memory_overflows) {
  run_alone("kernel_increment", kThreads + 1);
}
GST_END_TEST;

GST_START_TEST(test_freed_memory_is_used) {
  const Gpu gpu;
  CUdeviceptr memory = 0;
  fail_unless(cuMemAlloc(&memory, 64) == CUDA_SUCCESS);
  fail_unless(cuMemFree(memory) == CUDA_SUCCESS);
  cuMemsetD8Async(memory, 0, 64, gpu.stream);
}
GST_END_TEST;

static Suite *cudasim_suite() {
  Suite *suite = suite_create("cudasim");
  TCase *tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, test_barriers);
  tcase_add_test(tests, test_warps);
  tcase_add_test(tests, test_collectives);
  tcase_add_test(tests, test_atomics);
  tcase_add_test(tests, test_streams_are_late_and_in_order);
  tcase_add_test(tests, test_events);
  tcase_add_test(tests, test_pictures_are_copied);
  tcase_add_test(tests, test_memory_runs_out);
  tcase_add_test(tests, test_the_device_is_lost);
  tcase_add_test(tests, test_no_device);
  tcase_add_test(tests, test_misuse_is_an_error);
  if (g_strcmp0(g_getenv("CK_FORK"), "no") != 0) {
    tcase_add_test_raise_signal(tests, test_threads_return_before_a_barrier, SIGABRT);
    tcase_add_test_raise_signal(tests, test_threads_wait_at_two_barriers, SIGABRT);
    tcase_add_test_raise_signal(tests, test_lanes_wait_for_ever, SIGABRT);
    tcase_add_test_raise_signal(tests, test_scratch_is_used_again, SIGABRT);
    tcase_add_test_raise_signal(tests, test_shared_memory_overflows, SIGABRT);
    tcase_add_test_raise_signal(tests, test_device_memory_overflows, SIGABRT);
    tcase_add_test_raise_signal(tests, test_freed_memory_is_used, SIGABRT);
  }
  return suite;
}

GST_CHECK_MAIN(cudasim)
