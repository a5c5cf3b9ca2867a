// SPDX-License-Identifier: LGPL-2.1-or-later
// Where a stage runs: what was asked for, and what this machine has.
#pragma once

#include "gst/elements/common/elementtools.h"

namespace cps {

enum class Backend { Auto, Cpu, Gpu };

// "cpu", "gpu", "auto".
const char *backend_name(Backend backend);

} // namespace cps

#define CPS_TYPE_BACKEND (cps_backend_get_type())
GType cps_backend_get_type();
