// SPDX-License-Identifier: LGPL-2.1-or-later
// What the headers of one access unit say about its picture, codec by codec, without decoding it.
#pragma once

#include <gst/gst.h>

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace cps {

// The access units that a picture is predicted from, by their number in decode order.
struct References {
  static constexpr int kMax = 16; // a decoded picture buffer holds no more

  bool known = false; // false: all reference pictures since the entry point, for want of better knowledge
  int count = 0;
  uint32_t units[kMax] = {};
};

// One parsed access unit.
struct CodedPicture {
  bool has_picture = false;     // false: parameter sets, SEI or filler only; the other fields mean nothing
  bool starts_sequence = false; // first picture of a coded video sequence: display order starts over here
  bool random_access = false;   // decoding can start here and this very picture is exact (docs/spec.md#sampling)
  bool late_start = false;      // starts a sequence, but its own header does not tell decoders before they decode it
  bool second_field = false;    // completes the frame that the access unit before it began
  bool output = true;         // false: no decoder shows it (PicOutputFlag 0 in H.265), so it is no frame of the stream
  bool reference = true;      // false: no other picture is predicted from it
  bool anchors_order = false; // decoders derive the order of the next pictures from its own
  bool decodable_leading = false; // shown before the entry point that it follows, but refers to nothing before it
  bool recovers = false;   // from here on, in display order, decoders that have begun before it show what they have
  bool after_loss = false; // pictures that others refer to are missing before it; see NeededUnits
  References references;
  int32_t order = 0;        // picture order count, comparable within a coded video sequence
  uint64_t fingerprint = 0; // of the slices: equal for the same picture however it is framed; 0 without one
};

// A part of an access unit, in bytes.
struct Part {
  size_t offset, size;
};

// What can be told of an access unit by itself.
struct UnitSummary {
  uint64_t fingerprint = 0;         // see CodedPicture
  std::vector<Part> parameter_sets; // which later ones need even where they do not need its picture
};

// Parses the access units of one elementary stream in decode order. Not thread-safe.
class PictureParser {
public:
  // A parser for `caps`, of coded video with one access unit a buffer; nullptr where they are framed otherwise. Of
  // codecs that are not known by name, decoding starts at the first unit.
  static std::unique_ptr<PictureParser> create(const GstCaps *caps);

  virtual ~PictureParser() = default;

  // New caps of the same codec, for example with other parameter sets.
  virtual bool set_caps(const GstCaps *caps) = 0;

  // False where the access unit cannot be understood. Where it has slices it still counts as one picture, which
  // `picture` then places right after the picture before it.
  virtual bool parse(GstBuffer *access_unit, CodedPicture &picture) = 0;

  // For matching an access unit with one that was parsed before. Keeps no state.
  virtual UnitSummary summarize(GstBuffer *access_unit) const = 0;

  // Do the parameter sets read last say that samples use the full range? False where they say nothing.
  virtual bool full_range() const { return false; }

  // The pictures' `order` says nothing: they are shown in the order of their time stamps.
  virtual bool orders_by_pts() const { return false; }

  // How far apart the orders of two decoded pictures may be that anchor those of others and follow each other.
  virtual int64_t order_window() const { return INT64_MAX; }

  // What may follow the last access unit, for decoders that hold the last picture back until they see it; empty where
  // the end of the stream is enough. Static.
  virtual std::string_view end_of_sequence() const { return {}; }

  // Do decoders show the last picture only if yet another follows, whatever the end of the stream says?
  virtual bool holds_last() const { return false; }
  // And so never the last of the stream, which a full decode is without?
  virtual bool loses_last() const { return false; }

  // Forgets all pictures, but not the parameter sets: what comes next starts a stream.
  virtual void reset() = 0;
};

} // namespace cps
