// SPDX-License-Identifier: LGPL-2.1-or-later
// NAL units: the common framing of H.264 and H.265.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cps {

// The bytes of one NAL unit from its header on, without framing and trailing zero bytes. Never empty.
struct Nal {
  const uint8_t *data = nullptr;
  size_t size = 0;
};

// Iterates over the NAL units of an access unit without copying.
class NalReader {
public:
  // `length_size` is the number of length bytes before each unit; 0: start codes (Annex B).
  NalReader(const uint8_t *data, size_t size, unsigned length_size)
      : pos_(data), end_(data + size), length_size_(length_size) {}

  // False after the last unit. A unit whose length exceeds the data ends with the data.
  bool next(Nal &nal);

  // Some writers put start codes into length-prefixed units, and decoders search for them. Ends `nal`, the last result
  // of next(), before the first start code in it; next() continues there. True if `nal` is part of such a unit. Not
  // needed for slices.
  bool split(Nal &nal);

  // The end of the last unit, including its padding.
  const uint8_t *position() const { return pos_; }

  // True if the length of a unit exceeded the data.
  bool damaged() const { return damaged_; }

private:
  bool next_framed(Nal &nal);
  bool next_prefixed(Nal &nal);
  bool next_start_code(Nal &nal, const uint8_t *end);

  const uint8_t *pos_;
  const uint8_t *end_;
  const uint8_t *split_end_ = nullptr; // end of a length-prefixed unit that is being split at start codes
  unsigned length_size_;
  bool damaged_ = false;
};

// A hash of a picture's slices. Its cost does not depend on their size.
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
