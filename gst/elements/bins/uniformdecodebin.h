// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "gst/elements/bins/streambin.h"

G_BEGIN_DECLS

#define CPS_TYPE_UNIFORM_DECODE_BIN (cps_uniform_decode_bin_get_type())
G_DECLARE_FINAL_TYPE(CpsUniformDecodeBin, cps_uniform_decode_bin, CPS, UNIFORM_DECODE_BIN, CpsStreamBin)

GST_ELEMENT_REGISTER_DECLARE(uniformdecodebin)

G_END_DECLS
