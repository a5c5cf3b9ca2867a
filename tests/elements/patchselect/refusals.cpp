// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/elements/patchselect/fixture.h"

using namespace patchselect;

namespace {

// The error at a frame that `change` has been at, as the second of a clip.
void check_frame_refused(const std::function<void(GstBuffer *)> &change, const char *part) {
  const Clip clip = noise_clip();
  for (const guint position : {0u, 1u}) {
    Harness select("patchselect", kSmall);
    select.start(test::video_caps(clip.info).get());
    if (position == 1)
      fail_unless(select.push(frame(clip, 0)) == GST_FLOW_OK);
    Owned<GstBuffer> bad = frame(clip, position);
    change(bad.get());
    fail_unless(select.push(std::move(bad)) == GST_FLOW_ERROR);
    select.check_error(part);
    fail_unless(select.pull() == nullptr);
  }
}

} // namespace

GST_START_TEST(test_options_refused) {
  check_refused({{"patch-size", "0"}}, "patch-size is 0");
  check_refused({{"patch-size", "-3"}}, "patch-size is -3");
  check_refused({{"patch-size", "1025"}}, "patch-size is 1025");
  check_refused({{"input-size", "0"}}, "input-size is 0");
  check_refused({{"input-size", "0"}, {"min-pixels", "100"}}, "input-size is 0");
  check_refused({{"input-size", "2000000000"}}, "input-size");
  check_refused({{"min-score", "-1"}}, "min-score is -1");
}
GST_END_TEST;

GST_START_TEST(test_frames_without_energy) {
  check_frame_refused(
      [](GstBuffer *buffer) { gst_buffer_remove_meta(buffer, &cps_buffer_get_energy_meta(buffer)->meta); },
      "patchenergy");
}
GST_END_TEST;

GST_START_TEST(test_energy_of_another_size) {
  check_frame_refused([](GstBuffer *buffer) { cps_buffer_get_energy_meta(buffer)->frame_width = 95; },
                      "95x80, but the frame is 96x80");
  check_frame_refused([](GstBuffer *buffer) { cps_buffer_get_energy_meta(buffer)->frame_height = 81; }, "96x81");
  check_frame_refused([](GstBuffer *buffer) { cps_buffer_get_energy_meta(buffer)->width--; }, "energy");
  check_frame_refused([](GstBuffer *buffer) { cps_buffer_get_energy_meta(buffer)->height++; }, "energy");
  check_frame_refused(
      [](GstBuffer *buffer) {
        GstBuffer *map = cps_buffer_get_energy_meta(buffer)->map;
        gst_buffer_set_size(map, static_cast<gssize>(gst_buffer_get_size(map)) - 1);
      },
      "energy");
}
GST_END_TEST;

// One that a frame of the same size may have.
GST_START_TEST(test_energy_of_another_orientation) {
  check_frame_refused([](GstBuffer *buffer) { cps_buffer_get_energy_meta(buffer)->orientation = CPS_ORIENTATION_180; },
                      "rotated or mirrored otherwise");
  // In the middle of a clip it is the rotation of the video that has changed.
  check_frame_refused([](GstBuffer *buffer) { cps_buffer_get_frame_meta(buffer)->orientation = CPS_ORIENTATION_HORIZ; },
                      "rotat");
}
GST_END_TEST;

TCase *patchselect::refusal_tests() {
  TCase *tests = test::subject("refusals");
  tcase_add_test(tests, test_options_refused);
  tcase_add_test(tests, test_frames_without_energy);
  tcase_add_test(tests, test_energy_of_another_size);
  tcase_add_test(tests, test_energy_of_another_orientation);
  return tests;
}
