// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/cuda/resizer.h"

#include "gst/cuda/tables.h"

namespace cps::cuda {

bool Resizer::prepare(const PictureView &layout, const Target &target) {
  if (prepared_ && target_ == target && same_layout(layout_, layout))
    return true;
  prepared_ = false;
  TableBuilder tables;
  const PictureTables picture(layout, target);
  std::vector<TableBuilder::Taps> x_taps, y_taps;
  std::vector<TableBuilder::Filter> x_filters, y_filters;
  for (int kind = 0; kind < picture.kinds; ++kind) {
    x_taps.push_back(tables.add(picture.x_taps[kind]));
    y_taps.push_back(tables.add(picture.y_taps[kind]));
    x_filters.push_back(tables.add(picture.x_filters[kind]));
    y_filters.push_back(tables.add(picture.y_filters[kind]));
  }
  if (!tables.upload(device_, tables_))
    return false;
  args_ = {};
  args_.planes = layout.planes();
  args_.target = target.size;
  args_.filtered = target.resample != Resample::Bilinear;
  for (size_t kind = 0; kind < x_taps.size(); ++kind) {
    args_.x[kind] = x_taps[kind].on(tables_);
    args_.y[kind] = y_taps[kind].on(tables_);
    args_.x_filters[kind] = x_filters[kind].on(tables_);
    args_.y_filters[kind] = y_filters[kind].on(tables_);
  }
  layout_ = layout;
  target_ = target;
  prepared_ = true;
  return true;
}

bool Resizer::run(const PictureView &picture, uint16_t *out) {
  args_.picture = picture;
  args_.frames.pixels = out;
  return device_.launch("cps_frame", {blocks_of(samples(), kFrameThreads)}, kFrameThreads, 0, &args_);
}

} // namespace cps::cuda
