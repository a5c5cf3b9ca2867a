// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/process/resampling.h"

GType cps_resample_get_type() {
  static GType type = [] {
    static const GEnumValue values[] = {
        {static_cast<gint>(cps::Resample::Bilinear), "Two samples a side, without antialiasing", "bilinear"},
        {static_cast<gint>(cps::Resample::Area), "Mean of the area of each target pixel", "area"},
        {static_cast<gint>(cps::Resample::Bicubic), "Cubic convolution with antialiasing", "bicubic"},
        {0, nullptr, nullptr},
    };
    return g_enum_register_static("CpsResample", values);
  }();
  return type;
}

GType cps_size_rule_get_type() {
  static GType type = [] {
    static const GEnumValue values[] = {
        {static_cast<gint>(cps::SizeRule::Round), "Scale by one factor, then round each side", "round"},
        {static_cast<gint>(cps::SizeRule::Floor),
         "Round each side, and stay within the limits, as Qwen's preprocessors do", "floor"},
        {0, nullptr, nullptr},
    };
    return g_enum_register_static("CpsSizeRule", values);
  }();
  return type;
}

namespace cps {

static GParamSpec *enum_spec(const char *name, const char *nick, const char *blurb, GType type) {
  return g_param_spec_enum(
      name, nick, blurb, type, 0,
      static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING));
}

GParamSpec *resample_spec() {
  return enum_spec("resample", "Resampling", "How frames are resized", CPS_TYPE_RESAMPLE);
}

GParamSpec *size_rule_spec() {
  return enum_spec("size-rule", "Size rule", "How the target size follows from min-pixels and max-pixels",
                   CPS_TYPE_SIZE_RULE);
}

} // namespace cps
