// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/bitstream/h264/fixture.h"

static Suite *h264_suite() {
  return test::suite_of("h264",
                        {h264::order_tests(), h264::field_tests(), h264::random_access_tests(), h264::unit_tests()});
}

GST_CHECK_MAIN(h264)
