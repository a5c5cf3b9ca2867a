// SPDX-License-Identifier: LGPL-2.1-or-later
// The state of a StageContext, for code compiled with CUDA.
#pragma once

#include "gst/cuda/context.h"
#include "gst/elements/common/cudasupport.h"

namespace cps {

struct StageContext::State {
  // Uses the current value of the element's property cuda-device-id.
  cuda::ElementContext &context() {
    gint device_id = -1;
    g_object_get(element, "cuda-device-id", &device_id, nullptr);
    shared.set_device_id(device_id);
    return shared;
  }

  GstElement *element;
  cuda::ElementContext shared;
};

} // namespace cps
