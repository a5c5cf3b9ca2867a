// SPDX-License-Identifier: LGPL-2.1-or-later
// The backend of a stage: which one the application requests, and which one this machine supports.
#pragma once

#include "gst/elements/common/elementtools.h"

namespace cps {

enum class Backend { Auto, Cpu, Gpu };

// Returns "cpu", "gpu" or "auto".
const char *backend_name(Backend backend);

} // namespace cps

#define CPS_TYPE_BACKEND (cps_backend_get_type())
GType cps_backend_get_type();
