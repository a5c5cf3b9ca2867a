/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/codecpatch/codecpatch-prelude.h>

G_BEGIN_DECLS

/**
 * CPS_CUDA_MEMORY_TYPE:
 *
 * The #GstAllocator mem_type of tensors and energy maps in CUDA memory: linear device memory. Mapping it with
 * `GST_MAP_CUDA` gives a device pointer; mapping it without that flag gives a copy on the host. The int property
 * `cuda-device-id` of the allocator is the index of the device. The boolean property `primary-context` is %TRUE if the
 * memory is in the device's primary context, where other libraries of the process can reach it. The elements complete
 * all writes before they push such memory, so readers need not synchronise with a stream.
 */
#define CPS_CUDA_MEMORY_TYPE "codecpatch.cuda"

/* Defined in dlpack/dlpack.h of any version; DLManagedTensorVersioned from 1.0 on. */
struct DLManagedTensor;
struct DLManagedTensorVersioned;

CPS_API struct DLManagedTensor *cps_tensor_meta_to_dlpack(GstBuffer *buffer, const gchar *name, GError **error);
CPS_API struct DLManagedTensorVersioned *cps_tensor_meta_to_dlpack_versioned(GstBuffer *buffer, const gchar *name,
                                                                             GError **error);

G_END_DECLS
