// SPDX-License-Identifier: LGPL-2.1-or-later
// The pictures of a stream in decode and in display order, from a parse-only pass.
#pragma once

#include "gst/bitstream/bytes.h"
#include "gst/bitstream/frametimes.h"
#include "gst/bitstream/pictureparser.h"

#include <cstdint>
#include <string>
#include <vector>

namespace cps {

constexpr uint32_t kNoFrame = UINT32_MAX;

// When an access unit is decoded and shown.
struct UnitTimes {
  GstClockTime pts = GST_CLOCK_TIME_NONE; // of the container
  GstClockTime dts = GST_CLOCK_TIME_NONE;
  int64_t time = kUntimed; // the same in ns of stream time, by the segment that the unit came in
  int64_t decode_time = kUntimed;
};

class StreamIndex {
public:
  // One access unit, in decode order; 64 bytes, so that an hour of video costs a few MiB.
  struct AccessUnit : UnitTimes {
    uint64_t fingerprint = 0;
    uint32_t frame = kNoFrame;  // display-order index of its frame, known after finish(); both fields of a pair have it
    uint32_t sequence = 0;      // coded video sequence
    int32_t order = 0;          // picture order count in that sequence
    uint32_t references_at = 0; // where its references are kept
    uint8_t references = 0;     // how many, or kUnknownReferences
    bool random_access : 1;
    bool starts_sequence : 1;
    bool late_start : 1; // see CodedPicture
    bool second_field : 1;
    bool has_picture : 1;
    bool output : 1;            // see CodedPicture
    bool reference : 1;         // see CodedPicture
    bool anchors_order : 1;     // see CodedPicture
    bool decodable_leading : 1; // see CodedPicture
    bool recovers : 1;          // see CodedPicture
    bool after_loss : 1;        // see CodedPicture
    bool clipped : 1;           // cut off by an edit list: decoded where needed, but no frame of the stream
  };
  static constexpr uint8_t kUnknownReferences = 255;

  void clear();

  // Appends the next access unit in decode order.
  void add(const CodedPicture &picture, const UnitTimes &times, bool clipped);

  // No decoder shows the last picture: it is no frame. Before finish().
  void hide_last();

  // Numbers the frames in display order, and times them. Call once, after the last add(). `by_pts`: see PictureParser;
  // where a picture has no time stamp, decode order it is. `interval` is the nominal one of frames in ns, 0 where
  // nobody tells.
  void finish(bool by_pts = false, int64_t interval = 0);

  size_t units() const { return units_.size(); }
  const AccessUnit &unit(size_t i) const { return units_[i]; }

  // The units that unit `i` is predicted from: calls `visit` with each. Only where they are known.
  template <typename Visit> void visit_references(size_t i, Visit visit) const {
    const uint8_t *at = distances_.data() + units_[i].references_at;
    for (unsigned r = 0; r < units_[i].references; ++r) {
      uint32_t distance = *at++;
      if (distance == kFar) {
        distance = read_le<uint32_t>(at);
        at += sizeof distance;
      }
      visit(i - distance);
    }
  }

  // Frames that count: neither second fields, nor cut off, nor never shown.
  uint32_t frames() const { return static_cast<uint32_t>(display_.size()); }

  // The stream time of each frame, which never goes back; empty where `times_error()` or nobody tells.
  const std::vector<int64_t> &times() const { return times_; }
  const std::string &times_error() const { return times_error_; }
  // That of frame `id`, where there are no such times by its own stamp alone; kUntimed where it has none.
  int64_t time(uint32_t id) const { return times_.empty() ? frame(id).time : times_[id]; }

  // Have all frames a time stamp of the container's?
  bool stamped() const { return stamped_; }
  // The access unit that frame `id` begins with.
  const AccessUnit &frame(uint32_t id) const { return units_[display_[id]]; }

  // The unit with this fingerprint that is nearest at or after `hint`, else before it; units() where there is none.
  size_t find(uint64_t fingerprint, size_t hint) const;

  // The unit with this fingerprint whose time stamp is nearest to `pts`, else the first; units() where there is none.
  size_t find_nearest(uint64_t fingerprint, GstClockTime pts) const;

private:
  void hide_unrecovered();
  void order_by_pts();
  void check_stamps();
  void time_all(int64_t interval);
  void keep_references(AccessUnit &unit, const References &references);

  std::vector<AccessUnit> units_;
  // Of references, in units back from the one that refers: a byte, or kFar and four.
  static constexpr uint32_t kFar = UINT8_MAX;
  std::vector<uint8_t> distances_;
  std::vector<uint32_t> display_; // frame id -> unit
  std::vector<int64_t> times_;    // of frames
  std::string times_error_;
  bool stamped_ = false;
};

} // namespace cps
