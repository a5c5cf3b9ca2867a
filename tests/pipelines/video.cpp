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

// Without an index as well, sessions skip what is not needed.
GST_START_TEST(test_jumps) {
  for (const char *muxer : {"mp4mux", "matroskamux"}) {
    const TempDir folder;
    const std::string path = folder.file("clip");
    encode(path, "x264enc speed-preset=ultrafast quantizer=2 pass=quant key-int-max=25", muxer, kCount, 640, 480);
    Counter counter;
    counter.bytes = read_file(path);
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
      fail_unless(counter.bytes.size() > (size_t{8} << 20), "%zu bytes", counter.bytes.size());
      // The bin may read the first 4 MiB in one piece.
      fail_unless(counter.read < (size_t{5} << 20), "%s: %zu of %zu bytes", muxer, counter.read, counter.bytes.size());
      fail_unless_equals_int(counter.released, 0);
    }
    fail_unless_equals_int(counter.released, 1);
  }
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
  tcase_add_test(tests, test_failure);
  return suite;
}

GST_CHECK_MAIN(video)
