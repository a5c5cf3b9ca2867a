/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/codecpatch/codecpatch-prelude.h>
#include <gst/codecpatch/cpsframemeta.h>

G_BEGIN_DECLS

typedef struct _CpsEnergyMeta CpsEnergyMeta;

/**
 * CpsEnergyMeta:
 * @meta: parent
 * @map: the energies in one #GstMemory of the frame's kind (system or CUDA): @height rows of @width native-endian
 *     32-bit floats in 0..1, without padding; owned by the meta, not written to after it has been attached
 * @width: samples in a row of the map
 * @height: rows of the map
 * @frame_width: width in pixels of the frame that the map belongs to, after cropping and rotation
 * @frame_height: height in pixels of that frame, after cropping and rotation
 * @mode: how the energies were computed: a value of the patchenergy property `energy-mode`
 * @percentile: percentile that the energies were normalised by, 1 to 100, or 0 for none
 * @orientation: orientation that was applied to the frame and to the map; identity until it is set
 *
 * A map of the information in each part of a frame. The meta has no tags. A copy of the buffer shares the map; a copy
 * of a region has no map.
 */
struct _CpsEnergyMeta {
  GstMeta meta;

  GstBuffer *map;
  guint width;
  guint height;
  guint frame_width;
  guint frame_height;
  GQuark mode;
  gdouble percentile;
  CpsOrientation orientation;
};

#define CPS_ENERGY_META_API_TYPE (cps_energy_meta_api_get_type())
#define CPS_ENERGY_META_INFO (cps_energy_meta_get_info())

CPS_API GType cps_energy_meta_api_get_type(void);
CPS_API const GstMetaInfo *cps_energy_meta_get_info(void);

CPS_API CpsEnergyMeta *cps_buffer_add_energy_meta(GstBuffer *buffer, GstBuffer *map, guint width, guint height,
                                                  guint frame_width, guint frame_height, GQuark mode,
                                                  gdouble percentile);
CPS_API CpsEnergyMeta *cps_buffer_get_energy_meta(GstBuffer *buffer);

G_END_DECLS
