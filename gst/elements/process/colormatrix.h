// SPDX-License-Identifier: LGPL-2.1-or-later
// How an element's pixels become RGB: what the caps say, or the matrix that its property color-matrix forces.
#pragma once

#include "gst/elements/common/picture.h"
#include "kernels/pixels.h"

#define CPS_TYPE_COLOR_MATRIX (cps_color_matrix_get_type())
GType cps_color_matrix_get_type();

namespace cps {

GParamSpec *color_matrix_spec();

// `forced`: UNKNOWN for the caps' matrix. The range is the caps' in any case.
ColorTransform color_transform(const GstVideoInfo &info, ColorModel model, GstVideoColorMatrix forced);

} // namespace cps
