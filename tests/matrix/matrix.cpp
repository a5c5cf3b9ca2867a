// SPDX-License-Identifier: LGPL-2.1-or-later
// The decoder as oracle: whatever a line with a frameplanner samples is what a full decode shows under that number.
#include "tests/matrix/oracle.h"
#include "tests/matrix/streams.h"

#include <algorithm>

namespace {

using namespace matrix;

constexpr int kWide = 224;
constexpr guint32 kMp4Timescale = 12800; // of libavformat, at that rate

const std::vector<Stream> &all_streams() {
  static const std::vector<Stream> all = streams(g_getenv("CPS_MATRIX"));
  return all;
}

// Frames whose luma below the number is what `content` says.
Owned<GstBuffer> picture(int number, int width, Content content) {
  Owned<GstBuffer> buffer = pipes::numbered_frame(number, width);
  if (content == Content::Moving)
    return buffer;
  const int shade = 255 - std::abs(number % 60 - 30) * 6;
  GstMapInfo map;
  fail_unless(gst_buffer_map(buffer.get(), &map, GST_MAP_READWRITE));
  for (int y = 2 * pipes::kBlock; y < pipes::kClipHeight; y++)
    for (int x = 0; x < width; x++) {
      guint8 &luma = map.data[y * width + x];
      const unsigned noise = static_cast<unsigned>(x * 7919 + y * 104729 + number * 31337) * 2654435761u >> 24;
      const int scenes[] = {luma, static_cast<int>(noise), (x / 24 + y / 24) % 2 * 140 + 60};
      luma = static_cast<guint8>(content == Content::Cuts ? scenes[number / 17 % 3] : luma * shade / 255);
    }
  gst_buffer_unmap(buffer.get(), &map);
  return buffer;
}

Owned<GstBuffer> picture(const Stream &stream, int number) {
  const int width = number < stream.wide_from ? pipes::kClipWidth : kWide;
  Owned<GstBuffer> buffer = picture(number, width, stream.content);
  if (stream.times == Times::Uneven)
    GST_BUFFER_PTS(buffer.get()) += static_cast<GstClockTime>(number * number % 7) * 3 * GST_MSECOND;
  return buffer;
}

void make_with_gstreamer(const Stream &stream, const std::string &path) {
  Line line("appsrc name=in ! " + stream.make + " ! filesink location=" + path);
  int unit = 0;
  if (!stream.lost.empty())
    line.filter("encoder", "src", [&stream, &unit](GstPad *, GstBuffer *) {
      return std::count(stream.lost.begin(), stream.lost.end(), unit++) == 0;
    });
  const Owned<GstElement> in = line.get("in");
  auto *source = GST_APP_SRC(in.get());
  g_object_set(source, "format", GST_FORMAT_TIME, "max-bytes", guint64{0}, nullptr);
  for (int i = 0; i < kFrames; i++) {
    if (i == 0 || i == stream.wide_from)
      gst_app_src_set_caps(source, pipes::clip_caps(i == 0 ? pipes::kClipWidth : kWide).get());
    gst_app_src_push_buffer(source, picture(stream, i).release());
  }
  gst_app_src_end_of_stream(source);
  const Outcome outcome = line.run();
  fail_unless(outcome.eos, "%s: %s (%s)", stream.name.c_str(), outcome.error.c_str(), outcome.debug.c_str());
}

void make_with_ffmpeg(const Stream &stream, const std::string &path) {
  std::string bytes;
  for (int i = 0; i < kFrames; i++) {
    const Owned<GstBuffer> buffer = picture(stream, i);
    GstMapInfo map;
    fail_unless(gst_buffer_map(buffer.get(), &map, GST_MAP_READ));
    bytes.append(reinterpret_cast<const char *>(map.data), map.size);
    gst_buffer_unmap(buffer.get(), &map);
  }
  pipes::write_file(path + ".yuv", bytes);
  std::istringstream words(stream.make);
  std::vector<std::string> command = {"ffmpeg",
                                      "-v",
                                      "error",
                                      "-f",
                                      "rawvideo",
                                      "-pix_fmt",
                                      "yuv420p",
                                      "-video_size",
                                      std::to_string(pipes::kClipWidth) + "x" + std::to_string(pipes::kClipHeight),
                                      "-framerate",
                                      std::to_string(pipes::kClipRate),
                                      "-i",
                                      path + ".yuv"};
  std::string word;
  for (words >> word; words >> word;)
    command.push_back(word);
  command.push_back(path);
  output_of(command);
}

// The first box or chunk of that name: where its contents begin.
size_t find_contents(const std::string &bytes, const char *name, size_t header) {
  const size_t at = bytes.find(name);
  fail_if(at == std::string::npos, "there is no %s", name);
  return at + header;
}

// Leaves out what begins with a sequence or GOP header and ends before the picture.
std::string without_headers(const std::string &bytes) {
  const auto find = [&bytes](size_t from) {
    return std::min(bytes.find(std::string("\0\0\1", 3), from), bytes.size());
  };
  std::string out;
  bool seen_picture = false, header = false;
  for (size_t at = find(0), next = 0; at + 3 < bytes.size(); at = next) {
    const auto code = static_cast<guint8>(bytes[at + 3]);
    next = find(at + 3);
    header = code == 0xb3 || code == 0xb8 || (header && code != 0);
    seen_picture |= code == 0;
    if (!header || !seen_picture)
      out += bytes.substr(at, next - at);
  }
  return out;
}

std::string changed(std::string bytes, Change change) {
  const auto at = [&bytes](size_t offset) { return reinterpret_cast<guint8 *>(&bytes[offset]); };
  switch (change) {
  case Change::PromisesMore:
    for (const size_t offset : {find_contents(bytes, "avih", 8) + 16, find_contents(bytes, "strh", 8) + 32})
      GST_WRITE_UINT32_LE(at(offset), 2 * GST_READ_UINT32_LE(at(offset)));
    return bytes;
  case Change::LaterStart: {
    const size_t media_time = find_contents(bytes, "elst", 4) + 12; // version and flags, one entry, its duration
    const guint32 ten_frames = 10 * kMp4Timescale / pipes::kClipRate;
    GST_WRITE_UINT32_BE(at(media_time), GST_READ_UINT32_BE(at(media_time)) + ten_frames);
    return bytes;
  }
  case Change::OneHeader:
    return without_headers(bytes);
  default:
    return bytes.substr(0, bytes.size() * 3 / 5);
  }
}

bool is_of_ffmpeg(const Stream &stream) {
  return stream.make.rfind("ffmpeg ", 0) == 0;
}

void make(const Stream &stream, const std::string &path) {
  if (is_of_ffmpeg(stream))
    make_with_ffmpeg(stream, path);
  else
    make_with_gstreamer(stream, path);
  if (stream.change != Change::None)
    pipes::write_file(path, changed(pipes::read_file(path), stream.change));
}

// Where the decoder's order is no help, all that goes to it is taken by its frame numbers.
std::vector<Picture> numbered_pictures(const Stream &stream, const std::string &reading, const std::string &decoder) {
  std::vector<Picture> pictures;
  for (const Sampled &frame : sample(stream.name, reading, decoder, "stream", stream.frames, true))
    pictures.push_back(frame.status == CPS_FRAME_STATUS_OK ? frame.picture : Picture{"", -1});
  return pictures;
}

Expected expect(const Stream &stream, const std::string &path, const std::string &reading, const std::string &decoder) {
  Expected expected;
  expected.pictures = stream.out_of_order ? numbered_pictures(stream, reading, decoder) : decode(reading, decoder);
  if (stream.keys != Keys::Unchecked) {
    expected.keys = key_pictures(path);
    if (stream.keys == Keys::First)
      std::fill(expected.keys.begin() + 1, expected.keys.end(), false);
    fail_unless(expected.keys.size() >= expected.pictures.size(), "%s: %d flags of %d frames", stream.name.c_str(),
                static_cast<int>(expected.keys.size()), static_cast<int>(expected.pictures.size()));
  }
  expected.last_is_torn = stream.change == Change::Torn;
  expected.may_warn = stream.may_warn;
  return expected;
}

// Pictures that nothing was done to are all there, in order, and show their number.
void check_intact(const Stream &stream, const std::string &decoder, const std::vector<Picture> &pictures) {
  const char *name = stream.name.c_str();
  fail_unless(pictures.size() == static_cast<size_t>(stream.frames), "%s, %s: the full decode has %d frames", name,
              decoder.c_str(), static_cast<int>(pictures.size()));
  for (size_t i = 0; i < pictures.size(); i++)
    fail_unless(pictures[i].number == static_cast<int>(i), "%s, %s: the full decode has %d as frame %d", name,
                decoder.c_str(), pictures[i].number, static_cast<int>(i));
}

bool can_make(const Stream &stream) {
  if (is_of_ffmpeg(stream))
    return have_program("ffmpeg");
  return stream.make.empty() || have_elements_of(stream.make);
}

} // namespace

// One stream a run.
GST_START_TEST(test_exact_frames) {
  const Stream &stream = all_streams()[static_cast<size_t>(__i__)];
  const gchar *only = g_getenv("CPS_STREAM"); // part of a name, to try one
  if (only && stream.name.find(only) == std::string::npos)
    return;
  if (!have_program("ffprobe") || !can_make(stream) || !have_elements_of(stream.reading))
    return;
  const test::TempDir folder;
  const bool given = stream.make.empty();
  const std::string path = given ? pipes::shared_file("videos/" + stream.name) : folder.file("stream");
  if (path.empty())
    return;
  if (!given)
    make(stream, path);
  const std::string reading = "filesrc location=" + path + " ! " + stream.reading;
  int turn = __i__;
  for (const std::string &decoder : stream.decoders) {
    turn++;
    if (!have_elements_of(decoder))
      continue;
    const Expected expected = expect(stream, path, reading, decoder);
    if (!given && stream.change == Change::None && stream.lost.empty())
      check_intact(stream, decoder, expected.pictures);
    check_all(stream.name, reading, decoder, expected, turn);
    g_print("%s, %s: %d frames, %d keys\n", stream.name.c_str(), decoder.c_str(),
            static_cast<int>(expected.pictures.size()),
            static_cast<int>(std::count(expected.keys.begin(), expected.keys.end(), true)));
  }
}
GST_END_TEST;

static Suite *matrix_suite() {
  Suite *suite = suite_create("matrix");
  TCase *tests = pipes::make_tests(suite);
  tcase_add_loop_test(tests, test_exact_frames, 0, static_cast<int>(all_streams().size()));
  return suite;
}

GST_CHECK_MAIN(matrix)
