// SPDX-License-Identifier: LGPL-2.1-or-later
// What goes with the tensors: caps and metadata.
#include "tests/elements/patchselect/fixture.h"

using namespace patchselect;

GST_START_TEST(test_defaults) {
  const Owned<GstElement> select = test::make_element("patchselect");
  gint input = 0, patch = 0, count = 0;
  g_object_get(select.get(), "input-size", &input, "patch-size", &patch, "k-keep", &count, nullptr);
  assert_equals_int(input, 224);
  assert_equals_int(patch, 14);
  assert_equals_int(count, 2048);
  const Clip clip = noise_clip("I420", 2);
  Harness plain("patchselect");
  plain.start(test::video_caps(clip.info).get());
  const auto tensors = run(plain, clip);
  assert_equals_int(cps_buffer_get_tensor_meta(tensors.get())->tensors[0].dtype, CPS_DTYPE_BF16);
}
GST_END_TEST;

GST_START_TEST(test_caps) {
  const Clip clip = noise_clip();
  Harness select("patchselect", kSmall);
  std::string order;
  gst_pad_add_probe(
      select.get()->sinkpad,
      static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM | GST_PAD_PROBE_TYPE_BUFFER),
      [](GstPad *, GstPadProbeInfo *info, gpointer out) {
        *static_cast<std::string *>(out) +=
            GST_IS_EVENT(info->data) ? std::string(GST_EVENT_TYPE_NAME(info->data)) + " " : "buffer ";
        return GST_PAD_PROBE_OK;
      },
      &order, nullptr);
  select.start(test::video_caps(clip.info).get());
  run(select, clip);
  assert_text(order, "stream-start caps segment buffer ");
  const Owned<GstCaps> caps(gst_pad_get_current_caps(select.get()->sinkpad)),
      expected(gst_caps_from_string("other/tensors, format=static, num_tensors=3, framerate=0/1, "
                                    "types=(string)\"float32,int64,float32\", "
                                    "dimensions=(string)\"14:14:3:20,6:20,20\""));
  fail_unless(gst_caps_is_equal(caps.get(), expected.get()));

  order.clear();
  run(select, clip, 1); // the same again
  assert_text(order, "buffer ");
  order.clear();
  select.set("k-keep", "7");
  select.set("output-dtype", "u8");
  run(select, clip, 2);
  assert_text(order, "caps buffer ");
  const Owned<GstCaps> changed(gst_pad_get_current_caps(select.get()->sinkpad));
  const GstStructure *structure = gst_caps_get_structure(changed.get(), 0);
  assert_text(gst_structure_get_string(structure, "types"), "uint8,int64,float32");
  assert_text(gst_structure_get_string(structure, "dimensions"), "14:14:3:7,6:7,7");
  order.clear();
  select.flush();
  run(select, clip, 3);
  assert_text(order, "segment buffer ");
}
GST_END_TEST;

// Properties apply from the next clip on, and a clip says what it was made with.
GST_START_TEST(test_properties_change_in_a_clip) {
  const Clip clip = noise_clip();
  Harness select("patchselect", kSmall);
  select.start(test::video_caps(clip.info).get());
  fail_unless(select.push(frame(clip, 0)) == GST_FLOW_OK);
  select.set("k-keep", "8");
  fail_unless(select.push(frame(clip, 1)) == GST_FLOW_OK);
  fail_unless(select.push(frame(clip, 2)) == GST_FLOW_OK);
  const Owned<GstBuffer> tensors = select.pull();
  check_small(tensors.get(), clip);
  assert_text(metadata_of(tensors.get())["k_keep"], "20");
  const Owned<GstBuffer> next = run(select, clip, 1);
  assert_equals_int(test::elements_of<float>(next.get(), "meta_scores").size(), 8);
  assert_text(metadata_of(next.get())["k_keep"], "8");
}
GST_END_TEST;

GST_START_TEST(test_metadata) {
  Clip clip = noise_clip();
  clip.random_access[1] = true;
  Harness select("patchselect", kSmall);
  select.set("mean", "<0.5, 1.0, 2.0>");
  select.set("static-fallback", "true");
  select.on_query = with_uri("file:///videos/a%20b.mp4");
  select.start(test::video_caps(clip.info).get());
  CpsPlan *plan = cps_plan_new(3);
  plan->fps = 23.5;
  plan->duration = 1500 * GST_MSECOND;
  gst_structure_set(plan->options, "sequence-length", G_TYPE_UINT, 3u, "uniform-strategy", G_TYPE_STRING, "auto",
                    nullptr);
  fail_unless(select.event(cps_event_new_plan(plan)));
  for (guint i = 0; i < 3; ++i) {
    Owned<GstBuffer> buffer = frame(clip, i, 6);
    cps_buffer_get_frame_meta(buffer.get())->status = static_cast<CpsFrameStatus>(2 - i);
    fail_unless(select.push(std::move(buffer)) == GST_FLOW_OK);
  }
  const Owned<GstBuffer> tensors = select.pull();
  const Metadata expected = {
      {"sampled_frame_ids", "[2, 5, 8]"},
      {"pts_ns", "[80000000, 200000000, 320000000]"},
      {"is_i", "[false, true, false]"},
      {"frame_status", "[\"missing\", \"substituted\", \"ok\"]"},
      {"stream_frames", "100"},
      {"fps", "23.5"},
      {"duration_sec", "1.5"},
      {"source", "/videos/a b.mp4"},
      {"source_width", "96"},
      {"source_height", "80"},
      {"target_width", "56"},
      {"target_height", "56"},
      {"grid_height", "4"},
      {"grid_width", "4"},
      {"clip_index", "6"},
      {"spec_version", "1"},
      {"sequence_length", "3"},
      {"uniform_strategy", "auto"},
      {"energy_mode", "motion-residual"},
      {"energy_pct", "95"},
      {"input_size", "56"},
      {"min_pixels", "0"},
      {"max_pixels", "0"},
      {"size_rule", "round"},
      {"resample", "bilinear"},
      {"patch_size", "14"},
      {"k_keep", "20"},
      {"ranking", "energy"},
      {"min_score", "0"},
      {"selection_unit", "patch"},
      {"static_fallback", "true"},
      {"static_abs_thresh", "2"},
      {"static_rel_thresh", "0.15"},
      {"static_uniform_frames", "4"},
      {"output_layout", "patches"},
      {"canvases", "0"},
      {"output_dtype", "f32"},
      {"color_matrix", "auto"},
      {"scale", "1"},
      {"mean", "[0.5, 1, 2]"},
      {"std", "[]"},
  };
  check_metadata(tensors.get(), expected);
  fail_unless(select.pull_event(GST_EVENT_CUSTOM_DOWNSTREAM_STICKY) == nullptr); // no concern of tensors
}
GST_END_TEST;

TCase *patchselect::tensor_tests() {
  TCase *tests = test::subject("tensors");
  tcase_add_test(tests, test_defaults);
  tcase_add_test(tests, test_caps);
  tcase_add_test(tests, test_properties_change_in_a_clip);
  tcase_add_test(tests, test_metadata);
  return tests;
}
