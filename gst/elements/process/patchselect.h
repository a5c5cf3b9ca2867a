// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "gst/elements/process/tensorclip.h"

G_BEGIN_DECLS

#define CPS_TYPE_PATCH_SELECT (cps_patch_select_get_type())
G_DECLARE_FINAL_TYPE(CpsPatchSelect, cps_patch_select, CPS, PATCH_SELECT, CpsTensorClip)

GST_ELEMENT_REGISTER_DECLARE(patchselect)

G_END_DECLS
