// SPDX-License-Identifier: LGPL-2.1-or-later
// Compares text; not gstcheck's own macro, because that keeps pointers into temporary strings.
#pragma once

#include <gst/check/gstcheck.h>

#include <string>

#define assert_text(actual, expected)                                                                                  \
  do {                                                                                                                 \
    const std::string actual_text = (actual), expected_text = (expected);                                              \
    fail_unless(actual_text == expected_text, "%s is \"%s\", not \"%s\"", #actual, actual_text.c_str(),                \
                expected_text.c_str());                                                                                \
  } while (false)
