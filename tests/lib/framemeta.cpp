// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/common/frames.h"
#include "tests/common/harness.h"
#include "tests/common/text.h"

#include <gst/codecpatch/codecpatch.h>

using test::Owned;

namespace {

// Every field differs from its default and from the others.
Owned<GstBuffer> stamped_buffer(const void *pixels = nullptr, gsize size = 0) {
  Owned<GstBuffer> buffer(pixels ? gst_buffer_new_memdup(pixels, size) : gst_buffer_new_allocate(nullptr, 64, nullptr));
  CpsFrameMeta *meta = cps_buffer_add_frame_meta(buffer.get(), 11, 22, 33, CPS_FRAME_FLAG_RANDOM_ACCESS);
  fail_unless(meta->status == CPS_FRAME_STATUS_OK && meta->seq_len == 0);
  meta->flags = static_cast<CpsFrameFlags>(CPS_FRAME_FLAG_RANDOM_ACCESS | CPS_FRAME_FLAG_WANTED);
  meta->clip_index = 44;
  meta->seq_pos = 55;
  meta->seq_len = 66;
  meta->status = CPS_FRAME_STATUS_MISSING;
  meta->orientation = CPS_ORIENTATION_UL_LR;
  return buffer;
}

void check_stamp(GstBuffer *buffer) {
  const CpsFrameMeta *meta = cps_buffer_get_frame_meta(buffer);
  fail_unless(meta != nullptr);
  assert_equals_uint64(meta->frame_id, 11);
  assert_equals_uint64(meta->total, 22);
  assert_equals_uint64(meta->pts, 33);
  assert_equals_int(meta->flags, CPS_FRAME_FLAG_RANDOM_ACCESS | CPS_FRAME_FLAG_WANTED);
  assert_equals_int(meta->clip_index, 44);
  assert_equals_int(meta->seq_pos, 55);
  assert_equals_int(meta->seq_len, 66);
  assert_equals_int(meta->status, CPS_FRAME_STATUS_MISSING);
  assert_equals_int(meta->orientation, CPS_ORIENTATION_UL_LR);
  assert_equals_int(gst_buffer_get_n_meta(buffer, CPS_FRAME_META_API_TYPE), 1);
}

} // namespace

GST_START_TEST(test_values) {
  const Owned<GstBuffer> buffer(gst_buffer_new());
  fail_unless(cps_buffer_get_frame_meta(buffer.get()) == nullptr);
  CpsFrameMeta *meta = cps_buffer_add_frame_meta(buffer.get(), 1, 2, 3, CPS_FRAME_FLAG_WANTED);
  fail_unless(cps_buffer_get_frame_meta(buffer.get()) == meta);
  assert_equals_uint64(meta->frame_id, 1);
  assert_equals_uint64(meta->total, 2);
  assert_equals_uint64(meta->pts, 3);
  assert_equals_int(meta->flags, CPS_FRAME_FLAG_WANTED);
  assert_equals_int(meta->clip_index, 0);
  assert_equals_int(meta->seq_pos, 0);
  assert_equals_int(meta->seq_len, 0);
  assert_equals_int(meta->status, CPS_FRAME_STATUS_OK);
  assert_equals_int(meta->orientation, CPS_ORIENTATION_IDENTITY);
}
GST_END_TEST;

// A meta that somebody adds through GStreamer's own function says that nothing is known.
GST_START_TEST(test_defaults) {
  const Owned<GstBuffer> buffer(gst_buffer_new());
  gst_buffer_add_meta(buffer.get(), CPS_FRAME_META_INFO, nullptr);
  const CpsFrameMeta *meta = cps_buffer_get_frame_meta(buffer.get());
  fail_unless(meta->frame_id == CPS_FRAME_ID_NONE);
  fail_unless(meta->pts == GST_CLOCK_TIME_NONE);
  assert_equals_uint64(meta->total, 0);
  assert_equals_int(meta->flags, CPS_FRAME_FLAG_NONE);
  assert_equals_int(meta->seq_len, 0);
  assert_equals_int(meta->status, CPS_FRAME_STATUS_OK);
  assert_equals_int(meta->orientation, CPS_ORIENTATION_IDENTITY);
}
GST_END_TEST;

GST_START_TEST(test_copies) {
  const Owned<GstBuffer> buffer = stamped_buffer();
  check_stamp(Owned<GstBuffer>(gst_buffer_copy(buffer.get())).get());
  check_stamp(Owned<GstBuffer>(gst_buffer_copy_deep(buffer.get())).get());
  check_stamp(Owned<GstBuffer>(gst_buffer_copy_region(buffer.get(), GST_BUFFER_COPY_ALL, 8, 16)).get());
  Owned<GstBuffer> other(gst_buffer_new());
  fail_unless(gst_buffer_copy_into(other.get(), buffer.get(), GST_BUFFER_COPY_METADATA, 0, static_cast<gsize>(-1)));
  check_stamp(other.get());
}
GST_END_TEST;

// A copy has a stamp of its own.
GST_START_TEST(test_copies_are_apart) {
  const Owned<GstBuffer> buffer = stamped_buffer(), copy(gst_buffer_copy(buffer.get()));
  cps_buffer_get_frame_meta(copy.get())->frame_id = 99;
  check_stamp(buffer.get());
}
GST_END_TEST;

// Where there is one already, it takes the values rather than a second one beside it.
GST_START_TEST(test_copy_onto_another_stamp) {
  const Owned<GstBuffer> buffer = stamped_buffer(), other(gst_buffer_new());
  cps_buffer_add_frame_meta(other.get(), 1, 2, 3, CPS_FRAME_FLAG_NONE);
  fail_unless(gst_buffer_copy_into(other.get(), buffer.get(), GST_BUFFER_COPY_META, 0, static_cast<gsize>(-1)));
  check_stamp(other.get());
}
GST_END_TEST;

// Decoders and converters drop metas by their tags, and transform those that stay.
GST_START_TEST(test_transforms) {
  const gchar *const *tags = gst_meta_api_type_get_tags(CPS_FRAME_META_API_TYPE);
  fail_unless(tags == nullptr || tags[0] == nullptr);
  const Owned<GstBuffer> buffer = stamped_buffer(), other(gst_buffer_new());
  GstVideoInfo from = test::video_info("I420", 64, 48), to = test::video_info("RGB", 32, 24);
  GstVideoMetaTransform scale = {&from, &to};
  CpsFrameMeta *meta = cps_buffer_get_frame_meta(buffer.get());
  fail_unless(CPS_FRAME_META_INFO->transform_func(other.get(), &meta->meta, buffer.get(),
                                                  gst_video_meta_transform_scale_get_quark(), &scale));
  check_stamp(other.get());
}
GST_END_TEST;

GST_START_TEST(test_survives_a_converter) {
  GstPlugin *plugin = gst_plugin_load_file(GST_PLUGINS_DIR "/libgstvideoconvertscale.so", nullptr);
  if (!plugin) {
    g_print("skipped: no videoconvert\n");
    return;
  }
  gst_registry_add_plugin(gst_registry_get(), plugin);
  for (const char *factory : {"videoconvert", "videoscale"}) {
    const test::Harness harness(factory);
    gst_harness_set_sink_caps_str(harness.get(), g_str_equal(factory, "videoscale")
                                                     ? "video/x-raw,format=I420,width=32,height=32"
                                                     : "video/x-raw,format=RGB,width=64,height=48");
    const GstVideoInfo info = test::video_info("I420", 64, 48);
    const std::vector<guint8> pixels(info.size, 128);
    harness.start(test::video_caps(info).get());
    fail_unless(harness.push(stamped_buffer(pixels.data(), pixels.size())) == GST_FLOW_OK);
    const Owned<GstBuffer> out = harness.pull();
    fail_unless(out != nullptr);
    fail_unless(gst_buffer_get_size(out.get()) != info.size);
    check_stamp(out.get());
  }
}
GST_END_TEST;

GST_START_TEST(test_status_names) {
  assert_text(cps_frame_status_to_string(CPS_FRAME_STATUS_OK), "ok");
  assert_text(cps_frame_status_to_string(CPS_FRAME_STATUS_SUBSTITUTED), "substituted");
  assert_text(cps_frame_status_to_string(CPS_FRAME_STATUS_MISSING), "missing");
  assert_text(cps_frame_status_to_string(CPS_FRAME_STATUS_DAMAGED), "damaged");
  fail_unless(cps_frame_status_to_string(static_cast<CpsFrameStatus>(77)) != nullptr);
}
GST_END_TEST;

static Suite *frame_meta_suite() {
  Suite *suite = suite_create("frame-meta");
  TCase *tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_set_timeout(tests, test::kWatchdogSeconds);
  tcase_add_test(tests, test_values);
  tcase_add_test(tests, test_defaults);
  tcase_add_test(tests, test_copies);
  tcase_add_test(tests, test_copies_are_apart);
  tcase_add_test(tests, test_copy_onto_another_stamp);
  tcase_add_test(tests, test_transforms);
  tcase_add_test(tests, test_survives_a_converter);
  tcase_add_test(tests, test_status_names);
  return suite;
}

GST_CHECK_MAIN(frame_meta)
