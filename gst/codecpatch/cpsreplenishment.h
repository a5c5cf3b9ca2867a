/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/codecpatch/codecpatch-prelude.h>

G_BEGIN_DECLS

CPS_API gboolean cps_replenishment_scores(const guint8 *frames, guint n_frames, guint height, guint width, guint side,
                                          gfloat *scores);

G_END_DECLS
