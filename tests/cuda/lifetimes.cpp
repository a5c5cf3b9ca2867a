// SPDX-License-Identifier: LGPL-2.1-or-later
// Pipelines that run for long, side by side, or into trouble: device memory comes back, and clips stay what they are.
#include "tests/common/watchdog.h"
#include "tests/cuda/pipelines.h"

using namespace test;
using cps::Owned;

namespace {

const std::string kLine = std::string(kUpload) + " ! patchenergy name=energy ! patchselect name=select input-size=56 "
                                                 "k-keep=20 ! tensormetasink name=sink";

bool have_cudaupload() {
  return pipes::have_elements({"cudaupload"});
}

guint length_of(guint clip) {
  return 2 + clip % 3;
}

// What the frames of clips come to in system memory.
class Expected {
public:
  explicit Expected(const std::string &line = kLine)
      : feed_(line.substr(line.find("patchenergy"))) { // without the upload
    feed_.start();
  }
  void check(const Clip &clip, guint number, const char *what) const {
    check_equal(clip, feed_.run(number, length_of(number)), std::string(what) + ", clip " + std::to_string(number));
  }

private:
  Feed feed_;
};

// Device memory that is in use: on the stand-in this process's to the byte, on a device that of all processes.
class DeviceMemory {
public:
  DeviceMemory() : context_(simulation() ? nullptr : new_context()) {
    gpointer symbol = nullptr;
    if (context_ && g_module_symbol(g_module_open("libcuda.so.1", G_MODULE_BIND_LAZY), "cuMemGetInfo_v2", &symbol))
      info_ = reinterpret_cast<decltype(info_)>(symbol);
    fail_unless(!context_ || info_ != nullptr);
  }

  size_t used() const {
    if (!context_)
      return simulation()->memory_in_use();
    size_t free = 0, total = 0;
    fail_unless(gst_cuda_context_push(context_.get()) && info_(&free, &total) == CUDA_SUCCESS);
    gst_cuda_context_pop(nullptr);
    return total - free;
  }

  // Has no more than before? A driver hands out whole pages of 2 MiB, and keeps some for launches: a few of them are
  // not ours. The leaks that tests look for come to more.
  void check(size_t before) const {
    const size_t now = used(), tolerance = context_ ? size_t{16} << 20 : 0;
    fail_unless(now <= before + tolerance, "%zu bytes of device memory in use, %zu before", now, before);
  }

private:
  Owned<GstCudaContext> context_;
  CUresult(CUDAAPI *info_)(size_t *free, size_t *total) = nullptr;
};

// What is in use and what has been allocated so far: nothing may come of a clip. Only the stand-in knows.
struct Account {
  size_t pinned = 0;
  unsigned allocations = 0;

  static Account now() {
    const Simulation *sim = simulation();
    return sim ? Account{sim->pinned_in_use(), sim->allocations()} : Account{};
  }
};

// Ends a pipeline as applications do.
void stop(const pipes::Line &line) {
  fail_unless(gst_element_set_state(line.pipeline(), GST_STATE_NULL) == GST_STATE_CHANGE_SUCCESS);
}

} // namespace

// A thousand clips, every one of them read and dropped. A leak of one row of a frame a clip would show on any device.
GST_START_TEST(test_many_clips) {
  if (!have_cudaupload())
    return;
  constexpr guint kClips = 1000, kWarm = 50, kKinds = 12; // all lengths, in all their orders
  std::vector<std::vector<float>> scores(kKinds);
  std::vector<std::vector<uint8_t>> pixels(kKinds);
  const int width = simulation() ? pipes::kClipWidth : 1280, height = simulation() ? pipes::kClipHeight : 720;
  const DeviceMemory memory;
  Feed feed(kLine, width, height);
  pipes::Watchdog watchdog(feed.pipeline(), "many clips");
  feed.start();
  size_t used = 0;
  Account account;
  for (guint clip = 0; clip < kClips; clip++) {
    if (clip == kWarm) {
      used = memory.used();
      account = Account::now();
    }
    watchdog.note(std::to_string(clip));
    const guint kind = clip % kKinds;
    const Clip tensors = feed.run(kind, length_of(kind));
    fail_unless(tensors.on_device());
    const pipes::Tensors values = pipes::read_tensors(tensors.sample.get());
    if (clip < kKinds) {
      scores[kind] = values.scores;
      pixels[kind] = values.pixels;
      if (simulation())
        Expected().check(tensors, kind, "many clips");
    }
    fail_unless(values.scores == scores[kind] && values.pixels == pixels[kind], "clip %u", clip);
  }
  memory.check(used);
  assert_equals_uint64(Account::now().pinned, account.pinned);
  assert_equals_int(Account::now().allocations, account.allocations); // none a frame, none a clip
  feed.end();
  fail_unless(feed.finish().eos);
}
GST_END_TEST;

// The same where clips wait in the sink, or for the application to drop them: memory for as many, and no more.
GST_START_TEST(test_clips_that_wait) {
  if (!have_cudaupload())
    return;
  const DeviceMemory memory;
  Feed feed(kLine);
  pipes::Watchdog watchdog(feed.pipeline(), "clips that wait");
  feed.start();
  size_t used = 0;
  Account account;
  for (guint round = 0; round < 20; round++) {
    if (round == 4) {
      used = memory.used();
      account = Account::now();
    }
    for (guint clip = 0; clip < 4; clip++)
      feed.push(clip, length_of(clip));
    std::vector<Clip> held; // all at once
    for (guint clip = 0; clip < 4; clip++)
      held.push_back(pull(feed));
    watchdog.note(std::to_string(round));
  }
  memory.check(used);
  assert_equals_int(Account::now().allocations, account.allocations);
  feed.end();
  fail_unless(feed.finish().eos);
}
GST_END_TEST;

// Clips of a file by seeking, each a flush of the whole line.
GST_START_TEST(test_seeks) {
  if (!have_cudaupload() || !pipes::have_elements({"x264enc", "mp4mux", "qtdemux", "avdec_h264"}))
    return;
  const test::TempDir folder;
  const std::string path = folder.file("clip.mp4");
  pipes::encode(path, pipes::kH264B, "mp4mux", 12);
  const DeviceMemory memory;
  pipes::Line line("filesrc location=" + path + " ! qtdemux ! h264parse ! frameplanner ! avdec_h264 ! uniformsampler " +
                   "sequence-length=4 ! " + kLine);
  pipes::Watchdog watchdog(line.pipeline(), "seeks");
  line.start();
  std::vector<uint8_t> first;
  size_t used = 0;
  Account account;
  for (int i = 0; i < 80; i++) {
    if (i == 20) {
      used = memory.used();
      account = Account::now();
    }
    {
      const Clip clip = pull(line);
      fail_unless(clip.on_device());
      const pipes::Tensors tensors = pipes::read_tensors(clip.sample.get());
      if (i == 0)
        first = tensors.pixels;
      fail_unless(tensors.pixels == first && tensors.clip->clip_index == static_cast<guint>(i), "clip %d", i);
    }
    watchdog.note(std::to_string(i));
    fail_unless(gst_element_seek_simple(line.pipeline(), GST_FORMAT_TIME,
                                        static_cast<GstSeekFlags>(GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE), 0));
  }
  memory.check(used);
  assert_equals_uint64(Account::now().pinned, account.pinned);
  g_print("%u allocations in 60 clips\n", Account::now().allocations - account.allocations);
}
GST_END_TEST;

GST_START_TEST(test_many_pipelines) {
  if (!have_cudaupload())
    return;
  const guint count = simulation() ? 200 : 60; // a real context takes its time
  const DeviceMemory memory;
  size_t used = 0;
  Account account;
  for (guint i = 0; i < count; i++) {
    if (i == 10) {
      used = memory.used();
      account = Account::now();
    }
    Feed feed(kLine);
    pipes::Watchdog watchdog(feed.pipeline(), "pipeline " + std::to_string(i));
    feed.start();
    const Clip clip = feed.run(i % 6, length_of(i % 6));
    fail_unless(clip.on_device());
    if (i % 2 == 0) // the others in the middle of the next clip
      feed.end();
    else
      feed.push(i, 2);
    stop(feed);
  }
  memory.check(used);
  assert_equals_uint64(Account::now().pinned, account.pinned);
}
GST_END_TEST;

// Two at work at once, each on streams of its own, in contexts of their own or in one.
GST_START_TEST(test_side_by_side) {
  if (!have_cudaupload())
    return;
  const std::string lines[] = {kLine, std::string(kUpload) + " ! patchenergy energy-pct=70 ! patchselect " +
                                          "input-size=84 k-keep=50 output-dtype=f32 ! tensormetasink name=sink"};
  const Expected expected[] = {Expected(lines[0]), Expected(lines[1])};
  const Owned<GstCudaContext> context = new_context();
  GstContext *shared = gst_context_new_cuda_context(context.get());
  for (unsigned round = 0; round < 20; round++) {
    if (const Simulation *sim = simulation())
      sim->set_schedule(round + 1);
    Feed feeds[] = {Feed(lines[0]), Feed(lines[1])};
    for (Feed &feed : feeds) {
      if (round % 2 == 1)
        gst_element_set_context(feed.pipeline(), shared);
      feed.start();
    }
    constexpr guint kClips = 3;
    for (guint clip = round; clip < round + kClips; clip++)
      for (const Feed &feed : feeds)
        feed.push(clip, length_of(clip));
    for (guint clip = round; clip < round + kClips; clip++)
      for (size_t i = 0; i < 2; i++) {
        const Clip tensors = pull(feeds[i]);
        fail_unless(tensors.on_device());
        expected[i].check(tensors, clip, "side by side");
      }
    for (Feed &feed : feeds) {
      feed.end();
      fail_unless(feed.finish().eos);
    }
  }
  if (const Simulation *sim = simulation())
    sim->set_schedule(1);
  gst_context_unref(shared);
}
GST_END_TEST;

// Trouble

namespace {

// Where a line is when something happens: a buffer that comes to the pad `sink` of an element.
struct Moment {
  const char *element;
  guint buffer;
};

// Who said what, in order, up to the end of stream. What came out stays where it is.
std::vector<std::string> errors_of(const pipes::Line &line) {
  const Owned<GstBus> bus(gst_element_get_bus(line.pipeline()));
  std::vector<std::string> errors;
  while (GstMessage *message =
             gst_bus_timed_pop_filtered(bus.get(), errors.empty() ? pipes::kPatience : GST_SECOND / 20,
                                        static_cast<GstMessageType>(GST_MESSAGE_ERROR | GST_MESSAGE_EOS))) {
    const Owned<GstElement> owner(GST_ELEMENT(gst_object_ref(GST_MESSAGE_SRC(message))));
    GError *error = nullptr;
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
      gst_message_parse_error(message, &error, nullptr);
      const GstElementFactory *factory = gst_element_get_factory(owner.get());
      errors.push_back(std::string(factory ? GST_OBJECT_NAME(factory) : "") + ": " + error->message);
      g_error_free(error);
    }
    gst_message_unref(message);
  }
  fail_if(errors.empty(), "no error");
  return errors;
}

// A pipeline to which something happens says so once, in a sentence, and stops. After it the next one works.
void check_trouble(const Moment &moment, const std::function<void()> &trouble, const std::function<void()> &repair,
                   const char *text) {
  const size_t used = simulation()->memory_in_use(), pinned = simulation()->pinned_in_use();
  {
    Feed feed(kLine);
    pipes::Watchdog watchdog(feed.pipeline(), std::string(moment.element) + " " + std::to_string(moment.buffer));
    guint buffers = 0;
    feed.on_buffer(moment.element, "sink", [&](GstPad *, GstBuffer *) {
      if (buffers++ == moment.buffer)
        trouble();
    });
    feed.start();
    feed.push(0, 4);
    feed.push(1, 4);
    feed.end();
    const std::vector<std::string> errors = errors_of(feed);
    fail_unless(errors[0].rfind("patch", 0) == 0 && contains(errors[0], text) && errors[0].back() == '.', "%s",
                errors[0].c_str());
    // Whoever drives the line may say what it was told. Ours say nothing more.
    for (size_t i = 1; i < errors.size(); i++)
      fail_unless(contains(errors[i], "appsrc: Internal data stream error"), "%s", errors[i].c_str());
    watchdog.note("stop");
    stop(feed);
  }
  repair();
  assert_equals_uint64(simulation()->memory_in_use(), used);
  assert_equals_uint64(simulation()->pinned_in_use(), pinned);
  Feed next(kLine);
  next.start();
  Expected().check(next.run(1, length_of(1)), 1, "after trouble");
}

} // namespace

GST_START_TEST(test_device_lost) {
  const Simulation *sim = simulation();
  if (!sim || !have_cudaupload())
    return;
  for (const Moment &moment : {Moment{"energy", 0}, Moment{"energy", 2}, Moment{"energy", 5}, Moment{"select", 0},
                               Moment{"select", 1}, Moment{"select", 3}, Moment{"select", 6}})
    check_trouble(
        moment, [sim] { sim->lose_device(1); }, [sim] { sim->lose_device(0); }, "The GPU failed");
}
GST_END_TEST;

// All that the second clip needs is there.
GST_START_TEST(test_out_of_memory) {
  const Simulation *sim = simulation();
  if (!sim || !have_cudaupload())
    return;
  for (const Moment &moment :
       {Moment{"energy", 0}, Moment{"select", 0}, Moment{"select", 2}, Moment{"select", 3}}) // that ends the clip
    check_trouble(
        moment, [sim] { sim->set_memory_limit(sim->memory_in_use()); },
        [sim] { sim->set_memory_limit(size_t{4} << 30); }, "memory");
}
GST_END_TEST;

// From the very beginning: cudaupload, which is GStreamer's, has none either.
GST_START_TEST(test_no_memory_at_all) {
  const Simulation *sim = simulation();
  if (!sim || !have_cudaupload())
    return;
  const size_t used = sim->memory_in_use();
  for (const size_t some : {size_t{0}, size_t{100000}}) {
    sim->set_memory_limit(used + some);
    {
      Feed feed(kLine);
      pipes::Watchdog watchdog(feed.pipeline(), "no memory");
      feed.start();
      feed.push(0, 4);
      feed.end();
      fail_unless(feed.finish().failed());
      stop(feed);
    }
    sim->set_memory_limit(size_t{4} << 30);
    assert_equals_uint64(sim->memory_in_use(), used);
  }
}
GST_END_TEST;

static Suite *lifetimes_suite() {
  Suite *suite = suite_create("cuda lifetimes");
  TCase *tests = pipes::make_tests(suite);
  tcase_add_test(tests, test_many_clips);
  tcase_add_test(tests, test_clips_that_wait);
  tcase_add_test(tests, test_seeks);
  tcase_add_test(tests, test_many_pipelines);
  tcase_add_test(tests, test_side_by_side);
  tcase_add_test(tests, test_device_lost);
  tcase_add_test(tests, test_out_of_memory);
  tcase_add_test(tests, test_no_memory_at_all);
  return suite;
}

int main(int argc, char **argv) {
  return run_cuda_tests(argc, argv, lifetimes_suite, "cuda-lifetimes", {"cudaupload", "cudadownload"});
}
