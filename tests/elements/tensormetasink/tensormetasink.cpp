// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/common/suite.h"
#include "tests/elements/tensormetasink/fixture.h"

static Suite *tensormetasink_suite() {
  return test::suite_of("tensormetasink", {sink::queue_tests(), sink::stop_tests(), sink::file_tests()});
}

GST_CHECK_MAIN(tensormetasink)
