/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/codecpatch/codecpatch-prelude.h>

G_BEGIN_DECLS

/* Pictures of the tensors of a clip, as docs/pictures.md describes them:
 *
 *   CpsPictures *pictures = cps_pictures_new(CPS_PICTURE_MODE_HOLD);
 *   if (cps_pictures_add_buffer(pictures, buffer, &error) && cps_pictures_arrange(pictures, &error)) {
 *     gsize stride = 4 * cps_pictures_get_width(pictures);
 *     guint8 *rgba = g_malloc_n(cps_pictures_get_height(pictures), stride);
 *     for (guint i = 0; i < cps_pictures_get_count(pictures); i++)
 *       cps_pictures_draw(pictures, i, rgba, stride);
 *   }
 *   cps_pictures_free(pictures);
 *
 * Tensors that are not in a #GstBuffer are added one by one; that needs no gst_init(). */

/**
 * CpsPictureMode:
 * @CPS_PICTURE_MODE_SPARSE: a picture per sampled frame: the patches that were selected in it
 * @CPS_PICTURE_MODE_HOLD: a picture per sampled frame: at each place the patch that was last selected there
 * @CPS_PICTURE_MODE_MOSAIC: all patches, packed row by row
 * @CPS_PICTURE_MODE_SCORES: a picture per sampled frame: the scores of the selected patches as colours, with a legend
 *
 * What pictures show. Values are not renumbered.
 */
typedef enum {
  CPS_PICTURE_MODE_SPARSE = 0,
  CPS_PICTURE_MODE_HOLD = 1,
  CPS_PICTURE_MODE_MOSAIC = 2,
  CPS_PICTURE_MODE_SCORES = 3,
} CpsPictureMode;

/**
 * CPS_PICTURE_BACKGROUND:
 *
 * The default colour of places of which nothing is known, as 0xAARRGGBB.
 */
#define CPS_PICTURE_BACKGROUND 0xff303030

/**
 * CPS_PICTURE_DIM:
 *
 * How many percent of their value pixels keep by default that were selected in an earlier frame.
 */
#define CPS_PICTURE_DIM 25

/**
 * CpsPictures:
 *
 * Draws the tensors of one clip. Functions that change it need an exclusive owner; cps_pictures_draw() and the
 * functions that get may run in several threads.
 */
typedef struct _CpsPictures CpsPictures;

CPS_API CpsPictures *cps_pictures_new(CpsPictureMode mode);
CPS_API void cps_pictures_set_background(CpsPictures *pictures, guint argb);
CPS_API void cps_pictures_set_dim(CpsPictures *pictures, guint percent);
CPS_API gboolean cps_pictures_add_buffer(CpsPictures *pictures, GstBuffer *buffer, GError **error);
CPS_API gboolean cps_pictures_add_tensor(CpsPictures *pictures, const gchar *name, const gchar *dtype,
                                         const gint64 *dims, guint n_dims, gconstpointer data, GError **error);
CPS_API void cps_pictures_add_metadata(CpsPictures *pictures, const gchar *key, const gchar *value);
CPS_API gboolean cps_pictures_arrange(CpsPictures *pictures, GError **error);
CPS_API guint cps_pictures_get_count(const CpsPictures *pictures);
CPS_API guint cps_pictures_get_width(const CpsPictures *pictures);
CPS_API guint cps_pictures_get_height(const CpsPictures *pictures);
CPS_API guint cps_pictures_get_position(const CpsPictures *pictures, guint index);
CPS_API void cps_pictures_draw(const CpsPictures *pictures, guint index, gpointer rgba, gsize stride);
CPS_API void cps_pictures_free(CpsPictures *pictures);

G_END_DECLS
