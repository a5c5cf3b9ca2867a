// SPDX-License-Identifier: LGPL-2.1-or-later
// Unaligned integers. GStreamer's macros read whole words, which is undefined behaviour for unaligned addresses;
// compilers generate the same code for these functions.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cps {

template <typename T> T read_be(const uint8_t *at) {
  T value = 0;
  for (size_t i = 0; i < sizeof(T); ++i)
    value = static_cast<T>(value << 8 | at[i]);
  return value;
}

template <typename T> T read_le(const uint8_t *at) {
  T value = 0;
  for (size_t i = sizeof(T); i-- > 0;)
    value = static_cast<T>(value << 8 | at[i]);
  return value;
}

template <typename T> void write_be(uint8_t *at, T value) {
  for (size_t i = sizeof(T); i-- > 0; value = static_cast<T>(value >> 8))
    at[i] = static_cast<uint8_t>(value);
}

} // namespace cps
