// SPDX-License-Identifier: LGPL-2.1-or-later
// framestack in CUDA memory: what is its own. See tensorclip.cpp for the rest.
#include "tests/cuda/line.h"

using namespace test;
using cps::Owned;

namespace {

// framestack alone.
class Stack : public Line {
public:
  explicit Stack(bool cuda, Properties properties = {}) : Line(cuda, properties, Output::WholeFrames) {}

  const Harness *operator->() const { return &first(); }
};

} // namespace

GST_START_TEST(test_color_matrix) {
  for (const char *matrix : {"bt601", "bt709", "bt2020"})
    check_clip(Output::WholeFrames, "NV12", 96, 80, nullptr, {{"color-matrix", matrix}});
}
GST_END_TEST;

GST_START_TEST(test_target_sizes) {
  for (const char *resample : {"bilinear", "area", "bicubic"})
    for (const char *format : {"NV12", "P010_10LE", "RGBA", "I420"})
      for (const char *width : {"17", "130"})
        check_clip(Output::WholeFrames, format, 67, 49, nullptr, {{"resample", resample}, {"width", width}});
}
GST_END_TEST;

GST_START_TEST(test_caps) {
  const GstVideoInfo info = video_info("NV12", 96, 80);
  const Owned<GstCudaContext> context = new_context();
  const Stack cuda(true);
  cuda.start(info);
  const auto tensors = cuda.run(upload(context.get(), info, noise_frames(info, 3)));
  const Owned<GstCaps> out(gst_pad_get_current_caps(cuda->get()->sinkpad)),
      expected(gst_caps_from_string("other/tensors(memory:CUDAMemory), format=static, num_tensors=1, framerate=0/1, "
                                    "types=(string)uint8, dimensions=(string)\"3:96:80:3\""));
  fail_unless(gst_caps_is_equal(out.get(), expected.get()));
}
GST_END_TEST;

// A frame may change as soon as it has been pushed.
GST_START_TEST(test_frames_that_are_written_to) {
  const GstVideoInfo info = video_info("NV12", 640, 480);
  const Owned<GstCudaContext> context = new_context();
  Uploader uploader(context.get(), info);
  const Stack cuda(true), system(false);
  cuda.start(info);
  system.start(info);
  Frames frames = noise_frames(info, 4), others = noise_frames(info, 4, 2);
  for (guint i = 0; i < 4; ++i) {
    const Owned<GstBuffer> copy = uploader(frames[i]);
    fail_unless(cuda.push(Owned<GstBuffer>(gst_buffer_ref(copy.get()))) == GST_FLOW_OK);
    ASSERT_MINI_OBJECT_REFCOUNT(copy.get(), "frame", 1);
    uploader.write(copy.get(), others[i].get());
  }
  check_equal(cuda->pull().get(), system.run(std::move(frames)).get(), "written to");
}
GST_END_TEST;

// More than can be had at once, whatever the device has.
GST_START_TEST(test_too_large) {
  const GstVideoInfo info = video_info("NV12", 96, 80);
  const Owned<GstCudaContext> context = new_context();
  const Stack cuda(true, {{"max-memory", "0"}});
  cuda.start(info);
  Frames frames = upload(context.get(), info, noise_frames(info, 1));
  cps_buffer_get_frame_meta(frames[0].get())->seq_len = 200000;
  fail_unless(cuda.push(std::move(frames[0])) == GST_FLOW_ERROR);
  cuda->check_error("4608 MB, which is too much at once");
}
GST_END_TEST;

// What a sequence that was given up had is there for the next.
GST_START_TEST(test_memory_after_a_flush) {
  const Simulation *sim = simulation();
  if (!sim)
    return;
  const GstVideoInfo info = video_info("NV12", 640, 480);
  const Owned<GstCudaContext> context = new_context();
  const Stack cuda(true);
  cuda.start(info);
  Frames frames = upload(context.get(), info, noise_frames(info, 3)),
         copies = upload(context.get(), info, noise_frames(info, 3));
  fail_unless(cuda.push(std::move(frames[0])) == GST_FLOW_OK);
  cuda.flush();
  sim->set_memory_limit(sim->memory_in_use());
  cuda.run(std::move(copies));
  sim->set_memory_limit(size_t{4} << 30);
}
GST_END_TEST;

// One block of memory a sequence, and READY gives it back.
GST_START_TEST(test_memory_in_use) {
  const Simulation *sim = simulation();
  if (!sim)
    return;
  const GstVideoInfo info = video_info("NV12", 640, 480);
  const size_t before = sim->memory_in_use();
  const Owned<GstCudaContext> context = new_context();
  const Stack cuda(true);
  cuda.start(info);
  Frames frames = upload(context.get(), info, noise_frames(info, 4));
  const size_t uploaded = sim->memory_in_use();
  fail_unless(cuda.push(std::move(frames[0])) == GST_FLOW_OK);
  const size_t tensor = size_t{4} * 640 * 480 * 3;
  fail_unless(sim->memory_in_use() <= uploaded + tensor + 4096);
  for (guint i = 1; i < 4; ++i)
    fail_unless(cuda.push(std::move(frames[i])) == GST_FLOW_OK);
  fail_unless(sim->memory_in_use() <= uploaded + tensor + 4096);
  cuda->pull().reset();
  cuda.restart();
  frames.clear();
  assert_equals_uint64(sim->memory_in_use(), before);
}
GST_END_TEST;

static Suite *framestack_suite() {
  TCase *tests = subject("general", 4 * kWatchdogSeconds);
  tcase_add_test(tests, test_color_matrix);
  tcase_add_test(tests, test_target_sizes);
  tcase_add_test(tests, test_caps);
  tcase_add_test(tests, test_frames_that_are_written_to);
  tcase_add_test(tests, test_too_large);
  tcase_add_test(tests, test_memory_after_a_flush);
  tcase_add_test(tests, test_memory_in_use);
  return suite_of("cuda framestack", {tests});
}

int main(int argc, char **argv) {
  return run_cuda_tests(argc, argv, framestack_suite, "cuda-framestack");
}
