// SPDX-License-Identifier: LGPL-2.1-or-later
// uniformdecodebin and patchstreambin where there is a device: what they choose, and where the tensors are.
#include "tests/cuda/pipelines.h"

// First, for it includes what the macros of check do not go with.
#include "gst/codecpatch/cpsdlpack.h"
#include "gst/codecpatch/dlpackabi.h"
#include "tests/cuda/testdecoder.h"
#include "tests/pipelines/bins.h"

#include <array>

using namespace test;
using cps::Owned;

namespace {

constexpr int kFrameCount = 30;
constexpr DecoderKind kDecoder = {"nvtesth264sldec", GST_RANK_PRIMARY + 100, 0, false};

// Clips in files, of two codecs.
class Clips {
public:
  Clips() { pipes::encode(h264_, pipes::kH264B, "mp4mux", kFrameCount); }

  const std::string &h264() const { return h264_; }
  std::string larger() const {
    const std::string path = folder_.file("larger.mp4");
    pipes::encode(path, pipes::kH264B, "mp4mux", kFrameCount, 2 * pipes::kClipWidth, pipes::kClipHeight);
    return path;
  }
  std::string jpeg() const {
    const std::string path = folder_.file("clip.avi");
    pipes::write_frames("appsrc name=in ! jpegenc ! avimux ! filesink location=" + path, kFrameCount);
    return path;
  }
  std::string raw() const {
    const std::string path = folder_.file("clip.y4m");
    pipes::write_frames("appsrc name=in ! y4menc ! filesink location=" + path, kFrameCount);
    return path;
  }
  // To be turned by 90 degrees.
  std::string rotated() const {
    const std::string path = folder_.file("rotated.mp4");
    pipes::write_file(path, pipes::read_file(h264_));
    pipes::turn(path, {0, 1, -1, 0});
    return path;
  }

private:
  test::TempDir folder_;
  std::string h264_ = folder_.file("clip.mp4");
};

std::string line_of(const std::string &path, const std::string &options) {
  return "patchstreambin name=bin sequence-length=6 k-keep=64 uri=" + pipes::uri_of(path) + " " + options +
         " ! tensormetasink name=sink";
}

struct Result {
  Clip clip;
  std::string decode, process, decoder;
  Owned<GstElement> element; // that decoded
};

Result run_line(const std::string &description) {
  pipes::Line line(description);
  line.start();
  Result result = {pull(line), "", "", "", nullptr};
  const pipes::Outcome rest = line.finish();
  fail_unless(rest.eos && rest.clips.empty(), "%s: %s (%s)", description.c_str(), rest.error.c_str(),
              rest.debug.c_str());
  const Owned<GstElement> bin = line.get("bin");
  result.element = pipes::child_of(bin.get(), kDecoder.name);
  result.decode = pipes::text_property(bin.get(), "resolved-decode-backend");
  result.process = pipes::text_property(bin.get(), "resolved-process-backend");
  result.decoder = pipes::text_property(bin.get(), "resolved-decoder");
  return result;
}

// For DLPack, and in the context that frameworks work in.
void check_on_device(GstBuffer *tensors, int device_id) {
  fail_unless(in_device_memory(tensors));
  gboolean primary = FALSE;
  gint actual = -1;
  g_object_get(gst_buffer_peek_memory(tensors, 0)->allocator, "primary-context", &primary, "cuda-device-id", &actual,
               nullptr);
  fail_unless(primary, "not in the primary context");
  assert_equals_int(actual, device_id);
  for (const char *name : {"patches", "meta_fields", "meta_scores"}) {
    GError *why = nullptr;
    DLManagedTensorVersioned *managed = cps_tensor_meta_to_dlpack_versioned(tensors, name, &why);
    fail_unless(managed != nullptr, "%s", why ? why->message : "");
    assert_equals_int(managed->dl_tensor.device.device_type, kDLCUDA);
    assert_equals_int(managed->dl_tensor.device.device_id, device_id);
    managed->deleter(managed);
  }
}

// `device_id` of the tensors, -1: in system memory.
void check_run(const std::string &path, const std::string &options, const std::string &decode, int device_id,
               const std::string &decoder) {
  const Result expected = run_line(line_of(path, "decode-backend=cpu process-backend=cpu"));
  const Result result = run_line(line_of(path, options));
  fail_unless(result.decode == decode, "%s: decoded on the %s", options.c_str(), result.decode.c_str());
  fail_unless_equals_string(result.decoder.c_str(), decoder.c_str());
  fail_unless_equals_string(result.process.c_str(), device_id < 0 ? "cpu" : "gpu");
  if (device_id >= 0)
    check_on_device(result.clip.buffer(), device_id);
  else
    fail_if(result.clip.on_device());
  check_equal(result.clip, expected.clip, options);
}

void check_refusal(const std::string &description, std::initializer_list<const char *> words) {
  const pipes::Outcome outcome = pipes::run(description);
  fail_unless(outcome.domain == GST_LIBRARY_ERROR, "%s: %s", description.c_str(), outcome.error.c_str());
  g_print("%s\n", outcome.error.c_str());
  for (const char *word : words)
    check_text(outcome.error, word);
}

bool two_devices() {
  if (cps::cuda::driver()->devices > 1)
    return true;
  g_print("skipped: there is one device\n");
  return false;
}

} // namespace

GST_START_TEST(test_processed_on_gpu) {
  const Clips clips;
  check_run(clips.h264(), "decode-backend=cpu process-backend=gpu", "cpu", 0, "avdec_h264");
  check_run(clips.raw(), "decode-backend=cpu process-backend=gpu", "cpu", 0, "");
  check_run(clips.raw(), "process-backend=gpu", "cpu", 0, "");
  check_run(clips.h264(), "decode-backend=cpu", "cpu", -1, "avdec_h264");
}
GST_END_TEST;

GST_START_TEST(test_decoded_on_gpu) {
  const TestDecoder decoder(kDecoder);
  const Clips clips;
  check_run(clips.h264(), "decode-backend=gpu process-backend=cpu", "gpu", -1, "nvtesth264sldec");
  for (const char *options :
       {"decode-backend=gpu process-backend=gpu", "decode-backend=gpu", "decode-backend=auto process-backend=auto", ""})
    check_run(clips.h264(), options, "gpu", 0, "nvtesth264sldec");
}
GST_END_TEST;

// The codec only decides where it is decoded.
GST_START_TEST(test_other_codec) {
  const TestDecoder decoder(kDecoder);
  const Clips clips;
  const std::string jpeg = clips.jpeg();
  check_run(jpeg, "decode-backend=auto", "cpu", 0, "avdec_mjpeg");
  check_run(jpeg, "decode-backend=auto process-backend=cpu", "cpu", -1, "avdec_mjpeg");
  check_refusal(line_of(jpeg, "decode-backend=gpu"), {"GPU 0", "JPEG", "decode-backend"});
  check_refusal(line_of(clips.raw(), "decode-backend=gpu"), {"GPU 0", "decode-backend"});
}
GST_END_TEST;

GST_START_TEST(test_two_gpus) {
  if (!two_devices())
    return;
  const TestDecoder decoder(kDecoder);
  const TestDecoder other({"nvtesth264device1sldec", GST_RANK_NONE, 1, false});
  const Clips clips;
  const std::string gpu = "decode-backend=gpu process-backend=gpu ";
  check_run(clips.h264(), gpu + "decode-device-id=0 process-device-id=0", "gpu", 0, "nvtesth264sldec");
  check_run(clips.h264(), gpu + "decode-device-id=0 process-device-id=1", "gpu", 1, "nvtesth264sldec");
  check_run(clips.h264(), gpu + "decode-device-id=1 process-device-id=0", "gpu", 0, "nvtesth264device1sldec");
  check_run(clips.h264(), gpu + "decode-device-id=1 process-device-id=1", "gpu", 1, "nvtesth264device1sldec");
  check_run(clips.h264(), "decode-backend=cpu process-backend=gpu process-device-id=1", "cpu", 1, "avdec_h264");
}
GST_END_TEST;

// A decoder of another GPU is none.
GST_START_TEST(test_decoder_elsewhere) {
  if (!two_devices())
    return;
  const TestDecoder decoder(kDecoder);
  const Clips clips;
  check_run(clips.h264(), "decode-device-id=1 process-device-id=1", "cpu", 1, "avdec_h264");
  check_refusal(line_of(clips.h264(), "decode-backend=gpu decode-device-id=1"), {"GPU 1", "H.264"});
}
GST_END_TEST;

GST_START_TEST(test_stateless_first) {
  const TestDecoder decoder(kDecoder);
  const TestDecoder stateful({"nvtesth264dec", GST_RANK_PRIMARY + 200, 0, false});
  const Clips clips;
  check_run(clips.h264(), "", "gpu", 0, "nvtesth264sldec");
}
GST_END_TEST;

// What does not open is passed over in silence.
GST_START_TEST(test_broken_decoder) {
  const TestDecoder broken({"nvtesth264brokensldec", GST_RANK_PRIMARY + 300, 0, true});
  const Clips clips;
  check_run(clips.h264(), "", "cpu", 0, "avdec_h264");
  check_refusal(line_of(clips.h264(), "decode-backend=gpu"), {"GPU 0", "H.264"});
  const TestDecoder decoder(kDecoder);
  check_run(clips.h264(), "decode-backend=gpu", "gpu", 0, "nvtesth264sldec");
}
GST_END_TEST;

GST_START_TEST(test_no_such_gpu) {
  const Clips clips;
  check_refusal(line_of(clips.h264(), "decode-backend=gpu decode-device-id=9"),
                {"decode-backend", "decode-device-id=9"});
  check_refusal(line_of(clips.h264(), "process-backend=gpu process-device-id=9"),
                {"process-backend", "process-device-id=9"});
  check_run(clips.h264(), "decode-device-id=9", "cpu", -1, "avdec_h264");
}
GST_END_TEST;

// nvcodec has no elements where the driver is without NVDEC.
GST_START_TEST(test_no_upload) {
  const Owned<GstPluginFeature> upload(gst_registry_lookup_feature(gst_registry_get(), "cudaupload"));
  gst_registry_remove_feature(gst_registry_get(), upload.get());
  const Clips clips;
  check_run(clips.h264(), "", "cpu", -1, "avdec_h264");
  check_refusal(line_of(clips.h264(), "decode-backend=gpu"), {"decode-backend=gpu", "cudaupload", "nvcodec"});
  check_refusal(line_of(clips.h264(), "decode-backend=cpu process-backend=gpu"), {"process-backend=gpu", "nvcodec"});
  fail_unless(gst_registry_add_feature(gst_registry_get(), upload.get()));
}
GST_END_TEST;

// A decoder stays open for the next stream of the same format, wherever the one before has ended.
GST_START_TEST(test_decoder_is_kept) {
  const TestDecoder decoder(kDecoder);
  const Clips clips;
  const std::string path = clips.h264(), options = "decode-backend=gpu process-backend=gpu";
  const Result expected = run_line(line_of(path, "decode-backend=cpu process-backend=cpu"));
  const Result first = run_line(line_of(path, options));
  const auto check_again = [&](const char *what) {
    const Result again = run_line(line_of(path, options));
    fail_unless(again.element && again.element == first.element, "%s: it was not kept", what);
    check_equal(again.clip, expected.clip, what);
  };
  check_again("at the end");

  // Before the end: nothing has been pulled, so the sink waits.
  for (const char *tail : {" ! fakesink name=sink sync=false", " ! tensormetasink name=sink"}) {
    pipes::Line line("patchstreambin name=bin sequence-length=20 k-keep=64 uri=" + pipes::uri_of(path) + " " + options +
                     tail);
    line.start();
  }
  check_again("stopped");

  // Two at a time take two.
  pipes::Line line(line_of(path, options));
  line.start();
  const Clip clip = pull(line);
  const Result beside = run_line(line_of(path, options));
  fail_unless(beside.element && beside.element != first.element, "it decoded two streams");
  check_equal(clip, expected.clip, "beside another");
  check_equal(beside.clip, expected.clip, "another beside it");
  fail_unless(line.finish().eos);

  const Result larger = run_line(line_of(clips.larger(), options));
  fail_unless(larger.element && larger.element != first.element && larger.element != beside.element,
              "it was taken for another format");
}
GST_END_TEST;

// Not after an error of the stream that it decoded.
GST_START_TEST(test_failed_decoder_is_not_kept) {
  const TestDecoder decoder(kDecoder);
  const Clips clips;
  const std::string options = "decode-backend=gpu process-backend=gpu";
  const Result first = run_line(line_of(clips.larger(), options));
  {
    pipes::Line line(line_of(clips.larger(), options));
    line.start();
    const Clip clip = pull(line);
    const Owned<GstElement> bin = line.get("bin"), failing = pipes::child_of(bin.get(), kDecoder.name);
    fail_unless(failing == first.element);
    GST_ELEMENT_ERROR(failing.get(), STREAM, DECODE, ("It fails."), (nullptr));
  }
  const Result next = run_line(line_of(clips.larger(), options));
  fail_unless(next.element && next.element != first.element);
  check_equal(next.clip, first.clip, "another");
}
GST_END_TEST;

// The same bin, back and forth.
GST_START_TEST(test_changes) {
  const TestDecoder decoder(kDecoder);
  const Clips clips;
  const Result expected = run_line(line_of(clips.h264(), "decode-backend=cpu process-backend=cpu"));
  pipes::Line line(line_of(clips.h264(), ""));
  const Owned<GstElement> bin = line.get("bin");
  const size_t children = pipes::children_of(bin.get()).size();
  for (int round = 0; round < 8; round++) {
    const bool decode = round & 1, process = round & 2;
    pipes::set_text(bin.get(), "decode-backend", decode ? "gpu" : "cpu");
    pipes::set_text(bin.get(), "process-backend", process ? "gpu" : "cpu");
    line.start();
    const Clip clip = pull(line);
    fail_unless(line.finish().eos);
    fail_unless(clip.on_device() == process, "round %d", round);
    check_equal(clip, expected.clip, "round " + std::to_string(round));
    line.reach(round < 4 ? GST_STATE_READY : GST_STATE_NULL);
    assert_equals_uint64(pipes::children_of(bin.get()).size(), children);
  }
}
GST_END_TEST;

// uniformdecodebin: frames in the memory that was asked for, turned or not.
GST_START_TEST(test_frames) {
  const TestDecoder decoder(kDecoder);
  const Clips clips;
  const std::string rotated = clips.rotated();
  for (const std::string &path : {clips.h264(), rotated}) {
    std::vector<std::string> expected;
    for (const char *decode : {"cpu", "gpu"})
      for (const char *process : {"cpu", "gpu"}) {
        const std::string what = std::string(decode) + " to " + process;
        const bool on_gpu = g_str_equal(process, "gpu");
        pipes::Line line("uniformdecodebin name=bin sequence-length=6 uri=" + pipes::uri_of(path) +
                         " decode-backend=" + decode + " process-backend=" + process +
                         (on_gpu ? " ! cudadownload" : "") + " ! video/x-raw ! fakesink name=sink sync=false");
        pipes::Pixels pixels(line);
        const pipes::Outcome outcome = line.run();
        fail_unless(outcome.eos, "%s: %s", what.c_str(), outcome.error.c_str());
        const Owned<GstElement> bin = line.get("bin");
        const Owned<GstPad> pad(gst_element_get_static_pad(bin.get(), "src"));
        const Owned<GstCaps> caps(gst_pad_get_current_caps(pad.get()));
        fail_unless(gst_caps_features_contains(gst_caps_get_features(caps.get(), 0), "memory:CUDAMemory") == on_gpu,
                    "%s: elsewhere", what.c_str());
        const std::vector<std::string> got = pixels.take();
        assert_equals_uint64(got.size(), 6);
        const char *size = path == rotated ? "96x160" : "160x96";
        fail_unless(g_str_has_prefix(got[0].c_str(), size), "%s: %s", what.c_str(), got[0].c_str());
        expected = expected.empty() ? got : expected;
        fail_unless(got == expected, "%s differs", what.c_str());
      }
  }
}
GST_END_TEST;

static Suite *bins_suite() {
  Suite *suite = suite_create("cuda bins");
  TCase *tests = pipes::make_tests(suite);
  tcase_add_unchecked_fixture(tests, hide_gpu_decoders, nullptr);
  tcase_add_test(tests, test_processed_on_gpu);
  tcase_add_test(tests, test_decoded_on_gpu);
  tcase_add_test(tests, test_other_codec);
  tcase_add_test(tests, test_two_gpus);
  tcase_add_test(tests, test_decoder_elsewhere);
  tcase_add_test(tests, test_stateless_first);
  tcase_add_test(tests, test_broken_decoder);
  tcase_add_test(tests, test_no_such_gpu);
  tcase_add_test(tests, test_no_upload);
  tcase_add_test(tests, test_decoder_is_kept);
  tcase_add_test(tests, test_failed_decoder_is_not_kept);
  tcase_add_test(tests, test_changes);
  tcase_add_test(tests, test_frames);
  return suite;
}

int main(int argc, char **argv) {
  return run_cuda_tests(argc, argv, bins_suite, "cuda-bins", {"cudaupload", "cudadownload"});
}
