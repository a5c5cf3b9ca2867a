// SPDX-License-Identifier: LGPL-2.1-or-later
// Tensor buffers with the library's metadata.
#pragma once

#include "gst/codecpatch/cpstensormeta.h"
#include "gst/codecpatch/owned.h"

#include <gst/check/gstcheck.h>

#include <algorithm>
#include <initializer_list>
#include <vector>

namespace test {

using cps::Owned;

inline CpsTensor tensor(const char *name, CpsDtype dtype, std::initializer_list<gint64> dims, guint memory) {
  CpsTensor out = {g_quark_from_string(name), dtype, static_cast<guint>(dims.size()), {}, memory};
  std::copy(dims.begin(), dims.end(), out.dims);
  return out;
}

// The buffer of a clip of one frame, with `k` patches of 2x2 pixels. Bytes count up from `first`, tensor by tensor.
inline Owned<GstBuffer> tensor_buffer(gint64 k = 3, guint clip_index = 0, guint8 first = 1) {
  const std::vector<CpsTensor> tensors = {tensor("patches", CPS_DTYPE_BF16, {k, 3, 2, 2}, 0),
                                          tensor("meta_fields", CPS_DTYPE_I64, {k, 6}, 1),
                                          tensor("meta_scores", CPS_DTYPE_F32, {k}, 2)};
  GstBuffer *buffer = gst_buffer_new();
  guint8 next = first;
  for (const CpsTensor &t : tensors) {
    GstMemory *memory = gst_allocator_alloc(nullptr, cps_tensor_get_size(&t), nullptr);
    GstMapInfo map;
    fail_unless(gst_memory_map(memory, &map, GST_MAP_WRITE));
    for (gsize i = 0; i < map.size; ++i)
      map.data[i] = next++;
    gst_memory_unmap(memory, &map);
    gst_buffer_append_memory(buffer, memory);
  }
  CpsClip *clip = cps_clip_new(1);
  clip->clip_index = clip_index;
  clip->frames[0] = {7, 280 * GST_MSECOND, TRUE, CPS_FRAME_STATUS_OK};
  cps_buffer_add_tensor_meta(buffer, tensors.data(), static_cast<guint>(tensors.size()), clip);
  return Owned<GstBuffer>(buffer);
}

inline Owned<GstCaps> caps_of(GstBuffer *buffer) {
  const CpsTensorMeta *meta = cps_buffer_get_tensor_meta(buffer);
  return Owned<GstCaps>(cps_tensors_to_caps(meta->tensors, meta->n_tensors, nullptr));
}

// The elements of a tensor of the buffer.
template <typename T> std::vector<T> elements_of(GstBuffer *buffer, const char *name) {
  const CpsTensorMeta *meta = cps_buffer_get_tensor_meta(buffer);
  fail_unless(meta != nullptr);
  const CpsTensor *found = cps_tensor_meta_find(meta, name);
  fail_unless(found && cps_dtype_get_size(found->dtype) == sizeof(T), "no tensor %s of this type", name);
  std::vector<T> out(cps_tensor_get_size(found) / sizeof(T));
  GstMapInfo map;
  fail_unless(cps_tensor_map(found, buffer, &map, GST_MAP_READ));
  std::copy_n(reinterpret_cast<const T *>(map.data), out.size(), out.data());
  cps_tensor_unmap(found, buffer, &map);
  return out;
}

} // namespace test
