// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/bitstream/nal.h"

#include <algorithm>
#include <cstring>

namespace cps {

namespace {

// Returns the next 00 00 01, or `end`. Uses memchr to find the ones, because they are rare in coded data.
const uint8_t *find_start_code(const uint8_t *begin, const uint8_t *end) {
  if (end - begin < 3)
    return end;
  for (const uint8_t *p = begin + 2; p < end; ++p) {
    p = static_cast<const uint8_t *>(memchr(p, 1, static_cast<size_t>(end - p)));
    if (!p)
      return end;
    if (p[-1] == 0 && p[-2] == 0)
      return p - 2;
  }
  return end;
}

// A NAL unit ends with a byte that is not zero (7.4.1 of both standards); zeros after it are padding.
size_t size_without_padding(const uint8_t *data, size_t size) {
  while (size > 0 && data[size - 1] == 0)
    --size;
  return size;
}

} // namespace

bool NalReader::next(Nal &nal) {
  while (next_framed(nal)) {
    nal.size = size_without_padding(nal.data, nal.size);
    if (nal.size > 0)
      return true;
  }
  return false;
}

bool NalReader::next_framed(Nal &nal) {
  if (length_size_ == 0)
    return next_start_code(nal, end_);
  if (split_end_ && next_start_code(nal, split_end_))
    return true;
  split_end_ = nullptr;
  return next_prefixed(nal);
}

bool NalReader::split(Nal &nal) {
  if (length_size_ == 0 || split_end_)
    return split_end_ != nullptr;
  const uint8_t *end = nal.data + nal.size, *start_code = find_start_code(nal.data, end);
  if (start_code == end)
    return false;
  split_end_ = pos_;
  pos_ = start_code;
  nal.size = size_without_padding(nal.data, static_cast<size_t>(start_code - nal.data));
  return true;
}

bool NalReader::next_prefixed(Nal &nal) {
  if (static_cast<size_t>(end_ - pos_) <= length_size_)
    return false;
  size_t size = 0;
  for (unsigned i = 0; i < length_size_; ++i)
    size = size << 8 | *pos_++;
  const auto left = static_cast<size_t>(end_ - pos_);
  damaged_ |= size > left;
  nal = {pos_, std::min(size, left)};
  pos_ += nal.size;
  return true;
}

bool NalReader::next_start_code(Nal &nal, const uint8_t *end) {
  const uint8_t *start_code = find_start_code(pos_, end);
  if (start_code == end)
    return false;
  const uint8_t *data = start_code + 3;
  pos_ = find_start_code(data, end);
  nal = {data, static_cast<size_t>(pos_ - data)};
  return true;
}

void Fingerprint::add(const Nal &slice) {
  // Headers differ between pictures; the end and the size depend on all data in between.
  constexpr size_t kHead = 64;
  constexpr size_t kTail = 16;
  mix(slice.size);
  add_bytes(slice.data, std::min(slice.size, kHead));
  if (slice.size > kHead)
    add_bytes(slice.data + slice.size - kTail, kTail);
}

void Fingerprint::add_bytes(const uint8_t *data, size_t size) {
  while (size > 0) {
    uint64_t word = 0;
    const size_t n = std::min(size, sizeof(word));
    memcpy(&word, data, n);
    mix(word);
    data += n;
    size -= n;
  }
}

void Fingerprint::mix(uint64_t word) {
  // The finaliser of SplitMix64, in which each input bit affects all output bits.
  uint64_t h = hash_ + word + 0x9e3779b97f4a7c15u;
  h = (h ^ h >> 30) * 0xbf58476d1ce4e5b9u;
  h = (h ^ h >> 27) * 0x94d049bb133111ebu;
  hash_ = h ^ h >> 31;
}

} // namespace cps
