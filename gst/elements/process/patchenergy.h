// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/base/gstbasetransform.h>

G_BEGIN_DECLS

#define CPS_TYPE_PATCH_ENERGY (cps_patch_energy_get_type())
G_DECLARE_FINAL_TYPE(CpsPatchEnergy, cps_patch_energy, CPS, PATCH_ENERGY, GstBaseTransform)

GST_ELEMENT_REGISTER_DECLARE(patchenergy)

G_END_DECLS
