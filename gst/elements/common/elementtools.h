// SPDX-License-Identifier: LGPL-2.1-or-later
// Helpers for all elements: owners, locks, factories, events and probes.
#pragma once

#include "gst/codecpatch/owned.h"
#include "gst/common/objectlock.h"

namespace cps {

// True if the factory of `element` has this name; false if `element` is nullptr.
inline bool is_made_by(GstElement *element, const char *factory) {
  const GstElementFactory *own = element ? gst_element_get_factory(element) : nullptr;
  return own && g_str_equal(GST_OBJECT_NAME(own), factory);
}

// Gives an event the sequence number `seqnum`, if that is valid.
inline Owned<GstEvent> numbered(guint32 seqnum, GstEvent *event) {
  if (seqnum != GST_SEQNUM_INVALID)
    gst_event_set_seqnum(event, seqnum);
  return Owned<GstEvent>(event);
}

inline gboolean push_numbered(GstPad *srcpad, guint32 seqnum, GstEvent *event) {
  return gst_pad_push_event(srcpad, numbered(seqnum, event).release());
}

// For a pad probe that consumes the buffer: upstream receives `flow` instead of the result from downstream.
inline GstPadProbeReturn refuse_buffer(GstPadProbeInfo *info, GstFlowReturn flow) {
  gst_buffer_unref(GST_PAD_PROBE_INFO_BUFFER(info));
  GST_PAD_PROBE_INFO_FLOW_RETURN(info) = flow;
  return GST_PAD_PROBE_HANDLED;
}

} // namespace cps
