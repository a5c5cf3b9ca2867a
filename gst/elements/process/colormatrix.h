// SPDX-License-Identifier: LGPL-2.1-or-later
// Conversion of an element's pixels to RGB: by the caps, or by the matrix that the property color-matrix forces.
#pragma once

#include "gst/elements/common/picture.h"
#include "kernels/pixels.h"

#define CPS_TYPE_COLOR_MATRIX (cps_color_matrix_get_type())
GType cps_color_matrix_get_type();

namespace cps {

GParamSpec *color_matrix_spec();

// `forced`: UNKNOWN to use the matrix of the caps. The range always comes from the caps.
ColorTransform color_transform(const GstVideoInfo &info, ColorModel model, GstVideoColorMatrix forced);

} // namespace cps
