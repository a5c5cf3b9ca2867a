// SPDX-License-Identifier: LGPL-2.1-or-later
// The streams of the matrix: how each is made, read and decoded.
#pragma once

#include <string>
#include <vector>

namespace matrix {

// What the frames show besides their number.
enum class Content { Moving, Cuts, Fades };

// When they are shown.
enum class Times { Even, Uneven };

// What is done to the file once it is written.
enum class Change {
  None,
  CutOff,       // ends too early
  Torn,         // ends within an access unit; what comes of that depends on what its memory held before
  PromisesMore, // the header of an AVI file tells of twice the frames
  LaterStart,   // the edit list of an MP4 file leaves out the first ten frames
  OneHeader,    // raw MPEG-2 has no header of a sequence or GOP but the first
};

// Which frames are points of random access.
enum class Keys {
  Libav,     // those that libavcodec takes for such
  First,     // only the first: recovery points that take several frames are none
  Unchecked, // libavcodec counts other frames
};

constexpr int kFrames = 120; // that go in

struct Stream {
  std::string name; // or of a file that is given, where `make` is empty
  // Elements between an appsrc of numbered frames and a filesink; or "ffmpeg " and options, where raw frames are the
  // input and the file is the output. An element that is called "encoder" puts the access units out that may get lost.
  std::string make;
  std::string reading; // behind a filesrc, up to the parser
  std::vector<std::string> decoders;
  Content content = Content::Moving;
  Times times = Times::Even;
  Change change = Change::None;
  std::vector<int> lost = {}; // access units that never reach the file, by their number in decode order
  int wide_from = kFrames;    // frames from here on are larger
  int frames = kFrames;       // that the stream has: some containers end before the last one, some encoders drop one
  Keys keys = Keys::Libav;
  bool out_of_order = false; // the decoder's order is no display order
  bool may_warn = false;     // of a truncated file
};

// Those of a group: meson.build names them.
std::vector<Stream> streams(const std::string &group);

} // namespace matrix
