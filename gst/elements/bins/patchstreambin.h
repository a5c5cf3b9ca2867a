// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "gst/elements/bins/streambin.h"

G_BEGIN_DECLS

#define CPS_TYPE_PATCH_STREAM_BIN (cps_patch_stream_bin_get_type())
G_DECLARE_FINAL_TYPE(CpsPatchStreamBin, cps_patch_stream_bin, CPS, PATCH_STREAM_BIN, CpsStreamBin)

GST_ELEMENT_REGISTER_DECLARE(patchstreambin)

G_END_DECLS
