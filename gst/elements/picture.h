// SPDX-License-Identifier: LGPL-2.1-or-later
// Raw video buffers as the kernels' picture views.
#pragma once

#include "gst/codecpatch/cpsframemeta.h"
#include "kernels/orientation.h"

#include <gst/video/video.h>

namespace cps {

// The raw formats that the kernels read: those whose components are 8-bit bytes or little-endian 16-bit words, each
// with its code value in one place.
#define CPS_VIDEO_FORMATS                                                                                              \
  "{ I420, YV12, NV12, NV21, Y42B, Y444, I420_10LE, P010_10LE, GRAY8, GRAY16_LE, RGB, BGR, RGBx, BGRx, RGBA, BGRA, "   \
  "NV16, NV24, Y41B, YUY2, UYVY, AYUV, I422_10LE, Y444_10LE, I420_12LE, I422_12LE, Y444_12LE, P012_LE, P016_LE, GBR, " \
  "xRGB, xBGR, ARGB, ABGR, Y444_16LE }"

// Are pictures of both laid out alike, so that what was made for one serves the other?
bool same_layout(const GstVideoInfo &a, const GstVideoInfo &b);

// What the caps say of colours, or the defaults for a format of this size where they do not say.
GstVideoColorimetry stream_colorimetry(const GstVideoInfo &info);

// Do the same values mean the same colours in both?
bool same_colors(const GstVideoInfo &a, const GstVideoInfo &b);

// What is read of a frame: all of it, or what its GstVideoCropMeta says, turned as its CpsFrameMeta says. The rectangle
// is in the turned frame.
struct CropRect : Rect {
  CpsOrientation orientation = CPS_ORIENTATION_IDENTITY;
  bool operator==(const CropRect &o) const { return Rect::operator==(o) && orientation == o.orientation; }
};

// False where the buffer's crop meta lies outside the frame.
bool crop_of(GstBuffer *buffer, const GstVideoInfo &info, CropRect &crop);

// The layout of the pictures that `info` and `crop` describe, without pixels.
PictureView picture_layout(const GstVideoInfo &info, const CropRect &crop);

// A raw frame that is mapped for reading as long as this lives.
class MappedPicture {
public:
  // `flags` beside GST_MAP_READ say which memory is meant.
  MappedPicture(GstBuffer *buffer, const GstVideoInfo &info, const CropRect &crop, guint flags = 0);
  ~MappedPicture();
  MappedPicture(const MappedPicture &) = delete;
  MappedPicture &operator=(const MappedPicture &) = delete;

  explicit operator bool() const { return mapped_; }
  const PictureView &view() const { return view_; }

private:
  GstVideoFrame frame_ = {};
  bool mapped_;
  PictureView view_;
};

} // namespace cps
