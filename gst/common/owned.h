// SPDX-License-Identifier: LGPL-2.1-or-later
// Owners for objects that GLib and GStreamer reference-count or free. Internal.
#pragma once

#include <gio/gio.h>
#include <gst/gst.h>
#include <memory>

namespace cps {

// Releases an owned object. There is no generic definition, so that no object is released by the wrong function.
// Headers that use other types add their specialisations.
template <typename T> struct Release;

#define CPS_RELEASE(Type, function)                                                                                    \
  template <> struct Release<Type> {                                                                                   \
    void operator()(Type *owned) const { function(owned); }                                                            \
  }

template <typename T> using Owned = std::unique_ptr<T, Release<T>>;

CPS_RELEASE(GBytes, g_bytes_unref);
CPS_RELEASE(GCancellable, g_object_unref);
CPS_RELEASE(GDir, g_dir_close);
CPS_RELEASE(GError, g_error_free);
CPS_RELEASE(GInputStream, g_object_unref);
CPS_RELEASE(gchar, g_free);

CPS_RELEASE(GstAllocator, gst_object_unref);
CPS_RELEASE(GstBuffer, gst_buffer_unref);
CPS_RELEASE(GstBufferPool, gst_object_unref);
CPS_RELEASE(GstBus, gst_object_unref);
CPS_RELEASE(GstCaps, gst_caps_unref);
CPS_RELEASE(GstClock, gst_object_unref);
CPS_RELEASE(GstContext, gst_context_unref);
CPS_RELEASE(GstElement, gst_object_unref);
CPS_RELEASE(GstElementFactory, gst_object_unref);
CPS_RELEASE(GstEvent, gst_event_unref);
CPS_RELEASE(GstMemory, gst_memory_unref);
CPS_RELEASE(GstMessage, gst_message_unref);
CPS_RELEASE(GstObject, gst_object_unref);
CPS_RELEASE(GstPad, gst_object_unref);
CPS_RELEASE(GstPipeline, gst_object_unref);
CPS_RELEASE(GstPlugin, gst_object_unref);
CPS_RELEASE(GstPluginFeature, gst_object_unref);
CPS_RELEASE(GstProxyPad, gst_object_unref);
CPS_RELEASE(GstQuery, gst_query_unref);
CPS_RELEASE(GstSample, gst_sample_unref);
CPS_RELEASE(GstStream, gst_object_unref);
CPS_RELEASE(GstStructure, gst_structure_free);
CPS_RELEASE(GstTask, gst_object_unref);

} // namespace cps
