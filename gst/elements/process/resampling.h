// SPDX-License-Identifier: LGPL-2.1-or-later
// The properties that say how frames are resized.
#pragma once

#include "kernels/filter.h"

#include <gst/gst.h>

#define CPS_TYPE_RESAMPLE (cps_resample_get_type())
#define CPS_TYPE_SIZE_RULE (cps_size_rule_get_type())
GType cps_resample_get_type();
GType cps_size_rule_get_type();

namespace cps {

constexpr int64_t kMaxTargetPixels = int64_t{1} << 28; // of a frame that is resized

GParamSpec *resample_spec();
GParamSpec *size_rule_spec();

} // namespace cps
