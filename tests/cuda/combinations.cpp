// SPDX-License-Identifier: LGPL-2.1-or-later
// Where frames are decoded and where they are processed: the same tensors, in the memory that the caps say.
#include "gst/codecpatch/cpsdlpack.h"
#include "gst/codecpatch/dlpackabi.h"
#include "tests/cuda/pipelines.h"
#include "tests/golden/golden.h"

using namespace test;
using cps::Owned;

namespace {

struct Combination {
  std::string name;
  std::string decode;  // the elements before the sampler
  std::string process; // those between it and patchenergy
  bool on_device;      // there the tensors are
};

// As the README has them. The first is what the others are compared with. Without a decoder of the GPU's, uploads stand
// in for one.
std::vector<Combination> combinations(const std::string &decoder, const std::vector<std::string> &gpu_decoders) {
  const std::string uploaded = (decoder.empty() ? "" : decoder + " ! ") + kUpload;
  std::vector<Combination> all = {{"cpu to cpu", decoder, "", false},
                                  {"cpu to gpu", decoder, "cudaupload", true},
                                  {"gpu to gpu", uploaded, "", true}};
  if (gpu_decoders.empty())
    all.push_back({"gpu to cpu", uploaded, "cudadownload", false});
  for (const std::string &gpu : gpu_decoders) {
    all.push_back({gpu + " to cpu", gpu, "cudadownload", false});
    all.push_back({gpu + " to gpu", gpu, "", true});
  }
  return all;
}

std::vector<std::string> gpu_decoders_of(const golden::Video &video) {
  const std::string codec = std::string(video.parser).substr(0, 4);
  std::vector<std::string> found;
  for (const std::string &name : {"nv" + codec + "sldec", "nv" + codec + "dec"})
    if (const Owned<GstElementFactory> factory{gst_element_factory_find(name.c_str())})
      found.push_back(name);
  return found;
}

void check_dlpack(GstBuffer *tensors, bool on_device) {
  for (const char *name : {"patches", "meta_fields", "meta_scores"}) {
    GError *error = nullptr;
    DLManagedTensorVersioned *managed = cps_tensor_meta_to_dlpack_versioned(tensors, name, &error);
    fail_unless(managed != nullptr, "%s", error ? error->message : "");
    gint device_id = 0;
    if (on_device)
      g_object_get(gst_buffer_peek_memory(tensors, 0)->allocator, "cuda-device-id", &device_id, nullptr);
    assert_equals_int(managed->dl_tensor.device.device_type, on_device ? kDLCUDA : kDLCPU);
    assert_equals_int(managed->dl_tensor.device.device_id, device_id);
    managed->deleter(managed);
  }
}

// The only clip of a line, with its tensors where they belong and nothing of it read back.
Clip run_combination(pipes::Line &line, const std::string &what, bool on_device) {
  const Simulation *sim = simulation();
  const size_t copied = sim ? sim->bytes_to_host() : 0, pinned = sim ? sim->pinned_in_use() : 0;
  line.start();
  Clip clip = pull(line);
  const pipes::Outcome rest = line.finish();
  fail_unless(rest.eos && rest.clips.empty() && rest.warnings.empty(), "%s: %s", what.c_str(), rest.error.c_str());

  const Owned<GstElement> select = line.get("select");
  const Owned<GstPad> sink(gst_element_get_static_pad(select.get(), "sink"));
  const Owned<GstCaps> frames(gst_pad_get_current_caps(sink.get()));
  for (const GstCaps *caps : {static_cast<const GstCaps *>(frames.get()),
                              static_cast<const GstCaps *>(gst_sample_get_caps(clip.sample.get()))})
    fail_unless(gst_caps_features_contains(gst_caps_get_features(caps, 0), "memory:CUDAMemory") == on_device, "%s",
                what.c_str());
  fail_unless(clip.on_device() == on_device, "%s: the tensors are elsewhere", what.c_str());
  check_dlpack(clip.buffer(), on_device);
  if (sim && on_device) {
    assert_equals_uint64(sim->bytes_to_host() - copied, 0);
    pipes::read_tensors(clip.sample.get());
    fail_unless(sim->bytes_to_host() > copied && sim->pinned_in_use() > pinned);
  }
  return clip;
}

// The default, or all where there is time.
void check_video(const golden::Video &video, bool every_configuration = false) {
  const std::string path = pipes::shared_file(std::string("golden/") + video.name + ".y.json");
  const std::string input = path.empty() ? "" : golden::reading(video);
  if (input.empty() || !pipes::have_elements({"cudaupload", "cudadownload"}))
    return;
  const golden::Results results(path);
  for (const auto &[name, result] : results.configurations()) {
    if (name != "default" && !every_configuration && !g_getenv("CPS_ALL"))
      continue;
    Clip expected;
    for (const Combination &combination : combinations(video.decoder, gpu_decoders_of(video))) {
      const std::string what = std::string(video.name) + " " + name + ", " + combination.name;
      pipes::Line line(input + combination.decode + " ! " +
                       golden::elements(golden::config_of(result), combination.process));
      Clip clip = run_combination(line, what, combination.on_device);
      golden::check_result(what, pipes::read_tensors(clip.sample.get()), result);
      if (expected.sample)
        check_equal(clip, expected, what);
      else
        expected = std::move(clip);
    }
  }
}

// An appsrc with frames whose numbers are known, but not their places.
void feed_numbered(pipes::Line &line, int count) {
  Frames frames;
  for (int i = 0; i < count; i++)
    frames.push_back(stamped(pipes::numbered_frame(i), static_cast<guint64>(i), static_cast<guint64>(count),
                             i % 8 == 0 ? CPS_FRAME_FLAG_RANDOM_ACCESS : CPS_FRAME_FLAG_NONE));
  line.feed(pipes::clip_caps().get(), std::move(frames));
}

constexpr const char *kRest = "patchenergy ! patchselect name=select input-size=112 k-keep=100";

std::string sampled_line(const std::string &decode, const std::string &process, const std::string &select = kRest) {
  return "appsrc name=in ! " + (decode.empty() ? "" : decode + " ! ") + "uniformsampler sequence-length=6 ! " +
         (process.empty() ? "" : process + " ! ") + select + " ! tensormetasink name=sink";
}

Clip run_sampled(const std::string &description, bool on_device) {
  pipes::Line line(description);
  feed_numbered(line, 24);
  return run_combination(line, description, on_device);
}

// Why a line of caps that do not fit did not run; "" where it did.
std::string refusal(const std::string &description) {
  pipes::Line line(description);
  feed_numbered(line, 24);
  const pipes::Outcome outcome = line.run();
  fail_unless(outcome.clips.empty(), "%s: tensors came out", description.c_str());
  return outcome.debug;
}

} // namespace

#define VIDEO_TEST(name, ...)                                                                                          \
  GST_START_TEST(name) {                                                                                               \
    check_video(__VA_ARGS__);                                                                                          \
  }                                                                                                                    \
  GST_END_TEST

VIDEO_TEST(test_demo, golden::kDemo);
VIDEO_TEST(test_full_range, golden::kFullRange);
VIDEO_TEST(test_nasa, golden::kNasa);
VIDEO_TEST(test_ten_bits, golden::kTenBits, true);

GST_START_TEST(test_made_on_the_spot) {
  for (const char *options : {"", " output-dtype=u8 selection-unit=block2x2", " output-dtype=f32 k-keep=1000000",
                              " static-fallback=true static-abs-thresh=1000 k-keep=0"}) {
    Clip expected;
    for (const Combination &combination : combinations("", {})) {
      Clip clip = run_sampled(sampled_line(combination.decode, combination.process, std::string(kRest) + options),
                              combination.on_device);
      if (expected.sample)
        check_equal(clip, expected, combination.name + options);
      else
        expected = std::move(clip);
    }
  }
}
GST_END_TEST;

// One decoder, and one upload, for two ways to process.
GST_START_TEST(test_tee) {
  const std::string branches[] = {"patchenergy energy-pct=50 ! patchselect input-size=112 k-keep=60 output-dtype=u8",
                                  "patchenergy ! patchselect input-size=56 k-keep=7 output-dtype=f32 patch-size=16"};
  const std::string sampler = "appsrc name=in ! uniformsampler sequence-length=6 ! ";
  for (const bool before : {true, false}) { // one upload, or one for each
    const std::string head = before ? std::string(kUpload) + " ! " : "", each = before ? "" : head + kUpload + " ! ";
    pipes::Line line(sampler + head + "tee name=tee tee. ! queue ! " + each + branches[0] +
                     " ! tensormetasink name=sink tee. ! queue ! " + each + branches[1] +
                     " ! tensormetasink name=second");
    feed_numbered(line, 24);
    line.start();
    const Clip clips[] = {pull(line), pull(line, "second")};
    fail_unless(line.finish().eos);
    for (size_t i = 0; i < 2; i++) {
      pipes::Line alone(sampler + branches[i] + " ! tensormetasink name=sink");
      feed_numbered(alone, 24);
      alone.start();
      fail_unless(clips[i].on_device());
      check_equal(clips[i], pull(alone), branches[i]);
    }
  }
}
GST_END_TEST;

// What follows patchselect decides; nothing but caps does.
GST_START_TEST(test_caps_decide) {
  const Clip expected = run_sampled(sampled_line("", ""), false);
  const std::string rest = kRest, in_cuda = rest + " ! other/tensors(memory:CUDAMemory)";
  check_equal(run_sampled(sampled_line("", "cudaupload", rest + " ! other/tensors"), false), expected, "system memory");
  check_equal(run_sampled(sampled_line("cudaupload", "", rest + " ! other/tensors"), false), expected, "system memory");
  check_equal(run_sampled(sampled_line("", "cudaupload", in_cuda), true), expected, "CUDA memory");
  check_equal(run_sampled(sampled_line("cudaupload", "", in_cuda), true), expected, "CUDA memory");
  check_equal(run_sampled(sampled_line(kUpload, "cudadownload", in_cuda), true), expected, "nothing to download");
  check_equal(run_sampled(sampled_line(kUpload, "cudadownload", rest + " ! other/tensors"), false), expected,
              "system memory after all");
}
GST_END_TEST;

GST_START_TEST(test_caps_that_do_not_fit) {
  const std::string rest = kRest;
  for (const std::string &line :
       {sampled_line(kUpload, "", rest + " ! other/tensors"), sampled_line("", kUpload, rest + " ! other/tensors"),
        sampled_line("", "", rest + " ! other/tensors(memory:CUDAMemory)"),
        sampled_line(kUpload, kDownload, rest + " ! other/tensors(memory:CUDAMemory)")}) {
    const std::string reason = refusal(line);
    fail_unless(contains(reason, "not-negotiated"), "%s: \"%s\"", line.c_str(), reason.c_str());
  }
}
GST_END_TEST;

static Suite *combinations_suite() {
  Suite *suite = suite_create("cuda combinations");
  TCase *tests = pipes::make_tests(suite);
  tcase_add_test(tests, test_demo);
  tcase_add_test(tests, test_full_range);
  tcase_add_test(tests, test_nasa);
  tcase_add_test(tests, test_ten_bits);
  tcase_add_test(tests, test_made_on_the_spot);
  tcase_add_test(tests, test_tee);
  tcase_add_test(tests, test_caps_decide);
  tcase_add_test(tests, test_caps_that_do_not_fit);
  return suite;
}

int main(int argc, char **argv) {
  return run_cuda_tests(argc, argv, combinations_suite, "cuda-combinations", {"cudaupload", "cudadownload"});
}
