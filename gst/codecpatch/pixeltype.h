// SPDX-License-Identifier: LGPL-2.1-or-later
// The types of tensors that the kernels write pixels in. Internal.
#pragma once

#include "gst/codecpatch/cpstensormeta.h"
#include "kernels/pixels.h"

#include <optional>

namespace cps {

// Nothing for types that no pixels have.
inline std::optional<PixelType> pixel_type(CpsDtype dtype) {
  switch (dtype) {
  case CPS_DTYPE_U8:
    return PixelType::U8;
  case CPS_DTYPE_F16:
    return PixelType::F16;
  case CPS_DTYPE_BF16:
    return PixelType::BF16;
  case CPS_DTYPE_F32:
    return PixelType::F32;
  default:
    return std::nullopt;
  }
}

} // namespace cps
