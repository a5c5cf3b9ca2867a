// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/codecpatch/cpstensormeta.h"

#include <algorithm>
#include <string>

namespace {

struct DtypeInfo {
  gsize size;
  const gchar *name;      // name in safetensors
  const gchar *caps_name; // name in the nnstreamer ecosystem
};

const DtypeInfo &dtype_info(CpsDtype dtype) {
  static const DtypeInfo infos[] = {
      {1, "U8", "uint8"}, {2, "F16", "float16"}, {2, "BF16", "bfloat16"}, {4, "F32", "float32"}, {8, "I64", "int64"},
  };
  return infos[dtype];
}

CpsTensorMeta *tensor_meta(GstMeta *meta) {
  return reinterpret_cast<CpsTensorMeta *>(meta);
}

gboolean tensor_meta_init(GstMeta *meta, gpointer, GstBuffer *) {
  CpsTensorMeta *self = tensor_meta(meta);
  self->n_tensors = 0;
  self->tensors = nullptr;
  self->clip = nullptr;
  return TRUE;
}

void tensor_meta_free(GstMeta *meta, GstBuffer *) {
  CpsTensorMeta *self = tensor_meta(meta);
  g_free(self->tensors);
  if (self->clip)
    cps_clip_unref(self->clip);
}

// Copies the meta only if the copy holds all memories that the tensors refer to; a merged or partial copy does not.
gboolean tensor_meta_transform(GstBuffer *transbuf, GstMeta *meta, GstBuffer *, GQuark type, gpointer data) {
  if (!GST_META_TRANSFORM_IS_COPY(type) || static_cast<GstMetaTransformCopy *>(data)->region)
    return FALSE;
  const CpsTensorMeta *self = tensor_meta(meta);
  const guint memories = gst_buffer_n_memory(transbuf);
  if (std::any_of(self->tensors, self->tensors + self->n_tensors,
                  [&](const CpsTensor &t) { return t.memory >= memories; }))
    return FALSE;
  cps_buffer_add_tensor_meta(transbuf, self->tensors, self->n_tensors, cps_clip_ref(self->clip));
  return TRUE;
}

} // namespace

GType cps_tensor_meta_api_get_type() {
  static GType type = [] {
    static const gchar *tags[] = {nullptr};
    return gst_meta_api_type_register("CpsTensorMetaAPI", tags);
  }();
  return type;
}

const GstMetaInfo *cps_tensor_meta_get_info() {
  static const GstMetaInfo *info = gst_meta_register(CPS_TENSOR_META_API_TYPE, "CpsTensorMeta", sizeof(CpsTensorMeta),
                                                     tensor_meta_init, tensor_meta_free, tensor_meta_transform);
  return info;
}

/**
 * cps_buffer_add_tensor_meta:
 * @buffer: a writable #GstBuffer
 * @tensors: (array length=n_tensors): the tensors in @buffer, copied
 * @n_tensors: number of tensors
 * @clip: (transfer full): the clip's metadata
 *
 * Returns: (transfer none): the meta, owned by @buffer.
 */
CpsTensorMeta *cps_buffer_add_tensor_meta(GstBuffer *buffer, const CpsTensor *tensors, guint n_tensors, CpsClip *clip) {
  g_return_val_if_fail(GST_IS_BUFFER(buffer), nullptr);
  g_return_val_if_fail(clip, nullptr);
  CpsTensorMeta *self = tensor_meta(gst_buffer_add_meta(buffer, CPS_TENSOR_META_INFO, nullptr));
  self->n_tensors = n_tensors;
  self->tensors = g_new(CpsTensor, n_tensors);
  std::copy_n(tensors, n_tensors, self->tensors);
  self->clip = clip;
  return self;
}

/**
 * cps_buffer_get_tensor_meta:
 * @buffer: a #GstBuffer
 *
 * Returns: (transfer none) (nullable): the meta, owned by @buffer.
 */
CpsTensorMeta *cps_buffer_get_tensor_meta(GstBuffer *buffer) {
  g_return_val_if_fail(GST_IS_BUFFER(buffer), nullptr);
  return tensor_meta(gst_buffer_get_meta(buffer, CPS_TENSOR_META_API_TYPE));
}

/**
 * cps_tensor_meta_find:
 * @meta: a #CpsTensorMeta
 * @name: name of a tensor
 *
 * Returns: (transfer none) (nullable): the tensor, owned by @meta.
 */
const CpsTensor *cps_tensor_meta_find(const CpsTensorMeta *meta, const gchar *name) {
  g_return_val_if_fail(meta && name, nullptr);
  const GQuark id = g_quark_try_string(name);
  for (guint i = 0; i < meta->n_tensors; i++)
    if (meta->tensors[i].id == id)
      return &meta->tensors[i];
  return nullptr;
}

/**
 * cps_tensor_get_size:
 * @tensor: a #CpsTensor
 *
 * Returns: size of the elements in bytes. %G_MAXSIZE, which no memory has, if that does not fit a #gsize or if a
 * dimension is negative.
 */
gsize cps_tensor_get_size(const CpsTensor *tensor) {
  const gint64 *end = tensor->dims + MIN(tensor->n_dims, CPS_TENSOR_MAX_DIMS);
  if (std::any_of(tensor->dims, end, [](gint64 dim) { return dim < 0; }))
    return G_MAXSIZE;
  if (std::find(tensor->dims, end, 0) != end)
    return 0;
  gsize size = cps_dtype_get_size(tensor->dtype);
  for (const gint64 *dim = tensor->dims; dim != end; ++dim)
    if (!g_size_checked_mul(&size, size, static_cast<gsize>(*dim)))
      return G_MAXSIZE;
  return size;
}

/**
 * cps_tensor_map:
 * @tensor: a tensor of @buffer
 * @buffer: the buffer
 * @info: (out): how it was mapped
 * @flags: how to map it
 *
 * Maps the elements. Release them with cps_tensor_unmap().
 *
 * Returns: %FALSE if the memory cannot be mapped this way or is too small.
 */
gboolean cps_tensor_map(const CpsTensor *tensor, GstBuffer *buffer, GstMapInfo *info, GstMapFlags flags) {
  if (tensor->memory >= gst_buffer_n_memory(buffer) || !gst_buffer_map_range(buffer, tensor->memory, 1, info, flags))
    return FALSE;
  const gsize size = cps_tensor_get_size(tensor);
  if (size != G_MAXSIZE && info->size >= size)
    return TRUE;
  gst_buffer_unmap(buffer, info);
  return FALSE;
}

/**
 * cps_tensor_unmap:
 * @tensor: a tensor of @buffer
 * @buffer: the buffer
 * @info: the result of cps_tensor_map()
 *
 * Releases the elements.
 */
void cps_tensor_unmap(const CpsTensor *, GstBuffer *buffer, GstMapInfo *info) {
  gst_buffer_unmap(buffer, info);
}

/**
 * cps_dtype_get_size:
 * @dtype: a #CpsDtype
 *
 * Returns: size of one element in bytes.
 */
gsize cps_dtype_get_size(CpsDtype dtype) {
  return dtype_info(dtype).size;
}

/**
 * cps_dtype_get_name:
 * @dtype: a #CpsDtype
 *
 * Returns: (transfer none): the name in safetensors: "U8", "F16", "BF16", "F32", "I64".
 */
const gchar *cps_dtype_get_name(CpsDtype dtype) {
  return dtype_info(dtype).name;
}

/**
 * cps_tensors_to_caps:
 * @tensors: (array length=n_tensors): the tensors of a buffer
 * @n_tensors: number of tensors
 * @memory_feature: (nullable): caps feature of the tensors' memory, %NULL for system memory
 *
 * Returns: (transfer full): `other/tensors` caps, with the innermost dimension first, as in the nnstreamer ecosystem.
 */
GstCaps *cps_tensors_to_caps(const CpsTensor *tensors, guint n_tensors, const gchar *memory_feature) {
  std::string types, dimensions;
  for (const CpsTensor *t = tensors; t != tensors + n_tensors; t++) {
    types += (t == tensors ? "" : ",") + std::string(dtype_info(t->dtype).caps_name);
    dimensions += t == tensors ? "" : ",";
    for (guint d = t->n_dims; d-- > 0;)
      dimensions += std::to_string(t->dims[d]) + (d ? ":" : "");
  }
  GstCaps *caps =
      gst_caps_new_simple("other/tensors", "format", G_TYPE_STRING, "static", "num_tensors", G_TYPE_INT,
                          static_cast<gint>(n_tensors), "framerate", GST_TYPE_FRACTION, 0, 1, "types", G_TYPE_STRING,
                          types.c_str(), "dimensions", G_TYPE_STRING, dimensions.c_str(), nullptr);
  if (memory_feature)
    gst_caps_set_features(caps, 0, gst_caps_features_new(memory_feature, nullptr));
  return caps;
}
