// SPDX-License-Identifier: LGPL-2.1-or-later
// What libFuzzer hands to a target, taken apart.
#pragma once

#include "gst/common/owned.h"

#include <sanitizer/lsan_interface.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace fuzz {

using cps::Owned;

// Ends the run, in builds without assertions, too.
#define REQUIRE(condition)                                                                                             \
  do {                                                                                                                 \
    if (!(condition)) {                                                                                                \
      std::fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition);                               \
      std::abort();                                                                                                    \
    }                                                                                                                  \
  } while (0)

// Reads from front to back, so that seeds can be written by hand; behind the end there are zeros.
class Input {
public:
  Input(const uint8_t *data, size_t size) : data_(data), left_(size) {}

  bool at_end() const { return left_ == 0; }

  template <typename Number> Number number() {
    Number value = 0;
    copy(&value, sizeof value);
    return value;
  }
  bool flag() { return (number<uint8_t>() & 1) != 0; }
  // `least` to `most`.
  template <typename Number> Number between(Number least, Number most) {
    const uint64_t range = static_cast<uint64_t>(most) - static_cast<uint64_t>(least);
    return static_cast<Number>(static_cast<uint64_t>(least) +
                               (range == UINT64_MAX ? number<uint64_t>() : number<uint64_t>() % (range + 1)));
  }
  // Bytes behind their length of 16 bits.
  std::vector<uint8_t> bytes() {
    std::vector<uint8_t> taken(std::min<size_t>(number<uint16_t>(), left_));
    copy(taken.data(), taken.size());
    return taken;
  }
  std::string text() {
    const std::vector<uint8_t> taken = bytes();
    const std::string all(taken.begin(), taken.end());
    return all.c_str(); // up to a zero
  }

private:
  void copy(void *to, size_t size) {
    const size_t count = std::min(size, left_);
    if (count > 0)
      std::memcpy(to, data_, count);
    data_ += count;
    left_ -= count;
  }

  const uint8_t *data_;
  size_t left_;
};

inline Owned<GstBuffer> buffer_of(const std::vector<uint8_t> &bytes) {
  return Owned<GstBuffer>(bytes.empty() ? gst_buffer_new() : gst_buffer_new_memdup(bytes.data(), bytes.size()));
}

// GLib does not free the tables of names that it has outgrown.
inline void start() {
  if (gst_is_initialized())
    return;
  __lsan_disable();
  gst_init(nullptr, nullptr);
  __lsan_enable();
}

} // namespace fuzz
