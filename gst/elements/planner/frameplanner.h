// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "gst/elements/planner/plannerrun.h"

G_BEGIN_DECLS

#define CPS_TYPE_FRAME_PLANNER (cps_frame_planner_get_type())
G_DECLARE_FINAL_TYPE(CpsFramePlanner, cps_frame_planner, CPS, FRAME_PLANNER, GstElement)

GST_ELEMENT_REGISTER_DECLARE(frameplanner)

G_END_DECLS

namespace cps {

// How to read the planner's input again from its beginning if the input is not seekable; nullptr: not at all. Call in
// READY.
void set_planner_reopen(GstElement *planner, RewindSeek::Reopen reopen);

// See PlannerRun::set_cache(). Call in READY.
void set_planner_cache(GstElement *planner, Owned<CpsIndex> cached, PlannerRun::Save save);

// The part of the stream's access units that the second pass has read: 0 to 1, or -1 before and without a second pass.
// Thread-safe.
double planner_progress(GstElement *planner);

} // namespace cps
