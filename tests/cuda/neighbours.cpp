// SPDX-License-Identifier: LGPL-2.1-or-later
// What the elements agree on with their neighbours where there is a device, and what they leave alone.
#include "tests/common/safetensors.h"
#include "tests/common/tempdir.h"
#include "tests/cuda/line.h"

using namespace test;
using cps::Owned;

namespace {

Owned<GstCaps> caps_from(const char *text) {
  return Owned<GstCaps>(gst_caps_from_string(text));
}

constexpr const char *kFrames = "video/x-raw, format=NV12, width=64, height=48, framerate=25/1";
constexpr const char *kCudaFrames = "video/x-raw(memory:CUDAMemory), format=NV12, width=64, height=48, framerate=25/1";

// Which of both kinds of frames patchselect takes where downstream takes `downstream`.
std::pair<bool, bool> taken(const char *downstream) {
  const Harness select("patchselect");
  gst_harness_set_sink_caps_str(select.get(), downstream);
  const auto takes = [&](const char *text) {
    const Owned<GstCaps> caps = caps_from(text);
    const Owned<GstCaps> offered(gst_pad_peer_query_caps(select.get()->srcpad, caps.get()));
    const bool accepted = gst_pad_peer_query_accept_caps(select.get()->srcpad, caps.get());
    fail_unless(accepted != gst_caps_is_empty(offered.get()), "%s for %s", text, downstream);
    return accepted;
  };
  return {takes(kFrames), takes(kCudaFrames)};
}

// The context that an element answers a neighbour of `pad` with; nullptr where it has none.
Owned<GstCudaContext> context_of(GstPad *pad) {
  const Owned<GstQuery> query(gst_query_new_context(GST_CUDA_CONTEXT_TYPE));
  GstContext *answer = nullptr;
  GstCudaContext *context = nullptr;
  if (gst_pad_peer_query(pad, query.get()))
    gst_query_parse_context(query.get(), &answer);
  if (answer)
    gst_structure_get(gst_context_get_structure(answer), GST_CUDA_CONTEXT_TYPE, GST_TYPE_CUDA_CONTEXT, &context,
                      nullptr);
  return Owned<GstCudaContext>(context);
}

// The tensors that a pipeline ends with.
Owned<GstBuffer> tensors_of(const std::string &before) {
  const std::string text =
      "videotestsrc num-buffers=20 pattern=ball ! video/x-raw, format=NV12, width=320, height=240 ! " + before +
      " ! tensormetasink name=sink";
  GError *error = nullptr;
  const Owned<GstElement> pipeline(gst_parse_launch(text.c_str(), &error));
  fail_unless(error == nullptr, "%s", error ? error->message : "");
  const Owned<GstElement> sink(gst_bin_get_by_name(GST_BIN(pipeline.get()), "sink"));
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  GstSample *sample = nullptr;
  g_signal_emit_by_name(sink.get(), "try-pull-tensors", 20 * GST_SECOND, &sample);
  const Owned<GstSample> owned(sample);
  const Owned<GstBus> bus(gst_element_get_bus(pipeline.get()));
  const std::string complaint = pop_report(bus.get(), GST_MESSAGE_ERROR);
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  fail_unless(sample != nullptr, "%s: %s", before.c_str(), complaint.c_str());
  return Owned<GstBuffer>(gst_buffer_ref(gst_sample_get_buffer(sample)));
}

} // namespace

GST_START_TEST(test_downstream_decides) {
  const auto both = std::pair(true, true), system = std::pair(true, false), cuda = std::pair(false, true);
  fail_unless(taken("ANY") == both);
  fail_unless(taken("other/tensors; other/tensors(memory:CUDAMemory)") == both);
  fail_unless(taken("other/tensors") == system);
  fail_unless(taken("other/tensors, types=(string)\"float32,int64,float32\"") == system);
  fail_unless(taken("other/tensors(memory:CUDAMemory)") == cuda);
  fail_unless(taken("video/x-raw(ANY)") == std::pair(false, false));
}
GST_END_TEST;

// Who only lists what it can put out, as a decoder does, may choose; who has frames already and lists a copy gets to
// copy.
GST_START_TEST(test_copies_are_preferred) {
  for (const char *factory : {"patchenergy", "patchselect"}) {
    const Harness element(factory);
    gst_harness_set_sink_caps_str(element.get(), "ANY");
    const auto offered = [&](const char *text) {
      const Owned<GstCaps> filter = caps_from(text);
      return Owned<GstCaps>(gst_pad_peer_query_caps(element.get()->srcpad, filter.get()));
    };
    const std::string fixed = ", format=NV12, width=64, height=48, framerate=25/1";
    const std::string system = "video/x-raw" + fixed, cuda = "video/x-raw(memory:CUDAMemory)" + fixed;
    const auto to_cuda = offered((system + "; " + cuda).c_str()), to_system = offered((cuda + "; " + system).c_str());
    assert_equals_int(gst_caps_get_size(to_cuda.get()), 1);
    fail_unless(gst_caps_is_equal(to_cuda.get(), caps_from(cuda.c_str()).get()));
    fail_unless(gst_caps_is_equal(to_system.get(), caps_from(system.c_str()).get()));
    const auto decoder =
        offered("video/x-raw(memory:CUDAMemory), format={ NV12, P010_10LE }; video/x-raw, format={ NV12, P010_10LE }");
    assert_equals_int(gst_caps_get_size(decoder.get()), 2);
    assert_equals_int(gst_caps_get_size(offered(cuda.c_str()).get()), 1);
  }
}
GST_END_TEST;

GST_START_TEST(test_no_pools_of_ours) {
  for (const char *factory : {"patchenergy", "patchselect"}) {
    const Harness element(factory);
    const Owned<GstCaps> caps = caps_from(kCudaFrames);
    element.start(caps.get());
    const Owned<GstQuery> query(gst_query_new_allocation(caps.get(), TRUE));
    fail_unless(gst_pad_peer_query(element.get()->srcpad, query.get()));
    fail_unless(gst_query_find_allocation_meta(query.get(), GST_VIDEO_META_API_TYPE, nullptr));
    fail_unless(gst_query_find_allocation_meta(query.get(), GST_VIDEO_CROP_META_API_TYPE, nullptr));
    assert_equals_int(gst_query_get_n_allocation_pools(query.get()), 0);
  }
}
GST_END_TEST;

// What the application gives is told on, until frames come in another context.
GST_START_TEST(test_contexts) {
  const GstVideoInfo info = video_info("NV12", 64, 48);
  const Owned<GstCudaContext> given = new_context(), of_frames = new_context();
  Line line(true);
  GstContext *context = gst_context_new_cuda_context(given.get());
  for (const Harness *element : {&line.energy(), &line.select()}) {
    gst_element_set_context(element->element(), context);
    fail_unless(context_of(element->get()->srcpad) == given);
    fail_unless(context_of(element->get()->sinkpad) == given);
  }
  gst_context_unref(context);
  line.start(info);
  line.run(upload(of_frames.get(), info, noise_frames(info, 2)));
  for (const Harness *element : {&line.energy(), &line.select()}) {
    fail_unless(context_of(element->get()->srcpad) == of_frames);
    fail_unless(context_of(element->get()->sinkpad) == of_frames);
    element->restart(GST_STATE_READY);
    fail_unless(context_of(element->get()->srcpad) == given);
  }
}
GST_END_TEST;

// Once a frame and element, though the last frame of a clip is followed by the clip.
GST_START_TEST(test_synchronisations) {
  if (!simulation())
    return;
  gpointer symbol = nullptr;
  fail_unless(g_module_symbol(g_module_open("libcuda.so.1", G_MODULE_BIND_LAZY), "cps_sim_synchronisations", &symbol));
  const auto synchronisations = reinterpret_cast<decltype(&cps_sim_synchronisations)>(symbol);
  const GstVideoInfo info = video_info("NV12", 96, 80);
  const Owned<GstCudaContext> context = new_context();
  Line line(true);
  line.start(info);
  line.run(upload(context.get(), info, noise_frames(info, 4)));
  Frames frames = upload(context.get(), info, noise_frames(info, 4, 2, 1));
  const unsigned before = synchronisations();
  line.run(std::move(frames));
  assert_equals_int(synchronisations() - before, 4 + 4);
}
GST_END_TEST;

GST_START_TEST(test_sampler) {
  const GstVideoInfo info = video_info("NV12", 64, 48);
  const Owned<GstCudaContext> context = new_context();
  Uploader uploader(context.get(), info);
  const Harness sampler("uniformsampler", {{"frame-ids", "<0, 1, 1, 1, 2>"}, {"total-frames", "3"}});
  sampler.start(caps_in(info, true).get());
  std::vector<GstMemory *> memories;
  for (unsigned i = 0; i < 3; ++i) {
    Owned<GstBuffer> frame = uploader(noise_frame(info, {0, 0, 64, 48}, i));
    memories.push_back(gst_buffer_peek_memory(frame.get(), 0));
    sampler.push(std::move(frame));
  }
  const std::vector<Owned<GstBuffer>> out = sampler.pull_all();
  assert_equals_int(out.size(), 5);
  const size_t sources[] = {0, 1, 1, 1, 2};
  for (size_t i = 0; i < 5; ++i)
    fail_unless(gst_buffer_peek_memory(out[i].get(), 0) == memories[sources[i]], "frame %zu was copied", i);
  sampler.check_quiet();
}
GST_END_TEST;

// The sampler takes no part in it: who asks through it hears from beyond.
GST_START_TEST(test_sampler_and_contexts) {
  const Owned<GstCudaContext> given = new_context();
  const Harness sampler("uniformsampler");
  Harness energy("patchenergy");
  GstContext *context = gst_context_new_cuda_context(given.get());
  gst_element_set_context(energy.element(), context);
  gst_context_unref(context);
  gst_pad_set_query_function_full(
      sampler.get()->sinkpad,
      [](GstPad *pad, GstObject *parent, GstQuery *query) -> gboolean {
        if (GST_QUERY_TYPE(query) != GST_QUERY_CONTEXT)
          return gst_pad_query_default(pad, parent, query);
        const auto *beyond = static_cast<Harness *>(g_object_get_data(G_OBJECT(pad), "beyond"));
        return gst_pad_peer_query(beyond->get()->srcpad, query);
      },
      nullptr, nullptr);
  g_object_set_data(G_OBJECT(sampler.get()->sinkpad), "beyond", &energy);
  fail_unless(context_of(sampler.get()->srcpad) == given);
}
GST_END_TEST;

// Tensors are handed out where they are, and written to files like any.
GST_START_TEST(test_sink) {
  const GstVideoInfo info = video_info("NV12", 96, 80);
  const Owned<GstCudaContext> context = new_context();
  const TempDir folder;
  std::string files[2];
  for (const bool cuda : {false, true}) {
    Line line(cuda);
    line.start(info);
    Frames frames = noise_frames(info, 3);
    const auto tensors = line.run(cuda ? upload(context.get(), info, frames) : std::move(frames));
    const Owned<GstCaps> caps(gst_pad_get_current_caps(line.select().get()->sinkpad));

    const Harness queue("tensormetasink", {}, false);
    queue.start(caps.get());
    const Simulation *sim = simulation();
    const unsigned allocations = sim ? sim->allocations() : 0;
    fail_unless(queue.push(Owned<GstBuffer>(gst_buffer_ref(tensors.get()))) == GST_FLOW_OK);
    GstSample *sample = nullptr;
    g_signal_emit_by_name(queue.element(), "pull-tensors", &sample);
    const Owned<GstSample> owned(sample);
    fail_unless(gst_sample_get_buffer(sample) == tensors.get());
    fail_unless(!sim || sim->allocations() == allocations); // not read back

    files[cuda] = folder.file(cuda ? "cuda.safetensors" : "system.safetensors");
    const Harness writer("tensormetasink", {{"location", files[cuda].c_str()}}, false);
    writer.start(caps.get());
    fail_unless(writer.push(Owned<GstBuffer>(gst_buffer_ref(tensors.get()))) == GST_FLOW_OK);
    writer.check_quiet();
  }
  fail_unless(test::read_bytes(files[0]) == test::read_bytes(files[1]));
}
GST_END_TEST;

// Tensors are read back to be drawn.
GST_START_TEST(test_render) {
  const GstVideoInfo info = video_info("NV12", 96, 80);
  const Owned<GstCudaContext> context = new_context();
  for (const char *mode : {"sparse", "hold", "mosaic", "scores"}) {
    std::vector<std::vector<guint8>> pictures[2];
    for (const bool cuda : {false, true}) {
      Line line(cuda);
      line.start(info);
      Frames frames = noise_frames(info, 3);
      Owned<GstBuffer> tensors = line.run(cuda ? upload(context.get(), info, frames) : std::move(frames));
      const Owned<GstCaps> caps(gst_pad_get_current_caps(line.select().get()->sinkpad));
      const Harness render("patchrender", {{"mode", mode}});
      render.start(caps.get());
      fail_unless(render.push(std::move(tensors)) == GST_FLOW_OK);
      render.check_quiet();
      for (const Owned<GstBuffer> &picture : render.pull_all())
        pictures[cuda].push_back(bytes_of(gst_buffer_peek_memory(picture.get(), 0)));
    }
    fail_unless(pictures[0].size() == (std::string(mode) == "mosaic" ? 1U : 3U) && pictures[0] == pictures[1], "%s",
                mode);
  }
}
GST_END_TEST;

GST_START_TEST(test_pipelines) {
  const Owned<GstElementFactory> cudaupload(gst_element_factory_find("cudaupload"));
  if (!cudaupload)
    return;
  const std::string rest = "uniformsampler total-frames=20 sequence-length=8 ! patchenergy ! patchselect k-keep=64";
  const auto system = tensors_of(rest);
  const std::string cuda = "video/x-raw(memory:CUDAMemory)", download = "cudadownload ! video/x-raw";
  check_equal(tensors_of("cudaupload ! " + cuda + " ! " + rest).get(), system.get(), "frames decide");
  check_equal(tensors_of("cudaupload ! " + rest + " ! other/tensors(memory:CUDAMemory)").get(), system.get(),
              "tensors decide");
  fail_if(in_device_memory(tensors_of("cudaupload ! " + rest + " ! other/tensors").get()));
  fail_if(in_device_memory(tensors_of("cudaupload ! " + cuda + " ! " + download + " ! " + rest).get()));

  // Nobody decides: what stands in the line does.
  const std::string sampler = "uniformsampler total-frames=20 sequence-length=8 ! ",
                    process = "patchenergy ! patchselect k-keep=64";
  for (const std::string &uploads : {"cudaupload ! " + sampler, sampler + "cudaupload ! ",
                                     "cudaupload ! queue ! " + sampler + "queue ! ", sampler + "cudaupload ! tee ! "}) {
    const auto tensors = tensors_of(uploads + process);
    fail_unless(in_device_memory(tensors.get()), "%s", uploads.c_str());
    check_equal(tensors.get(), system.get(), uploads.c_str());
  }
  for (const std::string &downloads : {"cudaupload ! " + cuda + " ! cudadownload ! " + sampler,
                                       sampler + "cudaupload ! " + cuda + " ! cudadownload ! ",
                                       "cudaupload ! " + cuda + " ! cudadownload ! queue ! " + sampler + "queue ! "})
    fail_if(in_device_memory(tensors_of(downloads + process).get()), "%s", downloads.c_str());
}
GST_END_TEST;

static Suite *neighbours_suite() {
  Suite *suite = suite_create("cuda neighbours");
  TCase *tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_set_timeout(tests, 4 * kWatchdogSeconds);
  tcase_add_test(tests, test_downstream_decides);
  tcase_add_test(tests, test_copies_are_preferred);
  tcase_add_test(tests, test_no_pools_of_ours);
  tcase_add_test(tests, test_contexts);
  tcase_add_test(tests, test_synchronisations);
  tcase_add_test(tests, test_sampler);
  tcase_add_test(tests, test_sampler_and_contexts);
  tcase_add_test(tests, test_sink);
  tcase_add_test(tests, test_render);
  tcase_add_test(tests, test_pipelines);
  return suite;
}

int main(int argc, char **argv) {
  return run_cuda_tests(argc, argv, neighbours_suite, "cuda-neighbours");
}
