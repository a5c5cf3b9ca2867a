// SPDX-License-Identifier: LGPL-2.1-or-later
// GStreamer's CUDA library, 1.22 and later. Only this file includes its headers or checks its version.
#pragma once

#include "gst/common/owned.h"

#define GST_USE_UNSTABLE_API
#include <gmodule.h>
#include <gst/gst.h>

#if GST_CHECK_VERSION(1, 24, 0)
#include <gst/cuda/gstcuda.h>
#else
#include <gst/cuda/gstcudacontext.h>
#include <gst/cuda/gstcudaloader.h>
#include <gst/cuda/gstcudamemory.h>
#include <gst/cuda/gstcudautils.h>
#endif

namespace cps {

CPS_RELEASE(GstCudaContext, gst_object_unref);

} // namespace cps

namespace cps::cuda {

// cpsdlpack.cpp repeats this value, because it does not include that header.
// NOLINTNEXTLINE(misc-redundant-expression): as long as it is
static_assert(GST_MAP_CUDA == GST_MAP_FLAG_LAST << 1);

// Waits until the work enqueued for this CUDA video memory is done. Since 1.24, memory may arrive with work pending on
// a stream of its own; before, elements synchronise before they push. The run-time version decides, because a plugin
// built with 1.22 also runs with later versions.
inline void wait_for_memory(GstMemory *memory) {
#if GST_CHECK_VERSION(1, 24, 0)
  gst_cuda_memory_sync(GST_CUDA_MEMORY_CAST(memory));
#else
  using Sync = void (*)(GstCudaMemory *);
  static const auto sync = [] {
    gpointer symbol = nullptr;
    GModule *process = g_module_open(nullptr, G_MODULE_BIND_LAZY);
    return process && g_module_symbol(process, "gst_cuda_memory_sync", &symbol) ? reinterpret_cast<Sync>(symbol)
                                                                                : nullptr;
  }();
  if (sync)
    sync(GST_CUDA_MEMORY_CAST(memory));
#endif
}

// Returns video memory in `context` (transfer full), or nullptr. Call gst_cuda_memory_init_once() first.
inline GstMemory *video_memory_new(GstCudaContext *context, const GstVideoInfo *info) {
#if GST_CHECK_VERSION(1, 24, 0)
  return gst_cuda_allocator_alloc(nullptr, context, nullptr, info);
#else
  GstAllocator *allocator = gst_allocator_find(GST_CUDA_MEMORY_TYPE_NAME); // 1.22 does not accept nullptr
  GstMemory *memory = gst_cuda_allocator_alloc(GST_CUDA_ALLOCATOR(allocator), context, info);
  gst_object_unref(allocator);
  return memory;
#endif
}

} // namespace cps::cuda
