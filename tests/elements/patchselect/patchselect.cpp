// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/elements/patchselect/fixture.h"

static Suite *patchselect_suite() {
  return test::suite_of("patchselect",
                        {patchselect::pixel_tests(), patchselect::color_tests(), patchselect::selection_tests(),
                         patchselect::refusal_tests(), patchselect::tensor_tests(), patchselect::canvas_tests()});
}

GST_CHECK_MAIN(patchselect)
