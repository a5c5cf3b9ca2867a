// SPDX-License-Identifier: LGPL-2.1-or-later
// The size in the header of a coded picture, for codecs without a parser upstream. Needed because the container's size
// may be wrong, and decoders allocate by the picture's.
#pragma once

#include <gst/gst.h>

#include <cstddef>
#include <cstdint>

namespace cps {

struct PictureSize {
  uint32_t width = 0; // 0: not present
  uint32_t height = 0;
};

using ReadPictureSize = PictureSize (*)(const uint8_t *data, size_t size);

// Returns nullptr for caps of another codec.
ReadPictureSize picture_size_reader(const GstCaps *caps);

} // namespace cps
