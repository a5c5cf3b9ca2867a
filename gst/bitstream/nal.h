// SPDX-License-Identifier: LGPL-2.1-or-later
// NAL units: what H.264 and H.265 have in common below their syntax.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cps {

// The bytes of one NAL unit from its header on, without framing and trailing zero bytes. Never empty.
struct Nal {
  const uint8_t *data = nullptr;
  size_t size = 0;
};

// Walks over the NAL units of an access unit without copying them.
class NalReader {
public:
  // `length_size` is the number of bytes of the length before each unit; 0: start codes (Annex B).
  NalReader(const uint8_t *data, size_t size, unsigned length_size)
      : pos_(data), end_(data + size), length_size_(length_size) {}

  // False after the last one. A unit that claims to be longer than the data ends with them.
  bool next(Nal &nal);

  // Some writers put start codes into what has a length, and decoders look for them: ends `nal`, which next() gave,
  // before the first one in it. next() goes on there. True where `nal` is of such a unit. Slices need no such look.
  bool split(Nal &nal);

  // Behind the last one and its padding.
  const uint8_t *position() const { return pos_; }

  // Has there been such a unit?
  bool damaged() const { return damaged_; }

private:
  bool next_framed(Nal &nal);
  bool next_prefixed(Nal &nal);
  bool next_start_code(Nal &nal, const uint8_t *end);

  const uint8_t *pos_;
  const uint8_t *end_;
  const uint8_t *split_end_ = nullptr; // of the unit with a length that is read by its start codes
  unsigned length_size_;
  bool damaged_ = false;
};

// A hash of the slices of a picture that costs the same whatever their size.
class Fingerprint {
public:
  void add(const Nal &slice);
  uint64_t value() const { return hash_; } // 0: no slice

private:
  void add_bytes(const uint8_t *data, size_t size);
  void mix(uint64_t word);

  uint64_t hash_ = 0;
};

} // namespace cps
