// SPDX-License-Identifier: LGPL-2.1-or-later
// stall-timeout and timeout of the bins: sources that give nothing, or too little, and those that only seem to.
#include "tests/pipelines/bins.h"

#include <gst/base/gstpushsrc.h>

#include <gio/gio.h>

namespace {

using namespace pipes;

// Bytes that come in pieces, each after a while, and then nothing, until nobody waits any more.
struct SlowStream {
  GInputStream parent;
  std::string *bytes;
  size_t position, piece;
  gulong delay; // in µs, of each piece
  size_t ends;  // nothing comes behind this
};
struct SlowStreamClass {
  GInputStreamClass parent_class;
};
GType slow_stream_get_type();
G_DEFINE_TYPE(SlowStream, slow_stream, G_TYPE_INPUT_STREAM)

void slow_stream_init(SlowStream *) {}

gssize slow_stream_read(GInputStream *stream, void *out, gsize count, GCancellable *cancellable, GError **error) {
  auto *self = reinterpret_cast<SlowStream *>(stream);
  while (self->position >= self->ends) {
    if (g_cancellable_set_error_if_cancelled(cancellable, error))
      return -1;
    g_usleep(1000);
  }
  g_usleep(self->delay);
  const size_t size = std::min({count, self->piece, self->ends - self->position});
  const size_t taken = self->bytes->copy(static_cast<char *>(out), size, self->position);
  self->position += taken;
  return static_cast<gssize>(taken);
}

void slow_stream_class_init(SlowStreamClass *klass) {
  G_INPUT_STREAM_CLASS(klass)->read_fn = slow_stream_read;
}

// A source element that is live, and has nothing. For the URI "cps-live:".
struct LiveSource {
  GstPushSrc parent;
  gint flushing; // atomic
};
struct LiveSourceClass {
  GstPushSrcClass parent_class;
};
GType live_source_get_type();

GstURIType live_source_type(GType) {
  return GST_URI_SRC;
}
const gchar *const *live_source_protocols(GType) {
  static const gchar *const protocols[] = {"cps-live", nullptr};
  return protocols;
}
gchar *live_source_uri(GstURIHandler *) {
  return g_strdup("cps-live:");
}
gboolean live_source_set_uri(GstURIHandler *, const gchar *, GError **) {
  return TRUE;
}
void live_source_handler_init(gpointer interface, gpointer) {
  auto *handler = static_cast<GstURIHandlerInterface *>(interface);
  handler->get_type = live_source_type;
  handler->get_protocols = live_source_protocols;
  handler->get_uri = live_source_uri;
  handler->set_uri = live_source_set_uri;
}
G_DEFINE_TYPE_WITH_CODE(LiveSource, live_source, GST_TYPE_PUSH_SRC,
                        G_IMPLEMENT_INTERFACE(GST_TYPE_URI_HANDLER, live_source_handler_init))

void live_source_init(LiveSource *self) {
  gst_base_src_set_live(GST_BASE_SRC(self), TRUE);
}

GstFlowReturn live_source_create(GstPushSrc *source, GstBuffer **) {
  auto *self = reinterpret_cast<LiveSource *>(source);
  while (!g_atomic_int_get(&self->flushing))
    g_usleep(1000);
  return GST_FLOW_FLUSHING;
}

gboolean live_source_unlock(GstBaseSrc *source) {
  g_atomic_int_set(&reinterpret_cast<LiveSource *>(source)->flushing, TRUE);
  return TRUE;
}

void live_source_class_init(LiveSourceClass *klass) {
  static GstStaticPadTemplate any = GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
  gst_element_class_add_static_pad_template(GST_ELEMENT_CLASS(klass), &any);
  gst_element_class_set_static_metadata(GST_ELEMENT_CLASS(klass), "Live source", "Source", "Has nothing",
                                        "The codecpatch developers");
  GST_BASE_SRC_CLASS(klass)->unlock = live_source_unlock;
  GST_PUSH_SRC_CLASS(klass)->create = live_source_create;
}

// A clip that begins to play before all of it is there, unless the header is at its end.
std::string clip_bytes(const char *muxer = "mp4mux faststart=true") {
  const TempDir folder;
  encode(folder.file("clip.mp4"), kH264B, muxer, 60);
  return read_file(folder.file("clip.mp4"));
}

constexpr const char *kOptions = "total-frames=60 ";

Outcome run_slow(const std::string &line_text, std::string &bytes, size_t piece, gulong delay, size_t ends) {
  Line line(line_text);
  const cps::Owned<GInputStream> owned(G_INPUT_STREAM(g_object_new(slow_stream_get_type(), nullptr)));
  auto *stream = reinterpret_cast<SlowStream *>(owned.get());
  stream->bytes = &bytes;
  stream->piece = piece;
  stream->delay = delay;
  stream->ends = ends;
  g_object_set(line.get("bin").get(), "stream", stream, nullptr);
  return line.run();
}

void check_late(const Outcome &outcome, const char *text) {
  fail_unless(outcome.domain == GST_RESOURCE_ERROR && outcome.code == GST_RESOURCE_ERROR_READ, "%s",
              outcome.error.c_str());
  fail_unless(outcome.error == text, "%s", outcome.error.c_str());
}

// No error comes while that time passes.
void check_silence(Line &line, GstClockTime time) {
  const Owned<GstBus> bus(gst_element_get_bus(line.pipeline()));
  const Owned<GstMessage> message(gst_bus_timed_pop_filtered(bus.get(), time, GST_MESSAGE_ERROR));
  fail_if(message != nullptr);
}

} // namespace

// Before anything has come, while it is still being found out what it is, and in the midst of the pictures.
GST_START_TEST(test_silence) {
  std::string bytes = clip_bytes();
  for (const size_t ends : {size_t{0}, size_t{100}, bytes.size() / 2})
    for (const bool patches : {true, false}) {
      const std::string options = std::string(kOptions) + "stall-timeout=0.4";
      const std::string line = patches ? patches_of("", options) : frames_of("", options);
      check_late(run_slow(line, bytes, 4096, 0, ends),
                 "Nothing has come from the source for 0.4 seconds; stall-timeout sets how long to wait.");
    }
}
GST_END_TEST;

// The header comes last, after far more than the limit in all.
GST_START_TEST(test_slow_source) {
  std::string bytes = clip_bytes("mp4mux");
  const Outcome outcome = run_slow(patches_of("", std::string(kOptions) + "stall-timeout=2"), bytes, bytes.size() / 30,
                                   100000, bytes.size() + 1);
  // Read at once, and in order: what lies before the header cannot be gone back to.
  fail_unless(outcome.error.find("stall-timeout") == std::string::npos, "%s", outcome.error.c_str());
}
GST_END_TEST;

GST_START_TEST(test_trickle) {
  std::string bytes = clip_bytes();
  check_late(
      run_slow(patches_of("", std::string(kOptions) + "timeout=0.5 stall-timeout=5"), bytes, 16, 20000, bytes.size()),
      "Nothing has come of the video within 0.5 seconds; timeout sets how long that may take.");
}
GST_END_TEST;

// Whoever takes the frames takes longer than the limits for each.
GST_START_TEST(test_slow_consumer) {
  const TempDir folder;
  const std::string path = folder.file("clip.mp4");
  encode(path, kH264B, "mp4mux", 60);
  const std::string options = "sequence-length=3 stall-timeout=2 timeout=2";
  const Outcome outcome =
      run(bin_of("uniformdecodebin", path, options) + " ! identity sleep-time=3000000 ! fakesink sync=false");
  fail_unless(outcome.eos, "%s", outcome.error.c_str());
}
GST_END_TEST;

// Nothing is waited for in PAUSED, and behind the end.
GST_START_TEST(test_at_rest) {
  const TempDir folder;
  const std::string path = folder.file("clip.mp4");
  encode(path, kH264B, "mp4mux", 60);
  Line line(frames_of(path, "stall-timeout=2 timeout=2"));
  line.reach(GST_STATE_PAUSED);
  check_silence(line, 4 * GST_SECOND);
  line.reach(GST_STATE_PLAYING);
  fail_unless(line.finish().eos);
  check_silence(line, 4 * GST_SECOND);
}
GST_END_TEST;

// There is no saying when a live source has something; but how long to wait can be asked for.
GST_START_TEST(test_live_source) {
  gst_element_register(nullptr, "cpslivesrc", GST_RANK_PRIMARY, live_source_get_type());
  Line line("patchstreambin name=bin uri=cps-live: allow-uri-schemes=cps-live stall-timeout=0.2 ! tensormetasink");
  line.reach(GST_STATE_PLAYING);
  check_silence(line, GST_SECOND);

  Line limited("patchstreambin name=bin uri=cps-live: allow-uri-schemes=cps-live timeout=0.2 ! tensormetasink");
  limited.reach(GST_STATE_PAUSED);
  check_silence(limited, GST_SECOND);
  limited.reach(GST_STATE_PLAYING);
  fail_unless(limited.finish().error.find("timeout sets") != std::string::npos);
}
GST_END_TEST;

// A second stream of the same bin has all of its time.
GST_START_TEST(test_used_again) {
  const TempDir folder;
  const std::string path = folder.file("clip.mp4");
  encode(path, kH264B, "mp4mux", 60);
  Line line(patches_of(path, "stall-timeout=20 timeout=20"));
  for (int round = 0; round < 3; round++) {
    line.run().only_clip();
    line.reach(GST_STATE_READY);
    line.forget_messages();
  }
}
GST_END_TEST;

static Suite *time_limits_suite() {
  Suite *suite = suite_create("timelimits");
  TCase *tests = make_tests(suite);
  tcase_add_test(tests, test_silence);
  tcase_add_test(tests, test_slow_source);
  tcase_add_test(tests, test_trickle);
  tcase_add_test(tests, test_slow_consumer);
  tcase_add_test(tests, test_at_rest);
  tcase_add_test(tests, test_live_source);
  tcase_add_test(tests, test_used_again);
  return suite;
}

GST_CHECK_MAIN(time_limits)
