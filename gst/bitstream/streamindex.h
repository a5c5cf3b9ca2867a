// SPDX-License-Identifier: LGPL-2.1-or-later
// The pictures of a stream in decode and display order, from a parse-only pass.
#pragma once

#include "gst/bitstream/bytes.h"
#include "gst/bitstream/frametimes.h"
#include "gst/bitstream/pictureparser.h"

#include <cstdint>
#include <string>
#include <vector>

namespace cps {

constexpr uint32_t kNoFrame = UINT32_MAX;

// Decode and presentation times of an access unit.
struct UnitTimes {
  GstClockTime pts = GST_CLOCK_TIME_NONE; // of the container
  GstClockTime dts = GST_CLOCK_TIME_NONE;
  int64_t time = kUntimed; // the same in ns of stream time, by the unit's segment
  int64_t decode_time = kUntimed;
};

class StreamIndex {
public:
  // One access unit, in decode order; 64 bytes, so that an hour of video costs a few MiB.
  struct AccessUnit : UnitTimes {
    uint64_t fingerprint = 0;
    uint32_t frame = kNoFrame;  // display-order index of its frame, set by finish(); shared by both fields of a frame
    uint32_t sequence = 0;      // coded video sequence
    int32_t order = 0;          // picture order count in that sequence
    uint32_t references_at = 0; // position of its references in distances_
    uint8_t references = 0;     // their number, or kUnknownReferences
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
    bool clipped : 1;           // cut off by an edit list: decoded if needed, but not a frame of the stream
    bool parameter_sets : 1;    // see CodedPicture
  };
  static constexpr uint8_t kUnknownReferences = 255;

  void clear();

  // Appends the next access unit in decode order.
  void add(const CodedPicture &picture, const UnitTimes &times, bool clipped);

  // Marks the last picture as not shown, so that it is not a frame. Call before finish().
  void hide_last();

  // Numbers the frames in display order and computes their times. Call once, after the last add(). `by_pts`: see
  // PictureParser; if a picture has no time stamp, decode order is used. `interval` is the nominal frame interval in
  // ns, 0 if unknown.
  void finish(bool by_pts = false, int64_t interval = 0);

  size_t units() const { return units_.size(); }
  const AccessUnit &unit(size_t i) const { return units_[i]; }

  // Calls `visit` with each unit that unit `i` references. Only if its references are known.
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

  // What the parser has learned of the whole stream, for readings without it.
  struct Traits {
    int64_t order_window = INT64_MAX; // see PictureParser
    bool full_range = false;          // see PictureParser
  };
  void set_traits(const Traits &traits) { traits_ = traits; }
  const Traits &traits() const { return traits_; }

  // Number of frames: excludes second fields, pictures that are cut off, and pictures that are never shown.
  uint32_t frames() const { return static_cast<uint32_t>(display_.size()); }

  // The stream time of each frame, non-decreasing; empty if unknown or if times_error() is set.
  const std::vector<int64_t> &times() const { return times_; }
  const std::string &times_error() const { return times_error_; }
  // Stream time of frame `id`; if times() is empty, from the frame's own stamp. kUntimed if unknown.
  int64_t time(uint32_t id) const { return times_.empty() ? frame(id).time : times_[id]; }

  // True if all frames have a time stamp of the container.
  bool stamped() const { return stamped_; }
  // True if a time stands for one place of the stream: all frames have one, and those of the entry points increase.
  bool has_places() const;
  // The first access unit of frame `id`.
  const AccessUnit &frame(uint32_t id) const { return units_[display_[id]]; }

  // The nearest unit at or after `hint` with this fingerprint, else the nearest before it; units() if there is none.
  size_t find(uint64_t fingerprint, size_t hint) const;

  // The unit with this fingerprint and the time stamp nearest to `pts`, else the first; units() if there is none.
  size_t find_nearest(uint64_t fingerprint, GstClockTime pts) const;

  // The finished index as bytes. Only the same version of this library, on the same kind of processor, can read them.
  std::string image() const;

  // Replaces the index by that of an image. Returns false if the image is invalid or does not have as many frames as
  // `frames`; the index is then empty.
  bool load(const uint8_t *image, size_t size, uint32_t frames);

private:
  bool load_display(uint32_t frames);
  bool check_references() const;
  void hide_unrecovered();
  void order_by_pts();
  void check_stamps();
  void time_all(int64_t interval);
  void keep_references(AccessUnit &unit, const References &references);

  std::vector<AccessUnit> units_;
  // Distances from units back to their references: one byte, or kFar and four bytes.
  static constexpr uint32_t kFar = UINT8_MAX;
  std::vector<uint8_t> distances_;
  std::vector<uint32_t> display_; // frame id -> unit
  std::vector<int64_t> times_;    // of frames
  std::string times_error_;
  bool stamped_ = false;
  Traits traits_;
};

} // namespace cps
