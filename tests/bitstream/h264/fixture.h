// SPDX-License-Identifier: LGPL-2.1-or-later
// H.264 streams from an encoder and made by hand, with what becomes of them in the parser and in the decoder.
#pragma once

#include "tests/bitstream/clips.h"
#include "tests/bitstream/h264writer.h"
#include "tests/common/suite.h"

#include <algorithm>
#include <string>
#include <vector>

namespace h264 {

using Frames = std::vector<uint32_t>;
using Pictures = std::vector<H264Picture>;
constexpr auto Top = H264Picture::Top;
constexpr auto Bottom = H264Picture::Bottom;

struct Source {
  std::string encoder;
  int frames = 70;
  std::string format = "stream-format=byte-stream";
  std::string pattern = "ball";
};

// The encoder's property does nothing without caps that say the same.
inline Clip encode(const Source &source) {
  const bool interlaced = source.encoder.find(" interlaced=true") != std::string::npos;
  return run("videotestsrc num-buffers=" + std::to_string(source.frames) + " pattern=" + source.pattern +
             " ! video/x-raw,format=I420,width=96,height=64,framerate=25/1,interlace-mode=" +
             std::string(interlaced ? "interleaved" : "progressive") +
             " ! x264enc bitrate=200 speed-preset=faster threads=1 " + source.encoder +
             " ! h264parse ! video/x-h264,alignment=au," + source.format + " ! appsink name=out");
}

// The units of every picture, first in decode order; with parameter sets before the first.
inline Clip hand_made(const H264Stream &stream, const Pictures &pictures) {
  std::vector<Bytes> units;
  for (const H264Picture &picture : pictures)
    units.push_back((units.empty() ? stream.parameter_sets() : Bytes()) + picture.nal(stream));
  return clip_of(units, "video/x-h264");
}

// Top left luma of each decoded picture, in the order in which they come out.
inline std::vector<int> decode(const Clip &clip) {
  const Clip pictures = run("appsrc name=in ! h264parse ! avdec_h264 max-threads=1 ! "
                            "video/x-raw,format=I420 ! appsink name=out",
                            &clip);
  std::vector<int> lumas;
  for (const auto &picture : pictures)
    lumas.push_back(bytes_of(gst_sample_get_buffer(picture.get()))[0]);
  return lumas;
}

// The decoder must show the first units of our frames in our order.
inline void check_decoder_agrees(const H264Stream &stream, const Pictures &pictures, const Parsed &parsed) {
  if (!have_elements({"h264parse", "avdec_h264"}))
    return;
  std::vector<int> expected(parsed.index.frames());
  for (size_t i = 0; i < pictures.size(); ++i)
    if (pictures[i].structure != Bottom) // the top left sample is the top field's
      expected[parsed.index.unit(i).frame] = pictures[i].luma;
  const std::vector<int> shown = decode(hand_made(stream, pictures));
  for (size_t i = 0; i < std::max(shown.size(), expected.size()); ++i)
    fail_unless(i < shown.size() && i < expected.size() && shown[i] == expected[i],
                "frame %zu: decoder shows %d, expected %d", i, i < shown.size() ? shown[i] : -1,
                i < expected.size() ? expected[i] : -1);
}

inline Parsed check_hand_made(const H264Stream &stream, Pictures pictures, const Frames &expected) {
  for (size_t i = 0; i < pictures.size(); ++i)
    pictures[i].luma = static_cast<uint8_t>(20 + 5 * i);
  Parsed parsed = parse(hand_made(stream, pictures));
  check_frames(parsed.index, expected);
  check_decoder_agrees(stream, pictures, parsed);
  return parsed;
}

inline void check_orders(const Parsed &parsed, const std::vector<int> &expected) {
  assert_equals_uint64(parsed.pictures.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i)
    assert_equals_int(parsed.pictures[i].order, expected[i]);
}

constexpr int kSeconds = 100; // encoders take their time

// The tests, a file each.
TCase *order_tests();
TCase *field_tests();
TCase *random_access_tests();
TCase *unit_tests();

} // namespace h264
