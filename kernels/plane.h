// SPDX-License-Identifier: LGPL-2.1-or-later
// Views of decoded pictures. The kernels read pixels through these views and do not depend on a media framework.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cps {

struct Size {
  int width = 0;
  int height = 0;
  bool operator==(const Size &o) const { return width == o.width && height == o.height; }
  bool operator!=(const Size &o) const { return !(*this == o); }
};

// One component of a picture: planar, semi-planar and packed formats differ only in `step`. In an oriented picture
// (kernels/orientation.h), stride and step may be negative, and rows may be closer together than the samples of a row.
struct PlaneView {
  const uint8_t *data = nullptr; // first sample
  ptrdiff_t stride = 0;          // bytes from one row to the next
  int step = 1;                  // bytes from one sample to the next in a row
  int width = 0;                 // samples in a row
  int height = 0;                // rows
  int bits = 8;                  // significant bits of a sample, 8 to 16; above 8 a 16-bit little-endian word
  int shift = 0;                 // bits below the code value in that word (P010: 6)
};

enum class ColorModel { Gray, Yuv, Rgb };

// The components of a picture: Y; Y, U, V; or R, G, B.
struct PictureView {
  ColorModel model = ColorModel::Gray;
  Size size;          // luma samples, after cropping
  PlaneView plane[3]; // as many as the model has
  int sub_x = 1;      // chroma subsampling factors
  int sub_y = 1;
  int phase_x = 0; // luma samples from the first chroma sample right (down) to the start of the crop, < sub
  int phase_y = 0;

  int planes() const { return model == ColorModel::Gray ? 1 : 3; }
};

// True if objects made for pictures like `a` also work for pictures like `b`. The addresses of samples do not matter.
inline bool same_layout(const PictureView &a, const PictureView &b) {
  bool same = a.model == b.model && a.size == b.size && a.sub_x == b.sub_x && a.sub_y == b.sub_y &&
              a.phase_x == b.phase_x && a.phase_y == b.phase_y;
  for (int i = 0; same && i < a.planes(); ++i)
    same = a.plane[i].bits == b.plane[i].bits && a.plane[i].width == b.plane[i].width &&
           a.plane[i].height == b.plane[i].height;
  return same;
}

} // namespace cps
