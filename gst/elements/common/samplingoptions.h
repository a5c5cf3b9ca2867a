// SPDX-License-Identifier: LGPL-2.1-or-later
// uniformsampler's properties as a sampling plan, and the plan that comes of it.
#pragma once

#include "gst/elements/common/elementtools.h"
#include "kernels/sampling.h"

#include <vector>

namespace cps {

// uniformsampler's on-error, which the planner minds, too.
enum class OnError { Substitute, Fail };

// The sampling plan that uniformsampler's properties describe.
SamplingPlan sampling_plan(const GstStructure *options);

// Narrows the plan's section to the part of the stream that `segment` plays.
void narrow_to_segment(SamplingPlan &plan, const GstSegment &segment);

// A plan of these frames, with no times yet and no random-access points.
Owned<CpsPlan> new_plan(const std::vector<uint64_t> &ids, guint64 total, double fps, GstClockTime duration);

} // namespace cps
