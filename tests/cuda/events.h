// SPDX-License-Identifier: LGPL-2.1-or-later
// Times on the device's own clock.
#pragma once

#include "gst/cuda/driver.h"

#include <cuda.h>
#include <gmodule.h>

namespace cps::cuda {

// libgstcuda 1.22 does not load what this needs. A context is current where it is made and used.
class Events {
public:
  Events() : library_(g_module_open("libcuda.so.1", G_MODULE_BIND_LAZY)) {
    find("cuEventCreate", create_);
    find("cuEventRecord", record_);
    find("cuEventSynchronize", synchronise_);
    if (!g_module_symbol(library_, "cuEventElapsedTime_v2", reinterpret_cast<gpointer *>(&elapsed_)))
      find("cuEventElapsedTime", elapsed_);
    create_(&begin_, CU_EVENT_DEFAULT);
    create_(&end_, CU_EVENT_DEFAULT);
  }

  // Of what `work` enqueues on the stream.
  template <typename Work> double seconds(CUstream stream, const Work &work) const {
    float milliseconds = 0;
    record_(begin_, stream);
    work();
    record_(end_, stream);
    if (synchronise_(end_) != CUDA_SUCCESS || elapsed_(&milliseconds, begin_, end_) != CUDA_SUCCESS)
      g_error("the GPU failed");
    return 1e-3 * static_cast<double>(milliseconds);
  }

private:
  template <typename Function> void find(const char *name, Function &function) {
    if (!g_module_symbol(library_, name, reinterpret_cast<gpointer *>(&function)))
      g_error("the driver has no %s", name);
  }

  GModule *library_;
  CUresult(CUDAAPI *create_)(CUevent *, unsigned) = nullptr;
  CUresult(CUDAAPI *record_)(CUevent, CUstream) = nullptr;
  CUresult(CUDAAPI *synchronise_)(CUevent) = nullptr;
  CUresult(CUDAAPI *elapsed_)(float *, CUevent, CUevent) = nullptr;
  CUevent begin_ = nullptr, end_ = nullptr;
};

} // namespace cps::cuda
