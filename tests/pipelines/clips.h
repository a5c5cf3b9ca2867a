// SPDX-License-Identifier: LGPL-2.1-or-later
// Clips whose frames carry their number in their pixels, encoded into files by the tests themselves.
#pragma once

#include "tests/common/pipeline.h"

#include <gst/video/video.h>

#include <array>
#include <mutex>

namespace pipes {

constexpr int kClipWidth = 160, kClipHeight = 96, kBlock = 16;
constexpr int kClipRate = 25;

// --- Pictures ---

// I420: ten bits of the number as blocks of luma, the same inverted below them, and something that moves.
inline Owned<GstBuffer> numbered_frame(int number, int width = kClipWidth, int height = kClipHeight) {
  GstVideoInfo info;
  gst_video_info_set_format(&info, GST_VIDEO_FORMAT_I420, static_cast<guint>(width), static_cast<guint>(height));
  Owned<GstBuffer> buffer(gst_buffer_new_allocate(nullptr, GST_VIDEO_INFO_SIZE(&info), nullptr));
  GstVideoFrame frame;
  fail_unless(gst_video_frame_map(&frame, &info, buffer.get(), GST_MAP_WRITE));
  for (int p = 0; p < 3; p++) {
    auto *data = static_cast<guint8 *>(GST_VIDEO_FRAME_PLANE_DATA(&frame, p));
    for (int y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT(&frame, p); y++)
      for (int x = 0; x < GST_VIDEO_FRAME_COMP_WIDTH(&frame, p); x++) {
        int value = p == 0 ? 60 + ((x + number) * 3 + y * 2) % 120 : 100 + (x + y + number) % 50;
        const int bit = x / kBlock;
        if (p == 0 && y < 2 * kBlock && bit < 10)
          value = ((number >> bit & 1) != 0) == (y < kBlock) ? 216 : 40;
        data[y * GST_VIDEO_FRAME_PLANE_STRIDE(&frame, p) + x] = static_cast<guint8>(value);
      }
  }
  gst_video_frame_unmap(&frame);
  GST_BUFFER_PTS(buffer.get()) = gst_util_uint64_scale(static_cast<guint64>(number), GST_SECOND, kClipRate);
  GST_BUFFER_DURATION(buffer.get()) = GST_SECOND / kClipRate;
  return buffer;
}

inline Owned<GstCaps> clip_caps(int width = kClipWidth, int height = kClipHeight) {
  return Owned<GstCaps>(gst_caps_new_simple("video/x-raw", "format", G_TYPE_STRING, "I420", "width", G_TYPE_INT, width,
                                            "height", G_TYPE_INT, height, "framerate", GST_TYPE_FRACTION, kClipRate, 1,
                                            "pixel-aspect-ratio", GST_TYPE_FRACTION, 1, 1, nullptr));
}

// The number in a decoded frame, -1 where there is none to read. Takes the first component for luma.
inline int read_number(GstPad *pad, GstBuffer *buffer) {
  const Owned<GstCaps> caps(gst_pad_get_current_caps(pad));
  GstVideoInfo info;
  GstVideoFrame frame;
  if (!caps || !gst_video_info_from_caps(&info, caps.get()) ||
      !gst_video_frame_map(&frame, &info, buffer, GST_MAP_READ))
    return -1;
  int number = 0;
  for (int bit = 0; bit < 10 && number >= 0; bit++) {
    const auto bright = [&](int y) {
      const auto *at = static_cast<const guint8 *>(GST_VIDEO_FRAME_COMP_DATA(&frame, 0)) +
                       y * GST_VIDEO_FRAME_COMP_STRIDE(&frame, 0) +
                       (bit * kBlock + kBlock / 2) * GST_VIDEO_FRAME_COMP_PSTRIDE(&frame, 0);
      const auto depth = static_cast<int>(GST_VIDEO_FRAME_COMP_DEPTH(&frame, 0));
      return depth > 8 ? GST_READ_UINT16_LE(at) >> (depth - 1) : *at > 128;
    };
    const bool set = bright(kBlock / 2);
    number = set != bright(kBlock * 3 / 2) ? number | set << bit : -1;
  }
  gst_video_frame_unmap(&frame);
  return number;
}

// Of the pixels that show, in hexadecimal.
inline std::string checksum(GstPad *pad, GstBuffer *buffer) {
  const Owned<GstCaps> caps(gst_pad_get_current_caps(pad));
  GstVideoInfo info;
  GstVideoFrame frame;
  fail_unless(caps && gst_video_info_from_caps(&info, caps.get()) &&
              gst_video_frame_map(&frame, &info, buffer, GST_MAP_READ));
  GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
  for (guint c = 0; c < GST_VIDEO_FRAME_N_COMPONENTS(&frame); c++)
    for (int y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT(&frame, c); y++)
      g_checksum_update(sum, GST_VIDEO_FRAME_COMP_DATA(&frame, c) + y * GST_VIDEO_FRAME_COMP_STRIDE(&frame, c),
                        (GST_VIDEO_FRAME_COMP_WIDTH(&frame, c) - 1) * GST_VIDEO_FRAME_COMP_PSTRIDE(&frame, c) +
                            (GST_VIDEO_FRAME_COMP_DEPTH(&frame, c) + 7) / 8); // less than a step: others share it
  std::string text = g_checksum_get_string(sum);
  g_checksum_free(sum);
  gst_video_frame_unmap(&frame);
  return text;
}

// --- Files ---

constexpr const char *kH264 = "x264enc speed-preset=veryfast quantizer=20 pass=quant bframes=0 key-int-max=25";
constexpr const char *kH264B = "x264enc speed-preset=veryfast quantizer=20 pass=quant bframes=3 b-pyramid=true "
                               "b-adapt=false key-int-max=25";
constexpr const char *kH264Open = "x264enc speed-preset=veryfast quantizer=20 pass=quant bframes=3 b-adapt=false "
                                  "key-int-max=20 option-string=min-keyint=20:scenecut=0:open-gop=1";
constexpr const char *kH265 = "x265enc speed-preset=ultrafast option-string=keyint=20:bframes=0:no-open-gop=1:qp=20";
constexpr const char *kH265Open = "x265enc speed-preset=ultrafast option-string=keyint=20:min-keyint=20:scenecut=0:"
                                  "bframes=3:b-adapt=0:open-gop=1:qp=20";

inline std::string parser_of(const std::string &encoder) {
  return encoder.rfind("x265", 0) == 0 ? "h265parse" : "h264parse";
}

// A decoder that libav has, where nothing else is asked for.
inline std::string decoder_of(const std::string &parser) {
  return parser == "h265parse" ? "avdec_h265" : "avdec_h264";
}

// Runs `line`, whose appsrc `in` gets `frames` numbered frames.
inline void write_frames(const std::string &description, int frames, int width = kClipWidth, int height = kClipHeight) {
  Line line(description);
  std::vector<Owned<GstBuffer>> pictures;
  for (int i = 0; i < frames; i++)
    pictures.push_back(numbered_frame(i, width, height));
  line.feed(clip_caps(width, height).get(), std::move(pictures));
  const Outcome outcome = line.run();
  fail_unless(outcome.eos, "%s: %s (%s)", description.c_str(), outcome.error.c_str(), outcome.debug.c_str());
}

// Encodes numbered frames and writes what `muxer` makes of them; "" leaves a raw byte stream.
inline void encode(const std::string &path, const std::string &encoder, const std::string &muxer, int frames,
                   int width = kClipWidth, int height = kClipHeight) {
  const std::string raw = encoder.rfind("x265", 0) == 0 ? "video/x-h265" : "video/x-h264";
  const std::string tail =
      muxer.empty() ? raw + ",stream-format=byte-stream,alignment=au ! " : parser_of(encoder) + " ! " + muxer + " ! ";
  write_frames("appsrc name=in ! " + encoder + " ! " + tail + "filesink location=" + path, frames, width, height);
}

// A file with AAC beside the H.264.
inline void encode_with_audio(const std::string &path, int frames, const std::string &muxer = "mp4mux",
                              int width = kClipWidth, int height = kClipHeight) {
  const int buffers = frames * 44100 / kClipRate / 1024;
  write_frames("appsrc name=in ! " + std::string(kH264B) + " ! h264parse ! " + muxer + " name=m ! filesink location=" +
                   path + " audiotestsrc samplesperbuffer=1024 num-buffers=" + std::to_string(buffers) +
                   " ! audio/x-raw,rate=44100 ! avenc_aac ! aacparse ! queue ! m.",
               frames, width, height);
}

// Links the pads of `demuxer` to the elements `video` and `audio` each time they come. gst_parse_launch does so only
// once, and READY takes the pads away.
inline void link_pads(const Line &line) {
  const auto link = [](GstElement *element, GstPad *pad, gpointer) {
    const std::string name = GST_OBJECT_NAME(pad), kind = name.substr(0, name.find('_'));
    const Owned<GstElement> next(gst_bin_get_by_name(GST_BIN(GST_OBJECT_PARENT(element)), kind.c_str()));
    if (!next)
      return;
    const Owned<GstPad> sink(gst_element_get_static_pad(next.get(), "sink"));
    gst_pad_link(pad, sink.get());
  };
  const Owned<GstElement> demuxer = line.get("demuxer");
  g_signal_connect(demuxer.get(), "pad-added", G_CALLBACK(+link), nullptr);
}

// --- Frames that pass ---

struct Seen {
  int number; // in the pixels
  guint64 frame_id, total;
  GstClockTime pts;
  guint clip_index, seq_pos, seq_len;
  bool random_access;
  CpsFrameStatus status;
};

// Remembers the frames that leave an element.
class Frames {
public:
  void watch(Line &line, const char *element, const char *pad = "src") {
    line.on_buffer(element, pad, [this](GstPad *at, GstBuffer *buffer) { see(at, buffer); });
  }

  std::vector<Seen> all() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return seen_;
  }
  void clear() {
    const std::lock_guard<std::mutex> lock(mutex_);
    seen_.clear();
  }
  std::vector<Seen> of_clip(guint clip_index) const {
    std::vector<Seen> out;
    for (const Seen &frame : all())
      if (frame.clip_index == clip_index)
        out.push_back(frame);
    return out;
  }

private:
  void see(GstPad *pad, GstBuffer *buffer) {
    if (!gst_pad_has_current_caps(pad))
      return; // the line is being stopped, and the buffer goes nowhere
    Seen frame = {read_number(pad, buffer), CPS_FRAME_ID_NONE, 0, GST_BUFFER_PTS(buffer), 0, 0, 0, false,
                  CPS_FRAME_STATUS_OK};
    if (const CpsFrameMeta *meta = cps_buffer_get_frame_meta(buffer))
      frame = {frame.number,     meta->frame_id, meta->total,   GST_BUFFER_PTS(buffer),
               meta->clip_index, meta->seq_pos,  meta->seq_len, (meta->flags & CPS_FRAME_FLAG_RANDOM_ACCESS) != 0,
               meta->status};
    const std::lock_guard<std::mutex> lock(mutex_);
    seen_.push_back(frame);
  }

  mutable std::mutex mutex_;
  std::vector<Seen> seen_;
};

inline std::vector<int> numbers_of(const std::vector<Seen> &frames) {
  std::vector<int> numbers;
  for (const Seen &frame : frames)
    numbers.push_back(frame.number);
  return numbers;
}

inline std::string text_of(const std::vector<int> &numbers) {
  std::string text;
  for (const int number : numbers)
    text += (text.empty() ? "" : " ") + std::to_string(number);
  return text;
}

inline void check_numbers(const std::string &what, const std::vector<int> &numbers, const std::vector<int> &expected) {
  fail_unless(numbers == expected, "%s: frames %s instead of %s", what.c_str(), text_of(numbers).c_str(),
              text_of(expected).c_str());
}

// docs/spec.md#sampling over any list of frames.
inline std::vector<int> spread(const std::vector<int> &frames, int n) {
  std::vector<int> out;
  for (int i = 0; i < n; i++)
    out.push_back(frames[n == 1 ? 0 : static_cast<size_t>(i) * (frames.size() - 1) / static_cast<size_t>(n - 1)]);
  return out;
}

inline std::vector<int> count_up(int from, int to) {
  std::vector<int> out;
  for (int i = from; i < to; i++)
    out.push_back(i);
  return out;
}

// `numbers`, each with the identity of the frame it is, in the order of one clip.
inline void check_clip(const std::string &what, const std::vector<Seen> &frames, const std::vector<int> &numbers,
                       int total) {
  check_numbers(what, numbers_of(frames), numbers);
  for (size_t i = 0; i < frames.size(); i++) {
    const Seen &frame = frames[i];
    fail_unless(frame.frame_id == static_cast<guint64>(frame.number), "%s: frame %d is called %d", what.c_str(),
                frame.number, static_cast<int>(frame.frame_id));
    assert_equals_uint64(frame.total, static_cast<guint64>(total));
    assert_equals_uint64(frame.seq_pos, i);
    assert_equals_uint64(frame.seq_len, frames.size());
    assert_equals_int(frame.status, CPS_FRAME_STATUS_OK);
  }
}

// What the file decodes to, by its pixels and without the elements under test.
inline std::vector<int> decode_all(const std::string &reading, const std::string &decoder) {
  Line line(reading + " ! " + decoder + " name=decoder ! fakesink");
  Frames frames;
  frames.watch(line, "decoder");
  const Outcome outcome = line.run();
  fail_unless(outcome.eos, "%s: %s", reading.c_str(), outcome.error.c_str());
  return numbers_of(frames.all());
}

// Writes how the pictures are to be turned into the only track of an MP4 file: a b c d of its matrix.
inline void turn(const std::string &path, const std::array<int, 4> &matrix) {
  std::string file = read_file(path);
  const size_t header = file.find("tkhd");
  fail_unless(header != std::string::npos && file[header + 4] == 0, "no track header of version 0");
  auto *at = reinterpret_cast<guint8 *>(file.data() + header + 44);
  fail_unless(GST_READ_UINT32_BE(at) == 0x10000 && GST_READ_UINT32_BE(at + 16) == 0x10000);
  constexpr size_t kPlaces[] = {0, 4, 12, 16}; // of a b u c d v ..., 16.16
  for (size_t i = 0; i < matrix.size(); i++)
    GST_WRITE_UINT32_BE(at + kPlaces[i], static_cast<guint32>(matrix[i] * 0x10000));
  write_file(path, file);
}

} // namespace pipes
