// SPDX-License-Identifier: LGPL-2.1-or-later
// Times on the device's own clock, and graphs of launches.
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
    if (!has("cuEventElapsedTime_v2", elapsed_))
      find("cuEventElapsedTime", elapsed_);
    has_graphs_ = has("cuStreamBeginCapture_v2", begin_capture_) && has("cuStreamEndCapture", end_capture_) &&
                  has("cuGraphInstantiateWithFlags", instantiate_) && has("cuGraphLaunch", launch_graph_);
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

  // The same, all of it enqueued at once, so that the host does not delay it. 0 where the driver makes no graph, as the
  // simulated one.
  template <typename Work> double seconds_as_graph(CUstream stream, const Work &work) const {
    CUgraph graph = nullptr;
    CUgraphExec launches = nullptr;
    if (!has_graphs_ || begin_capture_(stream, CU_STREAM_CAPTURE_MODE_GLOBAL) != CUDA_SUCCESS)
      return 0;
    work();
    if (end_capture_(stream, &graph) != CUDA_SUCCESS || instantiate_(&launches, graph, 0) != CUDA_SUCCESS)
      return 0;
    launch_graph_(launches, stream); // warms up
    return seconds(stream, [&] { launch_graph_(launches, stream); });
  }

private:
  template <typename Function> bool has(const char *name, Function &function) {
    return g_module_symbol(library_, name, reinterpret_cast<gpointer *>(&function)) != FALSE;
  }
  template <typename Function> void find(const char *name, Function &function) {
    if (!has(name, function))
      g_error("the driver has no %s", name);
  }

  GModule *library_;
  bool has_graphs_ = false;
  CUresult(CUDAAPI *create_)(CUevent *, unsigned) = nullptr;
  CUresult(CUDAAPI *record_)(CUevent, CUstream) = nullptr;
  CUresult(CUDAAPI *synchronise_)(CUevent) = nullptr;
  CUresult(CUDAAPI *elapsed_)(float *, CUevent, CUevent) = nullptr;
  CUresult(CUDAAPI *begin_capture_)(CUstream, CUstreamCaptureMode) = nullptr;
  CUresult(CUDAAPI *end_capture_)(CUstream, CUgraph *) = nullptr;
  CUresult(CUDAAPI *instantiate_)(CUgraphExec *, CUgraph, unsigned long long) = nullptr;
  CUresult(CUDAAPI *launch_graph_)(CUgraphExec, CUstream) = nullptr;
  CUevent begin_ = nullptr, end_ = nullptr;
};

} // namespace cps::cuda
