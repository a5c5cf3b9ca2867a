// SPDX-License-Identifier: LGPL-2.1-or-later
// The driver as a whole: what went wrong, devices, contexts.
#include "tests/cudasim/driver.h"

#include "tests/cudasim/control.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace cps::sim {

namespace {

std::atomic<bool> ready{false}, lost{false};
std::atomic<unsigned> schedule{0};

constexpr int kMaxDevices = 16;

struct Devices {
  std::mutex mutex;
  int count = 0;
  Context primary[kMaxDevices];
  unsigned references[kMaxDevices] = {};
};

// Never freed: threads may still run while the process ends.
Devices &devices() {
  static Devices &all = *new Devices;
  return all;
}

std::vector<Context> &stack() {
  static thread_local std::vector<Context> contexts;
  return contexts;
}

Live<CUctx_st> &contexts() {
  static Live<CUctx_st> &live = *new Live<CUctx_st>;
  return live;
}

struct Name {
  CUresult result;
  const char *name, *text;
};

#define CPS_SIM_NAME(result, text)                                                                                     \
  { result, #result, text }
constexpr Name kNames[] = {
    CPS_SIM_NAME(CUDA_SUCCESS, "no error"),
    CPS_SIM_NAME(CUDA_ERROR_INVALID_VALUE, "invalid argument"),
    CPS_SIM_NAME(CUDA_ERROR_OUT_OF_MEMORY, "out of memory"),
    CPS_SIM_NAME(CUDA_ERROR_NOT_INITIALIZED, "initialization error"),
    CPS_SIM_NAME(CUDA_ERROR_NO_DEVICE, "no CUDA-capable device is detected"),
    CPS_SIM_NAME(CUDA_ERROR_INVALID_DEVICE, "invalid device ordinal"),
    CPS_SIM_NAME(CUDA_ERROR_INVALID_CONTEXT, "invalid device context"),
    CPS_SIM_NAME(CUDA_ERROR_INVALID_HANDLE, "invalid resource handle"),
    CPS_SIM_NAME(CUDA_ERROR_NOT_FOUND, "named symbol not found"),
    CPS_SIM_NAME(CUDA_ERROR_NOT_READY, "device not ready"),
    CPS_SIM_NAME(CUDA_ERROR_LAUNCH_FAILED, "unspecified launch failure"),
    CPS_SIM_NAME(CUDA_ERROR_CONTEXT_IS_DESTROYED, "context is destroyed"),
    CPS_SIM_NAME(CUDA_ERROR_NOT_SUPPORTED, "operation not supported"),
};

const Name *find_name(CUresult result) {
  for (const Name &name : kNames)
    if (name.result == result)
      return &name;
  return nullptr;
}

CUresult check_device_number(CUdevice device) {
  if (const CUresult result = initialised())
    return result;
  return device >= 0 && device < device_count() ? CUDA_SUCCESS : CUDA_ERROR_INVALID_DEVICE;
}

Context new_context(CUdevice device) {
  auto context = std::make_shared<CUctx_st>();
  context->device = device;
  context->default_stream = new_stream(context, false);
  contexts().add(context);
  return context;
}

void destroy(const Context &context) {
  drain(context.get(), true);
  destroy_streams(context.get());
  free_memory_of(context.get());
  context->destroyed = true;
  contexts().remove(context.get());
}

} // namespace

unsigned long long setting(const char *name, unsigned long long otherwise) {
  const char *const text = getenv(name);
  return text && *text ? strtoull(text, nullptr, 0) : otherwise;
}

CUresult violation(const char *call, const char *sentence, CUresult result) {
  const Name *const name = find_name(result);
  fprintf(stderr, "cudasim: %s: %s (%s)\n", call, sentence, name ? name->name : "error");
  if (setting("CPS_SIM_STRICT", 1))
    abort();
  return result;
}

bool device_lost() {
  return lost;
}

CUresult initialised() {
  return ready ? CUDA_SUCCESS : CUDA_ERROR_NOT_INITIALIZED;
}

int device_count() {
  return devices().count;
}

unsigned schedule_seed() {
  return schedule;
}

CUresult current(Context &context) {
  if (const CUresult result = initialised())
    return result;
  if (stack().empty() || !stack().back())
    return CUDA_ERROR_INVALID_CONTEXT;
  if (stack().back()->destroyed)
    return CUDA_ERROR_CONTEXT_IS_DESTROYED;
  context = stack().back();
  return device_lost() ? CUDA_ERROR_LAUNCH_FAILED : CUDA_SUCCESS;
}

} // namespace cps::sim

using namespace cps::sim;

CPS_SIM_API void cps_sim_lose_device(int is_lost) {
  lost = is_lost != 0;
}

CPS_SIM_API void cps_sim_set_schedule(unsigned seed) {
  schedule = seed;
}

CPS_SIM_API CUresult cuInit(unsigned flags) {
  if (flags != 0)
    return CUDA_ERROR_INVALID_VALUE;
  const std::lock_guard<std::mutex> lock(devices().mutex);
  if (ready)
    return CUDA_SUCCESS;
  const auto count = setting("CPS_SIM_DEVICES", 1);
  if (count == 0)
    return CUDA_ERROR_NO_DEVICE;
  devices().count = static_cast<int>(count < kMaxDevices ? count : kMaxDevices);
  if (schedule == 0)
    schedule = static_cast<unsigned>(setting("CPS_SIM_SCHEDULE", 1));
  ready = true;
  return CUDA_SUCCESS;
}

CPS_SIM_API CUresult cuGetErrorName(CUresult error, const char **text) {
  const Name *const name = find_name(error);
  *text = name ? name->name : nullptr;
  return name ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

CPS_SIM_API CUresult cuGetErrorString(CUresult error, const char **text) {
  const Name *const name = find_name(error);
  *text = name ? name->text : nullptr;
  return name ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

CPS_SIM_API CUresult cuDriverGetVersion(int *version) {
  *version = static_cast<int>(setting("CPS_SIM_DRIVER_VERSION", CUDA_VERSION));
  return CUDA_SUCCESS;
}

CPS_SIM_API CUresult cuDeviceGetCount(int *count) {
  *count = device_count();
  return initialised();
}

CPS_SIM_API CUresult cuDeviceGet(CUdevice *device, int ordinal) {
  *device = ordinal;
  return check_device_number(ordinal);
}

CPS_SIM_API CUresult cuDeviceGetName(char *name, int bytes, CUdevice device) {
  snprintf(name, static_cast<size_t>(bytes), "simulated device %d", device);
  return check_device_number(device);
}

CPS_SIM_API CUresult cuDeviceGetAttribute(int *value, CUdevice_attribute attribute, CUdevice device) {
  if (const CUresult result = check_device_number(device))
    return result;
  switch (attribute) {
  case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR:
    *value = 9;
    break;
  case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR:
    *value = 0;
    break;
  case CU_DEVICE_ATTRIBUTE_TEXTURE_ALIGNMENT:
    *value = 512;
    break;
  case CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT:
    *value = 4;
    break;
  case CU_DEVICE_ATTRIBUTE_WARP_SIZE:
    *value = 32;
    break;
  case CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK:
    *value = 1024;
    break;
  case CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK:
    *value = 48 * 1024;
    break;
  case CU_DEVICE_ATTRIBUTE_UNIFIED_ADDRESSING:
    *value = 1;
    break;
  default:
    return CUDA_ERROR_INVALID_VALUE;
  }
  return CUDA_SUCCESS;
}

CPS_SIM_API CUresult cuDeviceCanAccessPeer(int *can, CUdevice device, CUdevice peer) {
  *can = 0;
  if (const CUresult result = check_device_number(device))
    return result;
  return check_device_number(peer);
}

CPS_SIM_API CUresult cuCtxCreate_v2(CUcontext *context, unsigned, CUdevice device) {
  if (const CUresult result = check_device_number(device))
    return result;
  if (device_lost())
    return CUDA_ERROR_LAUNCH_FAILED;
  stack().push_back(new_context(device));
  *context = stack().back().get();
  return CUDA_SUCCESS;
}

CPS_SIM_API CUresult cuCtxDestroy_v2(CUcontext handle) {
  const Context context = contexts().find(handle);
  if (!context)
    return violation("cuCtxDestroy", "there is no such context", CUDA_ERROR_INVALID_CONTEXT);
  destroy(context);
  if (!stack().empty() && stack().back() == context)
    stack().pop_back();
  return CUDA_SUCCESS;
}

CPS_SIM_API CUresult cuCtxPushCurrent_v2(CUcontext handle) {
  const Context context = contexts().find(handle);
  if (!context)
    return violation("cuCtxPushCurrent", "there is no such context", CUDA_ERROR_INVALID_CONTEXT);
  stack().push_back(context);
  return CUDA_SUCCESS;
}

CPS_SIM_API CUresult cuCtxPopCurrent_v2(CUcontext *handle) {
  if (stack().empty())
    return violation("cuCtxPopCurrent", "no context is current", CUDA_ERROR_INVALID_CONTEXT);
  if (handle)
    *handle = stack().back().get();
  stack().pop_back();
  return CUDA_SUCCESS;
}

CPS_SIM_API CUresult cuDevicePrimaryCtxRetain(CUcontext *handle, CUdevice device) {
  if (const CUresult result = check_device_number(device))
    return result;
  if (device_lost())
    return CUDA_ERROR_LAUNCH_FAILED;
  const std::lock_guard<std::mutex> lock(devices().mutex);
  Context &primary = devices().primary[device];
  if (devices().references[device]++ == 0)
    primary = new_context(device);
  *handle = primary.get();
  return CUDA_SUCCESS;
}

CPS_SIM_API CUresult cuDevicePrimaryCtxGetState(CUdevice device, unsigned *flags, int *active) {
  if (const CUresult result = check_device_number(device))
    return result;
  const std::lock_guard<std::mutex> lock(devices().mutex);
  *flags = 0;
  *active = devices().references[device] > 0;
  return CUDA_SUCCESS;
}

CPS_SIM_API CUresult cuDevicePrimaryCtxRelease_v2(CUdevice device) {
  if (const CUresult result = check_device_number(device))
    return result;
  const std::lock_guard<std::mutex> lock(devices().mutex);
  if (devices().references[device] == 0)
    return violation("cuDevicePrimaryCtxRelease", "nobody holds it", CUDA_ERROR_INVALID_CONTEXT);
  if (--devices().references[device] == 0) {
    destroy(devices().primary[device]);
    devices().primary[device] = nullptr;
  }
  return CUDA_SUCCESS;
}
