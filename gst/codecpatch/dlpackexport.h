// SPDX-License-Identifier: LGPL-2.1-or-later
// Tensors as DLPack, for who knows more of the buffer than its reference count tells. Internal.
#pragma once

#include "gst/codecpatch/cpsdlpack.h"
#include "gst/codecpatch/dlpackabi.h"

namespace cps {

// Who else may read or keep the buffer that a tensor is lent from.
enum class Sharing {
  AsCounted, // whoever has a reference
  Nobody,    // references are those of threads that are done with it but have not let go yet
};

// cps_tensor_meta_to_dlpack() and cps_tensor_meta_to_dlpack_versioned().
template <typename Managed>
Managed *export_tensor(GstBuffer *buffer, const gchar *name, Sharing sharing, GError **error);

extern template DLManagedTensor *export_tensor(GstBuffer *, const gchar *, Sharing, GError **);
extern template DLManagedTensorVersioned *export_tensor(GstBuffer *, const gchar *, Sharing, GError **);

} // namespace cps
