// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/codecpatch/owned.h"

#include "tests/common/text.h"

#include <gst/check/gstcheck.h>
#include <gst/codecpatch/codecpatch.h>

using cps::Owned;

namespace {

GstBuffer *a_map() {
  return gst_buffer_new_allocate(nullptr, 3 * 2 * sizeof(float), nullptr);
}

Owned<GstBuffer> frame_with(GstBuffer *map) {
  GstBuffer *buffer = gst_buffer_new_allocate(nullptr, 64, nullptr);
  CpsEnergyMeta *meta =
      cps_buffer_add_energy_meta(buffer, map, 3, 2, 8, 7, g_quark_from_static_string("some-mode"), 90.5);
  assert_equals_int(meta->orientation, CPS_ORIENTATION_IDENTITY);
  meta->orientation = CPS_ORIENTATION_90L;
  return Owned<GstBuffer>(buffer);
}

void check_meta(GstBuffer *buffer, GstBuffer *map) {
  const CpsEnergyMeta *meta = cps_buffer_get_energy_meta(buffer);
  fail_unless(meta != nullptr);
  fail_unless(meta->map == map);
  assert_equals_int(meta->width, 3);
  assert_equals_int(meta->height, 2);
  assert_equals_int(meta->frame_width, 8);
  assert_equals_int(meta->frame_height, 7);
  assert_text(g_quark_to_string(meta->mode), "some-mode");
  assert_equals_float(meta->percentile, 90.5);
  assert_equals_int(meta->orientation, CPS_ORIENTATION_90L);
}

} // namespace

GST_START_TEST(test_values) {
  GstBuffer *map = a_map();
  const Owned<GstBuffer> bare(gst_buffer_new()), frame = frame_with(map);
  fail_unless(cps_buffer_get_energy_meta(bare.get()) == nullptr);
  check_meta(frame.get(), map);
}
GST_END_TEST;

GST_START_TEST(test_whole_copies_share_the_map) {
  GstBuffer *map = a_map();
  Owned<GstBuffer> frame = frame_with(map);
  ASSERT_MINI_OBJECT_REFCOUNT(map, "map", 1);
  const Owned<GstBuffer> shallow(gst_buffer_copy(frame.get())), deep(gst_buffer_copy_deep(frame.get()));
  check_meta(shallow.get(), map);
  check_meta(deep.get(), map);
  ASSERT_MINI_OBJECT_REFCOUNT(map, "map", 3);
  frame.reset();
  check_meta(shallow.get(), map);
  ASSERT_MINI_OBJECT_REFCOUNT(map, "map", 2);
}
GST_END_TEST;

GST_START_TEST(test_freed_with_the_frame) {
  const Owned<GstBuffer> map(a_map());
  Owned<GstBuffer> frame = frame_with(gst_buffer_ref(map.get()));
  ASSERT_MINI_OBJECT_REFCOUNT(map.get(), "map", 2);
  frame.reset();
  ASSERT_MINI_OBJECT_REFCOUNT(map.get(), "map", 1);
}
GST_END_TEST;

GST_START_TEST(test_region_copies_have_none) {
  const Owned<GstBuffer> frame = frame_with(a_map());
  const Owned<GstBuffer> region(gst_buffer_copy_region(frame.get(), GST_BUFFER_COPY_ALL, 8, 16));
  fail_unless(cps_buffer_get_energy_meta(region.get()) == nullptr);
}
GST_END_TEST;

GST_START_TEST(test_other_transforms_drop_it) {
  const Owned<GstBuffer> frame = frame_with(a_map()), other(gst_buffer_new());
  CpsEnergyMeta *meta = cps_buffer_get_energy_meta(frame.get());
  fail_if(CPS_ENERGY_META_INFO->transform_func(other.get(), &meta->meta, frame.get(),
                                               g_quark_from_static_string("gst-video-scale"), nullptr));
  fail_unless(cps_buffer_get_energy_meta(other.get()) == nullptr);
}
GST_END_TEST;

GST_START_TEST(test_has_no_tags) {
  const gchar *const *tags = gst_meta_api_type_get_tags(CPS_ENERGY_META_API_TYPE);
  fail_unless(tags == nullptr || tags[0] == nullptr);
}
GST_END_TEST;

static Suite *energy_meta_suite() {
  Suite *suite = suite_create("energy-meta");
  TCase *tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, test_values);
  tcase_add_test(tests, test_whole_copies_share_the_map);
  tcase_add_test(tests, test_freed_with_the_frame);
  tcase_add_test(tests, test_region_copies_have_none);
  tcase_add_test(tests, test_other_transforms_drop_it);
  tcase_add_test(tests, test_has_no_tags);
  return suite;
}

GST_CHECK_MAIN(energy_meta)
