// SPDX-License-Identifier: LGPL-2.1-or-later
// Owners for the reference-counted types of this library. Internal.
#pragma once

#include "gst/codecpatch/cpsclip.h"
#include "gst/codecpatch/cpsindex.h"
#include "gst/codecpatch/cpsplan.h"
#include "gst/common/owned.h"

namespace cps {

CPS_RELEASE(CpsClip, cps_clip_unref);
CPS_RELEASE(CpsIndex, cps_index_unref);
CPS_RELEASE(CpsPlan, cps_plan_unref);

} // namespace cps
