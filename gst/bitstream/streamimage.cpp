// SPDX-License-Identifier: LGPL-2.1-or-later
// StreamIndex::image() and load().
#include "gst/bitstream/streamindex.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

namespace cps {

namespace {

struct ImageHeader {
  uint32_t unit_size; // sizeof(AccessUnit); another one means another version
  uint32_t error_size;
  uint64_t units;
  uint64_t distances;
  uint64_t times;
  int64_t order_window;
  uint8_t full_range;
  uint8_t stamped;
  uint8_t unused[6];
};

template <typename T> void append(std::string &image, const T *items, size_t count) {
  static_assert(std::is_trivially_copyable_v<T>);
  image.append(reinterpret_cast<const char *>(items), count * sizeof(T));
}

// Reads from the front of an image.
class Reader {
public:
  Reader(const uint8_t *data, size_t size) : data_(data), size_(size) {}

  template <typename T> bool read(T *items, size_t count) {
    if (count > size_ / sizeof(T))
      return false;
    if (count > 0)
      memcpy(static_cast<void *>(items), data_, count * sizeof(T));
    data_ += count * sizeof(T);
    size_ -= count * sizeof(T);
    return true;
  }

  // Container: std::vector or std::string.
  template <typename Container> bool read_into(Container &items, uint64_t count) {
    if (count > size_ / sizeof(items[0]))
      return false;
    items.resize(static_cast<size_t>(count));
    return read(items.data(), items.size());
  }

  bool at_end() const { return size_ == 0; }

private:
  const uint8_t *data_;
  size_t size_;
};

} // namespace

std::string StreamIndex::image() const {
  ImageHeader header = {};
  header.unit_size = sizeof(AccessUnit);
  header.error_size = static_cast<uint32_t>(times_error_.size());
  header.units = units_.size();
  header.distances = distances_.size();
  header.times = times_.size();
  header.order_window = traits_.order_window;
  header.full_range = traits_.full_range;
  header.stamped = stamped_;
  std::string image;
  append(image, &header, 1);
  append(image, times_error_.data(), times_error_.size());
  append(image, distances_.data(), distances_.size());
  append(image, times_.data(), times_.size());
  append(image, units_.data(), units_.size());
  return image;
}

bool StreamIndex::load(const uint8_t *image, size_t size, uint32_t frames) {
  clear();
  Reader reader(image, size);
  ImageHeader header;
  const bool good = reader.read(&header, 1) && header.unit_size == sizeof(AccessUnit) &&
                    reader.read_into(times_error_, header.error_size) &&
                    reader.read_into(distances_, header.distances) && reader.read_into(times_, header.times) &&
                    reader.read_into(units_, header.units) && reader.at_end() && units_.size() < kNoFrame &&
                    (times_.empty() || times_.size() == frames) && load_display(frames) && check_references();
  if (!good) {
    clear();
    return false;
  }
  stamped_ = header.stamped != 0;
  traits_ = {header.order_window, header.full_range != 0};
  return true;
}

// Each frame must have a first unit.
bool StreamIndex::load_display(uint32_t frames) {
  if (frames > units_.size())
    return false;
  display_.assign(frames, kNoFrame);
  for (size_t i = 0; i < units_.size(); ++i) {
    const AccessUnit &unit = units_[i];
    if (unit.frame == kNoFrame)
      continue;
    if (unit.frame >= frames)
      return false;
    if (!unit.second_field)
      display_[unit.frame] = static_cast<uint32_t>(i);
  }
  return std::find(display_.begin(), display_.end(), kNoFrame) == display_.end();
}

// References must lie in the image, and before the unit.
bool StreamIndex::check_references() const {
  for (size_t i = 0; i < units_.size(); ++i) {
    if (units_[i].references == kUnknownReferences)
      continue;
    size_t at = units_[i].references_at;
    if (at > distances_.size()) // of a unit without references as well
      return false;
    for (unsigned r = 0; r < units_[i].references; ++r) {
      if (at >= distances_.size())
        return false;
      uint64_t distance = distances_[at++];
      if (distance == kFar) {
        if (distances_.size() - at < sizeof(uint32_t))
          return false;
        distance = read_le<uint32_t>(&distances_[at]);
        at += sizeof(uint32_t);
      }
      if (distance > i)
        return false;
    }
  }
  return true;
}

} // namespace cps
