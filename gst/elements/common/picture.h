// SPDX-License-Identifier: LGPL-2.1-or-later
// Converts raw video buffers to the picture views of the kernels.
#pragma once

#include "gst/codecpatch/cpsframemeta.h"
#include "kernels/orientation.h"

#include <gst/video/video.h>

namespace cps {

// Raw formats that the kernels read: each component is an 8-bit byte or a little-endian 16-bit word whose code value is
// in one place. Alpha is not read. Names unknown to an older GStreamer are harmless.
#if G_BYTE_ORDER == G_LITTLE_ENDIAN
#define CPS_NATIVE_WORD_FORMATS ", ARGB64, AYUV64"
#else
#define CPS_NATIVE_WORD_FORMATS
#endif
#define CPS_VIDEO_FORMATS                                                                                              \
  "{ I420, YV12, NV12, NV21, Y42B, Y444, I420_10LE, P010_10LE, GRAY8, GRAY16_LE, RGB, BGR, RGBx, BGRx, RGBA, BGRA, "   \
  "NV16, NV61, NV24, Y41B, YUV9, YVU9, YUY2, UYVY, YVYU, v308, IYU2, AYUV, VUYA, v216, I422_10LE, Y444_10LE, "         \
  "I420_12LE, I422_12LE, Y444_12LE, P012_LE, P016_LE, Y444_16LE, A420, A422, A444, AV12, A420_10LE, A422_10LE, "       \
  "A444_10LE, A420_12LE, A422_12LE, A444_12LE, A420_16LE, A422_16LE, A444_16LE, GBR, RGBP, BGRP, GBR_10LE, GBR_12LE, " \
  "GBR_16LE, GBRA, GBRA_10LE, GBRA_12LE, xRGB, xBGR, ARGB, ABGR, RBGA, ARGB64_LE, RGBA64_LE, BGRA64_LE, "              \
  "ABGR64_LE, GRAY10_LE16" CPS_NATIVE_WORD_FORMATS " }"

// Parses a colorimetry string; `text` may be NULL. False if it specifies nothing. Numeric matrix and range values must
// be members of their enumerations, because any other value is undefined behaviour.
bool colorimetry_from_string(GstVideoColorimetry &colorimetry, const gchar *text);

// False if the caps are not raw video known to this GStreamer. Keeps the range of a colorimetry whose matrix is unknown
// or invalid for the format, because gst_video_info_from_caps() drops it (at least up to 1.22).
bool video_info_from_caps(GstVideoInfo &info, const GstCaps *caps);

// True if pictures of both have the same layout, so that objects made for one work for the other.
bool same_layout(const GstVideoInfo &a, const GstVideoInfo &b);

// Colorimetry from the caps, with defaults for the format and size where the caps have none.
GstVideoColorimetry stream_colorimetry(const GstVideoInfo &info);

// True if equal values mean equal colours in both.
bool same_colors(const GstVideoInfo &a, const GstVideoInfo &b);

// The part of a frame that is read: all of it, or its GstVideoCropMeta, oriented by its CpsFrameMeta. The rectangle is
// in the oriented frame; `whole` is the size of the stored frame. Decoders may output frames larger than the caps and
// mark the visible part by a crop meta.
struct ReadRegion : Rect {
  CpsOrientation orientation = CPS_ORIENTATION_IDENTITY;
  Size whole;
  bool operator==(const ReadRegion &o) const {
    return Rect::operator==(o) && orientation == o.orientation && whole == o.whole;
  }
};

// True if the picture belongs to the frame whose number it has; false if it is a substitute.
inline bool is_own_picture(CpsFrameStatus status) {
  return status == CPS_FRAME_STATUS_OK || status == CPS_FRAME_STATUS_DAMAGED;
}

// True if both have the same memory, read in the same way. Frames that are equal but were copied are not found.
bool same_memory(GstBuffer *a, GstBuffer *b);

// False if the buffer's crop meta lies outside the frame.
bool crop_of(GstBuffer *buffer, const GstVideoInfo &info, const CpsFrameMeta *frame, ReadRegion &crop);

// The layout of the pictures that `info` and `crop` describe, without pixels.
PictureView picture_layout(const GstVideoInfo &info, const ReadRegion &crop);

// A raw frame, mapped for reading during the lifetime of this object.
class MappedPicture {
public:
  // `flags` are added to GST_MAP_READ and select the kind of memory.
  MappedPicture(GstBuffer *buffer, const GstVideoInfo &info, const ReadRegion &crop, guint flags = 0);
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
