// SPDX-License-Identifier: LGPL-2.1-or-later
// The debug category of uniformsampler. Files that log to it define GST_CAT_DEFAULT as this function.
#pragma once

#include <gst/gst.h>

namespace cps {

inline GstDebugCategory *sampler_debug() {
  static GstDebugCategory *category = _gst_debug_category_new("uniformsampler", 0, "uniform frame sampler");
  return category;
}

} // namespace cps
