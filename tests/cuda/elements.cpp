// SPDX-License-Identifier: LGPL-2.1-or-later
// patchenergy and patchselect in CUDA memory: the same tensors as in system memory.
#include "tests/cuda/line.h"

using namespace test;
using cps::Owned;

namespace {

// Runs the frames of one clip through both kinds of memory.
void check_clip(const char *format, int width, int height, const Region *region = nullptr, Properties properties = {},
                const Shown &shown = kShown[0]) {
  const GstVideoInfo info = video_info(format, width, height, "1:4:0:0");
  const Owned<GstCudaContext> context = new_context();
  Line cuda(true, properties), system(false, properties);
  cuda.start(info);
  system.start(info);
  Frames frames = noise_frames(info, 3, shown, region);
  const auto on_device = cuda.run(upload(context.get(), info, frames));
  check_equal(on_device.get(), system.run(std::move(frames)).get(), format);
}

} // namespace

GST_START_TEST(templates) {
  for (const auto &[factory, pad] :
       {std::pair("patchenergy", "sink"), std::pair("patchenergy", "src"), std::pair("patchselect", "sink"),
        std::pair("patchselect", "src"), std::pair("tensormetasink", "sink")}) {
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
GST_END_TEST

GST_START_TEST(formats) {
  for (const char *format : kCudaFormats)
    check_clip(format, 96, 80);
}
GST_END_TEST

GST_START_TEST(odd_sizes) {
  for (const char *format : {"NV12", "P010_10LE", "I420", "Y42B", "RGB", "BGRA"}) {
    check_clip(format, 67, 49);
    check_clip(format, 5, 3);
  }
}
GST_END_TEST

GST_START_TEST(crops) {
  const Region even = {4, 6, 64, 48}, odd = {5, 7, 61, 47};
  for (const char *format : {"NV12", "P010_10LE", "I420", "Y444", "RGBA", "YUY2"}) {
    check_clip(format, 80, 60, &even);
    check_clip(format, 80, 60, &odd);
  }
}
GST_END_TEST

// Frames that are stored otherwise than they are shown.
GST_START_TEST(orientations) {
  const Region part = {5, 7, 61, 47};
  for (const Shown &shown : kShown) {
    for (const char *format : kCudaFormats)
      check_clip(format, 67, 49, nullptr, {}, shown);
    for (const char *format : {"NV12", "P010_10LE", "Y42B"}) {
      check_clip(format, 81, 60, &part, {}, shown);
      check_clip(format, 128, 132, nullptr, {}, shown); // sums of four
    }
  }
}
GST_END_TEST

GST_START_TEST(options) {
  check_clip("NV12", 96, 80, nullptr, {{"output-dtype", "bf16"}, {"k-keep", "24"}, {"selection-unit", "block2x2"}});
  check_clip("NV12", 96, 80, nullptr, {{"output-dtype", "u8"}, {"k-keep", "1000000"}});
  check_clip("NV12", 96, 80, nullptr, {{"output-dtype", "f16"}, {"scale", "0.01"}, {"mean", "<1.0, 2.0, 3.0>"}});
  check_clip("NV12", 96, 80, nullptr, {{"static-fallback", "true"}, {"static-abs-thresh", "1000"}});
  check_clip("NV12", 96, 80, nullptr, {{"k-keep", "0"}});
}
GST_END_TEST

// What patchenergy alone does, whatever comes after it.
GST_START_TEST(energy_maps) {
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
GST_END_TEST

// Repeats are the same buffer or a copy that shares its memory; stand-ins say so.
GST_START_TEST(repeats_and_substitutes) {
  const GstVideoInfo info = video_info("NV12", 96, 80);
  const Owned<GstCudaContext> context = new_context();
  Uploader uploader(context.get(), info);
  Line cuda(true), system(false);
  cuda.start(info);
  system.start(info);
  const guint pictures[] = {0, 0, 1, 1, 2, 2}, ids[] = {0, 0, 5, 6, 9, 9};
  Frames sources[2], lists[2];
  for (unsigned i = 0; i < 3; ++i) {
    sources[0].push_back(noise_frame(info, {0, 0, 96, 80}, i));
    sources[1].push_back(uploader(sources[0].back()));
  }
  for (guint memory = 0; memory < 2; ++memory)
    for (guint i = 0; i < 6; ++i) {
      Owned<GstBuffer> copy(gst_buffer_copy(sources[memory][pictures[i]].get()));
      fail_unless(gst_buffer_peek_memory(copy.get(), 0) ==
                  gst_buffer_peek_memory(sources[memory][pictures[i]].get(), 0));
      copy = sampled(std::move(copy), ids[i], i, 6);
      if (i == 3)
        cps_buffer_get_frame_meta(copy.get())->status = CPS_FRAME_STATUS_SUBSTITUTED;
      lists[memory].push_back(std::move(copy));
    }
  const auto expected = system.run(std::move(lists[0]));
  check_equal(cuda.run(std::move(lists[1])).get(), expected.get(), "repeats");
}
GST_END_TEST

GST_START_TEST(clips_in_a_row) {
  const GstVideoInfo info = video_info("NV12", 96, 80);
  const Owned<GstCudaContext> context = new_context();
  Line cuda(true), system(false);
  cuda.start(info);
  system.start(info);
  Frames results; // held, so that nothing that is still in use is written to
  std::vector<Owned<GstBuffer>> expected;
  for (guint clip = 0; clip < 4; ++clip) {
    Frames frames = noise_frames(info, clip == 2 ? 5 : 3, clip + 1, clip);
    results.push_back(cuda.run(upload(context.get(), info, frames)));
    expected.push_back(system.run(std::move(frames)));
  }
  for (guint clip = 0; clip < 4; ++clip)
    check_equal(results[clip].get(), expected[clip].get(), "clip");
}
GST_END_TEST

GST_START_TEST(flush_in_mid_clip) {
  const GstVideoInfo info = video_info("NV12", 96, 80);
  const Owned<GstCudaContext> context = new_context();
  Line cuda(true), system(false);
  cuda.start(info);
  system.start(info);
  Frames begun = upload(context.get(), info, noise_frames(info, 3));
  begun.pop_back();
  fail_unless(cuda.push(std::move(begun)) == GST_FLOW_OK);
  cuda.energy().flush();
  cuda.select().flush();
  Frames frames = noise_frames(info, 3, 2, 1);
  const auto on_device = cuda.run(upload(context.get(), info, frames));
  check_equal(on_device.get(), system.run(std::move(frames)).get(), "after a flush");
}
GST_END_TEST

// Other formats, other sizes, and other memory, from clip to clip.
GST_START_TEST(caps_changes) {
  const Owned<GstCudaContext> context = new_context();
  Line cuda(true), system(false);
  guint clip = 0;
  for (const auto &[format, side] : {std::pair("NV12", 96), std::pair("RGBA", 96), std::pair("RGBA", 64),
                                     std::pair("I420_10LE", 130), std::pair("NV12", 96)}) {
    const GstVideoInfo info = video_info(format, side, 80);
    cuda.start(info);
    system.start(info);
    Frames frames = noise_frames(info, 2, clip + 1, clip);
    const auto on_device = cuda.run(upload(context.get(), info, frames));
    check_equal(on_device.get(), system.run(std::move(frames)).get(), format);
    clip++;
  }

  const GstVideoInfo info = video_info("NV12", 96, 80);
  for (const bool in_cuda : {false, true, false}) {
    const Owned<GstCaps> caps = caps_in(info, in_cuda);
    fail_unless(cuda.energy().event(gst_event_new_caps(caps.get())));
    fail_unless(cuda.select().event(gst_event_new_caps(caps.get())));
    Frames frames = noise_frames(info, 2, clip + 1, clip);
    const auto result = cuda.run(in_cuda ? upload(context.get(), info, frames) : noise_frames(info, 2, clip + 1, clip));
    fail_unless(in_device_memory(result.get()) == in_cuda);
    if (in_cuda)
      check_equal(result.get(), system.run(std::move(frames)).get(), "back in CUDA memory");
    const Owned<GstCaps> out(gst_pad_get_current_caps(cuda.select().get()->sinkpad));
    fail_unless(gst_caps_features_contains(gst_caps_get_features(out.get(), 0),
                                           in_cuda ? "memory:CUDAMemory" : "memory:SystemMemory"));
    clip++;
  }
}
GST_END_TEST

GST_START_TEST(memory_change_in_mid_clip) {
  const GstVideoInfo info = video_info("NV12", 96, 80);
  const Owned<GstCudaContext> context = new_context();
  Line cuda(true);
  cuda.start(info);
  Frames begun = upload(context.get(), info, noise_frames(info, 3));
  begun.pop_back();
  fail_unless(cuda.push(std::move(begun)) == GST_FLOW_OK);
  cuda.select().event(gst_event_new_caps(caps_in(info, false).get()));
  cuda.select().check_error("NV12 bt601 in CUDA memory to 96x80 NV12 bt601 in the middle of a clip");
}
GST_END_TEST

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

GST_START_TEST(energy_in_other_memory) {
  check_foreign_energy(true);
  check_foreign_energy(false);
}
GST_END_TEST

GST_START_TEST(frames_in_system_memory) {
  const GstVideoInfo info = video_info("NV12", 96, 80);
  Frames frames = noise_frames(info, 1);
  const Harness energy("patchenergy");
  energy.start(caps_in(info, true).get());
  fail_unless(energy.push(std::move(frames[0])) == GST_FLOW_ERROR);
  energy.check_error("not in CUDA memory");
}
GST_END_TEST

// Under caps of system memory what is in CUDA memory is mapped as any other: cudadownload leaves that to us.
GST_START_TEST(mapped_frames) {
  const GstVideoInfo info = video_info("NV12", 96, 80);
  const Owned<GstCudaContext> context = new_context();
  Frames frames = noise_frames(info, 3), copies = upload(context.get(), info, frames);
  Line mapped(false), system(false);
  mapped.start(info);
  system.start(info);
  const auto result = mapped.run(std::move(copies)), expected = system.run(std::move(frames));
  for (guint i = 0; i < 3; ++i)
    fail_unless(bytes_of(gst_buffer_peek_memory(result.get(), i)) ==
                bytes_of(gst_buffer_peek_memory(expected.get(), i)));
}
GST_END_TEST

GST_START_TEST(another_device) {
  const GstVideoInfo info = video_info("NV12", 96, 80);
  const Owned<GstCudaContext> context = new_context();
  const Harness energy("patchenergy", {{"cuda-device-id", "99"}});
  energy.start(caps_in(info, true).get());
  Frames frames = upload(context.get(), info, noise_frames(info, 1));
  fail_unless(energy.push(std::move(frames[0])) == GST_FLOW_ERROR);
  energy.check_error("cuda-device-id is 99");

  const Owned<GstCudaContext> second(gst_cuda_context_new(1));
  if (!second)
    return;
  Line there(true), system(false);
  g_object_set(there.energy().element(), "cuda-device-id", 1, nullptr);
  there.start(info);
  system.start(info);
  frames = noise_frames(info, 2);
  const auto on_device = there.run(upload(second.get(), info, frames));
  check_equal(on_device.get(), system.run(std::move(frames)).get(), "another device");
  gint device = -1;
  g_object_get(gst_buffer_peek_memory(on_device.get(), 0)->allocator, "cuda-device-id", &device, nullptr);
  assert_equals_int(device, 1);
}
GST_END_TEST

GST_START_TEST(another_context) {
  const GstVideoInfo info = video_info("NV12", 96, 80);
  const Owned<GstCudaContext> contexts[] = {new_context(), new_context()};
  Line cuda(true), system(false);
  cuda.start(info);
  system.start(info);
  for (guint clip = 0; clip < 2; ++clip) { // from clip to clip it may change
    Frames frames = noise_frames(info, 2, clip + 1, clip);
    const auto on_device = cuda.run(upload(contexts[clip].get(), info, frames));
    check_equal(on_device.get(), system.run(std::move(frames)).get(), "another context");
  }
  Frames frames = upload(contexts[0].get(), info, noise_frames(info, 2, 3, 2));
  fail_unless(cuda.energy().push(std::move(frames[0])) == GST_FLOW_OK);
  frames = upload(contexts[1].get(), info, noise_frames(info, 2, 3, 2));
  fail_unless(cuda.energy().push(std::move(frames[1])) == GST_FLOW_ERROR);
  cuda.energy().check_error("context changed");

  // patchselect sees for itself: two lines that have worked, and then frames of one behind those of the other.
  Line other(true);
  for (Line *line : {&cuda, &other}) {
    line->energy().restart(GST_STATE_READY);
    line->select().restart(GST_STATE_READY);
    line->start(info);
  }
  frames = upload(contexts[0].get(), info, noise_frames(info, 2, 3, 2));
  fail_unless(cuda.energy().push(std::move(frames[0])) == GST_FLOW_OK);
  fail_unless(cuda.select().push(cuda.energy().pull()) == GST_FLOW_OK);
  frames = upload(contexts[1].get(), info, noise_frames(info, 2, 3, 2));
  for (Owned<GstBuffer> &frame : frames)
    fail_unless(other.energy().push(std::move(frame)) == GST_FLOW_OK);
  other.energy().pull();
  fail_unless(cuda.select().push(other.energy().pull()) == GST_FLOW_ERROR);
  cuda.select().check_error("context changed");
}
GST_END_TEST

// The first map that has to be allocated when the device is gone already.
GST_START_TEST(device_lost_before_memory) {
  const Simulation *sim = simulation();
  if (!sim)
    return;
  const GstVideoInfo info = video_info("NV12", 96, 80);
  const Owned<GstCudaContext> context = new_context();
  Line cuda(true);
  cuda.start(info);
  Frames frames = upload(context.get(), info, noise_frames(info, 2));
  fail_unless(cuda.energy().push(std::move(frames[0])) == GST_FLOW_OK);
  const Owned<GstBuffer> kept = cuda.energy().pull(); // and with it the only map
  sim->lose_device(1);
  fail_unless(cuda.energy().push(std::move(frames[1])) == GST_FLOW_ERROR);
  cuda.energy().check_error("The GPU failed");
  sim->lose_device(0);
}
GST_END_TEST

// What goes wrong on the device

// A line that has been at work, whose next clip fails after `fault`, and which works again after READY and `repair`.
static void check_fault(const char *text, gint code, const std::function<void()> &fault,
                        const std::function<void()> &repair) {
  const GstVideoInfo info = video_info("NV12", 640, 480);
  const Owned<GstCudaContext> context = new_context();
  for (const bool at_once : {true, false}) {
    Frames frames = noise_frames(info, 3, 2, 1);
    Frames copies = upload(context.get(), info, frames);
    Line cuda(true), system(false);
    cuda.start(info);
    const Harness *failing = &cuda.energy();
    if (at_once) {
      fault();
      fail_unless(cuda.energy().push(std::move(copies[0])) == GST_FLOW_ERROR);
    } else {
      failing = &cuda.select();
      fail_unless(cuda.energy().push(std::move(copies[0])) == GST_FLOW_OK);
      fault();
      fail_unless(cuda.select().push(cuda.energy().pull()) == GST_FLOW_ERROR);
    }
    gint posted = -1;
    const std::string error = pop_report(failing->bus(), GST_MESSAGE_ERROR, &posted);
    fail_unless(contains(error, text), "%s", error.c_str());
    assert_equals_int(posted, code);
    fail_unless(error.back() == '.' && failing->error().empty());
    repair();
    copies = upload(context.get(), info, frames);
    cuda.energy().restart(GST_STATE_READY);
    cuda.select().restart(GST_STATE_READY);
    cuda.start(info);
    system.start(info);
    const auto on_device = cuda.run(std::move(copies));
    check_equal(on_device.get(), system.run(std::move(frames)).get(), "after a fault");
  }
}

GST_START_TEST(out_of_memory) {
  const Simulation *sim = simulation();
  if (!sim)
    return;
  check_fault(
      "no memory left", GST_RESOURCE_ERROR_NO_SPACE_LEFT, [sim] { sim->set_memory_limit(sim->memory_in_use()); },
      [sim] { sim->set_memory_limit(size_t{4} << 30); });
}
GST_END_TEST

GST_START_TEST(device_lost) {
  const Simulation *sim = simulation();
  if (!sim)
    return;
  check_fault(
      "The GPU failed", GST_RESOURCE_ERROR_FAILED, [sim] { sim->lose_device(1); }, [sim] { sim->lose_device(0); });
}
GST_END_TEST

// READY gives back what the elements had.
GST_START_TEST(memory_is_released) {
  const Simulation *sim = simulation();
  if (!sim)
    return;
  const GstVideoInfo info = video_info("NV12", 96, 80);
  const size_t before = sim->memory_in_use();
  const Owned<GstCudaContext> context = new_context();
  Line cuda(true);
  cuda.start(info);
  cuda.run(upload(context.get(), info, noise_frames(info, 3)));
  fail_unless(sim->memory_in_use() > before);
  cuda.energy().restart(GST_STATE_READY);
  cuda.select().restart(GST_STATE_READY);
  assert_equals_uint64(sim->memory_in_use(), before);
}
GST_END_TEST

GST_START_TEST(tensors_outlive_everything) {
  const GstVideoInfo info = video_info("NV12", 96, 80);
  Frames frames = noise_frames(info, 3);
  Owned<GstBuffer> on_device;
  {
    const Owned<GstCudaContext> context = new_context();
    Line cuda(true);
    cuda.start(info);
    on_device = cuda.run(upload(context.get(), info, frames));
  }
  Line system(false);
  system.start(info);
  check_equal(on_device.get(), system.run(std::move(frames)).get(), "alone");
}
GST_END_TEST

static Suite *elements_suite() {
  Suite *suite = suite_create("cuda elements");
  TCase *tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_set_timeout(tests, 4 * kWatchdogSeconds);
  tcase_add_test(tests, templates);
  tcase_add_test(tests, formats);
  tcase_add_test(tests, odd_sizes);
  tcase_add_test(tests, crops);
  tcase_add_test(tests, orientations);
  tcase_add_test(tests, options);
  tcase_add_test(tests, energy_maps);
  tcase_add_test(tests, repeats_and_substitutes);
  tcase_add_test(tests, clips_in_a_row);
  tcase_add_test(tests, flush_in_mid_clip);
  tcase_add_test(tests, caps_changes);
  tcase_add_test(tests, memory_change_in_mid_clip);
  tcase_add_test(tests, energy_in_other_memory);
  tcase_add_test(tests, frames_in_system_memory);
  tcase_add_test(tests, mapped_frames);
  tcase_add_test(tests, another_device);
  tcase_add_test(tests, another_context);
  tcase_add_test(tests, out_of_memory);
  tcase_add_test(tests, device_lost);
  tcase_add_test(tests, device_lost_before_memory);
  tcase_add_test(tests, memory_is_released);
  tcase_add_test(tests, tensors_outlive_everything);
  return suite;
}

int main(int argc, char **argv) {
  return run_cuda_tests(argc, argv, elements_suite, "cuda-elements");
}
