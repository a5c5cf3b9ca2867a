// SPDX-License-Identifier: LGPL-2.1-or-later
// Which memory the elements agree on with their neighbours. CUDA memory is on offer only where there is a
// driver.
#include "tests/common/frames.h"
#include "tests/common/harness.h"
#include "tests/common/text.h"

#include <dlfcn.h>

using test::Harness;
using test::Owned;

namespace {

constexpr const char *kFrames = "video/x-raw, format=NV12, width=64, height=48, framerate=25/1";
constexpr const char *kCudaFrames = "video/x-raw(memory:CUDAMemory), format=NV12, width=64, height=48, framerate=25/1";

bool has_driver() {
  if (g_getenv("CPS_SIM_DRIVER_VERSION")) // one that is too old is as good as none
    return false;
  void *library = dlopen("libcuda.so.1", RTLD_LAZY);
  if (library)
    dlclose(library);
  return library != nullptr;
}

Owned<GstCaps> caps_of(const char *text) {
  Owned<GstCaps> caps(gst_caps_from_string(text));
  fail_unless(caps != nullptr, "%s", text);
  return caps;
}

// What patchselect offers upstream where downstream takes `downstream`.
Owned<GstCaps> offered(const char *downstream, const char *filter = nullptr) {
  const Harness select("patchselect");
  gst_harness_set_sink_caps_str(select.get(), downstream);
  const Owned<GstCaps> narrowed = filter ? caps_of(filter) : nullptr;
  return Owned<GstCaps>(gst_pad_peer_query_caps(select.get()->srcpad, narrowed.get()));
}

bool accepted(const char *downstream, const char *frames) {
  const Harness select("patchselect");
  gst_harness_set_sink_caps_str(select.get(), downstream);
  return gst_pad_peer_query_accept_caps(select.get()->srcpad, caps_of(frames).get());
}

Owned<GstCaps> template_of(const char *factory, const char *pad) {
  const Owned<GstElement> element = test::make_element(factory);
  return Owned<GstCaps>(gst_pad_template_get_caps(gst_element_get_pad_template(element.get(), pad)));
}

constexpr struct {
  const char *factory, *pad, *media;
} kPads[] = {{"patchenergy", "sink", "video/x-raw"},   {"patchenergy", "src", "video/x-raw"},
             {"patchselect", "sink", "video/x-raw"},   {"patchselect", "src", "other/tensors"},
             {"framestack", "sink", "video/x-raw"},    {"framestack", "src", "other/tensors"},
             {"patchrender", "sink", "other/tensors"}, {"tensormetasink", "sink", "other/tensors"}};

} // namespace

GST_START_TEST(test_templates) {
  for (const auto &[factory, pad, media] : kPads) {
    const Owned<GstCaps> caps = template_of(factory, pad);
    for (guint i = 0; i < gst_caps_get_size(caps.get()); ++i) {
      assert_text(gst_structure_get_name(gst_caps_get_structure(caps.get(), i)), media);
      const GstCapsFeatures *features = gst_caps_get_features(caps.get(), i);
      fail_unless(gst_caps_features_contains(features, i == 0 ? "memory:SystemMemory" : "memory:CUDAMemory"));
    }
    fail_unless(gst_caps_get_size(caps.get()) <= (has_driver() ? 2 : 1), "%s of %s", pad, factory);
  }
}
GST_END_TEST;

GST_START_TEST(test_no_cuda_without_a_driver) {
  if (has_driver())
    return;
  fail_if(accepted("ANY", kCudaFrames));
  const Harness energy("patchenergy");
  fail_if(gst_pad_peer_query_accept_caps(energy.get()->srcpad, caps_of(kCudaFrames).get()));
  for (const char *factory : {"patchenergy", "patchselect", "framestack"}) {
    const Harness element(factory);
    element.start(caps_of(kCudaFrames).get());
    fail_unless(element.push(test::noise_buffer(64 * 48 * 2)) == GST_FLOW_NOT_NEGOTIATED);
    const Owned<GstQuery> query(gst_query_new_context("gst.cuda.context"));
    fail_if(gst_pad_peer_query(element.get()->srcpad, query.get()));
  }
}
GST_END_TEST;

GST_START_TEST(test_any_tensors) {
  const Owned<GstCaps> all = template_of("patchselect", "sink");
  for (const char *downstream : {"ANY", "other/tensors; other/tensors(memory:CUDAMemory)", "other/tensors(ANY)"}) {
    fail_unless(gst_caps_is_equal(offered(downstream).get(), all.get()), "%s", downstream);
    fail_unless(accepted(downstream, kFrames));
  }
  const Owned<GstElement> alone = test::make_element("patchselect");
  const Owned<GstPad> pad(gst_element_get_static_pad(alone.get(), "sink"));
  const Owned<GstCaps> caps(gst_pad_query_caps(pad.get(), nullptr));
  fail_unless(gst_caps_is_equal(caps.get(), all.get()));
}
GST_END_TEST;

// What downstream takes in no kind of memory is refused before a clip has been computed.
GST_START_TEST(test_downstream_decides) {
  const Owned<GstCaps> system = offered("other/tensors");
  assert_equals_int(gst_caps_get_size(system.get()), 1);
  fail_unless(gst_caps_features_contains(gst_caps_get_features(system.get(), 0), "memory:SystemMemory"));
  fail_unless(accepted("other/tensors", kFrames));
  fail_if(accepted("other/tensors", kCudaFrames));

  const Owned<GstCaps> cuda = offered("other/tensors(memory:CUDAMemory)");
  for (guint i = 0; i < gst_caps_get_size(cuda.get()); ++i) // none without a driver
    fail_unless(gst_caps_features_contains(gst_caps_get_features(cuda.get(), i), "memory:CUDAMemory"));
  fail_if(accepted("other/tensors(memory:CUDAMemory)", kFrames));

  for (const char *downstream : {"video/x-raw", "other/tensors, format=flexible", "other/tensors, num_tensors=2"})
    fail_unless(gst_caps_is_empty(offered(downstream).get()), "%s", downstream);
}
GST_END_TEST;

GST_START_TEST(test_filters) {
  const Owned<GstCaps> some = offered("ANY", "video/x-raw, format={RGB, v210}, width=64; audio/x-raw");
  assert_equals_int(gst_caps_get_size(some.get()), 1);
  const GstStructure *structure = gst_caps_get_structure(some.get(), 0);
  gint width = 0;
  fail_unless(gst_structure_get_int(structure, "width", &width) && width == 64);
  assert_text(gst_structure_get_string(structure, "format"), "RGB");
  fail_unless(gst_caps_is_empty(offered("other/tensors", kCudaFrames).get()));
  fail_unless(gst_caps_is_empty(offered("video/x-raw", kFrames).get()));
}
GST_END_TEST;

static Suite *negotiation_suite() {
  Suite *suite = suite_create("negotiation");
  TCase *tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_set_timeout(tests, test::kWatchdogSeconds);
  tcase_add_test(tests, test_templates);
  tcase_add_test(tests, test_no_cuda_without_a_driver);
  tcase_add_test(tests, test_any_tensors);
  tcase_add_test(tests, test_downstream_decides);
  tcase_add_test(tests, test_filters);
  return suite;
}

GST_CHECK_MAIN(negotiation)
