// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define CPS_TYPE_PATCH_RENDER (cps_patch_render_get_type())
G_DECLARE_FINAL_TYPE(CpsPatchRender, cps_patch_render, CPS, PATCH_RENDER, GstElement)

GST_ELEMENT_REGISTER_DECLARE(patchrender)

G_END_DECLS
