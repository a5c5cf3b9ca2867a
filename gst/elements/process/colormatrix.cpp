// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/process/colormatrix.h"

GType cps_color_matrix_get_type() {
  static GType type = [] {
    static const GEnumValue values[] = {
        {GST_VIDEO_COLOR_MATRIX_UNKNOWN, "What the caps say", "auto"},
        {GST_VIDEO_COLOR_MATRIX_BT601, "ITU-R BT.601", "bt601"},
        {GST_VIDEO_COLOR_MATRIX_BT709, "ITU-R BT.709", "bt709"},
        {GST_VIDEO_COLOR_MATRIX_BT2020, "ITU-R BT.2020", "bt2020"},
        {0, nullptr, nullptr},
    };
    return g_enum_register_static("CpsColorMatrix", values);
  }();
  return type;
}

namespace cps {

GParamSpec *color_matrix_spec() {
  return g_param_spec_enum(
      "color-matrix", "Colour matrix", "Matrix that YUV is converted to RGB with", CPS_TYPE_COLOR_MATRIX,
      GST_VIDEO_COLOR_MATRIX_UNKNOWN,
      static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING));
}

ColorTransform color_transform(const GstVideoInfo &info, ColorModel model, GstVideoColorMatrix forced) {
  if (model == ColorModel::Rgb)
    return rgb_to_rgb();
  const GstVideoColorimetry colorimetry = stream_colorimetry(info);
  const bool full_range = colorimetry.range == GST_VIDEO_COLOR_RANGE_0_255;
  if (model == ColorModel::Gray)
    return gray_to_rgb(full_range);
  gdouble kr = 0, kb = 0;
  gst_video_color_matrix_get_Kr_Kb(forced == GST_VIDEO_COLOR_MATRIX_UNKNOWN ? colorimetry.matrix : forced, &kr, &kb);
  return yuv_to_rgb(kr, kb, full_range);
}

} // namespace cps
