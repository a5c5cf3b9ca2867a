// SPDX-License-Identifier: LGPL-2.1-or-later
#include "kernels/orientation.h"

#include <utility>

namespace cps {

// Moves the start of a plane to the sample (x, y). Layouts have no pixels.
static void begin_at(PlaneView &plane, int x, int y) {
  if (plane.data)
    plane.data += y * plane.stride + static_cast<ptrdiff_t>(x) * plane.step;
}

static PlaneView turned(PlaneView plane, Orientation orientation) {
  if (orientation.transposed) {
    const ptrdiff_t down = plane.stride;
    plane.stride = plane.step;
    plane.step = static_cast<int>(down);
    std::swap(plane.width, plane.height);
  }
  if (orientation.mirrored) {
    begin_at(plane, plane.width - 1, 0);
    plane.step = -plane.step;
  }
  if (orientation.flipped) {
    begin_at(plane, 0, plane.height - 1);
    plane.stride = -plane.stride;
  }
  return plane;
}

PictureView turned(const PictureView &picture, Orientation orientation) {
  PictureView view = picture;
  for (int i = 0; i < view.planes(); ++i)
    view.plane[i] = turned(view.plane[i], orientation);
  if (orientation.transposed) {
    std::swap(view.size.width, view.size.height);
    std::swap(view.sub_x, view.sub_y);
  }
  return view;
}

Rect turned(const Rect &part, Size size, Orientation orientation) {
  Rect rect = part;
  if (orientation.transposed) {
    std::swap(rect.x, rect.y);
    std::swap(rect.width, rect.height);
    std::swap(size.width, size.height);
  }
  if (orientation.mirrored)
    rect.x = size.width - rect.x - rect.width;
  if (orientation.flipped)
    rect.y = size.height - rect.y - rect.height;
  return rect;
}

PictureView cropped(const PictureView &picture, const Rect &part) {
  PictureView view = picture;
  view.size = {part.width, part.height};
  view.phase_x = part.x % view.sub_x;
  view.phase_y = part.y % view.sub_y;
  for (int i = 0; i < view.planes(); ++i) {
    const bool chroma = view.model == ColorModel::Yuv && i > 0;
    const int sub_x = chroma ? view.sub_x : 1, sub_y = chroma ? view.sub_y : 1;
    PlaneView &plane = view.plane[i];
    begin_at(plane, part.x / sub_x, part.y / sub_y);
    plane.width = (part.x + part.width + sub_x - 1) / sub_x - part.x / sub_x;
    plane.height = (part.y + part.height + sub_y - 1) / sub_y - part.y / sub_y;
  }
  return view;
}

} // namespace cps
