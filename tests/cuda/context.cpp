// SPDX-License-Identifier: LGPL-2.1-or-later
// Which context elements work in.
#include "gst/cuda/context.h"

#include "tests/cuda/common.h"

#include <algorithm>
#include <thread>

using namespace test;
using cps::Owned;
using cps::cuda::ElementContext;
using cps::cuda::Error;

// An element that does nothing but have a context.
struct TestUser {
  GstElement parent;
  ElementContext *context;
  int queries; // for a context
};
struct TestUserClass {
  GstElementClass parent_class;
};
static GType test_user_get_type();
G_DEFINE_TYPE(TestUser, test_user, GST_TYPE_ELEMENT)

static void test_user_set_context(GstElement *element, GstContext *context) {
  reinterpret_cast<TestUser *>(element)->context->set_context(element, context);
  GST_ELEMENT_CLASS(test_user_parent_class)->set_context(element, context);
}

static gboolean test_user_query(GstPad *pad, GstObject *parent, GstQuery *query) {
  auto *self = reinterpret_cast<TestUser *>(parent);
  self->queries += GST_QUERY_TYPE(query) == GST_QUERY_CONTEXT;
  return self->context->answer(&self->parent, query) || gst_pad_query_default(pad, parent, query);
}

static void test_user_init(TestUser *self) {
  self->context = std::make_unique<ElementContext>().release();
  for (GstPad *pad : {gst_pad_new("sink", GST_PAD_SINK), gst_pad_new("src", GST_PAD_SRC)}) {
    gst_pad_set_query_function(pad, test_user_query);
    gst_element_add_pad(&self->parent, pad);
  }
}

static void test_user_class_init(TestUserClass *klass) {
  GST_ELEMENT_CLASS(klass)->set_context = test_user_set_context;
  G_OBJECT_CLASS(klass)->finalize = [](GObject *object) {
    const std::unique_ptr<ElementContext> owned(reinterpret_cast<TestUser *>(object)->context);
    G_OBJECT_CLASS(test_user_parent_class)->finalize(object);
  };
}

namespace {

// upstream ! downstream in a pipeline.
class Line {
public:
  Line() {
    gst_bin_add_many(GST_BIN(pipeline.get()), &upstream->parent, &downstream->parent, nullptr);
    fail_unless(gst_element_link(&upstream->parent, &downstream->parent));
  }

  Owned<GstPipeline> pipeline{GST_PIPELINE(gst_object_ref_sink(gst_pipeline_new(nullptr)))};
  TestUser *upstream = static_cast<TestUser *>(g_object_new(test_user_get_type(), nullptr));
  TestUser *downstream = static_cast<TestUser *>(g_object_new(test_user_get_type(), nullptr));

  std::string messages() const { // "need" and "have", in order
    std::string all;
    const Owned<GstBus> bus(gst_pipeline_get_bus(pipeline.get()));
    while (GstMessage *message = gst_bus_pop(bus.get())) {
      all += GST_MESSAGE_TYPE(message) == GST_MESSAGE_NEED_CONTEXT   ? "need "
             : GST_MESSAGE_TYPE(message) == GST_MESSAGE_HAVE_CONTEXT ? "have "
                                                                     : "";
      gst_message_unref(message);
    }
    return all;
  }
};

Owned<GstCudaContext> ensure(TestUser *user) {
  Error error;
  Owned<GstCudaContext> context = user->context->ensure(&user->parent, error);
  fail_unless(context != nullptr, "%s", error.text.c_str());
  return context;
}

Owned<GstCudaContext> primary() {
  Error error;
  Owned<GstCudaContext> context = cps::cuda::primary_context(0, error);
  fail_unless(context != nullptr, "%s", error.text.c_str());
  return context;
}

void give(GstElement *element, GstCudaContext *context) {
  GstContext *given = gst_context_new_cuda_context(context);
  gst_element_set_context(element, given);
  gst_context_unref(given);
}

} // namespace

GST_START_TEST(test_primary_contexts) {
  const Owned<GstCudaContext> one = primary(), two = primary();
  fail_unless(one && one == two);
  CUcontext handle = nullptr;
  CUdevice device = 0;
  fail_unless_equals_int(CuDeviceGet(&device, 0), CUDA_SUCCESS);
  fail_unless_equals_int(cps::cuda::driver()->primary_context_retain(&handle, device), CUDA_SUCCESS);
  fail_unless(gst_cuda_context_get_handle(one.get()) == handle);
  for (const int id : {-1, 99}) {
    Error error;
    fail_if(cps::cuda::primary_context(id, error) != nullptr);
    check_text(error.text, "cuda-device-id is ");
    check_text(error.text, "GPU");
  }
}
GST_END_TEST;

GST_START_TEST(test_primary_by_default) {
  const Line line;
  fail_unless(ensure(line.upstream) == primary());
  check_equal(line.messages(), "need have ");
  fail_unless_equals_int(line.downstream->queries, 0);
  fail_unless(ensure(line.downstream) == primary());
}
GST_END_TEST;

GST_START_TEST(test_at_the_same_time) {
  const Line line;
  Owned<GstCudaContext> one, two;
  std::thread other([&] { two = ensure(line.upstream); });
  one = ensure(line.downstream);
  other.join();
  fail_unless(one && one == two);
}
GST_END_TEST;

// An application's context, set before or when it is asked for.
GST_START_TEST(test_from_the_application) {
  const Owned<GstCudaContext> own = new_context();
  {
    const Line line;
    give(GST_ELEMENT(line.pipeline.get()), own.get());
    fail_unless(ensure(line.upstream) == own && ensure(line.downstream) == own);
    check_equal(line.messages(), "");
    line.upstream->context->release();
    fail_unless(line.upstream->context->current() == nullptr);
    fail_unless(ensure(line.upstream) == own); // after a restart too
  }
  const Line line;
  const Owned<GstBus> bus(gst_pipeline_get_bus(line.pipeline.get()));
  gst_bus_set_sync_handler(
      bus.get(),
      [](GstBus *, GstMessage *message, gpointer context) {
        if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_NEED_CONTEXT)
          give(GST_ELEMENT(GST_MESSAGE_SRC(message)), GST_CUDA_CONTEXT(context));
        return GST_BUS_PASS;
      },
      own.get(), nullptr);
  fail_unless(ensure(line.upstream) == own && ensure(line.downstream) == own);
  gst_bus_set_sync_handler(bus.get(), nullptr, nullptr, nullptr);
}
GST_END_TEST;

GST_START_TEST(test_device_missing) {
  const Line line;
  line.upstream->context->set_device_id(99);
  const Owned<GstCudaContext> own = new_context();
  give(GST_ELEMENT(line.pipeline.get()), own.get()); // of a device that was not asked for
  Error error;
  fail_if(line.upstream->context->ensure(&line.upstream->parent, error) != nullptr);
  check_text(error.text, "cuda-device-id is 99, but there ");
  line.upstream->context->set_device_id(0);
  fail_unless(ensure(line.upstream) == own);
}
GST_END_TEST;

GST_START_TEST(test_context_of_frames) {
  const Line line;
  ElementContext &context = *line.downstream->context;
  fail_unless(ensure(line.downstream) == primary());
  const Owned<GstCudaContext> own = new_context();
  Error error;
  fail_unless(context.adopt(own.get(), error));
  fail_unless(context.current() == own && ensure(line.downstream) == own);
  fail_unless(context.adopt(own.get(), error));
  context.set_device_id(0);
  fail_unless(context.current() == own);

  context.set_device_id(7);
  fail_unless(context.current() == nullptr);
  fail_if(context.adopt(own.get(), error));
  check_text(error.text, "cuda-device-id is 7, but the frames are on GPU 0");
}
GST_END_TEST;

GST_START_TEST(test_two_devices) {
  if (cps::cuda::driver()->devices < 2)
    return;
  const Line line;
  ElementContext &context = *line.upstream->context;
  context.set_device_id(1);
  const Owned<GstCudaContext> second = ensure(line.upstream);
  fail_unless_equals_int(cps::cuda::device_id_of(second.get()), 1);
  fail_unless(second != primary());

  Error error;
  fail_if(context.adopt(primary().get(), error));
  check_text(error.text, "cuda-device-id is 1, but the frames are on GPU 0");
  fail_unless(context.current() == second);
  context.set_device_id(-1);
  fail_unless(context.current() == second);
  fail_unless(context.adopt(primary().get(), error) && context.current() == primary());

  const auto device = new_device(second.get());
  gint id = -1;
  g_object_get(device->allocator(), "cuda-device-id", &id, nullptr);
  fail_unless_equals_int(id, 1);
}
GST_END_TEST;

// Queries that are not for a CUDA context are not ours.
GST_START_TEST(test_other_queries) {
  const Line line;
  GstPad *pad = GST_PAD(line.downstream->parent.sinkpads->data);
  const Owned<GstQuery> other(gst_query_new_context("gst.gl.GLDisplay")),
      duration(gst_query_new_duration(GST_FORMAT_TIME));
  fail_if(line.downstream->context->answer(&line.downstream->parent, other.get()));
  fail_if(line.downstream->context->answer(&line.downstream->parent, duration.get()));
  fail_unless(line.downstream->context->current() == nullptr);
  const Owned<GstQuery> ours(gst_query_new_context(GST_CUDA_CONTEXT_TYPE));
  fail_unless(gst_pad_query(pad, ours.get()));
  fail_unless(line.downstream->context->current() == primary());
}
GST_END_TEST;

static Suite *cuda_context_suite() {
  Suite *suite = suite_create("cuda-context");
  TCase *tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, test_primary_contexts);
  tcase_add_test(tests, test_primary_by_default);
  tcase_add_test(tests, test_at_the_same_time);
  tcase_add_test(tests, test_from_the_application);
  tcase_add_test(tests, test_device_missing);
  tcase_add_test(tests, test_context_of_frames);
  tcase_add_test(tests, test_two_devices);
  tcase_add_test(tests, test_other_queries);
  return suite;
}

int main(int argc, char **argv) {
  return run_cuda_tests(argc, argv, cuda_context_suite, "cuda-context");
}
