// SPDX-License-Identifier: LGPL-2.1-or-later
// The elements that make tensors, in CUDA memory: the same tensors as in system memory. Each test runs once for patches
// and once for whole frames.
#include "tests/cuda/line.h"

using namespace test;
using cps::Owned;

namespace {

constexpr Output kOutputs[] = {Output::Patches, Output::WholeFrames};

// A pair of lines that have begun a stream of the same frames.
struct Lines {
  explicit Lines(Output output) : cuda(true, {}, output), system(false, {}, output) {}
  Lines(Output output, const GstVideoInfo &info) : Lines(output) { start(info); }

  void start(const GstVideoInfo &info) const {
    cuda.start(info);
    system.start(info);
  }

  // Both make the same of the frames.
  void check(GstCudaContext *context, const GstVideoInfo &info, Frames frames, const char *what) const {
    const auto on_device = cuda.run(upload(context, info, frames));
    check_equal(on_device.get(), system.run(std::move(frames)).get(), what);
  }

  Line cuda, system;
};

} // namespace

GST_START_TEST(test_formats) {
  for (const char *format : kCudaFormats)
    check_clip(kOutputs[__i__], format, 96, 80);
}
GST_END_TEST;

// Odd ones; and more than one block a row, and ends of blocks.
GST_START_TEST(test_sizes) {
  for (const char *format : {"NV12", "P010_10LE", "I420", "Y42B", "RGB", "BGRA"})
    for (const auto &[width, height] : {std::pair(67, 49), std::pair(5, 3), std::pair(256, 4), std::pair(600, 5)})
      check_clip(kOutputs[__i__], format, width, height);
}
GST_END_TEST;

GST_START_TEST(test_crops) {
  const Region even = {4, 6, 64, 48}, odd = {5, 7, 61, 47};
  for (const char *format : {"NV12", "P010_10LE", "I420", "Y444", "RGBA", "YUY2"})
    for (const Region *region : {&even, &odd})
      check_clip(kOutputs[__i__], format, 80, 60, region);
}
GST_END_TEST;

// The other layout of patches.
GST_START_TEST(test_canvases) {
  for (const char *format : kCudaFormats)
    for (const auto &[ranking, canvases] : {std::pair("energy", "2"), std::pair("replenishment", "9")})
      check_clip(
          Output::Patches, format, 67, 49, nullptr,
          {{"output-layout", "canvas"}, {"selection-unit", "block2x2"}, {"canvases", canvases}, {"ranking", ranking}});
}
GST_END_TEST;

// Frames that are stored otherwise than they are shown.
GST_START_TEST(test_orientations) {
  const Output output = kOutputs[__i__];
  const Region part = {5, 7, 61, 47};
  for (const Shown &shown : kShown) {
    for (const char *format : kCudaFormats)
      check_clip(output, format, 67, 49, nullptr, {}, shown);
    for (const char *format : {"NV12", "P010_10LE", "Y42B"}) {
      check_clip(output, format, 81, 60, &part, {}, shown);
      if (output == Output::Patches)
        check_clip(output, format, 128, 132, nullptr, {}, shown); // sums of four
      else
        check_clip(output, format, 300, 4, nullptr, {}, shown); // more than one block a row
    }
  }
}
GST_END_TEST;

// Repeats are the same buffer or a copy that shares its memory; stand-ins say so.
GST_START_TEST(test_repeats_and_substitutes) {
  const GstVideoInfo info = video_info("NV12", 96, 80);
  const Owned<GstCudaContext> context = new_context();
  Uploader uploader(context.get(), info);
  const Lines lines(kOutputs[__i__], info);
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
  const auto expected = lines.system.run(std::move(lists[0]));
  check_equal(lines.cuda.run(std::move(lists[1])).get(), expected.get(), "repeats");
}
GST_END_TEST;

// Longer and shorter ones. The context may change from clip to clip.
GST_START_TEST(test_clips_in_a_row) {
  const GstVideoInfo info = video_info("NV12", 96, 80);
  const Owned<GstCudaContext> contexts[] = {new_context(), new_context()};
  const Lines lines(kOutputs[__i__], info);
  Frames results, expected; // held, so that nothing that is still in use is written to
  for (guint clip = 0; clip < 4; ++clip) {
    Frames frames = noise_frames(info, clip == 2 ? 5 : 3, clip + 1, clip);
    results.push_back(lines.cuda.run(upload(contexts[clip / 2].get(), info, frames)));
    expected.push_back(lines.system.run(std::move(frames)));
  }
  for (guint clip = 0; clip < 4; ++clip)
    check_equal(results[clip].get(), expected[clip].get(), "clip");
}
GST_END_TEST;

GST_START_TEST(test_flush_in_mid_clip) {
  const GstVideoInfo info = video_info("NV12", 96, 80);
  const Owned<GstCudaContext> context = new_context();
  const Lines lines(kOutputs[__i__], info);
  Frames begun = upload(context.get(), info, noise_frames(info, 3));
  begun.pop_back();
  fail_unless(lines.cuda.push(std::move(begun)) == GST_FLOW_OK);
  lines.cuda.flush();
  lines.check(context.get(), info, noise_frames(info, 3, 2, 1), "after a flush");
}
GST_END_TEST;

// Other formats, other sizes, and other memory, from clip to clip.
GST_START_TEST(test_caps_changes) {
  const Owned<GstCudaContext> context = new_context();
  const Lines lines(kOutputs[__i__]);
  guint clip = 0;
  for (const auto &[format, side] : {std::pair("NV12", 96), std::pair("RGBA", 96), std::pair("RGBA", 64),
                                     std::pair("I420_10LE", 130), std::pair("NV12", 96)}) {
    const GstVideoInfo info = video_info(format, side, 80);
    lines.start(info);
    lines.check(context.get(), info, noise_frames(info, 2, clip + 1, clip), format);
    clip++;
  }

  const GstVideoInfo info = video_info("NV12", 96, 80);
  for (const bool in_cuda : {false, true, false}) {
    lines.cuda.change_caps(info, in_cuda);
    Frames frames = noise_frames(info, 2, clip + 1, clip);
    const auto result =
        lines.cuda.run(in_cuda ? upload(context.get(), info, frames) : noise_frames(info, 2, clip + 1, clip));
    fail_unless(in_device_memory(result.get()) == in_cuda);
    if (in_cuda)
      check_equal(result.get(), lines.system.run(std::move(frames)).get(), "back in CUDA memory");
    const Owned<GstCaps> out(gst_pad_get_current_caps(lines.cuda.last().get()->sinkpad));
    fail_unless(gst_caps_features_contains(gst_caps_get_features(out.get(), 0),
                                           in_cuda ? "memory:CUDAMemory" : "memory:SystemMemory"));
    clip++;
  }
}
GST_END_TEST;

// Under caps of system memory what is in CUDA memory is mapped as any other: cudadownload leaves that to us.
GST_START_TEST(test_mapped_frames) {
  const GstVideoInfo info = video_info("NV12", 96, 80);
  const Owned<GstCudaContext> context = new_context();
  Frames frames = noise_frames(info, 3), copies = upload(context.get(), info, frames);
  const Line mapped(false, {}, kOutputs[__i__]), system(false, {}, kOutputs[__i__]);
  mapped.start(info);
  system.start(info);
  const auto result = mapped.run(std::move(copies)), expected = system.run(std::move(frames));
  assert_equals_int(gst_buffer_n_memory(result.get()), gst_buffer_n_memory(expected.get()));
  for (guint i = 0; i < gst_buffer_n_memory(expected.get()); ++i)
    fail_unless(bytes_of(gst_buffer_peek_memory(result.get(), i)) ==
                bytes_of(gst_buffer_peek_memory(expected.get(), i)));
}
GST_END_TEST;

GST_START_TEST(test_another_device) {
  const Output output = kOutputs[__i__];
  const GstVideoInfo info = video_info("NV12", 96, 80);
  const Owned<GstCudaContext> context = new_context();
  const Line nowhere(true, {}, output);
  nowhere.first().set("cuda-device-id", "99");
  nowhere.start(info);
  Frames frames = upload(context.get(), info, noise_frames(info, 1));
  fail_unless(nowhere.first().push(std::move(frames[0])) == GST_FLOW_ERROR);
  nowhere.first().check_error("cuda-device-id is 99");

  const Owned<GstCudaContext> second(gst_cuda_context_new(1));
  if (!second)
    return;
  const Line there(true, {}, output), system(false, {}, output);
  there.first().set("cuda-device-id", "1");
  there.start(info);
  system.start(info);
  frames = noise_frames(info, 2);
  const auto on_device = there.run(upload(second.get(), info, frames));
  check_equal(on_device.get(), system.run(std::move(frames)).get(), "another device");
  gint device = -1;
  g_object_get(gst_buffer_peek_memory(on_device.get(), 0)->allocator, "cuda-device-id", &device, nullptr);
  assert_equals_int(device, 1);
}
GST_END_TEST;

// Refusals

GST_START_TEST(test_frames_in_system_memory) {
  const GstVideoInfo info = video_info("NV12", 96, 80);
  const Line cuda(true, {}, kOutputs[__i__]);
  cuda.start(info);
  fail_unless(cuda.first().push(std::move(noise_frames(info, 1)[0])) == GST_FLOW_ERROR);
  cuda.first().check_error("not in CUDA memory");
}
GST_END_TEST;

GST_START_TEST(test_context_changes_in_mid_clip) {
  const GstVideoInfo info = video_info("NV12", 96, 80);
  const Owned<GstCudaContext> contexts[] = {new_context(), new_context()};
  const Line cuda(true, {}, kOutputs[__i__]);
  cuda.start(info);
  const Frames frames = noise_frames(info, 2);
  fail_unless(cuda.push(std::move(upload(contexts[0].get(), info, frames)[0])) == GST_FLOW_OK);
  fail_unless(cuda.first().push(std::move(upload(contexts[1].get(), info, frames)[1])) == GST_FLOW_ERROR);
  cuda.first().check_error("context changed");
}
GST_END_TEST;

GST_START_TEST(test_memory_changes_in_mid_clip) {
  const GstVideoInfo info = video_info("NV12", 96, 80);
  const Owned<GstCudaContext> context = new_context();
  const Line cuda(true, {}, kOutputs[__i__]);
  cuda.start(info);
  Frames begun = upload(context.get(), info, noise_frames(info, 3));
  begun.pop_back();
  fail_unless(cuda.push(std::move(begun)) == GST_FLOW_OK);
  cuda.last().event(gst_event_new_caps(caps_in(info, false).get()));
  cuda.last().check_error("NV12 bt601 in CUDA memory to 96x80 NV12 bt601 in the middle of a clip");
}
GST_END_TEST;

// What goes wrong on the device

// A line fails after `fault`, with a sentence as its error, and works again after READY and `repair`: at its first
// frame, in each of its elements, and in mid-clip where `later`.
static void check_fault(Output output, bool later, const char *text, gint code, const std::function<void()> &fault,
                        const std::function<void()> &repair) {
  enum Place { FirstElement, LastElement, SecondFrame };
  const GstVideoInfo info = video_info("NV12", 640, 480);
  const Owned<GstCudaContext> context = new_context();
  for (const Place place : {FirstElement, LastElement, SecondFrame}) {
    if (place == SecondFrame && !later)
      continue;
    Frames frames = noise_frames(info, 3, 2, 1);
    Frames copies = upload(context.get(), info, frames);
    const Lines lines(output);
    lines.cuda.start(info);
    const Harness *failing = &lines.cuda.first();
    if (place == SecondFrame)
      fail_unless(lines.cuda.push(std::move(copies[0])) == GST_FLOW_OK);
    Owned<GstBuffer> frame = std::move(copies[place == SecondFrame ? 1 : 0]);
    if (place == LastElement && failing != &lines.cuda.last()) {
      fail_unless(failing->push(std::move(frame)) == GST_FLOW_OK);
      frame = failing->pull();
      failing = &lines.cuda.last();
    }
    fault();
    fail_unless(failing->push(std::move(frame)) == GST_FLOW_ERROR);
    gint posted = -1;
    const std::string error = pop_report(failing->bus(), GST_MESSAGE_ERROR, &posted);
    fail_unless(contains(error, text), "%s", error.c_str());
    assert_equals_int(posted, code);
    fail_unless(error.back() == '.' && failing->error().empty());
    repair();
    copies = upload(context.get(), info, frames);
    lines.cuda.restart();
    lines.start(info);
    const auto on_device = lines.cuda.run(std::move(copies));
    check_equal(on_device.get(), lines.system.run(std::move(frames)).get(), "after a fault");
  }
}

// All that a clip needs is taken at its first frame.
GST_START_TEST(test_out_of_memory) {
  if (const Simulation *sim = simulation())
    check_fault(
        kOutputs[__i__], false, "no memory left", GST_RESOURCE_ERROR_NO_SPACE_LEFT,
        [sim] { sim->set_memory_limit(sim->memory_in_use()); }, [sim] { sim->set_memory_limit(size_t{4} << 30); });
}
GST_END_TEST;

GST_START_TEST(test_device_lost) {
  if (const Simulation *sim = simulation())
    check_fault(
        kOutputs[__i__], true, "The GPU failed", GST_RESOURCE_ERROR_FAILED, [sim] { sim->lose_device(1); },
        [sim] { sim->lose_device(0); });
}
GST_END_TEST;

// READY gives back what the elements had.
GST_START_TEST(test_memory_is_released) {
  const Simulation *sim = simulation();
  if (!sim)
    return;
  const GstVideoInfo info = video_info("NV12", 96, 80);
  const size_t before = sim->memory_in_use();
  const Owned<GstCudaContext> context = new_context();
  const Line cuda(true, {}, kOutputs[__i__]);
  cuda.start(info);
  cuda.run(upload(context.get(), info, noise_frames(info, 3)));
  fail_unless(sim->memory_in_use() > before);
  cuda.restart();
  assert_equals_uint64(sim->memory_in_use(), before);
}
GST_END_TEST;

GST_START_TEST(test_tensors_outlive_everything) {
  const GstVideoInfo info = video_info("NV12", 96, 80);
  Frames frames = noise_frames(info, 3);
  Owned<GstBuffer> on_device;
  {
    const Owned<GstCudaContext> context = new_context();
    const Line cuda(true, {}, kOutputs[__i__]);
    cuda.start(info);
    on_device = cuda.run(upload(context.get(), info, frames));
  }
  const Line system(false, {}, kOutputs[__i__]);
  system.start(info);
  check_equal(on_device.get(), system.run(std::move(frames)).get(), "alone");
}
GST_END_TEST;

static Suite *tensorclip_suite() {
  TCase *tests = subject("general", 4 * kWatchdogSeconds);
  tcase_add_test(tests, test_canvases);
  tcase_add_loop_test(tests, test_formats, 0, G_N_ELEMENTS(kOutputs));
  tcase_add_loop_test(tests, test_sizes, 0, G_N_ELEMENTS(kOutputs));
  tcase_add_loop_test(tests, test_crops, 0, G_N_ELEMENTS(kOutputs));
  tcase_add_loop_test(tests, test_orientations, 0, G_N_ELEMENTS(kOutputs));
  tcase_add_loop_test(tests, test_repeats_and_substitutes, 0, G_N_ELEMENTS(kOutputs));
  tcase_add_loop_test(tests, test_clips_in_a_row, 0, G_N_ELEMENTS(kOutputs));
  tcase_add_loop_test(tests, test_flush_in_mid_clip, 0, G_N_ELEMENTS(kOutputs));
  tcase_add_loop_test(tests, test_caps_changes, 0, G_N_ELEMENTS(kOutputs));
  tcase_add_loop_test(tests, test_mapped_frames, 0, G_N_ELEMENTS(kOutputs));
  tcase_add_loop_test(tests, test_another_device, 0, G_N_ELEMENTS(kOutputs));
  tcase_add_loop_test(tests, test_frames_in_system_memory, 0, G_N_ELEMENTS(kOutputs));
  tcase_add_loop_test(tests, test_context_changes_in_mid_clip, 0, G_N_ELEMENTS(kOutputs));
  tcase_add_loop_test(tests, test_memory_changes_in_mid_clip, 0, G_N_ELEMENTS(kOutputs));
  tcase_add_loop_test(tests, test_out_of_memory, 0, G_N_ELEMENTS(kOutputs));
  tcase_add_loop_test(tests, test_device_lost, 0, G_N_ELEMENTS(kOutputs));
  tcase_add_loop_test(tests, test_memory_is_released, 0, G_N_ELEMENTS(kOutputs));
  tcase_add_loop_test(tests, test_tensors_outlive_everything, 0, G_N_ELEMENTS(kOutputs));
  return suite_of("cuda tensorclip", {tests});
}

int main(int argc, char **argv) {
  return run_cuda_tests(argc, argv, tensorclip_suite, "cuda-tensorclip");
}
