// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/common/tagorientation.h"

#include "gst/elements/common/elementtools.h"

#include <gst/video/video.h>

namespace cps {

static_assert(static_cast<int>(CPS_ORIENTATION_90R) == static_cast<int>(GST_VIDEO_ORIENTATION_90R) &&
              static_cast<int>(CPS_ORIENTATION_180) == static_cast<int>(GST_VIDEO_ORIENTATION_180) &&
              static_cast<int>(CPS_ORIENTATION_90L) == static_cast<int>(GST_VIDEO_ORIENTATION_90L) &&
              static_cast<int>(CPS_ORIENTATION_HORIZ) == static_cast<int>(GST_VIDEO_ORIENTATION_HORIZ) &&
              static_cast<int>(CPS_ORIENTATION_VERT) == static_cast<int>(GST_VIDEO_ORIENTATION_VERT) &&
              static_cast<int>(CPS_ORIENTATION_UL_LR) == static_cast<int>(GST_VIDEO_ORIENTATION_UL_LR) &&
              static_cast<int>(CPS_ORIENTATION_UR_LL) == static_cast<int>(GST_VIDEO_ORIENTATION_UR_LL));

void TagOrientation::handle_tags(GstEvent *event) {
  if (GST_EVENT_TYPE(event) == GST_EVENT_STREAM_START) {
    const gchar *id = nullptr;
    gst_event_parse_stream_start(event, &id);
    if (id && stream_id_ == id) // sent again after a seek
      return;
    stream_id_ = id ? id : "";
    of_stream_ = of_container_ = {};
  } else if (GST_EVENT_TYPE(event) == GST_EVENT_TAG) {
    GstTagList *tags = nullptr;
    GstVideoOrientationMethod method;
    gst_event_parse_tag(event, &tags);
    if (gst_video_orientation_from_tag(tags, &method))
      (gst_tag_list_get_scope(tags) == GST_TAG_SCOPE_STREAM ? of_stream_ : of_container_) = {
          true, static_cast<CpsOrientation>(method)};
  }
}

CpsOrientation orientation_of(GstPad *pad) {
  TagOrientation orientation;
  for (guint i = 0; GstEvent *event = gst_pad_get_sticky_event(pad, GST_EVENT_TAG, i); i++)
    orientation.handle_tags(Owned<GstEvent>(event).get());
  return orientation.now();
}

} // namespace cps
