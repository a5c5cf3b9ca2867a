// SPDX-License-Identifier: LGPL-2.1-or-later
// Constructor of the result of cps_session_next(). Internal.
#pragma once

#include "gst/codecpatch/cpssession.h"
#include "gst/common/owned.h"

#include <optional>
#include <string>

namespace cps {

// The clip of a tensormetasink's sample. Error messages begin with `name`. `source`, if given, replaces the elements'
// source in the metadata.
CpsTensors *tensors_new(Owned<GstSample> sample, const std::string &name, const std::optional<std::string> &source);

} // namespace cps
