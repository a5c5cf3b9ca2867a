// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/gst.h>

#include <cstddef>
#include <cstdint>

namespace cps {

// Maps a buffer for reading during the lifetime of this object. False if mapping failed.
class ReadMap {
public:
  explicit ReadMap(GstBuffer *buffer) : buffer_(buffer) { mapped_ = gst_buffer_map(buffer, &info_, GST_MAP_READ); }
  ~ReadMap() {
    if (mapped_)
      gst_buffer_unmap(buffer_, &info_);
  }
  ReadMap(const ReadMap &) = delete;
  ReadMap &operator=(const ReadMap &) = delete;

  explicit operator bool() const { return mapped_; }
  const uint8_t *data() const { return info_.data; }
  size_t size() const { return info_.size; }

private:
  GstBuffer *buffer_;
  GstMapInfo info_ = GST_MAP_INFO_INIT;
  bool mapped_ = false;
};

} // namespace cps
