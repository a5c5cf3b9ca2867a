// SPDX-License-Identifier: LGPL-2.1-or-later
// A test program of several files, one per subject.
#pragma once

#include <gst/check/gstcheck.h>

#include <initializer_list>

namespace test {

// Long enough for any test, and short enough to wait for a test that hangs.
constexpr int kWatchdogSeconds = 30;

// A new, empty test case for one subject.
inline TCase *subject(const char *name, int seconds = kWatchdogSeconds) {
  TCase *tests = tcase_create(name);
  tcase_set_timeout(tests, seconds);
  return tests;
}

inline Suite *suite_of(const char *name, std::initializer_list<TCase *> subjects) {
  Suite *suite = suite_create(name);
  for (TCase *tests : subjects)
    suite_add_tcase(suite, tests);
  return suite;
}

} // namespace test
