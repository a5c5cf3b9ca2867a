// SPDX-License-Identifier: LGPL-2.1-or-later
// Linear device memory as GstMemory: tensors and energy maps. (GStreamer's own CUDA memory is pitched video.)
#pragma once

#include "gst/codecpatch/cpsdlpack.h" // CPS_CUDA_MEMORY_TYPE
#include "gst/cuda/compat.h"

namespace cps::cuda {

// CuMemAlloc() has only 32 bits for a size, and sizes are rounded up. More at once is not to be had.
constexpr size_t kMostLinearBytes = 0xffffff00;

// The allocator of memory in `context`, which it holds a reference to; (transfer full). All who ask share it as long as
// one of them holds it. Its GstAllocator:mem_type is
// CPS_CUDA_MEMORY_TYPE, its property `cuda-device-id` says where the memory is. gst_allocator_alloc() gives memory that
// starts on 256 bytes, or nullptr where there is none; freed memory is kept for the next allocation of the same size,
// up to a limit, and freed with the allocator. Thread-safe.
//
// Mapped with GST_MAP_CUDA the data is a device pointer, without it a pinned copy that is read back, and written back
// when it was mapped for writing. Memory that is mapped for writing the one way cannot be mapped the other way. Who
// works with the memory on a stream synchronises it before others map, copy or free it.
GstAllocator *linear_allocator_of(GstCudaContext *context);

// As gst_allocator_alloc(), with the reason where it gives nullptr.
GstMemory *linear_memory_new(GstAllocator *allocator, size_t bytes, CUresult *result);

// Is this memory of such an allocator?
bool is_linear_memory(GstMemory *memory);

} // namespace cps::cuda
