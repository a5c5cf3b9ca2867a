// SPDX-License-Identifier: LGPL-2.1-or-later
// Where a stage runs: what was asked for, and what this machine has.
#pragma once

#include "gst/elements/common/elementtools.h"

#include <string>

namespace cps {

enum class Backend { Auto, Cpu, Gpu };

// "cpu", "gpu", "auto".
const char *backend_name(Backend backend);

// Can this GPU be worked with, and are there elements to copy to it and from it? Initialises the driver. False with the
// reason in `why_not`.
bool gpu_works(int device_id, std::string &why_not);

// Gives an element that works on a GPU its device's primary context, which frameworks share.
void give_primary_context(GstElement *element, int device_id);

} // namespace cps

#define CPS_TYPE_BACKEND (cps_backend_get_type())
GType cps_backend_get_type();
