// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "gst/elements/process/tensorclip.h"

G_BEGIN_DECLS

#define CPS_TYPE_FRAME_STACK (cps_frame_stack_get_type())
G_DECLARE_FINAL_TYPE(CpsFrameStack, cps_frame_stack, CPS, FRAME_STACK, CpsTensorClip)

GST_ELEMENT_REGISTER_DECLARE(framestack)

G_END_DECLS
