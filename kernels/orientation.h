// SPDX-License-Identifier: LGPL-2.1-or-later
// Pictures as they are shown: turned, and the part of them that counts. Only views change, samples stay where they are.
#pragma once

#include "kernels/plane.h"

namespace cps {

// The eight ways to turn a picture. Rows become columns first, so that the upper left corner stays; mirrors follow.
struct Orientation {
  bool transposed = false;
  bool mirrored = false; // left and right change places,
  bool flipped = false;  // top and bottom do
};

struct Rect {
  int x = 0, y = 0, width = 0, height = 0;
  bool operator==(const Rect &o) const { return x == o.x && y == o.y && width == o.width && height == o.height; }
};

// A whole picture, turned. Each plane is turned by itself, as whoever copies the samples would do it: the first chroma
// sample of the result begins where its luma does, also where the last one of the picture had less luma than others.
PictureView turned(const PictureView &picture, Orientation orientation);

// Where a part of a picture of `size` lies once the picture has been turned.
Rect turned(const Rect &part, Size size, Orientation orientation);

// A part of a whole picture.
PictureView cropped(const PictureView &picture, const Rect &part);

} // namespace cps
