// SPDX-License-Identifier: LGPL-2.1-or-later
// Memory with guard bytes on both sides. A kernel that writes there is found out later, with the address sanitizer at
// once, and then one that reads there, too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, bytes) (void)(address), (void)(bytes)
#define ASAN_UNPOISON_MEMORY_REGION(address, bytes) (void)(address), (void)(bytes)
#endif

namespace cps::sim {

// What new memory holds: NaN as a float, out of bounds as an index.
constexpr int kPoison = 0xff;

class Guarded {
public:
  // The data starts on a multiple of `alignment`, a power of two up to 512, and of nothing larger.
  Guarded(size_t bytes, size_t alignment) : bytes_(bytes), before_(alignment < 512 ? alignment : kGuard) {
    const size_t total = (before_ + bytes + kGuard + kGuard - 1) / kGuard * kGuard;
    raw_ = static_cast<uint8_t *>(std::aligned_alloc(kGuard, total));
    if (!raw_)
      return;
    memset(raw_, kMark, total);
    poison();
    ASAN_POISON_MEMORY_REGION(raw_, before_);
    ASAN_POISON_MEMORY_REGION(data() + bytes_, kGuard);
  }
  ~Guarded() {
    if (raw_)
      expose();
    free(raw_);
  }
  Guarded(const Guarded &) = delete;
  Guarded &operator=(const Guarded &) = delete;

  uint8_t *data() const { return raw_ ? raw_ + before_ : nullptr; }
  size_t bytes() const { return bytes_; }
  void poison() { memset(data(), kPoison, bytes_); }

  // Are the guards as they were?
  bool intact() {
    expose();
    size_t wrong = 0;
    for (size_t i = 0; i < before_; ++i)
      wrong += raw_[i] != kMark;
    for (size_t i = 0; i < kGuard; ++i)
      wrong += data()[bytes_ + i] != kMark;
    ASAN_POISON_MEMORY_REGION(raw_, before_);
    ASAN_POISON_MEMORY_REGION(data() + bytes_, kGuard);
    return wrong == 0;
  }

private:
  static constexpr size_t kGuard = 512;
  static constexpr uint8_t kMark = 0xa5;

  void expose() {
    ASAN_UNPOISON_MEMORY_REGION(raw_, before_);
    ASAN_UNPOISON_MEMORY_REGION(data() + bytes_, kGuard);
  }

  uint8_t *raw_ = nullptr;
  size_t bytes_, before_;
};

} // namespace cps::sim
