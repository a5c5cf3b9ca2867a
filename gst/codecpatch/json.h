// SPDX-License-Identifier: LGPL-2.1-or-later
// Values as JSON text, locale independent. Internal to the library.
#pragma once

#include <gst/gst.h>

#include <string>

namespace cps {

// A JSON string literal with its quotes; bytes that are not UTF-8 become U+FFFD.
std::string json_string(const char *text);

// The shortest decimal that converts back to the same double; a whole number has no fraction. "0" for infinities and
// NaN.
std::string json_number(double value);

// The text of a property's value: numbers and booleans as JSON, arrays as JSON arrays, fractions as "n/d", enums as
// their nick, strings unchanged.
std::string value_text(const GValue *value);

} // namespace cps
