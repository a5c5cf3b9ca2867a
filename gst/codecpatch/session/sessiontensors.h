// SPDX-License-Identifier: LGPL-2.1-or-later
// Making what cps_session_next() gives. Internal.
#pragma once

#include "gst/codecpatch/cpssession.h"
#include "gst/common/owned.h"

#include <optional>
#include <string>

namespace cps {

// The clip of a tensormetasink's sample. `name` begins the messages of errors; `source` stands for what the elements
// know of where the clip is from, where it is given.
CpsTensors *tensors_new(Owned<GstSample> sample, const std::string &name, const std::optional<std::string> &source);

} // namespace cps
