/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/codecpatch/codecpatch-prelude.h>

G_BEGIN_DECLS

/**
 * CPS_CUDA_MEMORY_TYPE:
 *
 * The #GstAllocator mem_type of tensors and energy maps in CUDA memory: linear device memory, which maps to a device
 * pointer with `GST_MAP_CUDA`, to a copy on the host without it. The int property `cuda-device-id` of the allocator
 * says which device it is on, the boolean property `primary-context` whether it is in that device's primary context,
 * which other libraries of the process can reach it from. Once the elements have pushed such memory, everything that
 * they had to write to it is written: whoever reads it need not wait for a stream.
 */
#define CPS_CUDA_MEMORY_TYPE "codecpatch.cuda"

/* Complete in any version's dlpack/dlpack.h; DLManagedTensorVersioned from 1.0 on. */
struct DLManagedTensor;
struct DLManagedTensorVersioned;

CPS_API struct DLManagedTensor *cps_tensor_meta_to_dlpack(GstBuffer *buffer, const gchar *name, GError **error);
CPS_API struct DLManagedTensorVersioned *cps_tensor_meta_to_dlpack_versioned(GstBuffer *buffer, const gchar *name,
                                                                             GError **error);

G_END_DECLS
