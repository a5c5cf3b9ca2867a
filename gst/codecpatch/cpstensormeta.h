/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/codecpatch/cpsclip.h>

G_BEGIN_DECLS

/**
 * CPS_TENSOR_MAX_DIMS:
 *
 * Maximum number of dimensions of a tensor.
 */
#define CPS_TENSOR_MAX_DIMS 8

/**
 * CpsDtype:
 * @CPS_DTYPE_U8: unsigned 8-bit integer
 * @CPS_DTYPE_F16: IEEE 754 half precision
 * @CPS_DTYPE_BF16: bfloat16, the upper half of a 32-bit float
 * @CPS_DTYPE_F32: IEEE 754 single precision
 * @CPS_DTYPE_I64: signed 64-bit integer
 *
 * Element types, in native byte order.
 */
typedef enum {
  CPS_DTYPE_U8,
  CPS_DTYPE_F16,
  CPS_DTYPE_BF16,
  CPS_DTYPE_F32,
  CPS_DTYPE_I64,
} CpsDtype;

typedef struct _CpsTensor CpsTensor;
typedef struct _CpsTensorMeta CpsTensorMeta;

/**
 * CpsTensor:
 * @id: name of the tensor ("patches", "meta_fields", "meta_scores"; "canvases", "patch_positions"; "frames")
 * @dtype: element type
 * @n_dims: number of dimensions
 * @dims: the dimensions, outermost first; a dimension may be 0
 * @memory: index of the #GstMemory that holds the elements, contiguous in row-major order
 *
 * Describes one tensor of a buffer.
 */
struct _CpsTensor {
  GQuark id;
  CpsDtype dtype;
  guint n_dims;
  gint64 dims[CPS_TENSOR_MAX_DIMS];
  guint memory;
};

/**
 * CpsTensorMeta:
 * @meta: parent
 * @n_tensors: number of tensors
 * @tensors: (array length=n_tensors): the tensors of the buffer, owned by the meta
 * @clip: metadata of the clip; owned by the meta, shared with copies
 *
 * Names the tensors of a buffer and carries the metadata of their clip. The meta has no tags. Only a copy of the whole
 * buffer with all its memories copies the meta.
 */
struct _CpsTensorMeta {
  GstMeta meta;

  guint n_tensors;
  CpsTensor *tensors;
  CpsClip *clip;
};

#define CPS_TENSOR_META_API_TYPE (cps_tensor_meta_api_get_type())
#define CPS_TENSOR_META_INFO (cps_tensor_meta_get_info())

CPS_API GType cps_tensor_meta_api_get_type(void);
CPS_API const GstMetaInfo *cps_tensor_meta_get_info(void);

CPS_API CpsTensorMeta *cps_buffer_add_tensor_meta(GstBuffer *buffer, const CpsTensor *tensors, guint n_tensors,
                                                  CpsClip *clip);
CPS_API CpsTensorMeta *cps_buffer_get_tensor_meta(GstBuffer *buffer);
CPS_API const CpsTensor *cps_tensor_meta_find(const CpsTensorMeta *meta, const gchar *name);

CPS_API gsize cps_tensor_get_size(const CpsTensor *tensor);
CPS_API gboolean cps_tensor_map(const CpsTensor *tensor, GstBuffer *buffer, GstMapInfo *info, GstMapFlags flags);
CPS_API void cps_tensor_unmap(const CpsTensor *tensor, GstBuffer *buffer, GstMapInfo *info);

CPS_API gsize cps_dtype_get_size(CpsDtype dtype);
CPS_API const gchar *cps_dtype_get_name(CpsDtype dtype);

CPS_API GstCaps *cps_tensors_to_caps(const CpsTensor *tensors, guint n_tensors, const gchar *memory_feature);

G_END_DECLS
