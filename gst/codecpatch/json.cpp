// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/codecpatch/json.h"

#include "gst/common/owned.h"

#include <cmath>

namespace cps {

std::string json_string(const char *text) {
  const Owned<gchar> valid(g_utf8_make_valid(text, -1));
  std::string out = "\"";
  for (const char *c = valid.get(); *c; c++) {
    if (*c == '"' || *c == '\\') {
      out += '\\';
      out += *c;
    } else if (static_cast<unsigned char>(*c) < 0x20) {
      char escape[8];
      g_snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(*c));
      out += escape;
    } else {
      out += *c;
    }
  }
  return out + "\"";
}

std::string json_number(double value) {
  if (!std::isfinite(value))
    return "0";
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  // 17 digits always convert back to the same value; fewer do for most values and look like the user's input.
  for (int digits : {6, 15, 16, 17}) {
    char format[8];
    g_snprintf(format, sizeof format, "%%.%dg", digits);
    g_ascii_formatd(text, sizeof text, format, value);
    if (g_ascii_strtod(text, nullptr) == value)
      break;
  }
  return text;
}

static std::string array_text(const GValue *array) {
  std::string out = "[";
  for (guint i = 0; i < gst_value_array_get_size(array); i++) {
    const GValue *item = gst_value_array_get_value(array, i);
    out += (i ? ", " : "");
    out += G_VALUE_HOLDS_STRING(item) ? json_string(g_value_get_string(item)) : value_text(item);
  }
  return out + "]";
}

std::string value_text(const GValue *value) {
  if (G_VALUE_HOLDS_BOOLEAN(value))
    return g_value_get_boolean(value) ? "true" : "false";
  if (G_VALUE_HOLDS_DOUBLE(value))
    return json_number(g_value_get_double(value));
  if (G_VALUE_HOLDS_STRING(value))
    return g_value_get_string(value) ? g_value_get_string(value) : "";
  if (GST_VALUE_HOLDS_ARRAY(value))
    return array_text(value);
  if (GST_VALUE_HOLDS_FRACTION(value))
    return std::to_string(gst_value_get_fraction_numerator(value)) + "/" +
           std::to_string(gst_value_get_fraction_denominator(value));
  if (G_VALUE_HOLDS_ENUM(value)) {
    auto *type = static_cast<GEnumClass *>(g_type_class_ref(G_VALUE_TYPE(value)));
    const GEnumValue *entry = g_enum_get_value(type, g_value_get_enum(value));
    std::string nick = entry ? entry->value_nick : "";
    g_type_class_unref(type);
    return nick;
  }
  const Owned<gchar> text(gst_value_serialize(value));
  return text ? text.get() : "";
}

} // namespace cps
