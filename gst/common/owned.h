// SPDX-License-Identifier: LGPL-2.1-or-later
// Owners for what GLib and GStreamer count or free. Internal.
#pragma once

#include "gst/codecpatch/cpsclip.h"
#include "gst/codecpatch/cpsplan.h"

#include <memory>
#include <utility>

namespace cps {

struct Unref {
  void operator()(GstBuffer *buffer) const { gst_buffer_unref(buffer); }
  void operator()(GstEvent *event) const { gst_event_unref(event); }
  void operator()(GstSample *sample) const { gst_sample_unref(sample); }
  void operator()(GstMemory *memory) const { gst_memory_unref(memory); }
  void operator()(GstCaps *caps) const { gst_caps_unref(caps); }
  void operator()(GstMessage *message) const { gst_message_unref(message); }
  void operator()(GstContext *context) const { gst_context_unref(context); }
  void operator()(GstQuery *query) const { gst_query_unref(query); }
  void operator()(GstStructure *structure) const { gst_structure_free(structure); }
  void operator()(CpsPlan *plan) const { cps_plan_unref(plan); }
  void operator()(CpsClip *clip) const { cps_clip_unref(clip); }
  void operator()(gchar *text) const { g_free(text); }
  void operator()(GError *error) const { g_error_free(error); }
  void operator()(GBytes *bytes) const { g_bytes_unref(bytes); }
  void operator()(gpointer object) const { gst_object_unref(object); }
};

template <typename T> using Owned = std::unique_ptr<T, Unref>;

} // namespace cps
