// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/codecpatch/cpsdlpack.h"

#include "gst/codecpatch/cpstensormeta.h"
#include "gst/codecpatch/dlpackexport.h"

#include <algorithm>
#include <memory>

using cps::Sharing;

namespace {

// GST_MAP_CUDA of GStreamer's CUDA library, which this library does not link.
constexpr guint kMapCuda = GST_MAP_FLAG_LAST << 1;

DLDataType data_type(CpsDtype dtype) {
  const auto bits = static_cast<uint8_t>(8 * cps_dtype_get_size(dtype));
  switch (dtype) {
  case CPS_DTYPE_U8:
    return {kDLUInt, bits, 1};
  case CPS_DTYPE_F16:
  case CPS_DTYPE_F32:
    return {kDLFloat, bits, 1};
  case CPS_DTYPE_BF16:
    return {kDLBfloat, bits, 1};
  case CPS_DTYPE_I64:
    break;
  }
  return {kDLInt, bits, 1};
}

DLDevice device_of(GstMemory *memory) {
  if (!gst_memory_is_type(memory, CPS_CUDA_MEMORY_TYPE))
    return {kDLCPU, 0};
  gint id = 0;
  g_object_get(memory->allocator, "cuda-device-id", &id, nullptr);
  return {kDLCUDA, id};
}

// Frameworks use the primary context of a device and cannot reach memory of another context.
bool is_reachable(GstMemory *memory) {
  gboolean reachable = TRUE;
  GObject *allocator = G_OBJECT(memory->allocator);
  if (gst_memory_is_type(memory, CPS_CUDA_MEMORY_TYPE) &&
      g_object_class_find_property(G_OBJECT_GET_CLASS(allocator), "primary-context"))
    g_object_get(allocator, "primary-context", &reachable, nullptr);
  return reachable;
}

// A mapped memory that is neither freed nor reused.
class HeldMemory {
public:
  HeldMemory() = default;
  ~HeldMemory() {
    if (mapped_)
      gst_memory_unmap(memory_, &info_);
    if (memory_)
      gst_memory_unref(memory_);
    gst_clear_buffer(&buffer_);
  }
  HeldMemory(const HeldMemory &) = delete;
  HeldMemory &operator=(const HeldMemory &) = delete;

  // Maps for writing, too, if the caller is the only user of the buffer. Memory that other buffers share cannot be
  // mapped for writing.
  bool hold(GstBuffer *buffer, guint index, GstMapFlags how, Sharing sharing) {
    memory_ = gst_memory_ref(gst_buffer_peek_memory(buffer, index));
    const bool alone = sharing == Sharing::Nobody || gst_buffer_is_writable(buffer);
    writable_ = alone && map(GST_MAP_READWRITE | how);
    mapped_ = writable_ || map(GST_MAP_READ | how);
    // A pool, or a parent's pool, reuses the memory once the buffer has been released, so such a buffer is held. Other
    // buffers are not held, because they would stop being writable and the next tensor exported from them would be
    // read-only.
    if (buffer->pool || gst_buffer_get_parent_buffer_meta(buffer))
      buffer_ = gst_buffer_ref(buffer);
    return mapped_;
  }

  bool writable() const { return writable_; }
  void *data() const { return info_.data; }
  gsize size() const { return info_.size; }

private:
  bool map(guint flags) { return gst_memory_map(memory_, &info_, static_cast<GstMapFlags>(flags)); }

  GstMemory *memory_ = nullptr;
  GstBuffer *buffer_ = nullptr;
  GstMapInfo info_ = GST_MAP_INFO_INIT;
  bool mapped_ = false, writable_ = false;
};

void set_flags(DLManagedTensor *, bool) {}

void set_flags(DLManagedTensorVersioned *managed, bool writable) {
  managed->version = {1, 0};
  managed->flags = writable ? 0 : kDLFlagReadOnly;
}

// The exported struct and everything with the same lifetime.
template <typename Managed> struct Export {
  Managed managed{};
  HeldMemory held;
  int64_t shape[CPS_TENSOR_MAX_DIMS]{};
  int64_t strides[CPS_TENSOR_MAX_DIMS]{};
};

} // namespace

template <typename Managed>
Managed *cps::export_tensor(GstBuffer *buffer, const gchar *name, Sharing sharing, GError **error) {
  const CpsTensorMeta *meta = cps_buffer_get_tensor_meta(buffer);
  if (!meta) {
    g_set_error(error, GST_STREAM_ERROR, GST_STREAM_ERROR_WRONG_TYPE, "The buffer has no tensors.");
    return nullptr;
  }
  const CpsTensor *tensor = cps_tensor_meta_find(meta, name);
  if (!tensor) {
    g_set_error(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND, "The buffer has no tensor \"%s\".", name);
    return nullptr;
  }
  if (tensor->memory >= gst_buffer_n_memory(buffer)) {
    g_set_error(error, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT, "The buffer lacks the memory of tensor \"%s\".",
                name);
    return nullptr;
  }

  if (!is_reachable(gst_buffer_peek_memory(buffer, tensor->memory))) {
    g_set_error(
        error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
        "Tensor \"%s\" is in a CUDA context of its own, which frameworks cannot reach: let the decoder work in the "
        "device's primary context, by cuda-device-id of patchenergy and patchselect.",
        name);
    return nullptr;
  }
  auto result = std::make_unique<Export<Managed>>();
  const DLDevice device = device_of(gst_buffer_peek_memory(buffer, tensor->memory));
  const gsize size = cps_tensor_get_size(tensor);
  // A tensor without elements is not mapped: DLPack uses NULL then, and devices have no memory of zero bytes.
  if (size > 0) {
    const auto how = static_cast<GstMapFlags>(device.device_type == kDLCUDA ? kMapCuda : 0);
    if (!result->held.hold(buffer, tensor->memory, how, sharing)) {
      g_set_error(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ, "The memory of tensor \"%s\" cannot be mapped.",
                  name);
      return nullptr;
    }
    if (result->held.size() < size) {
      g_set_error(error, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
                  "Tensor \"%s\" takes %" G_GSIZE_FORMAT " bytes, its memory has %" G_GSIZE_FORMAT ".", name, size,
                  result->held.size());
      return nullptr;
    }
  }

  std::copy_n(tensor->dims, tensor->n_dims, result->shape);
  int64_t stride = 1;
  for (guint d = tensor->n_dims; d-- > 0; stride *= tensor->dims[d])
    result->strides[d] = stride;
  result->managed.dl_tensor = {
      result->held.data(), device, static_cast<int32_t>(tensor->n_dims), data_type(tensor->dtype), result->shape,
      result->strides,     0};
  result->managed.manager_ctx = result.get();
  result->managed.deleter = [](Managed *self) { delete static_cast<Export<Managed> *>(self->manager_ctx); };
  set_flags(&result->managed, size == 0 || result->held.writable());
  return &result.release()->managed;
}

template DLManagedTensor *cps::export_tensor(GstBuffer *, const gchar *, Sharing, GError **);
template DLManagedTensorVersioned *cps::export_tensor(GstBuffer *, const gchar *, Sharing, GError **);

/**
 * cps_tensor_meta_to_dlpack:
 * @buffer: a buffer with a #CpsTensorMeta
 * @name: name of one of its tensors
 * @error: (out) (optional): a #GstStreamError or #GstResourceError on failure
 *
 * cps_tensor_meta_to_dlpack_versioned() for consumers that do not know DLPack 1.0: Python's capsule "dltensor". This
 * form cannot mark a tensor as read-only: write to it only if nobody else uses the buffer.
 *
 * Returns: (transfer full) (nullable): the tensor; the owner calls its deleter exactly once. %NULL on failure.
 */
DLManagedTensor *cps_tensor_meta_to_dlpack(GstBuffer *buffer, const gchar *name, GError **error) {
  g_return_val_if_fail(GST_IS_BUFFER(buffer), nullptr);
  g_return_val_if_fail(name, nullptr);
  return cps::export_tensor<DLManagedTensor>(buffer, name, Sharing::AsCounted, error);
}

/**
 * cps_tensor_meta_to_dlpack_versioned:
 * @buffer: a buffer with a #CpsTensorMeta
 * @name: name of one of its tensors
 * @error: (out) (optional): a #GstStreamError or #GstResourceError on failure
 *
 * Lends a tensor, without a copy, to a consumer of DLPack 1: Python's capsule "dltensor_versioned". Memory of type
 * %CPS_CUDA_MEMORY_TYPE is lent on its device and can be read at once, on any stream; other memory is lent as CPU
 * memory.
 *
 * The tensor's memory stays mapped until the deleter is called. Any thread may call the deleter, also after @buffer and
 * its pipeline are gone. The tensor is flagged as read-only if @buffer or its memory is shared or cannot be written.
 * Otherwise writes of the consumer change @buffer.
 *
 * Returns: (transfer full) (nullable): the tensor; the owner calls its deleter exactly once. %NULL on failure.
 */
DLManagedTensorVersioned *cps_tensor_meta_to_dlpack_versioned(GstBuffer *buffer, const gchar *name, GError **error) {
  g_return_val_if_fail(GST_IS_BUFFER(buffer), nullptr);
  g_return_val_if_fail(name, nullptr);
  return cps::export_tensor<DLManagedTensorVersioned>(buffer, name, Sharing::AsCounted, error);
}
