// SPDX-License-Identifier: LGPL-2.1-or-later
// Linear device memory as GstMemory, for tensors and energy maps. (GStreamer's own CUDA memory is pitched video.)
#pragma once

#include "gst/codecpatch/cpsdlpack.h" // CPS_CUDA_MEMORY_TYPE
#include "gst/cuda/compat.h"

namespace cps::cuda {

// CuMemAlloc() has a 32-bit size, and sizes are rounded up. Larger allocations fail.
constexpr size_t kMostLinearBytes = 0xffffff00;

// Returns the allocator of memory in `context` (transfer full). The allocator holds a reference to the context. All
// callers share one allocator as long as any of them holds it. Its GstAllocator:mem_type is CPS_CUDA_MEMORY_TYPE, and
// its property `cuda-device-id` is the device of the memory. gst_allocator_alloc() returns memory aligned to 256 bytes,
// or nullptr on failure. Freed memory is kept for later allocations of the same size, up to a limit, and freed with the
// allocator. Thread-safe.
//
// With GST_MAP_CUDA, the mapped data is a device pointer; without it, a pinned copy that is read back, and written back
// if it was mapped for writing. Memory mapped for writing in one of these ways cannot be mapped in the other. Code that
// accesses the memory on a stream must synchronise the stream before others map, copy or free the memory.
GstAllocator *linear_allocator_of(GstCudaContext *context);

// Like gst_allocator_alloc(), but `result` is the reason if it returns nullptr.
GstMemory *linear_memory_new(GstAllocator *allocator, size_t bytes, CUresult *result);

// True if such an allocator allocated the memory.
bool is_linear_memory(GstMemory *memory);

} // namespace cps::cuda
