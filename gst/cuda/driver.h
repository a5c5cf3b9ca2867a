// SPDX-License-Identifier: LGPL-2.1-or-later
// The CUDA driver: detection, the functions that libgstcuda 1.22 does not load, and errors for users.
#pragma once

#include "gst/cuda/compat.h"

#include <string>

namespace cps::cuda {

GstDebugCategory *debug_category();

// An error, described for users.
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

// True if there is a driver that can run the kernels. Loads the driver but does not initialise it, because a process
// must still be able to fork after inspecting an element.
bool installed();

// Initialises the driver. nullptr without a driver, without a device that can run the kernels, or in the child of a
// process that had initialised the driver; no_driver() describes the reason. Evaluated once per process.
const Driver *driver();
Error no_driver();

// `doing` describes the purpose of the call: "allocating 3 MB".
Error error_of(CUresult result, const std::string &doing);

// "123 MB"; small sizes in bytes.
std::string bytes_text(size_t bytes);

// The CUDA device number of the context.
int device_id_of(GstCudaContext *context);

// True if this is the primary context of its device, because frameworks can access only memory in that context.
bool is_primary(GstCudaContext *context);

class Device;

// Makes a context current on this thread for a scope. If that fails, CUDA calls in the scope fail too.
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

// Copy within the current context.
CUresult copy_to_device(CUdeviceptr to, const void *from, size_t bytes, CUstream stream);
CUresult copy_to_host(void *to, CUdeviceptr from, size_t bytes, CUstream stream);
CUresult copy_on_device(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream stream);

} // namespace cps::cuda
