// SPDX-License-Identifier: LGPL-2.1-or-later
// patchenergy and patchselect in CUDA memory: what is theirs alone. See tensorclip.cpp for the rest.
#include "tests/cuda/line.h"

using namespace test;
using cps::Owned;

GST_START_TEST(test_templates) {
  for (const auto &[factory, pad] :
       {std::pair("patchenergy", "sink"), std::pair("patchenergy", "src"), std::pair("patchselect", "sink"),
        std::pair("patchselect", "src"), std::pair("patchrender", "sink"), std::pair("tensormetasink", "sink")}) {
    const Owned<GstElement> element = make_element(factory);
    const Owned<GstCaps> caps(gst_pad_template_get_caps(gst_element_get_pad_template(element.get(), pad)));
    assert_equals_int(gst_caps_get_size(caps.get()), 2);
    fail_unless(gst_caps_features_contains(gst_caps_get_features(caps.get(), 1), "memory:CUDAMemory"));
  }
  const Owned<GstElement> element = make_element("patchenergy");
  const Owned<GstCaps> caps(gst_pad_template_get_caps(gst_element_get_pad_template(element.get(), "sink")));
  const auto formats = [&caps](guint kind) {
    return gst_structure_get_value(gst_caps_get_structure(caps.get(), kind), "format");
  };
  assert_equals_int(gst_value_compare(formats(0), formats(1)), GST_VALUE_EQUAL);
}
GST_END_TEST;

GST_START_TEST(test_options) {
  check_clip(Output::Patches, "NV12", 96, 80, nullptr,
             {{"output-dtype", "bf16"}, {"k-keep", "24"}, {"selection-unit", "block2x2"}});
  check_clip(Output::Patches, "NV12", 96, 80, nullptr, {{"output-dtype", "u8"}, {"k-keep", "1000000"}});
  check_clip(Output::Patches, "NV12", 96, 80, nullptr,
             {{"output-dtype", "f16"}, {"scale", "0.01"}, {"mean", "<1.0, 2.0, 3.0>"}});
  check_clip(Output::Patches, "NV12", 96, 80, nullptr, {{"static-fallback", "true"}, {"static-abs-thresh", "1000"}});
  check_clip(Output::Patches, "NV12", 96, 80, nullptr, {{"k-keep", "0"}});
}
GST_END_TEST;

// What patchenergy alone does, whatever comes after it.
GST_START_TEST(test_energy_maps) {
  const GstVideoInfo info = video_info("NV12", 96, 80);
  const Owned<GstCudaContext> context = new_context();
  const Harness cuda("patchenergy"), system("patchenergy");
  cuda.start(caps_in(info, true).get());
  system.start(caps_in(info, false).get());
  Frames frames = noise_frames(info, 4), copies = upload(context.get(), info, frames);
  for (guint i = 0; i < 4; ++i) {
    GstMemory *pixels = gst_buffer_peek_memory(copies[i].get(), 0);
    fail_unless(cuda.push(std::move(copies[i])) == GST_FLOW_OK && system.push(std::move(frames[i])) == GST_FLOW_OK);
    const Owned<GstBuffer> a = cuda.pull(), b = system.pull();
    fail_unless(gst_buffer_peek_memory(a.get(), 0) == pixels);
    const CpsEnergyMeta *map = cps_buffer_get_energy_meta(a.get()), *expected = cps_buffer_get_energy_meta(b.get());
    fail_unless(in_device_memory(map->map));
    fail_unless(map->width == expected->width && map->height == expected->height);
    fail_unless(bytes_of(gst_buffer_peek_memory(map->map, 0)) == bytes_of(gst_buffer_peek_memory(expected->map, 0)));
  }
}
GST_END_TEST;

// Refusals

// A frame of the line with the energy of the other.
static void check_foreign_energy(bool cuda_frame) {
  const GstVideoInfo info = video_info("NV12", 96, 80);
  const Owned<GstCudaContext> context = new_context();
  Frames frames = noise_frames(info, 2), copies = upload(context.get(), info, frames);
  const Harness other("patchenergy"), select("patchselect");
  other.start(caps_in(info, !cuda_frame).get());
  select.start(caps_in(info, cuda_frame).get());
  fail_unless(other.push(std::move(cuda_frame ? frames[0] : copies[0])) == GST_FLOW_OK);
  const Owned<GstBuffer> source = other.pull();
  const CpsEnergyMeta *energy = cps_buffer_get_energy_meta(source.get());
  Owned<GstBuffer> frame = std::move(cuda_frame ? copies[0] : frames[0]);
  cps_buffer_add_energy_meta(frame.get(), gst_buffer_ref(energy->map), energy->width, energy->height,
                             energy->frame_width, energy->frame_height, energy->mode, energy->percentile);
  fail_unless(select.push(std::move(frame)) == GST_FLOW_ERROR);
  select.check_error(cuda_frame ? "of a frame in CUDA memory is not" : "of a frame in system memory is in CUDA memory");
}

GST_START_TEST(test_energy_in_other_memory) {
  check_foreign_energy(true);
  check_foreign_energy(false);
}
GST_END_TEST;

// Of patchselect, which sees for itself: two lines that have worked, and then frames of one behind those of the other.
GST_START_TEST(test_another_context) {
  const GstVideoInfo info = video_info("NV12", 96, 80);
  const Owned<GstCudaContext> contexts[] = {new_context(), new_context()};
  const Line cuda(true), other(true);
  cuda.start(info);
  cuda.run(upload(contexts[0].get(), info, noise_frames(info, 2)));
  other.start(info);
  other.run(upload(contexts[1].get(), info, noise_frames(info, 2)));
  Frames frames = upload(contexts[0].get(), info, noise_frames(info, 2, 3, 1));
  fail_unless(cuda.push(std::move(frames[0])) == GST_FLOW_OK);
  frames = upload(contexts[1].get(), info, noise_frames(info, 2, 3, 1));
  for (Owned<GstBuffer> &frame : frames)
    fail_unless(other.energy().push(std::move(frame)) == GST_FLOW_OK);
  other.energy().pull();
  fail_unless(cuda.select().push(other.energy().pull()) == GST_FLOW_ERROR);
  cuda.select().check_error("context changed");
}
GST_END_TEST;

// The first map that has to be allocated when the device is gone already.
GST_START_TEST(test_device_lost_before_memory) {
  const Simulation *sim = simulation();
  if (!sim)
    return;
  const GstVideoInfo info = video_info("NV12", 96, 80);
  const Owned<GstCudaContext> context = new_context();
  const Line cuda(true);
  cuda.start(info);
  Frames frames = upload(context.get(), info, noise_frames(info, 2));
  fail_unless(cuda.energy().push(std::move(frames[0])) == GST_FLOW_OK);
  const Owned<GstBuffer> kept = cuda.energy().pull(); // and with it the only map
  sim->lose_device(1);
  fail_unless(cuda.energy().push(std::move(frames[1])) == GST_FLOW_ERROR);
  cuda.energy().check_error("The GPU failed");
  sim->lose_device(0);
}
GST_END_TEST;

static Suite *elements_suite() {
  TCase *tests = subject("general", 4 * kWatchdogSeconds);
  tcase_add_test(tests, test_templates);
  tcase_add_test(tests, test_options);
  tcase_add_test(tests, test_energy_maps);
  tcase_add_test(tests, test_energy_in_other_memory);
  tcase_add_test(tests, test_another_context);
  tcase_add_test(tests, test_device_lost_before_memory);
  return suite_of("cuda elements", {tests});
}

int main(int argc, char **argv) {
  return run_cuda_tests(argc, argv, elements_suite, "cuda-elements");
}
