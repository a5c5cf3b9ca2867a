// SPDX-License-Identifier: LGPL-2.1-or-later
// Tensors as DLPack, for callers that know better than the buffer's reference count who shares it. Internal.
#pragma once

#include "gst/codecpatch/cpsdlpack.h"
#include "gst/codecpatch/dlpackabi.h"

namespace cps {

// Who else may read or keep the buffer that a tensor is lent from.
enum class Sharing {
  AsCounted, // every holder of a reference
  Nobody,    // the other references belong to threads that no longer use the buffer
};

// Implements cps_tensor_meta_to_dlpack() and cps_tensor_meta_to_dlpack_versioned().
template <typename Managed>
Managed *export_tensor(GstBuffer *buffer, const gchar *name, Sharing sharing, GError **error);

extern template DLManagedTensor *export_tensor(GstBuffer *, const gchar *, Sharing, GError **);
extern template DLManagedTensorVersioned *export_tensor(GstBuffer *, const gchar *, Sharing, GError **);

} // namespace cps
