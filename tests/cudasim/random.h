// SPDX-License-Identifier: LGPL-2.1-or-later
// Which of several allowed orders is taken.
#pragma once

#include <cstdint>

namespace cps::sim {

// SplitMix64: one step of a generator, and a hash.
inline uint64_t mixed(uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

class Random {
public:
  explicit Random(uint64_t seed) : state_(seed) {}

  // 0 .. bound - 1, close enough to evenly.
  uint32_t below(uint32_t bound) {
    state_ += 0x9e3779b97f4a7c15u;
    return static_cast<uint32_t>((mixed(state_) >> 32) * bound >> 32);
  }

private:
  uint64_t state_;
};

} // namespace cps::sim
