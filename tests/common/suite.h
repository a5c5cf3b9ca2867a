// SPDX-License-Identifier: LGPL-2.1-or-later
// A program of tests that lie in several files, one a subject.
#pragma once

#include <gst/check/gstcheck.h>

#include <initializer_list>

namespace test {

// Long for a test, short for the person who waits for one that hangs.
constexpr int kWatchdogSeconds = 30;

// The tests of one subject, none so far.
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
