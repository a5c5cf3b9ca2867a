// SPDX-License-Identifier: LGPL-2.1-or-later
// Custom event to patchselect and framestack, from an element upstream: the rest of the clip will not come.
#pragma once

#include <gst/gst.h>

namespace cps {

constexpr const char *kSequenceFailed = "CpsSequenceFailed";

inline GstEvent *new_sequence_failed() {
  return gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM, gst_structure_new_empty(kSequenceFailed));
}

inline bool is_sequence_failed(GstEvent *event) {
  return gst_event_has_name(event, kSequenceFailed);
}

} // namespace cps
