// SPDX-License-Identifier: LGPL-2.1-or-later
// Raw video buffers as the kernels' picture views.
#pragma once

#include "gst/codecpatch/cpsframemeta.h"
#include "kernels/orientation.h"

#include <gst/video/video.h>

namespace cps {

// The raw formats that the kernels read: those whose components are 8-bit bytes or little-endian 16-bit words, each
// with its code value in one place. Alpha is not read. Names that this GStreamer does not know yet do no harm.
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

// What a text of caps says, NULL included; false where it says nothing. Of numbers, matrix and range are values of
// their enumerations: to read another as one is undefined.
bool colorimetry_from_string(GstVideoColorimetry &colorimetry, const gchar *text);

// What the caps say; false where they describe no raw video that this GStreamer knows. GStreamer up to 1.22 at least
// drops the range of colorimetry whose matrix is not told, or is none for the format: it stays here.
bool video_info_from_caps(GstVideoInfo &info, const GstCaps *caps);

// Are pictures of both laid out alike, so that what was made for one serves the other?
bool same_layout(const GstVideoInfo &a, const GstVideoInfo &b);

// What the caps say of colours, or the defaults for a format of this size where they do not say.
GstVideoColorimetry stream_colorimetry(const GstVideoInfo &info);

// Do the same values mean the same colours in both?
bool same_colors(const GstVideoInfo &a, const GstVideoInfo &b);

// What is read of a frame: all of it, or what its GstVideoCropMeta says, turned as its CpsFrameMeta says. The rectangle
// is in the turned frame, `whole` the size of the frame as it is stored: decoders may put out more than the caps say,
// and the part that counts by a crop meta.
struct ReadRegion : Rect {
  CpsOrientation orientation = CPS_ORIENTATION_IDENTITY;
  Size whole;
  bool operator==(const ReadRegion &o) const {
    return Rect::operator==(o) && orientation == o.orientation && whole == o.whole;
  }
};

// Is the picture that of the frame whose number it has, not another's that stands in?
inline bool is_own_picture(CpsFrameStatus status) {
  return status == CPS_FRAME_STATUS_OK || status == CPS_FRAME_STATUS_DAMAGED;
}

// False where the buffer's crop meta lies outside the frame.
bool crop_of(GstBuffer *buffer, const GstVideoInfo &info, const CpsFrameMeta *frame, ReadRegion &crop);

// The layout of the pictures that `info` and `crop` describe, without pixels.
PictureView picture_layout(const GstVideoInfo &info, const ReadRegion &crop);

// A raw frame that is mapped for reading as long as this lives.
class MappedPicture {
public:
  // `flags` beside GST_MAP_READ say which memory is meant.
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
