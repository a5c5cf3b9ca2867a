// SPDX-License-Identifier: LGPL-2.1-or-later
// Videos: sessions with a kept index give what sessions without one give, and read less.
#include "tests/pipelines/sessions.h"

#include "tests/common/text.h"

#include <algorithm>

namespace {

using namespace pipes;

struct FreeVideo {
  void operator()(CpsVideo *video) const { cps_video_unref(video); }
  void operator()(CpsIndex *index) const { cps_index_unref(index); }
};
using Video = std::unique_ptr<CpsVideo, FreeVideo>;
using Index = std::unique_ptr<CpsIndex, FreeVideo>;

struct Kind {
  const char *name, *encoder, *muxer;
};
// With tables of samples, without, and without a container.
constexpr Kind kKinds[] = {
    {"mp4", kH264B, "mp4mux"},
    {"fragments", kH264B, "mp4mux fragment-duration=500"},
    {"matroska", kH264Open, "matroskamux"},
    {"h265", kH265Open, "mp4mux"},
    {"ts", kH264B, "mpegtsmux"},
    {"raw", kH264, ""},
};
constexpr int kCount = 320; // more than far enough for a jump, several times

Video indexed(const std::string &path) {
  Video video(cps_video_new_path(path.c_str()));
  Failure failure;
  fail_unless(cps_video_index(video.get(), nullptr, failure), "%s", failure.text().c_str());
  return video;
}

Index index_of(const Video &video) {
  return Index(cps_video_get_index(video.get()));
}

Session open_video(const Video &video, const OptionList &options) {
  Failure failure;
  Session session(cps_video_open(video.get(), options, failure));
  fail_unless(session != nullptr, "%s", failure.text().c_str());
  return session;
}

std::string all_metadata(const Clip &clip) {
  std::string all;
  cps_tensors_foreach_metadata(
      clip.get(),
      [](const gchar *key, const gchar *value, gpointer to) {
        *static_cast<std::string *>(to) += std::string(key) + "=" + value + "\n";
      },
      &all);
  return all;
}

void check_equal(const char *kind, const std::string &path, const Video &video, const OptionList &options) {
  const Session planned = open_video(video, options), alone = open_path(path, options);
  const Clip clip = next_clip(planned), expected = next_clip(alone);
  assert_text(all_metadata(clip), all_metadata(expected));
  fail_unless(all_bytes(clip) == all_bytes(expected), "%s: other tensors", kind);
  check_end(planned);
}

// A session that fails, at open or at the first clip.
void check_refusal(const Video &video, int code, const std::string &text) {
  Failure failure;
  const Session session(cps_video_open(video.get(), OptionList{"sequence-length", "4"}, failure));
  if (session)
    fail_if(Clip(cps_session_next(session.get(), failure)) != nullptr, "a clip instead of \"%s\"", text.c_str());
  fail_unless(failure.text().find(text) != std::string::npos, "%s", failure.text().c_str());
  fail_unless_equals_int(failure.code(), code);
}

// A source that counts what is read of it.
struct Counter {
  std::string bytes;
  size_t position = 0, read = 0;
  int released = 0;

  Video video() {
    return Video(cps_video_new_stream(
        [](gpointer data, gpointer to, gsize size) -> gssize {
          auto &self = *static_cast<Counter *>(data);
          const size_t count = std::min(size, self.bytes.size() - self.position);
          memcpy(to, self.bytes.data() + self.position, count);
          self.position += count;
          self.read += count;
          return static_cast<gssize>(count);
        },
        [](gpointer data, gint64 offset, gint whence) -> gint64 {
          auto &self = *static_cast<Counter *>(data);
          const size_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? self.position : self.bytes.size();
          self.position = base + static_cast<size_t>(offset);
          return static_cast<gint64>(self.position);
        },
        [](gpointer data) { static_cast<Counter *>(data)->released++; }, this, "counter"));
  }
};

} // namespace

GST_START_TEST(test_facts) {
  const TempDir folder;
  const std::string path = folder.file("clip.mp4");
  encode(path, kH264B, "mp4mux", kCount);
  const Index index = index_of(indexed(path));
  fail_unless_equals_int(static_cast<int>(cps_index_get_n_frames(index.get())), kCount);
  for (int i = 0; i < kCount; i++) {
    fail_unless_equals_uint64(cps_index_get_times(index.get())[i], static_cast<guint64>(i) * GST_SECOND / kClipRate);
    fail_unless_equals_int(cps_index_get_random_access(index.get())[i], i % 25 == 0);
  }
  const auto fact = [&](const char *name) { return std::string(Owned<gchar>(cps_index_get(index.get(), name)).get()); };
  assert_text(fact("codec"), "video/x-h264");
  assert_text(fact("width"), std::to_string(kClipWidth));
  assert_text(fact("height"), std::to_string(kClipHeight));
  assert_text(fact("fps"), std::to_string(kClipRate));
  assert_text(fact("rotation"), "0");
  assert_text(fact("duration"), std::to_string(kCount * (GST_SECOND / kClipRate)));
  fail_unless(cps_index_get(index.get(), "no such fact") == nullptr);
}
GST_END_TEST;

// The oracle is a session that reads the file twice.
GST_START_TEST(test_equal) {
  const Kind &kind = kKinds[__i__];
  const TempDir folder;
  const std::string path = folder.file("clip");
  encode(path, kind.encoder, kind.muxer, kCount);
  const Video video = indexed(path);
  for (const OptionList &options : {
           OptionList{"output", "frames", "frame-ids", "<0>"},
           OptionList{"output", "frames", "frame-ids", "<319>"},
           OptionList{"output", "frames", "frame-ids", "<310, 12, 160, 160, 3>"},
           OptionList{"output", "frames", "frame-ids", "<24, 25, 26, 199, 200, 201>"},
           OptionList{"output", "frames", "start", "7000000000", "stop", "9000000000", "sequence-length", "3"},
           OptionList{"sequence-length", "4", "k-keep", "64"},
           OptionList{"sample-fps", "1/2", "k-keep", "64", "uniform-strategy", "stream"},
       })
    check_equal(kind.name, path, video, options);
}
GST_END_TEST;

// What is not needed is not read, which a file shows that is larger than what the bin reads in one piece, 4 MiB.
GST_START_TEST(test_jumps) {
  const TempDir folder;
  const std::string path = folder.file("clip");
  encode(path, "x264enc speed-preset=ultrafast quantizer=2 pass=quant key-int-max=25", "mp4mux", kCount, 640, 480);
  Counter counter;
  counter.bytes = read_file(path);
  fail_unless(counter.bytes.size() > (size_t{8} << 20), "%zu bytes", counter.bytes.size());
  {
    const Video video = counter.video();
    const OptionList last{"output", "frames", "frame-ids", "<319>"};
    Session first = open_video(video, last);
    const std::string frame = all_bytes(next_clip(first));
    check_refusal(video, CPS_SESSION_ERROR_SOURCE, "Another session reads this stream");
    first.reset();
    fail_unless(cps_video_index(video.get(), nullptr, nullptr));
    counter.read = 0;
    const Session second = open_video(video, last);
    fail_unless(all_bytes(next_clip(second)) == frame);
    fail_unless(counter.read < (size_t{5} << 20), "%zu of %zu bytes", counter.read, counter.bytes.size());
    fail_unless_equals_int(counter.released, 0);
  }
  fail_unless_equals_int(counter.released, 1);
}
GST_END_TEST;

GST_START_TEST(test_other_source) {
  const TempDir folder;
  const std::string path = folder.file("clip.mp4"), other = folder.file("other.mp4");
  encode(path, kH264B, "mp4mux", kCount);
  encode(other, kH264, "mp4mux", kCount);
  const Video video(cps_video_new_path(other.c_str()));
  cps_video_set_index(video.get(), index_of(indexed(path)).get());
  check_refusal(video, CPS_SESSION_ERROR_STREAM, "not the one that was indexed");
  cps_video_set_index(video.get(), nullptr);
  check_equal("without an index", other, video, {"sequence-length", "4"});
}
GST_END_TEST;

GST_START_TEST(test_bytes_of_an_index) {
  const TempDir folder;
  const std::string path = folder.file("clip.mp4");
  encode(path, kH264B, "mp4mux", kCount);
  const Index index = index_of(indexed(path));
  gsize size = 0;
  const Owned<gchar> bytes(static_cast<gchar *>(cps_index_serialize(index.get(), &size)));
  const Index copy(cps_index_deserialize(bytes.get(), size));
  fail_unless(copy != nullptr);
  const Video video(cps_video_new_path(path.c_str()));
  cps_video_set_index(video.get(), copy.get());
  check_equal("copied", path, video, {"sequence-length", "4"});

  for (gsize at = 0; at < size; at++) {
    bytes.get()[at] ^= 0x10;
    fail_unless(Index(cps_index_deserialize(bytes.get(), size)) == nullptr, "byte %zu", at);
    bytes.get()[at] ^= 0x10;
  }
  for (gsize shorter = 0; shorter < size; shorter += 7)
    fail_unless(Index(cps_index_deserialize(bytes.get(), shorter)) == nullptr);
}
GST_END_TEST;

// Reads a file as an application does that keeps indices in `folder`, and compares with reading it without.
static void check_cached(const char *what, const std::string &path, const std::string &folder) {
  const OptionList plan{"output", "frames", "frame-ids", "<310, 12, 160>"},
      cached{"output", "frames", "frame-ids", "<310, 12, 160>", "index-cache", folder.c_str()};
  const Session with = open_path(path, cached), without = open_path(path, plan);
  const Clip clip = next_clip(with), expected = next_clip(without);
  assert_text(all_metadata(clip), all_metadata(expected));
  fail_unless(all_bytes(clip) == all_bytes(expected), "%s: other frames", what);
}

// The only file in a folder.
static std::string only_file(const std::string &folder) {
  const Owned<GDir> dir(g_dir_open(folder.c_str(), 0, nullptr));
  fail_unless(dir != nullptr);
  const gchar *name = g_dir_read_name(dir.get());
  fail_unless(name != nullptr, "no file");
  const std::string path = folder + "/" + name;
  fail_unless(g_dir_read_name(dir.get()) == nullptr, "several files");
  return path;
}

GST_START_TEST(test_cache) {
  constexpr size_t kStamp = 56; // bytes of the file that tell of the source
  const TempDir folder;
  const std::string path = folder.file("clip.mp4"), other = folder.file("other.mp4"), cache = folder.file("new/cache");
  encode(path, kH264B, "mp4mux", kCount);
  encode(other, kH264, "mp4mux", kCount);
  check_cached("first", path, cache);
  const std::string file = only_file(cache), index = read_file(file);
  check_cached("second", path, cache);
  fail_unless(read_file(file) == index);

  for (const size_t at : {size_t{0}, size_t{20}, kStamp, index.size() / 2, index.size() - 1}) {
    std::string damaged = index;
    damaged[at] = static_cast<char>(damaged[at] + 1);
    write_file(file, damaged);
    check_cached("damaged", path, cache);
    fail_unless(read_file(file) == index, "not replaced");
  }
  write_file(file, index.substr(0, index.size() / 2));
  check_cached("cut off", path, cache);

  // Another video with the same size, time and ends.
  const std::string others = folder.file("others");
  check_cached("other", other, others);
  write_file(file, index.substr(0, kStamp) + read_file(only_file(others)).substr(kStamp));
  check_cached("mistaken", path, cache);
  fail_unless(read_file(file) == index, "not replaced");

  write_file(path, read_file(other));
  check_cached("replaced", path, cache);
  fail_if(read_file(file) == index, "not replaced");
  check_cached("no folder", path, path);
}
GST_END_TEST;

GST_START_TEST(test_files_of_an_index) {
  const TempDir folder;
  const std::string path = folder.file("clip.mp4"), file = folder.file("index");
  encode(path, kH264B, "mp4mux", kCount);
  const Index index = index_of(indexed(path));
  const auto load = [&](const std::string &from, const std::string &source) {
    GError *error = nullptr;
    Index loaded(cps_index_load(from.c_str(), source.c_str(), &error));
    fail_unless((loaded == nullptr) == (error != nullptr));
    const int code = error ? error->code : -1;
    g_clear_error(&error);
    return std::make_pair(std::move(loaded), code);
  };
  fail_unless(cps_index_save(index.get(), file.c_str(), path.c_str(), nullptr));
  fail_unless(load(file, path).second == -1);
  fail_unless_equals_int(load(path, path).second, G_FILE_ERROR_INVAL);
  fail_unless_equals_int(load(folder.file("none"), path).second, G_FILE_ERROR_NOENT);
  fail_unless_equals_int(load(file, folder.file("none")).second, G_FILE_ERROR_NOENT);
  GError *error = nullptr;
  fail_if(cps_index_save(index.get(), folder.file("none/index").c_str(), path.c_str(), &error));
  fail_unless(g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOENT), "%s", error->message);
  g_clear_error(&error);
  fail_if(cps_index_save(index.get(), file.c_str(), folder.file("none").c_str(), nullptr));
}
GST_END_TEST;

GST_START_TEST(test_failure) {
  const TempDir folder;
  const std::string path = folder.file("text.mp4");
  write_file(path, "no video");
  for (const std::string &source : {path, folder.file("none.mp4")}) {
    const Video video(cps_video_new_path(source.c_str()));
    Failure failure;
    fail_if(cps_video_index(video.get(), nullptr, failure));
    fail_unless(failure.code() > 0, "no error");
    fail_unless(index_of(video) == nullptr);
  }
}
GST_END_TEST;

static Suite *video_suite() {
  Suite *suite = suite_create("pipelines-video");
  TCase *tests = make_tests(suite);
  tcase_add_test(tests, test_facts);
  tcase_add_loop_test(tests, test_equal, 0, G_N_ELEMENTS(kKinds));
  tcase_add_test(tests, test_jumps);
  tcase_add_test(tests, test_other_source);
  tcase_add_test(tests, test_bytes_of_an_index);
  tcase_add_test(tests, test_cache);
  tcase_add_test(tests, test_files_of_an_index);
  tcase_add_test(tests, test_failure);
  return suite;
}

GST_CHECK_MAIN(video)
