// SPDX-License-Identifier: LGPL-2.1-or-later
// Which CUDA context an element works in: GStreamer's way of sharing one between elements and with the application.
#pragma once

#include "gst/common/owned.h"
#include "gst/cuda/driver.h"

#include <mutex>

namespace cps::cuda {

// The primary context of a device, which CUDA's runtime and so PyTorch work in too. One a process, kept to its end.
// nullptr with the reason in `error`.
Owned<GstCudaContext> primary_context(int device_id, Error &error);

// Thread-safe. An element forwards to it: set_context() from GstElementClass.set_context, which chains up too, and
// answer() from its pads' query functions, whatever the query.
class ElementContext {
public:
  // -1: any. What is not on this device is forgotten.
  void set_device_id(int device_id);

  // The context to work in, nullptr with the reason in `error`: what the application or a bin has given or gives when
  // it is asked, else the device's primary context (of device 0 where any will do), which they are told about.
  // Neighbours are not asked, for it is they who ask. Not to be called with a lock that messages could need.
  Owned<GstCudaContext> ensure(GstElement *element, Error &error);

  // What there is now; may be nullptr.
  Owned<GstCudaContext> current() const;

  void set_context(GstElement *element, GstContext *context);

  // As if the application had given it to the element.
  void take(GstElement *element, GstContext *context);

  // True where it was a query for a CUDA context and has been answered, with that of ensure().
  bool answer(GstElement *element, GstQuery *query);

  // Frames have come in this context: it is the one to work in. False with the reason in `error` where another device
  // was asked for.
  bool adopt(GstCudaContext *context, Error &error);

  // For the element's way to READY.
  void release();

private:
  bool accepts(GstCudaContext *context) const;

  mutable std::mutex mutex_;
  int device_id_ = -1;
  Owned<GstCudaContext> context_;
};

} // namespace cps::cuda
