// SPDX-License-Identifier: LGPL-2.1-or-later
// framestack in CUDA memory: the same tensor as in system memory.
#include "tests/cuda/line.h"

using namespace test;
using cps::Owned;

namespace {

class Stack : public Harness {
public:
  explicit Stack(bool cuda, Properties properties = {}) : Harness("framestack", properties), cuda_(cuda) {}

  void begin(const GstVideoInfo &info) const { start(caps_in(info, cuda_).get()); }

  // Frames that are in the element's memory.
  Owned<GstBuffer> run(Frames frames) const {
    for (Owned<GstBuffer> &frame : frames) {
      const GstFlowReturn flow = push(std::move(frame));
      fail_unless(flow == GST_FLOW_OK, "%s, %s", gst_flow_get_name(flow), error().c_str());
    }
    Owned<GstBuffer> tensors = pull();
    fail_unless(tensors != nullptr && pull() == nullptr);
    check_quiet();
    return tensors;
  }

private:
  bool cuda_;
};

void check_clip(const char *format, int width, int height, const Region *region = nullptr, Properties properties = {},
                const Shown &shown = kShown[0]) {
  const GstVideoInfo info = video_info(format, width, height, "1:4:0:0");
  const Owned<GstCudaContext> context = new_context();
  const Stack cuda(true, properties), system(false, properties);
  cuda.begin(info);
  system.begin(info);
  Frames frames = noise_frames(info, 3, shown, region);
  const auto on_device = cuda.run(upload(context.get(), info, frames));
  check_equal(on_device.get(), system.run(std::move(frames)).get(), format);
}

} // namespace

GST_START_TEST(formats) {
  for (const char *format : kCudaFormats)
    check_clip(format, 96, 80);
}
GST_END_TEST

// More than one block a row, and ends of blocks.
GST_START_TEST(sizes) {
  for (const char *format : {"NV12", "P010_10LE", "I420", "Y42B", "RGB", "BGRA"})
    for (const auto &[width, height] : {std::pair(67, 49), std::pair(5, 3), std::pair(256, 4), std::pair(600, 5)})
      check_clip(format, width, height);
}
GST_END_TEST

GST_START_TEST(crops) {
  const Region even = {4, 6, 64, 48}, odd = {5, 7, 61, 47};
  for (const char *format : {"NV12", "P010_10LE", "I420", "Y444", "RGBA", "YUY2"})
    for (const Region *region : {&even, &odd})
      check_clip(format, 80, 60, region);
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
      check_clip(format, 300, 4, nullptr, {}, shown); // more than one block a row
    }
  }
}
GST_END_TEST

GST_START_TEST(color_matrix) {
  for (const char *matrix : {"bt601", "bt709", "bt2020"})
    check_clip("NV12", 96, 80, nullptr, {{"color-matrix", matrix}});
}
GST_END_TEST

GST_START_TEST(caps) {
  const GstVideoInfo info = video_info("NV12", 96, 80);
  const Owned<GstCudaContext> context = new_context();
  const Stack cuda(true);
  cuda.begin(info);
  const auto tensors = cuda.run(upload(context.get(), info, noise_frames(info, 3)));
  const Owned<GstCaps> out(gst_pad_get_current_caps(cuda.get()->sinkpad)),
      expected(gst_caps_from_string("other/tensors(memory:CUDAMemory), format=static, num_tensors=1, framerate=0/1, "
                                    "types=(string)uint8, dimensions=(string)\"3:96:80:3\""));
  fail_unless(gst_caps_is_equal(out.get(), expected.get()));
}
GST_END_TEST

GST_START_TEST(clips_in_a_row) {
  const GstVideoInfo info = video_info("NV12", 96, 80);
  const Owned<GstCudaContext> contexts[] = {new_context(), new_context()};
  const Stack cuda(true), system(false);
  cuda.begin(info);
  system.begin(info);
  Frames results, expected; // held, so that nothing that is still in use is written to
  for (guint clip = 0; clip < 4; ++clip) {
    Frames frames = noise_frames(info, clip == 2 ? 5 : 3, clip + 1, clip);
    results.push_back(cuda.run(upload(contexts[clip / 2].get(), info, frames))); // may change from clip to clip
    expected.push_back(system.run(std::move(frames)));
  }
  for (guint clip = 0; clip < 4; ++clip)
    check_equal(results[clip].get(), expected[clip].get(), "clip");
}
GST_END_TEST

// A frame may change as soon as it has been pushed.
GST_START_TEST(frames_that_are_written_to) {
  const GstVideoInfo info = video_info("NV12", 640, 480);
  const Owned<GstCudaContext> context = new_context();
  Uploader uploader(context.get(), info);
  const Stack cuda(true), system(false);
  cuda.begin(info);
  system.begin(info);
  Frames frames = noise_frames(info, 4), others = noise_frames(info, 4, 2);
  for (guint i = 0; i < 4; ++i) {
    const Owned<GstBuffer> copy = uploader(frames[i]);
    fail_unless(cuda.push(Owned<GstBuffer>(gst_buffer_ref(copy.get()))) == GST_FLOW_OK);
    ASSERT_MINI_OBJECT_REFCOUNT(copy.get(), "frame", 1);
    uploader.write(copy.get(), others[i].get());
  }
  check_equal(cuda.pull().get(), system.run(std::move(frames)).get(), "written to");
}
GST_END_TEST

GST_START_TEST(flush_in_mid_clip) {
  const GstVideoInfo info = video_info("NV12", 96, 80);
  const Owned<GstCudaContext> context = new_context();
  const Stack cuda(true), system(false);
  cuda.begin(info);
  system.begin(info);
  Frames begun = upload(context.get(), info, noise_frames(info, 3));
  fail_unless(cuda.push(std::move(begun[0])) == GST_FLOW_OK);
  cuda.flush();
  Frames frames = noise_frames(info, 2, 2, 1);
  const auto on_device = cuda.run(upload(context.get(), info, frames));
  check_equal(on_device.get(), system.run(std::move(frames)).get(), "after a flush");
}
GST_END_TEST

// Refusals

GST_START_TEST(frames_in_system_memory) {
  const GstVideoInfo info = video_info("NV12", 96, 80);
  const Stack cuda(true);
  cuda.begin(info);
  fail_unless(cuda.push(std::move(noise_frames(info, 1)[0])) == GST_FLOW_ERROR);
  cuda.check_error("not in CUDA memory");
}
GST_END_TEST

GST_START_TEST(context_changes_in_mid_clip) {
  const GstVideoInfo info = video_info("NV12", 96, 80);
  const Owned<GstCudaContext> contexts[] = {new_context(), new_context()};
  const Stack cuda(true);
  cuda.begin(info);
  const Frames frames = noise_frames(info, 2);
  fail_unless(cuda.push(std::move(upload(contexts[0].get(), info, frames)[0])) == GST_FLOW_OK);
  fail_unless(cuda.push(std::move(upload(contexts[1].get(), info, frames)[1])) == GST_FLOW_ERROR);
  cuda.check_error("context changed");
}
GST_END_TEST

GST_START_TEST(memory_changes_in_mid_clip) {
  const GstVideoInfo info = video_info("NV12", 96, 80);
  const Owned<GstCudaContext> context = new_context();
  const Stack cuda(true);
  cuda.begin(info);
  fail_unless(cuda.push(std::move(upload(context.get(), info, noise_frames(info, 2))[0])) == GST_FLOW_OK);
  cuda.event(gst_event_new_caps(caps_in(info, false).get()));
  cuda.check_error("in CUDA memory to 96x80 NV12 bt601 in the middle of a clip");
}
GST_END_TEST

// More than can be had at once, whatever the device has.
GST_START_TEST(too_large) {
  const GstVideoInfo info = video_info("NV12", 96, 80);
  const Owned<GstCudaContext> context = new_context();
  const Stack cuda(true, {{"max-memory", "0"}});
  cuda.begin(info);
  Frames frames = upload(context.get(), info, noise_frames(info, 1));
  cps_buffer_get_frame_meta(frames[0].get())->seq_len = 200000;
  fail_unless(cuda.push(std::move(frames[0])) == GST_FLOW_ERROR);
  cuda.check_error("4608 MB, which is too much at once");
}
GST_END_TEST

// What goes wrong on the device

// An element that has been at work fails after `fault`, at the first frame or in mid-clip, and works again after READY
// and `repair`.
static void check_fault(const char *text, bool at_once, const std::function<void()> &fault,
                        const std::function<void()> &repair) {
  const GstVideoInfo info = video_info("NV12", 640, 480);
  const Owned<GstCudaContext> context = new_context();
  Frames frames = noise_frames(info, 3, 2, 1);
  Frames copies = upload(context.get(), info, frames);
  const Stack cuda(true), system(false);
  cuda.begin(info);
  guint position = 0;
  if (!at_once)
    fail_unless(cuda.push(std::move(copies[position++])) == GST_FLOW_OK);
  fault();
  fail_unless(cuda.push(std::move(copies[position])) == GST_FLOW_ERROR);
  const std::string error = cuda.error();
  fail_unless(contains(error, text) && error.back() == '.', "%s", error.c_str());
  fail_unless(cuda.error().empty());
  repair();
  copies = upload(context.get(), info, frames);
  cuda.restart(GST_STATE_READY);
  cuda.begin(info);
  system.begin(info);
  const auto on_device = cuda.run(std::move(copies));
  check_equal(on_device.get(), system.run(std::move(frames)).get(), "after a fault");
}

GST_START_TEST(out_of_memory) {
  if (const Simulation *sim = simulation())
    check_fault(
        "no memory left", true, [sim] { sim->set_memory_limit(sim->memory_in_use()); },
        [sim] { sim->set_memory_limit(size_t{4} << 30); });
}
GST_END_TEST

GST_START_TEST(device_lost) {
  const Simulation *sim = simulation();
  for (const bool at_once : {true, false})
    if (sim)
      check_fault(
          "The GPU failed", at_once, [sim] { sim->lose_device(1); }, [sim] { sim->lose_device(0); });
}
GST_END_TEST

// What a sequence that was given up had is there for the next.
GST_START_TEST(memory_after_a_flush) {
  const Simulation *sim = simulation();
  if (!sim)
    return;
  const GstVideoInfo info = video_info("NV12", 640, 480);
  const Owned<GstCudaContext> context = new_context();
  const Stack cuda(true);
  cuda.begin(info);
  Frames frames = upload(context.get(), info, noise_frames(info, 3)),
         copies = upload(context.get(), info, noise_frames(info, 3));
  fail_unless(cuda.push(std::move(frames[0])) == GST_FLOW_OK);
  cuda.flush();
  sim->set_memory_limit(sim->memory_in_use());
  cuda.run(std::move(copies));
  sim->set_memory_limit(size_t{4} << 30);
}
GST_END_TEST

// One block of memory a sequence, and READY gives it back.
GST_START_TEST(memory_in_use) {
  const Simulation *sim = simulation();
  if (!sim)
    return;
  const GstVideoInfo info = video_info("NV12", 640, 480);
  const size_t before = sim->memory_in_use();
  const Owned<GstCudaContext> context = new_context();
  const Stack cuda(true);
  cuda.begin(info);
  Frames frames = upload(context.get(), info, noise_frames(info, 4));
  const size_t uploaded = sim->memory_in_use();
  fail_unless(cuda.push(std::move(frames[0])) == GST_FLOW_OK);
  const size_t tensor = size_t{4} * 640 * 480 * 3;
  fail_unless(sim->memory_in_use() <= uploaded + tensor + 4096);
  for (guint i = 1; i < 4; ++i)
    fail_unless(cuda.push(std::move(frames[i])) == GST_FLOW_OK);
  fail_unless(sim->memory_in_use() <= uploaded + tensor + 4096);
  cuda.pull().reset();
  cuda.restart(GST_STATE_READY);
  frames.clear();
  assert_equals_uint64(sim->memory_in_use(), before);
}
GST_END_TEST

GST_START_TEST(tensor_outlives_everything) {
  const GstVideoInfo info = video_info("NV12", 96, 80);
  Frames frames = noise_frames(info, 3);
  Owned<GstBuffer> on_device;
  {
    const Owned<GstCudaContext> context = new_context();
    const Stack cuda(true);
    cuda.begin(info);
    on_device = cuda.run(upload(context.get(), info, frames));
  }
  const Stack system(false);
  system.begin(info);
  check_equal(on_device.get(), system.run(std::move(frames)).get(), "alone");
}
GST_END_TEST

static Suite *framestack_suite() {
  Suite *suite = suite_create("cuda framestack");
  TCase *tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_set_timeout(tests, 4 * kWatchdogSeconds);
  tcase_add_test(tests, formats);
  tcase_add_test(tests, sizes);
  tcase_add_test(tests, crops);
  tcase_add_test(tests, orientations);
  tcase_add_test(tests, color_matrix);
  tcase_add_test(tests, caps);
  tcase_add_test(tests, clips_in_a_row);
  tcase_add_test(tests, frames_that_are_written_to);
  tcase_add_test(tests, flush_in_mid_clip);
  tcase_add_test(tests, frames_in_system_memory);
  tcase_add_test(tests, context_changes_in_mid_clip);
  tcase_add_test(tests, memory_changes_in_mid_clip);
  tcase_add_test(tests, too_large);
  tcase_add_test(tests, out_of_memory);
  tcase_add_test(tests, device_lost);
  tcase_add_test(tests, memory_after_a_flush);
  tcase_add_test(tests, memory_in_use);
  tcase_add_test(tests, tensor_outlives_everything);
  return suite;
}

int main(int argc, char **argv) {
  return run_cuda_tests(argc, argv, framestack_suite, "cuda-framestack");
}
