// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/codecpatch/cpsenergymeta.h"

GType cps_energy_meta_api_get_type() {
  static GType type = [] {
    static const gchar *tags[] = {nullptr};
    return gst_meta_api_type_register("CpsEnergyMetaAPI", tags);
  }();
  return type;
}

static CpsEnergyMeta *energy_meta(GstMeta *meta) {
  return reinterpret_cast<CpsEnergyMeta *>(meta);
}

static gboolean energy_meta_init(GstMeta *meta, gpointer, GstBuffer *) {
  CpsEnergyMeta *self = energy_meta(meta);
  self->map = nullptr;
  self->width = self->height = self->frame_width = self->frame_height = 0;
  self->mode = 0;
  self->percentile = 0;
  self->orientation = CPS_ORIENTATION_IDENTITY;
  return TRUE;
}

static void energy_meta_free(GstMeta *meta, GstBuffer *) {
  gst_clear_buffer(&energy_meta(meta)->map);
}

static gboolean energy_meta_transform(GstBuffer *transbuf, GstMeta *meta, GstBuffer *, GQuark type, gpointer data) {
  const bool whole = GST_META_TRANSFORM_IS_COPY(type) && !static_cast<GstMetaTransformCopy *>(data)->region;
  if (!whole)
    return FALSE;
  const CpsEnergyMeta *source = energy_meta(meta);
  CpsEnergyMeta *copy =
      cps_buffer_add_energy_meta(transbuf, gst_buffer_ref(source->map), source->width, source->height,
                                 source->frame_width, source->frame_height, source->mode, source->percentile);
  copy->orientation = source->orientation;
  return TRUE;
}

const GstMetaInfo *cps_energy_meta_get_info() {
  static const GstMetaInfo *info = gst_meta_register(CPS_ENERGY_META_API_TYPE, "CpsEnergyMeta", sizeof(CpsEnergyMeta),
                                                     energy_meta_init, energy_meta_free, energy_meta_transform);
  return info;
}

/**
 * cps_buffer_add_energy_meta:
 * @buffer: a writable #GstBuffer
 * @map: (transfer full): @height rows of @width native-endian 32-bit floats in 0..1, without padding
 * @width: samples in a row of @map
 * @height: rows of @map
 * @frame_width: width in pixels of the frame in @buffer, after cropping and rotation
 * @frame_height: height in pixels of that frame
 * @mode: the energy mode's name
 * @percentile: percentile that the map was normalised by, 1 to 100
 *
 * Returns: (transfer none): the meta, owned by @buffer.
 */
CpsEnergyMeta *cps_buffer_add_energy_meta(GstBuffer *buffer, GstBuffer *map, guint width, guint height,
                                          guint frame_width, guint frame_height, GQuark mode, gdouble percentile) {
  g_return_val_if_fail(GST_IS_BUFFER(buffer), nullptr);
  g_return_val_if_fail(GST_IS_BUFFER(map), nullptr);
  CpsEnergyMeta *self = energy_meta(gst_buffer_add_meta(buffer, CPS_ENERGY_META_INFO, nullptr));
  self->map = map;
  self->width = width;
  self->height = height;
  self->frame_width = frame_width;
  self->frame_height = frame_height;
  self->mode = mode;
  self->percentile = percentile;
  return self;
}

/**
 * cps_buffer_get_energy_meta:
 * @buffer: a #GstBuffer
 *
 * Returns: (transfer none) (nullable): the meta, owned by @buffer.
 */
CpsEnergyMeta *cps_buffer_get_energy_meta(GstBuffer *buffer) {
  g_return_val_if_fail(GST_IS_BUFFER(buffer), nullptr);
  return energy_meta(gst_buffer_get_meta(buffer, CPS_ENERGY_META_API_TYPE));
}
