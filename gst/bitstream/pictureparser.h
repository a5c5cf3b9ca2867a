// SPDX-License-Identifier: LGPL-2.1-or-later
// Parses the headers of access units without decoding, for each codec.
#pragma once

#include <gst/gst.h>

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace cps {

// The access units that a picture references, by their number in decode order.
struct References {
  static constexpr int kMax = 16; // the capacity of a decoded picture buffer

  bool known = false; // false: assume all reference pictures since the entry point
  int count = 0;
  uint32_t units[kMax] = {};
};

// One parsed access unit.
struct CodedPicture {
  bool has_picture = false;     // false: parameter sets, SEI or filler only; the fields after the next mean nothing
  bool parameter_sets = false;  // the unit has some, see UnitSummary
  bool starts_sequence = false; // first picture of a coded video sequence: display order restarts here
  bool random_access = false;   // decoding can start here, and this picture is then exact (docs/spec.md#sampling)
  bool late_start = false;      // starts a sequence, but decoders cannot tell from its header before they decode it
  bool second_field = false;    // completes the frame that the previous access unit began
  bool output = true; // false: decoders do not show it (PicOutputFlag 0 in H.265), so it is not a frame of the stream
  bool reference = true;      // false: no other picture references it
  bool anchors_order = false; // decoders derive the order of the next pictures from this one's
  bool decodable_leading =
      false; // shown before the entry point that it follows, but refers to no picture before the entry point
  bool recovers = false;   // decoders that started before it show all pictures from here on, in display order
  bool after_loss = false; // reference pictures before it are missing; see NeededUnits
  References references;
  int32_t order = 0;        // picture order count, comparable within a coded video sequence
  uint64_t fingerprint = 0; // hash of the slices: the same for a picture in any framing; 0 without slices
};

// A part of an access unit, in bytes.
struct Part {
  size_t offset, size;
};

// Properties of a single access unit, independent of parser state.
struct UnitSummary {
  uint64_t fingerprint = 0;         // see CodedPicture
  std::vector<Part> parameter_sets; // later units may need them even if they do not need the picture
};

// Parses the access units of one elementary stream in decode order. Not thread-safe.
class PictureParser {
public:
  // Returns a parser for `caps` of coded video with one access unit per buffer; nullptr for any other framing. For
  // unknown codecs, decoding starts at the first unit.
  static std::unique_ptr<PictureParser> create(const GstCaps *caps);

  virtual ~PictureParser() = default;

  // Sets new caps of the same codec, for example with other parameter sets.
  virtual bool set_caps(const GstCaps *caps) = 0;

  // False if the access unit cannot be parsed. If it has slices it still counts as one picture, and `picture` places it
  // after the previous one.
  virtual bool parse(GstBuffer *access_unit, CodedPicture &picture) = 0;

  // Matches an access unit with one parsed before. Changes no state.
  virtual UnitSummary summarize(GstBuffer *access_unit) const = 0;

  // True if the last parameter sets signal the full sample range.
  virtual bool full_range() const { return false; }

  // True if `order` is not set: display order is the order of the time stamps.
  virtual bool orders_by_pts() const { return false; }

  // The maximum difference between the orders of two consecutive anchors (CodedPicture::anchors_order).
  virtual int64_t order_window() const { return INT64_MAX; }

  // Data to append to the last access unit, for decoders that otherwise do not output the last picture at EOS; empty if
  // not needed. Static.
  virtual std::string_view end_of_sequence() const { return {}; }

  // True if decoders output a picture only after the next one arrives, and not at EOS.
  virtual bool holds_last() const { return false; }
  // True if therefore even a full decode lacks the last picture of the stream.
  virtual bool loses_last() const { return false; }

  // Forgets all pictures but keeps the parameter sets. The next unit starts a stream.
  virtual void reset() = 0;
};

} // namespace cps
