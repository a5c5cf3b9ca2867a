// SPDX-License-Identifier: LGPL-2.1-or-later
// The CUDA driver: whether it is there, what libgstcuda 1.22 does not load of it, and its errors for people.
#pragma once

#include "gst/cuda/compat.h"

#include <string>

namespace cps::cuda {

GstDebugCategory *debug_category();

// What went wrong, for people.
struct Error {
  bool out_of_memory = false;
  std::string text;
};

struct Driver {
  int devices = 0;
  decltype(&::cuDevicePrimaryCtxRetain) primary_context_retain = nullptr;
  decltype(&::cuDevicePrimaryCtxRelease) primary_context_release = nullptr;
  decltype(&::cuDevicePrimaryCtxGetState) primary_context_state = nullptr;
  decltype(&::cuMemsetD8Async) memset_async = nullptr;
};

// Is there a driver that can run the kernels? Loads it, but initialises nothing: to look at an element must not keep a
// process from forking.
bool installed();

// Initialises the driver. nullptr without one, without a device that runs the kernels, or in the child of a process
// that had initialised it: no_driver() says which. Decided once a process.
const Driver *driver();
Error no_driver();

// `doing` is what the call was to do: "allocating 3 MB".
Error error_of(CUresult result, const std::string &doing);

// "123 MB"; small numbers in bytes.
std::string bytes_text(size_t bytes);

// Which device this context is on, as CUDA numbers them.
int device_id_of(GstCudaContext *context);

// Is it its device's primary context, the one that frameworks can reach the memory of?
bool is_primary(GstCudaContext *context);

class Device;

// Makes a context current on this thread for a scope. Where that fails, so does what is done in it.
class CurrentContext {
public:
  explicit CurrentContext(GstCudaContext *context);
  explicit CurrentContext(const Device &device); // its context
  ~CurrentContext();
  CurrentContext(const CurrentContext &) = delete;
  CurrentContext &operator=(const CurrentContext &) = delete;

  bool pushed() const { return pushed_; }

private:
  bool pushed_;
};

// Copies within the current context.
CUresult copy_to_device(CUdeviceptr to, const void *from, size_t bytes, CUstream stream);
CUresult copy_to_host(void *to, CUdeviceptr from, size_t bytes, CUstream stream);
CUresult copy_on_device(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream stream);

} // namespace cps::cuda
