// SPDX-License-Identifier: LGPL-2.1-or-later
/* The library from C: its headers stand alone, and its functions link and work. */
#include <gst/codecpatch/codecpatch.h>

#include <gst/check/gstcheck.h>

#include <string.h>

static void count_entry(const gchar *key, const gchar *value, gpointer user_data) {
  fail_unless(key != NULL && value != NULL);
  ++*(guint *)user_data;
}

GST_START_TEST(test_metas) {
  GstBuffer *buffer = gst_buffer_new();
  CpsFrameMeta *frame = cps_buffer_add_frame_meta(buffer, 1, 2, 3, CPS_FRAME_FLAG_WANTED);
  CpsEnergyMeta *energy = cps_buffer_add_energy_meta(buffer, gst_buffer_new_allocate(NULL, 4, NULL), 1, 1, 1, 1,
                                                     g_quark_from_static_string("motion-residual"), 95);
  CpsTensor tensor = {0};
  CpsTensorMeta *tensors;
  const CpsTensor *found;
  GstMapInfo map;

  fail_unless(cps_buffer_get_frame_meta(buffer) == frame && frame->frame_id != CPS_FRAME_ID_NONE);
  fail_unless(cps_buffer_get_energy_meta(buffer) == energy);

  gst_buffer_append_memory(buffer, gst_allocator_alloc(NULL, 8, NULL));
  tensor.id = g_quark_from_static_string("patches");
  tensor.dtype = CPS_DTYPE_F16;
  tensor.n_dims = 1;
  tensor.dims[0] = 4;
  tensors = cps_buffer_add_tensor_meta(buffer, &tensor, 1, cps_clip_new(0));
  fail_unless(cps_buffer_get_tensor_meta(buffer) == tensors);
  found = cps_tensor_meta_find(tensors, "patches");
  fail_unless(found != NULL && found->dtype == CPS_DTYPE_F16);
  fail_unless(cps_tensor_map(found, buffer, &map, GST_MAP_READ));
  fail_unless(map.size == cps_tensor_get_size(found));
  cps_tensor_unmap(found, buffer, &map);
  gst_buffer_unref(buffer);
}

GST_END_TEST;

GST_START_TEST(test_dlpack) {
  GstBuffer *buffer = gst_buffer_new();
  GError *error = NULL;
  struct DLManagedTensor *tensor = cps_tensor_meta_to_dlpack(buffer, "patches", &error);
  struct DLManagedTensorVersioned *versioned = cps_tensor_meta_to_dlpack_versioned(buffer, "patches", NULL);

  fail_unless(tensor == NULL && versioned == NULL && error != NULL);
  fail_unless_equals_string(CPS_CUDA_MEMORY_TYPE, "codecpatch.cuda");
  g_error_free(error);
  gst_buffer_unref(buffer);
}

GST_END_TEST;

GST_START_TEST(test_plan) {
  CpsPlan *plan = cps_plan_new(1);
  GstEvent *event = cps_event_new_plan(cps_plan_ref(plan));
  GstQuery *query = cps_query_new_plan_request();

  fail_unless(cps_event_parse_plan(event) == plan);
  fail_unless(cps_query_is_plan_request(query));
  fail_unless(cps_query_get_plan_request(query) == NULL);
  gst_query_unref(query);
  gst_event_unref(event);
  cps_plan_unref(plan);
}

GST_END_TEST;

GST_START_TEST(test_clip) {
  CpsClip *clip = cps_clip_new(1);
  guint entries = 0;

  cps_clip_foreach_metadata(clip, count_entry, &entries);
  fail_unless_equals_int(entries, 16);
  fail_unless_equals_int(CPS_SPEC_VERSION, 1);
  cps_clip_unref(clip);
}

GST_END_TEST;

/* All that can be called without a session. */
GST_START_TEST(test_session) {
  const gchar *options[] = {"k-keep", "16", NULL};
  GError *error = NULL;
  CpsReadFunc read = NULL;
  CpsSeekFunc seek = NULL;

  fail_unless(cps_session_open_path("/no/such/file", options, &error) == NULL);
  fail_unless(g_error_matches(error, CPS_SESSION_ERROR, CPS_SESSION_ERROR_SOURCE));
  fail_unless_equals_int(cps_error_get_code(error), CPS_SESSION_ERROR_SOURCE);
  fail_unless(g_str_has_prefix(cps_error_get_message(error), "/no/such/file: "));
  cps_error_free(error);
  fail_unless(read == NULL && seek == NULL);
  cps_session_close(NULL);
  cps_session_free(NULL);
  cps_tensors_free(NULL);
  cps_free(NULL);
}

GST_END_TEST;

/* A clip of one patch of one pixel, at the right of two places. */
GST_START_TEST(test_pictures) {
  const gint64 pixel_dims[] = {1, 3, 1, 1}, field_dims[] = {1, 6}, negative[] = {-1};
  const guint8 pixel[] = {10, 20, 30};
  const gint64 fields[] = {0, 7, 1, 1, 0, 1};
  CpsPictures *pictures = cps_pictures_new(CPS_PICTURE_MODE_HOLD);
  GError *error = NULL;
  guint8 rgba[8];

  cps_pictures_set_background(pictures, 0x80010203);
  cps_pictures_set_dim(pictures, 50);
  fail_unless(cps_pictures_add_tensor(pictures, "patches", "U8", pixel_dims, 4, pixel, NULL));
  fail_unless(cps_pictures_add_tensor(pictures, "meta_fields", "I64", field_dims, 2, fields, NULL));
  cps_pictures_add_metadata(pictures, "sampled_frame_ids", "[7]");
  cps_pictures_add_metadata(pictures, "grid_height", "1");
  cps_pictures_add_metadata(pictures, "grid_width", "2");
  fail_unless(cps_pictures_arrange(pictures, &error));
  fail_unless_equals_int(cps_pictures_get_count(pictures), 1);
  fail_unless_equals_int(cps_pictures_get_width(pictures), 2);
  fail_unless_equals_int(cps_pictures_get_height(pictures), 1);
  fail_unless_equals_int(cps_pictures_get_position(pictures, 0), 0);
  cps_pictures_draw(pictures, 0, rgba, sizeof rgba);
  fail_unless(memcmp(rgba, "\1\2\3\200\12\24\36\377", sizeof rgba) == 0);
  cps_pictures_free(pictures);
  cps_pictures_free(NULL);

  pictures = cps_pictures_new(CPS_PICTURE_MODE_SCORES);
  fail_if(cps_pictures_add_tensor(pictures, "patches", "U4", pixel_dims, 4, pixel, NULL));
  fail_if(cps_pictures_add_tensor(pictures, "patches", "U8", negative, 1, pixel, NULL));
  fail_if(cps_pictures_arrange(pictures, &error));
  fail_unless(g_error_matches(error, CPS_SESSION_ERROR, CPS_SESSION_ERROR_FAILED));
  g_clear_error(&error);
  cps_pictures_free(pictures);
}

GST_END_TEST;

static Suite *c_api_suite(void) {
  Suite *suite = suite_create("c-api");
  TCase *tests = tcase_create("general");

  suite_add_tcase(suite, tests);
  tcase_add_test(tests, test_metas);
  tcase_add_test(tests, test_dlpack);
  tcase_add_test(tests, test_plan);
  tcase_add_test(tests, test_clip);
  tcase_add_test(tests, test_session);
  tcase_add_test(tests, test_pictures);
  return suite;
}

GST_CHECK_MAIN(c_api);
