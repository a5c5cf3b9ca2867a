// SPDX-License-Identifier: LGPL-2.1-or-later
// The CUDA context of an element: GStreamer's protocol for sharing a context between elements and with the application.
#pragma once

#include "gst/common/owned.h"
#include "gst/cuda/driver.h"

#include <mutex>

namespace cps::cuda {

// The primary context of a device, which the CUDA runtime and therefore PyTorch use too. One per process; never
// released. On failure returns nullptr and sets `error`.
Owned<GstCudaContext> primary_context(int device_id, Error &error);

// Thread-safe. The element forwards to set_context() from GstElementClass.set_context, which must also chain up, and to
// answer() from its pads' query functions, for every query.
class ElementContext {
public:
  // -1: any device. Drops a context of another device.
  void set_device_id(int device_id);

  // Returns a context, in order of preference: one already set; one that the application or parent bin provides in
  // reply to NEED_CONTEXT; the primary context of the device (device 0 if none was requested), which is then announced
  // with HAVE_CONTEXT. Peers are not queried, because they query us. On failure returns nullptr and sets `error`. Do
  // not call with a lock held that message handlers may need.
  Owned<GstCudaContext> ensure(GstElement *element, Error &error);

  // The current context; may be nullptr.
  Owned<GstCudaContext> current() const;

  void set_context(GstElement *element, GstContext *context);

  // As if the application had set it on the element.
  void take(GstElement *element, GstContext *context);

  // True if this was a query for a CUDA context and has been answered with the context of ensure().
  bool answer(GstElement *element, GstQuery *query);

  // Frames have arrived in this context, so the element will use it. False with `error` set if another device was
  // requested.
  bool adopt(GstCudaContext *context, Error &error);

  // Call when the element goes to READY.
  void release();

private:
  bool accepts(GstCudaContext *context) const;

  mutable std::mutex mutex_;
  int device_id_ = -1;
  Owned<GstCudaContext> context_;
};

} // namespace cps::cuda
