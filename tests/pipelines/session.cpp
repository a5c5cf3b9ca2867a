// SPDX-License-Identifier: LGPL-2.1-or-later
// Sessions: what they read, what they give, and what they say where that fails.
#include "tests/pipelines/sessions.h"

#include "gst/codecpatch/dlpackabi.h"
#include "tests/common/obstacles.h"
#include "tests/common/safetensors.h"
#include "tests/common/text.h"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <thread>

namespace {

using namespace pipes;

constexpr int kCount = 60;
// Only the first frame is a key frame, which is what an unseekable stream's counts as.
constexpr const char *kOneKeyFrame =
    "x264enc speed-preset=veryfast quantizer=20 pass=quant bframes=0 key-int-max=1000 option-string=scenecut=0";

// A clip in a folder of its own.
struct File {
  TempDir folder;
  std::string path;

  explicit File(const char *name = "clip.mp4", const char *encoder = kH264B, const char *muxer = "mp4mux")
      : path(folder.file(name)) {
    encode(path, encoder, muxer, kCount);
  }
  std::string uri() const { return Owned<gchar>(g_filename_to_uri(path.c_str(), nullptr, nullptr)).get(); }
};

// Of a session that is to fail, at open or at the first clip.
void check_failure(Session session, Failure &failure, int code, const std::string &text) {
  if (session) {
    const Clip clip(cps_session_next(session.get(), failure));
    fail_if(clip != nullptr, "a clip instead of \"%s\"", text.c_str());
    Failure again;
    fail_if(cps_session_next(session.get(), again) != nullptr);
    assert_text(again.text(), failure.text());
    fail_unless_equals_int(again.code(), failure.code());
  }
  fail_unless(failure.text().find(text) != std::string::npos, "\"%s\" instead of \"%s\"", failure.text().c_str(),
              text.c_str());
  fail_unless(failure.code() == code, "code %d: %s", failure.code(), failure.text().c_str());
}

void check_path_failure(const std::string &path, const OptionList &options, int code, const std::string &text) {
  Failure failure;
  Session session(cps_session_open_path(path.c_str(), options, failure));
  check_failure(std::move(session), failure, code, text);
}

void check_same_as_line(const std::string &line, const OptionList &options) {
  const File file;
  const std::string expected = file.folder.file("line.safetensors"), actual = file.folder.file("session.safetensors");
  fail_unless(run(line.substr(0, line.find(' ')) + " uri=" + file.uri() + line.substr(line.find(' ')) +
                  " ! tensormetasink location=" + expected)
                  .eos);
  const Session session = open_path(file.path, options);
  const Clip clip = next_clip(session);
  fail_unless(cps_buffer_save_safetensors(cps_tensors_get_buffer(clip.get()), actual.c_str(), nullptr));
  fail_unless(read_file(actual) == read_file(expected), "%s: other contents", line.c_str());

  const test::Safetensors written = test::read_safetensors(expected);
  fail_unless_equals_int(static_cast<int>(written.tensors.size()), static_cast<int>(cps_tensors_get_count(clip.get())));
  for (const auto &[name, tensor] : written.tensors)
    fail_unless(tensor.bytes == tensor_bytes(clip, name.c_str()));
  size_t entries = 0;
  cps_tensors_foreach_metadata(
      clip.get(), [](const gchar *, const gchar *, gpointer count) { ++*static_cast<size_t *>(count); }, &entries);
  fail_unless_equals_int(static_cast<int>(entries), static_cast<int>(written.metadata.size()));
  for (const auto &[key, value] : written.metadata)
    assert_text(metadata(clip, key.c_str()), value);
  check_end(session);
  check_end(session);
}

} // namespace

GST_START_TEST(test_patches_equal_line) {
  check_same_as_line("patchstreambin sequence-length=8 k-keep=100 output-dtype=f32 mean=<1.0,2.0,3.0>",
                     {"sequence-length", "8", "k_keep", "100", "output_dtype", "f32", "mean", "<1.0,2.0,3.0>"});
}
GST_END_TEST;

GST_START_TEST(test_frames_equal_line) {
  check_same_as_line("uniformdecodebin frame-ids=<0,10,20,10> ! framestack color-matrix=bt601",
                     {"frame_ids", "<0,10,20,10>", "color-matrix", "bt601", "output", "frames"});
}
GST_END_TEST;

GST_START_TEST(test_sources_agree) {
  const File file("clip.mp4", kOneKeyFrame, "mp4mux faststart=true");
  const OptionList options = {"sequence-length", "8", "k-keep", "50", "total-frames", "60"};
  const Clip clip = next_clip(open_path(file.path, options));
  const std::string expected = all_bytes(clip);
  assert_text(metadata(clip, "source"), file.path);
  Failure failure;

  const Session uri(cps_session_open_uri(file.uri().c_str(), options, failure));
  const Clip uri_clip = next_clip(uri);
  fail_unless(all_bytes(uri_clip) == expected);
  assert_text(metadata(uri_clip, "source"), file.path);

  const std::string bytes = read_file(file.path);
  int released = 0;
  Session memory(cps_session_open_bytes(
      bytes.data(), bytes.size(), [](gpointer count) { ++*static_cast<int *>(count); }, &released, "memory", options,
      failure));
  const Clip memory_clip = next_clip(memory);
  fail_unless(all_bytes(memory_clip) == expected);
  assert_text(metadata(memory_clip, "source"), "memory");
  fail_unless_equals_int(released, 0);
  memory.reset();
  fail_unless_equals_int(released, 1);

  for (const bool seeks : {true, false}) {
    Feed feed;
    feed.bytes = bytes;
    feed.seeks = seeks;
    if (seeks)
      feed.position = 1000; // left there by somebody else
    Session stream = feed.open(options, failure, seeks ? "seekable" : nullptr);
    const Clip stream_clip = next_clip(stream);
    fail_unless(all_bytes(stream_clip) == expected, "seeks: %d", seeks);
    assert_text(metadata(stream_clip, "source"), seeks ? "seekable" : "stream");
    check_end(stream);
    const Owned<gchar> warning(cps_session_pop_warning(stream.get()));
    fail_unless((warning != nullptr) == !seeks, "%s", warning.get());
    if (warning)
      fail_unless(g_str_has_prefix(warning.get(), "stream: "), "%s", warning.get());
    stream.reset();
    fail_unless_equals_int(feed.released, 1);
  }
}
GST_END_TEST;

// Paths are bytes. Relative ones and `..` mean what the system says, not what the text does.
GST_START_TEST(test_paths) {
  const File file;
  const std::string bytes = read_file(file.path);
  for (const char *name : {"a b", "100%41", "#x?y=1", "caf\xc3\xa9", "latin\xe9", "-", "a:b", "file:x"}) {
    const std::string path = file.folder.file(name);
    write_file(path, bytes);
    assert_text(metadata(next_clip(open_path(path, {"k-keep", "1"})), "source"), path);
  }
  const std::string inner = file.folder.file("inner");
  fail_unless(g_mkdir(inner.c_str(), 0700) == 0 && g_mkdir((inner + "/deep").c_str(), 0700) == 0);
  fail_unless(symlink((inner + "/deep").c_str(), file.folder.file("link").c_str()) == 0);
  write_file(inner + "/here.mp4", bytes);
  next_clip(open_path(file.folder.file("link/../here.mp4"), {"k-keep", "1"}));
  fail_unless(g_chdir(inner.c_str()) == 0);
  assert_text(metadata(next_clip(open_path("here.mp4", {"k-keep", "1"})), "source"), "here.mp4");
}
GST_END_TEST;

// Read once, from one who is gone as soon as nobody reads any more.
GST_START_TEST(test_named_pipe) {
  const File file("clip.mp4", kOneKeyFrame, "mp4mux faststart=true");
  const OptionList options = {"sequence-length", "8", "k-keep", "50", "total-frames", "60"};
  const std::string expected = all_bytes(next_clip(open_path(file.path, options)));
  const std::string bytes = read_file(file.path), path = file.folder.file("pipe");
  fail_unless(mkfifo(path.c_str(), 0600) == 0);
  signal(SIGPIPE, SIG_IGN);
  for (int round = 0; round < 10; round++) {
    std::thread writer([&] {
      const int pipe = open(path.c_str(), O_WRONLY | O_CLOEXEC);
      for (size_t at = 0; at < bytes.size();) {
        const gssize count = write(pipe, bytes.data() + at, bytes.size() - at);
        if (count < 0)
          break;
        at += static_cast<size_t>(count);
      }
      close(pipe);
    });
    Session session = open_path(path, options);
    const Clip clip = next_clip(session);
    fail_unless(all_bytes(clip) == expected);
    assert_text(metadata(clip, "source"), path);
    session.reset();
    writer.join();
  }
}
GST_END_TEST;

GST_START_TEST(test_sources_that_fail) {
  const File file;
  const std::string missing = file.folder.file("none");
  check_path_failure(missing, {}, CPS_SESSION_ERROR_SOURCE, missing + ": " + g_strerror(ENOENT) + ".");
  check_path_failure("/", {}, CPS_SESSION_ERROR_SOURCE, std::string("/: ") + g_strerror(EISDIR) + ".");
  const std::string secret = file.folder.file("secret");
  write_file(secret, "x");
  fail_unless(chmod(secret.c_str(), 0) == 0 && chmod(file.folder.file("").c_str(), 0755) == 0);
  {
    const test::Unprivileged somebody;
    check_path_failure(secret, {}, CPS_SESSION_ERROR_SOURCE, secret + ": " + g_strerror(EACCES) + ".");
  }
  for (const std::string &uri : {std::string("no-uri"), "file://" + missing, std::string("nothing-reads:this")}) {
    Failure failure;
    check_failure(Session(cps_session_open_uri(uri.c_str(), nullptr, failure)), failure, CPS_SESSION_ERROR_SOURCE,
                  uri + ": ");
  }
}
GST_END_TEST;

// Functions of the application that fail, or say what cannot be.
GST_START_TEST(test_callbacks_that_fail) {
  const File file;
  const std::string bytes = read_file(file.path);
  for (const gssize result : {gssize{-1}, gssize{-1000}, gssize{G_MAXSSIZE}})
    for (const bool seeks : {true, false})
      for (const size_t at : {size_t{0}, bytes.size() / 2}) {
        Feed feed;
        feed.bytes = bytes;
        feed.seeks = seeks;
        feed.fails_at = at;
        feed.failure = result;
        Failure failure;
        Session session = feed.open({}, failure);
        check_failure(std::move(session), failure, CPS_SESSION_ERROR_SOURCE,
                      result == -1 ? "feed: The stream could not be read." : "feed: Reading ");
        fail_unless_equals_int(feed.released, 1);
      }
  for (int good = 1; good < 4; good++) {
    Feed feed;
    feed.bytes = bytes;
    feed.good_seeks = good;
    Failure failure;
    Session session = feed.open({}, failure);
    check_failure(std::move(session), failure, CPS_SESSION_ERROR_SOURCE, "feed: Seeking to ");
    fail_unless_equals_int(feed.released, 1);
  }
}
GST_END_TEST;

GST_START_TEST(test_streams_that_fail) {
  const TempDir folder;
  const std::string text = folder.file("text"), empty = folder.file("empty"), sound = folder.file("sound.wav");
  write_file(text, "To be, or not to be, that is the question.\n");
  write_file(empty, "");
  fail_unless(run("audiotestsrc num-buffers=20 ! wavenc ! filesink location=" + sound).eos);
  for (const std::string &path : {text, empty, sound})
    check_path_failure(path, {}, CPS_SESSION_ERROR_STREAM, path + ": ");
  Failure failure;
  check_failure(Session(cps_session_open_bytes(nullptr, 0, nullptr, nullptr, nullptr, nullptr, failure)), failure,
                CPS_SESSION_ERROR_STREAM, "stream: ");
  // Names of files are any bytes, messages are text.
  Failure odd;
  check_failure(Session(cps_session_open_bytes(nullptr, 0, nullptr, nullptr, "\xff.mp4", nullptr, odd)), odd,
                CPS_SESSION_ERROR_STREAM, "\xef\xbf\xbd.mp4: ");
}
GST_END_TEST;

GST_START_TEST(test_memory_that_is_not_allowed) {
  const TempDir folder;
  const std::string path = folder.file("clip.mp4");
  encode(path, kH264, "mp4mux", 8, 1280, 720);
  const auto error = [&](const char *frames, const char *bytes) {
    return path + ": A clip of " + frames + " frames needs " + bytes + " bytes of memory, more than max-memory";
  };
  check_path_failure(path, {"output", "frames", "sequence-length", "1048576"}, CPS_SESSION_ERROR_MEMORY,
                     error("1048576", "2899102924800"));
  check_path_failure(path, {"output", "frames", "sequence-length", "2", "max-memory", "5529599"},
                     CPS_SESSION_ERROR_MEMORY, error("2", "5529600"));
  for (const OptionList &options : {OptionList{"sequence-length", "1048576"},
                                    {"patch-size", "1", "input-size", "16000"},
                                    {"sequence-length", "100000", "patch-size", "1"},
                                    {"max-memory", "1000"}})
    check_path_failure(path, options, CPS_SESSION_ERROR_MEMORY, path + ": A clip of ");
}
GST_END_TEST;

GST_START_TEST(test_memory_that_is_not_there) {
  const TempDir folder;
  const std::string path = folder.file("clip.mp4");
  encode(path, kH264, "mp4mux", 8, 1280, 720);
  check_path_failure(path, {"output", "frames", "sequence-length", "1048576", "max-memory", "0"},
                     CPS_SESSION_ERROR_MEMORY, path + ": There is not enough memory for 1048576 frames");
  check_path_failure(path, {"sequence-length", "1048576", "input-size", "4000", "max-memory", "0"},
                     CPS_SESSION_ERROR_MEMORY, path + ": There is not enough memory for 1048576 frames");
}
GST_END_TEST;

GST_START_TEST(test_backend_that_is_not_there) {
  const File file;
  const Session session = open_path(file.path);
  const Clip clip = next_clip(session);
  const Owned<gchar> resolved(cps_session_get(session.get(), "resolved-decode-backend"));
  fail_unless(resolved != nullptr);
  if (g_str_equal(resolved.get(), "gpu")) {
    g_print("skipped: there is a GPU\n");
    return;
  }
  check_path_failure(file.path, {"decode-backend", "gpu"}, CPS_SESSION_ERROR_BACKEND, file.path + ": decode-backend");
  check_path_failure(file.path, {"process_backend", "gpu", "output", "frames"}, CPS_SESSION_ERROR_BACKEND,
                     file.path + ": process-backend");
}
GST_END_TEST;

GST_START_TEST(test_options_that_are_refused) {
  const File file;
  const struct {
    OptionList options;
    const char *text;
  } cases[] = {
      {{"foo", "1"}, "There is no option \"foo\"."},
      {{"name", "x"}, "There is no option \"name\"."},
      {{"async-handling", "true"}, "There is no option \"async-handling\"."},
      {{"uri", "file:///x"}, "There is no option \"uri\"."},
      {{"stream", "x"}, "There is no option \"stream\"."},
      {{"CpsStreamBin::uri", "file:///x"}, "There is no option \"CpsStreamBin::uri\"."},
      {{"cuda_device_id", "0"}, "There is no option \"cuda-device-id\"."},
      {{"", "1"}, "There is no option \"\"."},
      {{"k-keep"}, "The option \"k-keep\" has no value."},
      {{"output", "pictures"}, "output is \"pictures\"; it must be patches, frames or index."},
      {{"output", "frames", "k-keep", "1"}, "The option \"k-keep\" goes with output=patches, not with output=frames."},
      {{"resolved-decoder", "x"}, "\"resolved-decoder\" can be read, but not set."},
      {{"sequence-length", "-1"}, "sequence-length is \"-1\"; it must be an integer from 0 to 4294967295."},
      {{"sequence-length", "4294967296"}, "sequence-length is \"4294967296\"; it must be an integer from 0 to "},
      {{"sequence-length", "ten"}, "sequence-length is \"ten\"; it must be an integer from 0 to "},
      {{"sequence-length", "1.5"}, "sequence-length is \"1.5\"; it must be an integer"},
      {{"sequence-length", ""}, "sequence-length is \"\"; it must be an integer"},
      {{"sequence-length", "16 "}, "sequence-length is \"16 \"; it must be an integer"},
      {{"max-frames", "-1"}, "max-frames is \"-1\"; it must be an integer from 0 to 2147483647."},
      {{"total-frames", "-1"}, "total-frames is \"-1\"; it must be an integer from 0 to "},
      {{"k-keep", "4294967295"}, "k-keep is \"4294967295\"; it must be an integer from -2147483648 to 2147483647."},
      {{"start", "18446744073709551615"}, "start is \"18446744073709551615\"; it must be an integer"},
      {{"decode-device-id", "-1"}, "decode-device-id is \"-1\"; it must be an integer from 0 to 2147483647."},
      {{"scale", "1e300"}, "scale is \"1e300\"; it must be a number from -3.40282"},
      {{"energy-pct", "nan"}, "energy-pct is \"nan\"; it must be a number from "},
      {{"static-fallback", "maybe"}, "static-fallback is \"maybe\"; it must be true or false."},
      {{"decode_backend", "tpu"}, "decode-backend is \"tpu\"; it must be auto, cpu or gpu."},
      {{"decode_backend", "17"}, "decode-backend is \"17\"; it must be auto, cpu or gpu."},
      {{"output-dtype", ""}, "output-dtype is \"\"; it must be u8, f16, bf16 or f32."},
      {{"sample-fps", "often"}, "sample-fps is \"often\"; it must be a fraction from 0/1 to "},
      {{"sample-fps", "-1/1"}, "sample-fps is \"-1/1\"; it must be a fraction from 0/1 to "},
      {{"frame-ids", "0,10"}, "frame-ids is \"0,10\"; it must be a list such as <1, 2, 3>, each of it an integer from"},
      {{"frame-ids", "<0,>"}, "frame-ids is \"<0,>\"; it must be a list such as <1, 2, 3>"},
      {{"frame-ids", "<4294967296>"}, "frame-ids is \"<4294967296>\"; it must be a list"},
      {{"start", "-18446744073709551615"}, "start is \"-18446744073709551615\"; it must be an integer"},
      {{"mean", "<1,2,x>"}, "mean is \"<1,2,x>\"; it must be a list such as <1, 2, 3>, each of it a number from"},
      {{"frame-ids", "<0,ten>"}, "frame-ids is \"<0,ten>\"; it must be a list such as <1, 2, 3>"},
      // Which the elements find out, once they know the video
      {{"sequence-length", "0"}, "sequence-length is 0"},
      {{"selection-unit", "block2x2", "k-keep", "6"}, "selection-unit=block2x2 needs a number of patches"},
      {{"frame-ids", "<0,-1>"}, "frame-ids has -1"},
      {{"frame-ids", "<0,1000>"}, "frame-ids has 1000"},
      {{"video-track", "3"}, "video-track is 3"},
  };
  for (const auto &refused : cases)
    check_path_failure(file.path, refused.options, CPS_SESSION_ERROR_OPTION, file.path + ": " + refused.text);
}
GST_END_TEST;

GST_START_TEST(test_options_that_are_taken) {
  const File file;
  const Session session =
      open_path(file.path, {"sequence_length", "0x4",    "frame-ids",       "<>",   "sample_fps", "5/2",
                            "start",           "-1",     "energy_pct",      "90",   "k-keep",     "-3",
                            "k-keep",          "40",     "static_fallback", "True", "std",        "<1,2.5,3>",
                            "output",          "patches"});
  const struct {
    const char *name, *value;
  } cases[] = {{"sequence-length", "4"}, {"sequence_length", "4"},    {"sample-fps", "5/2"},
               {"start", "-1"},          {"energy-pct", "90"},        {"k_keep", "40"},
               {"std", "[1, 2.5, 3]"},   {"static-fallback", "true"}, {"output", "patches"},
               {"frame-ids", "[]"},      {"decode-backend", "auto"},  {"apply-rotation", "true"}};
  for (const auto &taken : cases) {
    const Owned<gchar> value(cps_session_get(session.get(), taken.name));
    fail_unless(value != nullptr, "%s", taken.name);
    assert_text(std::string(value.get()), taken.value);
  }
  for (const char *name : {"foo", "name", "stream", "parent"})
    fail_if(cps_session_get(session.get(), name) != nullptr, "%s", name);
  const Clip clip = next_clip(session);
  assert_text(metadata(clip, "k_keep"), "40");
  const Owned<gchar> decoder(cps_session_get(session.get(), "resolved-decoder"));
  fail_unless(decoder && strstr(decoder.get(), "h264") != nullptr);
  fail_if(cps_tensors_get_metadata(clip.get(), "foo") != nullptr);
  fail_if(cps_tensors_get_name(clip.get(), 3) != nullptr);
}
GST_END_TEST;

// Once, however it ends.
GST_START_TEST(test_release_after_refusal) {
  for (const bool seeks : {true, false}) {
    Feed feed;
    feed.seeks = seeks;
    Failure failure, other;
    fail_if(feed.open({"foo", "1"}, failure) != nullptr);
    assert_text(failure.text(), "feed: There is no option \"foo\".");
    fail_if(feed.open({"output", "x"}, other) != nullptr);
    fail_unless_equals_int(feed.released, 2);
  }
  int released = 0;
  Failure failure;
  const auto count = [](gpointer at) { ++*static_cast<int *>(at); };
  fail_if(cps_session_open_bytes("x", 1, count, &released, nullptr, OptionList{"k-keep", "x"}, failure) != nullptr);
  fail_unless_equals_int(released, 1);
}
GST_END_TEST;

// They may be written to, whatever thread of the pipeline still has a reference to the buffer.
GST_START_TEST(test_tensors_stay) {
  const File file;
  const std::string expected = all_bytes(next_clip(open_path(file.path, {"k-keep", "30"})));
  std::vector<Clip> clips;
  for (int i = 0; i < 200; i++)
    clips.push_back(next_clip(open_path(file.path, {"k-keep", "30"})));
  for (const Clip &clip : clips)
    fail_unless(all_bytes(clip) == expected);

  Failure failure;
  const Owned<GstBuffer> held(gst_buffer_ref(cps_tensors_get_buffer(clips[0].get()))); // as the sink's thread may
  DLManagedTensorVersioned *patches = cps_tensors_to_dlpack_versioned(clips[0].get(), "patches", failure);
  DLManagedTensor *scores = cps_tensors_to_dlpack(clips[0].get(), "meta_scores", failure);
  fail_unless(patches && scores, "%s", failure.text().c_str());
  fail_unless_equals_int(static_cast<int>(patches->flags & kDLFlagReadOnly), 0);
  fail_unless_equals_int(static_cast<int>(patches->dl_tensor.shape[0]), 30);
  fail_unless(cps_tensors_to_dlpack(clips[0].get(), "pixels", failure) == nullptr);
  assert_text(failure.text(), file.path + ": There is no tensor \"pixels\".");
  fail_unless_equals_int(failure.code(), CPS_SESSION_ERROR_OPTION);
  const std::string bytes = tensor_bytes(clips[0], "patches");
  std::thread([&] { clips.clear(); }).join();
  fail_unless(memcmp(patches->dl_tensor.data, bytes.data(), bytes.size()) == 0);
  memset(patches->dl_tensor.data, 0, bytes.size());
  patches->deleter(patches);
  scores->deleter(scores);
}
GST_END_TEST;

static Suite *session_suite() {
  Suite *suite = suite_create("session");
  TCase *tests = make_tests(suite);
  tcase_add_test(tests, test_patches_equal_line);
  tcase_add_test(tests, test_frames_equal_line);
  tcase_add_test(tests, test_sources_agree);
  tcase_add_test(tests, test_paths);
  tcase_add_test(tests, test_named_pipe);
  tcase_add_test(tests, test_sources_that_fail);
  tcase_add_test(tests, test_callbacks_that_fail);
  tcase_add_test(tests, test_streams_that_fail);
  tcase_add_test(tests, test_memory_that_is_not_allowed);
  tcase_add_test(tests, test_memory_that_is_not_there);
  tcase_add_test(tests, test_backend_that_is_not_there);
  tcase_add_test(tests, test_options_that_are_refused);
  tcase_add_test(tests, test_options_that_are_taken);
  tcase_add_test(tests, test_release_after_refusal);
  tcase_add_test(tests, test_tensors_stay);
  return suite;
}

GST_CHECK_MAIN(session)
