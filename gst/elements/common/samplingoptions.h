// SPDX-License-Identifier: LGPL-2.1-or-later
// Converts uniformsampler's properties to a sampling plan, and resolved frames to a CpsPlan.
#pragma once

#include "gst/elements/common/elementtools.h"
#include "kernels/sampling.h"

#include <vector>

namespace cps {

// uniformsampler's on-error, which the planner also uses.
enum class OnError { Substitute, Fail };

// uniformsampler's leaky: what happens where downstream is slower than the stream.
enum class Leaky { Auto, No, Downstream };

// The sampling plan that uniformsampler's properties describe.
SamplingPlan sampling_plan(const GstStructure *options);

// Narrows the plan's section to the part of the stream that `segment` plays.
void narrow_to_segment(SamplingPlan &plan, const GstSegment &segment);

// A plan of these frames and clips, without times and random-access points.
Owned<CpsPlan> new_plan(const Sampling &sampling, guint64 total, double fps, GstClockTime duration);

} // namespace cps
