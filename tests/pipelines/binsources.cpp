// SPDX-License-Identifier: LGPL-2.1-or-later
// What uniformdecodebin and patchstreambin read, and the one clear error where they cannot.
#include "tests/pipelines/bins.h"

#include "tests/common/text.h"
#include "tests/common/watchdog.h"

#include <gio/gio.h>

namespace {

using namespace pipes;

constexpr int kFrames = 30;

// Bytes that can be read once, as those of a pipe.
struct OnceStream {
  GInputStream parent;
  std::string *bytes;
  size_t position;
};
struct OnceStreamClass {
  GInputStreamClass parent_class;
};
GType once_stream_get_type();
G_DEFINE_TYPE(OnceStream, once_stream, G_TYPE_INPUT_STREAM)

void once_stream_init(OnceStream *) {}

void once_stream_class_init(OnceStreamClass *klass) {
  G_INPUT_STREAM_CLASS(klass)->read_fn = [](GInputStream *stream, void *out, gsize count, GCancellable *, GError **) {
    auto *self = reinterpret_cast<OnceStream *>(stream);
    const size_t taken = self->bytes->copy(static_cast<char *>(out), count, self->position);
    self->position += taken;
    return static_cast<gssize>(taken);
  };
}

using Stream = cps::Owned<GInputStream>;

// Reads `bytes`, which have to stay.
Stream once(std::string &bytes) {
  auto *stream = static_cast<OnceStream *>(g_object_new(once_stream_get_type(), nullptr));
  stream->bytes = &bytes;
  return Stream(&stream->parent);
}

Stream in_memory(const std::string &bytes) {
  return Stream(g_memory_input_stream_new_from_data(bytes.data(), static_cast<gssize>(bytes.size()), nullptr));
}

// A file of each kind that is wrong, and one that is not.
class Files {
public:
  Files() : good_(folder_.file("clip.mp4")) { encode(good_, kH264B, "mp4mux", kFrames); }

  const std::string &good() const { return good_; }
  std::string file(const char *name) const { return folder_.file(name); }
  std::string written(const char *name, const std::string &bytes) const {
    write_file(file(name), bytes);
    return file(name);
  }

private:
  TempDir folder_;
  std::string good_;
};

// The first error; and afterwards the same bin reads `good`, from READY as from NULL.
Outcome check_failure(const std::string &uri, const std::string &good, const std::string &options = "") {
  Outcome failure;
  for (const GstState rest : {GST_STATE_READY, GST_STATE_NULL}) {
    Line line(patches_of("", options));
    const Owned<GstElement> bin = line.get("bin");
    const size_t children = children_of(bin.get()).size();
    Watchdog watchdog(line.pipeline(), uri);
    if (!uri.empty())
      set_text(bin.get(), "uri", uri);
    failure = line.run();
    fail_unless(failure.failed() && failure.clips.empty(), "%s: no error", uri.c_str());
    g_print("%s: %s\n", failure.element.c_str(), failure.error.c_str());
    watchdog.note("stop");
    line.reach(rest);
    assert_equals_uint64(children_of(bin.get()).size(), children);
    line.forget_messages();
    watchdog.note("another");
    set_text(bin.get(), "uri", uri_of(good));
    g_object_set(bin.get(), "video-track", -1, nullptr);
    line.run().only_clip();
  }
  return failure;
}

void check(const Outcome &failure, GQuark domain, int code, std::initializer_list<const char *> words) {
  fail_unless(failure.domain == domain && failure.code == code, "%s %d: %s", g_quark_to_string(failure.domain),
              failure.code, failure.error.c_str());
  for (const char *word : words)
    fail_unless(failure.error.find(word) != std::string::npos, "\"%s\" does not say \"%s\"", failure.error.c_str(),
                word);
}

// Takes away all elements that decode these caps.
void remove_decoders(const char *media) {
  if (const Owned<GstPlugin> libav{gst_plugin_load_by_name("libav")}; !libav) // which would bring them back
    g_print("no plugin libav\n");
  const Owned<GstCaps> caps(gst_caps_new_empty_simple(media));
  GList *all = gst_element_factory_list_get_elements(GST_ELEMENT_FACTORY_TYPE_DECODER, GST_RANK_NONE);
  for (const GList *item = all; item; item = item->next)
    if (gst_element_factory_can_sink_any_caps(GST_ELEMENT_FACTORY(item->data), caps.get()))
      gst_registry_remove_feature(gst_registry_get(), GST_PLUGIN_FEATURE(item->data));
  gst_plugin_feature_list_free(all);
}

} // namespace

GST_START_TEST(test_no_source) {
  const Files files;
  check(check_failure("", files.good()), GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND, {"uri"});
  check(check_failure("clip.mp4", files.good()), GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND,
        {"clip.mp4", "file:///"});
  check(check_failure("nosuchscheme://clip.mp4", files.good()), GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND,
        {"nosuchscheme"});
  check(check_failure(uri_of(files.file("missing.mp4")), files.good()), GST_RESOURCE_ERROR,
        GST_RESOURCE_ERROR_NOT_FOUND, {});
  check(check_failure(uri_of(files.written("x", "").substr(0, files.file("").size() - 1)), files.good()),
        GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ, {"directory"});
}
GST_END_TEST;

GST_START_TEST(test_uris) {
  const Files files;
  const struct {
    const char *uri;
    std::initializer_list<const char *> words;
  } rows[] = {
      {"udp://127.0.0.1:5004", {"udp", "allow-uri-schemes"}},
      {"testbin://video", {"testbin", "allow-uri-schemes"}},
      {"pushfile:///clip.mp4", {"pushfile", "allow-uri-schemes"}},
      {"fd://0", {"fd", "allow-uri-schemes"}},
      {"imagesequence:///x-%d.png", {"imagesequence", "allow-uri-schemes"}},
      {"splitmux:///x*.mp4", {"splitmux", "allow-uri-schemes"}},
      {"file://elsewhere/clip.mp4", {"elsewhere", "file:///"}},
      {"FILE://elsewhere/clip.mp4", {"elsewhere", "file:///"}},
      {"ftp://me:secret@elsewhere/clip.mp4", {"ftp://***@elsewhere/clip.mp4", "allow-uri-schemes"}},
  };
  for (const auto &row : rows) {
    const Outcome failure = check_failure(row.uri, files.good());
    check(failure, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND, row.words);
    fail_unless(failure.error.find("secret") == std::string::npos, "%s", failure.error.c_str());
  }
}
GST_END_TEST;

// A list of one, of another, of none.
GST_START_TEST(test_allowed_schemes) {
  const Files files;
  for (const auto &[list, reads] : {std::pair{"file", true}, std::pair{"https, FILE", true}, std::pair{"*", true},
                                    std::pair{"https", false}, std::pair{"", false}}) {
    Line line(patches_of(files.good()));
    set_text(line.get("bin").get(), "allow-uri-schemes", list);
    fail_unless(line.run().eos == reads, "%s", list);
  }
}
GST_END_TEST;

// An application can install what is missing.
GST_START_TEST(test_missing_plugin) {
  Line line(patches_of(""));
  const Owned<GstElement> bin = line.get("bin");
  const Owned<GstBus> bus(gst_element_get_bus(line.pipeline()));
  set_text(bin.get(), "uri", "nosuchscheme://clip.mp4");
  set_text(bin.get(), "allow-uri-schemes", "*");
  line.start();
  GstMessage *message = gst_bus_pop_filtered(bus.get(), GST_MESSAGE_ELEMENT);
  fail_unless(message && gst_message_has_name(message, "missing-plugin"));
  fail_unless_equals_string(gst_structure_get_string(gst_message_get_structure(message), "type"), "urisource");
  gst_message_unref(message);
}
GST_END_TEST;

GST_START_TEST(test_no_video) {
  const Files files;
  const GQuark domain = GST_STREAM_ERROR;
  std::string text;
  for (int i = 0; i < 500; i++)
    text += "Not a video, but a text.\n";
  check(check_failure(uri_of(files.written("empty.mp4", "")), files.good()), domain, GST_STREAM_ERROR_TYPE_NOT_FOUND,
        {});
  check(check_failure(uri_of(files.written("text.mp4", text)), files.good()), domain, GST_STREAM_ERROR_WRONG_TYPE,
        {"text"});
  const std::string whole = read_file(files.good());
  check(check_failure(uri_of(files.written("cut.mp4", whole.substr(0, whole.find("moov") - 4))), files.good()), domain,
        GST_STREAM_ERROR_DEMUX, {});
  if (!have_elements({"avenc_aac"}))
    return;
  for (const char *muxer : {"mp4mux", "matroskamux", "mpegtsmux"}) {
    run("audiotestsrc num-buffers=50 ! avenc_aac ! aacparse ! " + std::string(muxer) +
        " ! filesink location=" + files.file("sound"));
    check(check_failure(uri_of(files.file("sound")), files.good()), domain, GST_STREAM_ERROR_WRONG_TYPE,
          {"no video", "AAC"});
  }
  run("audiotestsrc num-buffers=50 ! avenc_aac ! aacparse ! audio/mpeg,stream-format=adts ! filesink location=" +
      files.file("sound"));
  check(check_failure(uri_of(files.file("sound")), files.good()), domain, GST_STREAM_ERROR_WRONG_TYPE,
        {"no video", "AAC"});
}
GST_END_TEST;

GST_START_TEST(test_no_such_track) {
  const Files files;
  check(check_failure(uri_of(files.good()), files.good(), "video-track=1"), GST_RESOURCE_ERROR,
        GST_RESOURCE_ERROR_SETTINGS, {"video-track is 1", "0"});
}
GST_END_TEST;

GST_START_TEST(test_no_decoder) {
  const Files files;
  const std::string path = files.file("clip.h264");
  encode(path, kH264, "", kFrames);
  const std::string other = files.file("other.avi");
  write_frames("appsrc name=in ! jpegenc ! avimux ! filesink location=" + other, kFrames);
  remove_decoders("video/x-h264");
  for (const std::string &missing : {path, files.good()})
    check(check_failure(uri_of(missing), other), GST_STREAM_ERROR, GST_STREAM_ERROR_CODEC_NOT_FOUND,
          {"decoder", "H.264"});
}
GST_END_TEST;

// Without a planner's exact word, but with all frames: the source cannot be read twice.
GST_START_TEST(test_streams) {
  const TempDir folder;
  const std::string path = folder.file("clip.avi"); // its demuxer knows the duration without the source's size
  encode(path, kH264, "avimux", kFrames);
  std::string bytes = read_file(path);
  const Outcome of_file = run(patches_of(path));
  const Tensors &expected = of_file.only_clip();

  Line seekable(patches_of(""));
  const Owned<GstElement> bin = seekable.get("bin");
  g_object_set(bin.get(), "stream", in_memory(bytes).get(), nullptr);
  for (int round = 0; round < 3; round++) { // from its beginning again
    const Outcome outcome = seekable.run();
    fail_unless(outcome.only_clip().pixels == expected.pixels && outcome.warnings.empty(), "round %d", round);
    seekable.reach(round == 0 ? GST_STATE_READY : GST_STATE_NULL);
    seekable.forget_messages();
  }

  Line streaming(patches_of(""));
  const Owned<GstElement> other = streaming.get("bin");
  g_object_set(other.get(), "stream", once(bytes).get(), nullptr);
  const Outcome outcome = streaming.run();
  fail_unless(outcome.warned_of("cannot be indexed") && outcome.warned_of("estimate"));
  fail_unless(outcome.only_clip().frame_ids() == expected.frame_ids());
}
GST_END_TEST;

// `stream` goes before `uri`; NULL takes it back, and the bin keeps it no longer than that.
GST_START_TEST(test_stream_and_uri) {
  const Files files;
  const std::string path = files.file("long.mp4");
  encode(path, kH264B, "mp4mux", 2 * kFrames);
  const std::string bytes = read_file(path);
  const Stream stream = in_memory(bytes);
  Line line(patches_of(files.good()));
  const Owned<GstElement> bin = line.get("bin");
  const auto total = [&] {
    gst_util_set_object_arg(G_OBJECT(bin.get()), "frame-ids", "<0>");
    const Outcome outcome = line.run();
    gint64 duration = 0;
    gst_element_query_duration(line.pipeline(), GST_FORMAT_TIME, &duration);
    outcome.only_clip();
    line.reach(GST_STATE_READY);
    line.forget_messages(); // they keep who posted them
    return static_cast<int>((duration + GST_SECOND / kClipRate / 2) / (GST_SECOND / kClipRate));
  };
  assert_equals_int(total(), kFrames);
  g_object_set(bin.get(), "stream", stream.get(), nullptr);
  GInputStream *read = nullptr;
  g_object_get(bin.get(), "stream", &read, nullptr);
  fail_unless(read == stream.get());
  g_object_unref(read);
  assert_equals_int(total(), 2 * kFrames);
  g_object_set(bin.get(), "stream", nullptr, nullptr);
  assert_equals_int(G_OBJECT(stream.get())->ref_count, 1);
  assert_equals_int(total(), kFrames);
}
GST_END_TEST;

// auto is the CPU then, and gpu an error that says what is missing.
GST_START_TEST(test_no_gpu) {
  const Files files;
  const std::string rest = " uri=" + uri_of(files.good()) + " ! tensormetasink name=sink";
  Line line("patchstreambin name=bin k-keep=9" + rest);
  line.run().only_clip();
  const Owned<GstElement> bin = line.get("bin");
  if (text_property(bin.get(), "resolved-process-backend") == "gpu") {
    g_print("skipped: there is a GPU\n");
    return;
  }
  assert_text(text_property(bin.get(), "resolved-decode-backend"), "cpu");
  assert_text(text_property(bin.get(), "resolved-process-backend"), "cpu");
  for (const char *stage : {"decode", "process"}) {
    const Outcome outcome = run("patchstreambin decode-backend=cpu " + std::string(stage) + "-backend=gpu" + rest);
    g_print("%s\n", outcome.error.c_str());
    check(outcome, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT, {stage, "-backend=gpu is not available", "CUDA"});
  }
}
GST_END_TEST;

static Suite *binsources_suite() {
  Suite *suite = suite_create("pipelines-binsources");
  TCase *tests = make_tests(suite);
  tcase_add_test(tests, test_no_source);
  tcase_add_test(tests, test_uris);
  tcase_add_test(tests, test_allowed_schemes);
  tcase_add_test(tests, test_missing_plugin);
  tcase_add_test(tests, test_no_video);
  tcase_add_test(tests, test_no_such_track);
  tcase_add_test(tests, test_no_decoder);
  tcase_add_test(tests, test_streams);
  tcase_add_test(tests, test_stream_and_uri);
  tcase_add_test(tests, test_no_gpu);
  return suite;
}

GST_CHECK_MAIN(binsources)
