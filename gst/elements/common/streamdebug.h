// SPDX-License-Identifier: LGPL-2.1-or-later
// The debug category of uniformdecodebin and patchstreambin and of all that they consist of. Files that log to it
// define GST_CAT_DEFAULT as this function.
#pragma once

#include <gst/gst.h>

namespace cps {

inline GstDebugCategory *stream_debug() {
  static GstDebugCategory *category =
      _gst_debug_category_new("streambin", 0, "uniformdecodebin and patchstreambin: from a source to sampled frames");
  return category;
}

} // namespace cps
