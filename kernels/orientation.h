// SPDX-License-Identifier: LGPL-2.1-or-later
// Pictures as shown: oriented and cropped. Only the views change; samples are not moved.
#pragma once

#include "kernels/plane.h"

namespace cps {

// The eight orientations of a picture. Transposition comes first, and keeps the upper left corner; mirroring follows.
struct Orientation {
  bool transposed = false;
  bool mirrored = false; // left and right are swapped
  bool flipped = false;  // top and bottom are swapped
};

struct Rect {
  int x = 0, y = 0, width = 0, height = 0;
  bool operator==(const Rect &o) const { return x == o.x && y == o.y && width == o.width && height == o.height; }
};

// A whole picture, oriented. Each plane is oriented independently, as an ordinary sample copy would. With odd sizes the
// last chroma sample covers fewer luma samples; after the orientation it may come first, and is then still treated as
// co-located with the first luma sample.
PictureView turned(const PictureView &picture, Orientation orientation);

// The position of a part of a picture of `size` in the oriented picture.
Rect turned(const Rect &part, Size size, Orientation orientation);

// A part of a whole picture.
PictureView cropped(const PictureView &picture, const Rect &part);

} // namespace cps
