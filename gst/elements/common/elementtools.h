// SPDX-License-Identifier: LGPL-2.1-or-later
// What the elements share: owners for what GStreamer counts or frees, and locks.
#pragma once

#include "gst/common/owned.h"

namespace cps {

// Is the element of that factory? False where there is no element.
inline bool is_made_by(GstElement *element, const char *factory) {
  const GstElementFactory *own = element ? gst_element_get_factory(element) : nullptr;
  return own && g_str_equal(GST_OBJECT_NAME(own), factory);
}

// The answer of a probe in place of whoever would get the buffer.
inline GstPadProbeReturn refuse_buffer(GstPadProbeInfo *info, GstFlowReturn flow) {
  gst_buffer_unref(GST_PAD_PROBE_INFO_BUFFER(info));
  GST_PAD_PROBE_INFO_FLOW_RETURN(info) = flow;
  return GST_PAD_PROBE_HANDLED;
}

// Holds a GObject's lock for a scope.
class ObjectLock {
public:
  explicit ObjectLock(gpointer object) : object_(GST_OBJECT_CAST(object)) { GST_OBJECT_LOCK(object_); }
  ~ObjectLock() { GST_OBJECT_UNLOCK(object_); }
  ObjectLock(const ObjectLock &) = delete;
  ObjectLock &operator=(const ObjectLock &) = delete;

private:
  GstObject *object_;
};

} // namespace cps
