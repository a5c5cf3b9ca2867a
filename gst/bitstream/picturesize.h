// SPDX-License-Identifier: LGPL-2.1-or-later
// The size that a coded picture announces by itself, for codecs that no parser stands before: what their container says
// of it need not be so, and a decoder allocates by the picture.
#pragma once

#include <gst/gst.h>

#include <cstddef>
#include <cstdint>

namespace cps {

struct PictureSize {
  uint32_t width = 0; // 0: it does not say
  uint32_t height = 0;
};

using ReadPictureSize = PictureSize (*)(const uint8_t *data, size_t size);

// nullptr where the caps are those of another codec.
ReadPictureSize picture_size_reader(const GstCaps *caps);

} // namespace cps
