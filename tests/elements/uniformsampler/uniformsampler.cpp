// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/common/suite.h"
#include "tests/elements/uniformsampler/fixture.h"

static Suite *uniformsampler_suite() {
  return test::suite_of("uniformsampler", {sampler::number_tests(), sampler::plan_tests(), sampler::missing_tests(),
                                           sampler::stream_tests(), sampler::orientation_tests(),
                                           sampler::window_tests(), sampler::live_tests()});
}

GST_CHECK_MAIN(uniformsampler)
