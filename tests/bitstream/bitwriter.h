// SPDX-License-Identifier: LGPL-2.1-or-later
// Writes the syntax of H.264 and H.265 by hand, for streams that no encoder here produces.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <vector>

using Bytes = std::vector<uint8_t>;

inline Bytes operator+(Bytes a, const Bytes &b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

class BitWriter {
public:
  BitWriter &u(unsigned bits, uint64_t value) {
    if (bits == 8 && bits_ % 8 == 0) { // most of a stream
      data_.push_back(static_cast<uint8_t>(value));
      bits_ += 8;
      return *this;
    }
    for (unsigned i = bits; i-- > 0;)
      put(value >> i & 1);
    return *this;
  }
  BitWriter &ue(uint32_t value) {
    const uint64_t code = uint64_t{value} + 1;
    unsigned bits = 0;
    while (code >> bits > 1)
      ++bits;
    return u(bits, 0).u(bits + 1, code);
  }
  BitWriter &se(int32_t value) {
    return ue(value > 0 ? 2 * static_cast<uint32_t>(value) - 1 : 2 * static_cast<uint32_t>(-value));
  }
  BitWriter &align() {
    while (bits_ % 8)
      put(false);
    return *this;
  }
  BitWriter &bytes(size_t count, uint8_t value) {
    for (size_t i = 0; i < count; ++i)
      u(8, value);
    return *this;
  }
  BitWriter &append(const BitWriter &other) {
    for (size_t i = 0; i < other.bits_; ++i)
      put(other.data_[i / 8] >> (7 - i % 8) & 1);
    return *this;
  }
  // rbsp_trailing_bits()
  BitWriter &trailing() { return u(1, 1).align(); }

  const Bytes &data() const { return data_; }

private:
  void put(bool bit) {
    if (bits_++ % 8 == 0)
      data_.push_back(0);
    data_.back() = static_cast<uint8_t>(data_.back() | bit << (8 - (bits_ - 1) % 8 - 1));
  }

  Bytes data_;
  size_t bits_ = 0;
};

// Appends a NAL unit with a start code and emulation prevention.
inline void append_nal(Bytes &out, std::initializer_list<uint8_t> header, const Bytes &payload) {
  out.insert(out.end(), {0, 0, 0, 1});
  out.insert(out.end(), header);
  int zeros = 0;
  for (uint8_t byte : payload) {
    if (zeros >= 2 && byte <= 3) {
      out.push_back(3);
      zeros = 0;
    }
    out.push_back(byte);
    zeros = byte == 0 ? zeros + 1 : 0;
  }
}
