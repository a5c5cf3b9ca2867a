// SPDX-License-Identifier: LGPL-2.1-or-later
// A small H.264 encoder for structures that no encoder here writes: fields, modified reference lists, memory management
// operations, short counters. It codes macroblocks as I_PCM or skips them, so that a picture is what its references are
// but for its number and a spot that moves: whatever is wrong or missing in the past shows in every picture after it.
#pragma once

#include "tests/bitstream/h264writer.h"

#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace coder {

constexpr int kWidth = 160, kHeight = 96; // of a frame, in luma samples

enum class Form { Frame, TopFirst, BottomFirst, TopOnly, BottomOnly };

// A memory management control operation, on the frame with this number where it is about another one.
constexpr int kOldest = -2; // the short-term reference that a sliding window would drop
struct Mark {
  enum Operation { Forget = 1, ForgetLong = 2, KeepLong = 3, LimitLong = 4, Reset = 5, KeepThis = 6 } operation;
  int number = 0; // or kOldest
  int index = 0;  // long-term frame index; how many of them there may be
};

// What to code, in decode order.
struct Frame {
  char type = 'P';
  int number = 0;        // its place in display order, and what its pixels say
  std::vector<int> from; // frames that it is predicted from; P: none for what the unmodified list begins with
  Form form = Form::Frame;
  bool idr = false;
  bool reference = true;
  bool intra_pair = false; // both fields of an I picture are intra; else the second is predicted from the first
  bool chained = false;    // the second field of a P picture is predicted from the first
  bool mixed = false;      // the lower part of an I picture is a P slice
  bool solid = false;      // no macroblock is skipped
  bool lost = false;       // the stream lacks it: a gap of frame_num
  int slices = 1;
  int recovery = -1; // recovery_frame_cnt of its recovery point
  bool exact = true; // exact_match_flag
  std::vector<Mark> marks;
};

// I420, all lines of the frame.
class Picture {
public:
  Picture() : samples_(kWidth * kHeight * 3 / 2, 128) {}
  // What numbered_frame() of the pipelines' clips draws: blocks that tell the number, and below them something that
  // depends on it.
  explicit Picture(int number);

  static int width(int plane) { return plane == 0 ? kWidth : kWidth / 2; }
  static int height(int plane) { return plane == 0 ? kHeight : kHeight / 2; }
  uint8_t *line(int plane, int y) { return samples_.data() + offset(plane) + width(plane) * y; }
  const uint8_t *line(int plane, int y) const { return samples_.data() + offset(plane) + width(plane) * y; }
  const Bytes &samples() const { return samples_; }

private:
  static int offset(int plane) { return plane == 0 ? 0 : kWidth * kHeight * (plane == 1 ? 4 : 5) / 4; }

  Bytes samples_;
};

struct Stream {
  std::string name;
  std::string description;
  std::string bytes;               // Annex B
  int frames = 0;                  // numbered from 0 in display order
  std::vector<int> hidden;         // fields without a partner, which libav does not show
  std::vector<int> entries;        // frames where decoding can start, ascending
  std::map<int, Picture> pictures; // what a decoder shows, by number
};

// Codes `frames`. Where that would break a rule of the standard, throws std::logic_error. Of `parameters`, the numbers
// of macroblocks, the picture reordering and the size of the decoded picture buffer are set here.
Stream code(const std::string &name, const std::string &description, H264Stream parameters,
            const std::vector<Frame> &frames);

// All of them.
const std::vector<Stream> &h264_streams();

} // namespace coder
