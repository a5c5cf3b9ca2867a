// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/planner/colorrange.h"

#include "gst/elements/common/picture.h"

namespace cps {

Owned<GstCaps> with_true_range(GstCaps *caps, bool full_range) {
  const gchar *text = gst_structure_get_string(gst_caps_get_structure(caps, 0), "colorimetry");
  GstVideoColorimetry colorimetry; // all unknown if there is no text
  if (!full_range || !colorimetry_from_string(colorimetry, text) || colorimetry.range == GST_VIDEO_COLOR_RANGE_0_255)
    return Owned<GstCaps>(gst_caps_ref(caps));
  colorimetry.range = GST_VIDEO_COLOR_RANGE_0_255;
  const Owned<gchar> corrected(gst_video_colorimetry_to_string(&colorimetry));
  Owned<GstCaps> copy(gst_caps_copy(caps));
  gst_caps_set_simple(copy.get(), "colorimetry", G_TYPE_STRING, corrected.get(), nullptr);
  return copy;
}

} // namespace cps
