// SPDX-License-Identifier: LGPL-2.1-or-later
// Copies and fills. The asynchronous ones read and write host memory later whatever kind it is: that CUDA may copy
// pageable memory at once is nothing to rely on.
#include "tests/cudasim/control.h"
#include "tests/cudasim/driver.h"

#include <cstring>

namespace cps::sim {

namespace {

std::atomic<size_t> bytes_to_host{0};

// One side of a copy of `height` rows of `width` bytes.
struct Rows {
  uint8_t *first = nullptr;
  size_t pitch = 0;
  bool on_device = false;
};

uint8_t *pointer(CUdeviceptr at) {
  return reinterpret_cast<uint8_t *>(at); // device memory is the host's
}

CUresult rows(const Context &context, const char *call, CUmemorytype type, const void *host, CUdeviceptr device,
              size_t pitch, size_t x, size_t y, const CUDA_MEMCPY2D &copy, Rows &out) {
  if (type != CU_MEMORYTYPE_HOST && type != CU_MEMORYTYPE_DEVICE && type != CU_MEMORYTYPE_UNIFIED)
    return CUDA_ERROR_NOT_SUPPORTED;
  if (copy.Height > 1 && pitch < x + copy.WidthInBytes)
    return violation(call, "a pitch is less than a row");
  const size_t offset = y * pitch + x, bytes = (copy.Height - 1) * pitch + copy.WidthInBytes;
  const bool on_device =
      type == CU_MEMORYTYPE_DEVICE || (type == CU_MEMORYTYPE_UNIFIED && is_device_memory(device + offset));
  if (type == CU_MEMORYTYPE_HOST)
    device = reinterpret_cast<uintptr_t>(host);
  out = {pointer(device + offset), pitch, on_device};
  return on_device ? check_device(context, call, device + offset, bytes) : check_host(call, out.first, bytes);
}

CUresult prepare(const Context &context, const char *call, const CUDA_MEMCPY2D &copy, std::function<void()> &work) {
  if (copy.WidthInBytes == 0 || copy.Height == 0) {
    work = [] {};
    return CUDA_SUCCESS;
  }
  Rows from, to;
  if (const CUresult result = rows(context, call, copy.srcMemoryType, copy.srcHost, copy.srcDevice, copy.srcPitch,
                                   copy.srcXInBytes, copy.srcY, copy, from))
    return result;
  if (const CUresult result = rows(context, call, copy.dstMemoryType, copy.dstHost, copy.dstDevice, copy.dstPitch,
                                   copy.dstXInBytes, copy.dstY, copy, to))
    return result;
  if (from.on_device && !to.on_device)
    bytes_to_host += copy.WidthInBytes * copy.Height;
  work = [from, to, width = copy.WidthInBytes, height = copy.Height] {
    for (size_t y = 0; y < height; ++y)
      memcpy(to.first + y * to.pitch, from.first + y * from.pitch, width);
  };
  return CUDA_SUCCESS;
}

} // namespace

} // namespace cps::sim

using namespace cps::sim;

CPS_SIM_API size_t cps_sim_bytes_to_host() {
  return bytes_to_host;
}

CPS_SIM_API CUresult cuMemcpy2D_v2(const CUDA_MEMCPY2D *copy) {
  Context context;
  if (const CUresult result = current(context))
    return result;
  std::function<void()> work;
  if (const CUresult result = prepare(context, "cuMemcpy2D", *copy, work))
    return result;
  drain(context.get(), false);
  work();
  return CUDA_SUCCESS;
}

CPS_SIM_API CUresult cuMemcpy2DAsync_v2(const CUDA_MEMCPY2D *copy, CUstream stream) {
  Context context;
  if (const CUresult result = current(context))
    return result;
  std::function<void()> work;
  if (const CUresult result = prepare(context, "cuMemcpy2DAsync", *copy, work))
    return result;
  return enqueue(context, "cuMemcpy2DAsync", stream, std::move(work));
}

CPS_SIM_API CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void *from, size_t bytes, CUstream stream) {
  Context context;
  if (const CUresult result = current(context))
    return result;
  if (const CUresult result = check_device(context, "cuMemcpyHtoDAsync", to, bytes))
    return result;
  if (const CUresult result = check_host("cuMemcpyHtoDAsync", from, bytes))
    return result;
  return enqueue(context, "cuMemcpyHtoDAsync", stream, [=] { memcpy(pointer(to), from, bytes); });
}

CPS_SIM_API CUresult cuMemcpyDtoHAsync_v2(void *to, CUdeviceptr from, size_t bytes, CUstream stream) {
  Context context;
  if (const CUresult result = current(context))
    return result;
  if (const CUresult result = check_device(context, "cuMemcpyDtoHAsync", from, bytes))
    return result;
  if (const CUresult result = check_host("cuMemcpyDtoHAsync", to, bytes))
    return result;
  bytes_to_host += bytes;
  return enqueue(context, "cuMemcpyDtoHAsync", stream, [=] { memcpy(to, pointer(from), bytes); });
}

CPS_SIM_API CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream stream) {
  Context context;
  if (const CUresult result = current(context))
    return result;
  for (const CUdeviceptr at : {to, from})
    if (const CUresult result = check_device(context, "cuMemcpyDtoDAsync", at, bytes))
      return result;
  return enqueue(context, "cuMemcpyDtoDAsync", stream, [=] { memmove(pointer(to), pointer(from), bytes); });
}

CPS_SIM_API CUresult cuMemsetD8Async(CUdeviceptr to, unsigned char value, size_t bytes, CUstream stream) {
  Context context;
  if (const CUresult result = current(context))
    return result;
  if (const CUresult result = check_device(context, "cuMemsetD8Async", to, bytes))
    return result;
  return enqueue(context, "cuMemsetD8Async", stream, [=] { memset(pointer(to), value, bytes); });
}
