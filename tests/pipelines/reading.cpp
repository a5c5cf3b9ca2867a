// SPDX-License-Identifier: LGPL-2.1-or-later
// How much uniformdecodebin reads of a source: each byte twice at most, and those that it reads first only once.
#include "tests/pipelines/ffmpegfiles.h"

#include <atomic>

namespace {

using namespace pipes;

// What the sources of a line have been asked for, in bytes.
class Counted {
public:
  explicit Counted(const Line &line) {
    g_signal_connect(line.pipeline(), "deep-element-added", G_CALLBACK(on_element), this);
  }
  guint64 bytes() const { return bytes_; }

private:
  static void on_element(GstBin *, GstBin *, GstElement *element, gpointer self) {
    const Owned<GstPad> pad(gst_element_get_static_pad(element, "src"));
    if (!GST_OBJECT_FLAG_IS_SET(element, GST_ELEMENT_FLAG_SOURCE) || GST_IS_BIN(element) || !pad)
      return;
    g_object_set_data(G_OBJECT(pad.get()), "counted", self);
    g_object_set_data(G_OBJECT(pad.get()), "getrange", reinterpret_cast<gpointer>(GST_PAD_GETRANGEFUNC(pad.get())));
    gst_pad_set_getrange_function(pad.get(), getrange);
  }

  static GstFlowReturn getrange(GstPad *pad, GstObject *parent, guint64 offset, guint size, GstBuffer **buffer) {
    const auto original = reinterpret_cast<GstPadGetRangeFunction>(g_object_get_data(G_OBJECT(pad), "getrange"));
    const GstFlowReturn flow = original(pad, parent, offset, size, buffer);
    if (flow == GST_FLOW_OK)
      static_cast<Counted *>(g_object_get_data(G_OBJECT(pad), "counted"))->bytes_ += gst_buffer_get_size(*buffer);
    return flow;
  }

  std::atomic<guint64> bytes_{0};
};

struct Reading {
  guint64 size, bytes;
};

// Ranges of the file, also across its end, from the source that the bin has opened for it.
void check_ranges(const Line &line, const std::string &file) {
  const Owned<GstElement> bin = line.get("bin"), source = child_of(bin.get(), "filesrc");
  const Owned<GstPad> pad(gst_element_get_static_pad(source.get(), "src"));
  GRand *random = g_rand_new_with_seed(7);
  for (int i = 0; i < 300; i++) {
    const auto offset = static_cast<size_t>(g_rand_double_range(random, 0, static_cast<double>(file.size() + 100)));
    const auto size = static_cast<guint>(g_rand_int_range(random, 1, i % 2 == 0 ? 1000 : 200000));
    GstBuffer *got = nullptr;
    const GstFlowReturn flow = gst_pad_get_range(pad.get(), offset, size, &got);
    const Owned<GstBuffer> buffer(got);
    assert_equals_int(flow, offset < file.size() ? GST_FLOW_OK : GST_FLOW_EOS);
    if (offset >= file.size())
      continue;
    const std::string expected = file.substr(offset, size);
    assert_equals_uint64(gst_buffer_get_size(got), expected.size());
    assert_equals_uint64(GST_BUFFER_OFFSET(got), offset);
    fail_unless(gst_buffer_memcmp(got, 0, expected.data(), expected.size()) == 0);
  }
  g_rand_free(random);
}

Reading read(const std::string &path, int frames) {
  Line line(frames_of("", ""));
  const Counted counted(line);
  const Owned<GstElement> bin = line.get("bin");
  set_text(bin.get(), "uri", uri_of(path));
  check_frames(path, line, frames);
  const std::string file = read_file(path);
  const Reading reading = {file.size(), counted.bytes()};
  g_print("%s: %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " bytes, %.2f times\n", path.c_str(), reading.bytes,
          reading.size, static_cast<double>(reading.bytes) / static_cast<double>(reading.size));
  check_ranges(line, file);
  return reading;
}

struct Row {
  const char *name, *video, *audio;
};

constexpr Row kRows[] = {
    {"h264.ts", "libx264 -preset ultrafast -qp 6", "aac"},
    {"h265.ts", "libx265 -preset ultrafast -x265-params log-level=none:pools=2:qp=6", "aac"},
    {"mpeg2.ts", "mpeg2video -q:v 1", "mp2"},
    {"vp8.webm", "libvpx -deadline realtime -cpu-used 8 -crf 4 -b:v 40M", "libopus"},
    {"h264.mkv", "libx264 -preset ultrafast -qp 6", "aac"},
    {"h264.flv", "libx264 -preset ultrafast -qp 6", "aac"},
    {"h264.mp4", "libx264 -preset ultrafast -qp 6", "aac"},
};

// Sound begins two seconds before the video, or after it.
std::string write(const TempDir &folder, const Pictures &pictures, const Row &row, bool leads,
                  const std::string &filter) {
  const std::string path = folder.file(std::string(leads ? "first-" : "later-") + row.name);
  const std::string shift = "-itsoffset 2 ";
  const std::string video = (leads ? shift : "") + pictures.input();
  const std::string audio = (leads ? "" : shift) + "-f lavfi -i sine=frequency=440:sample_rate=48000:duration=3.5 ";
  ffmpeg((leads ? audio + video : video + audio) + "-map 0 -map 1 -fps_mode passthrough " + filter + "-c:v " +
         row.video + " -c:a " + row.audio + " " + path);
  return path;
}

} // namespace

// Type finder, demuxer, index and decoder have one reading between them, and so has a source that is opened anew.
GST_START_TEST(test_small_files) {
  if (!have_ffmpeg())
    return;
  const TempDir folder;
  const Pictures pictures;
  for (const Row &row : kRows)
    for (const bool leads : {true, false}) {
      const std::string path = write(folder, pictures, row, leads, "");
      const Reading reading = read(path, kFrames);
      fail_unless(reading.bytes <= reading.size + reading.size / 10, "%s is read again", path.c_str());
    }
}
GST_END_TEST;

// The index and the decoder have one each. Where the sound leads, that costs no more than one reading of what lies
// before the video.
GST_START_TEST(test_large_files) {
  if (!have_ffmpeg())
    return;
  constexpr int kFew = 20;
  constexpr guint64 kSound = 256 << 10; // two seconds, and what a demuxer reads ahead here or there
  const TempDir folder;
  const Pictures pictures(kFew, 640, 480);
  for (const Row &row : kRows) {
    Reading readings[2];
    for (const bool leads : {true, false}) {
      const std::string path = write(folder, pictures, row, leads, "-vf noise=alls=30:allf=t ");
      const Reading reading = readings[leads] = read(path, kFew);
      fail_unless(reading.size > 4 << 20, "%s is small", path.c_str());
      fail_unless(reading.bytes <= 2 * reading.size, "%s is read more than twice", path.c_str());
    }
    fail_unless(readings[true].bytes <= readings[false].bytes + kSound, "%s: sound that leads is read again", row.name);
  }
}
GST_END_TEST;

static Suite *reading_suite() {
  Suite *suite = suite_create("pipelines-reading");
  TCase *tests = make_tests(suite);
  tcase_add_test(tests, test_small_files);
  tcase_add_test(tests, test_large_files);
  return suite;
}

GST_CHECK_MAIN(reading)
