// SPDX-License-Identifier: LGPL-2.1-or-later
// docs/spec.md#pixels: the resize to the target size on the CPU.
#pragma once

#include "kernels/geometry.h"
#include "kernels/plane.h"

#include <cstdint>

namespace cps {

// Writes one stored sample for each pair of taps, row by row. Allocates nothing; scratch memory is on the stack.
void resize_plane(const PlaneView &plane, const TapTable &x_taps, const TapTable &y_taps, uint16_t *out);

} // namespace cps
