// SPDX-License-Identifier: LGPL-2.1-or-later
// Converts pictures of libavcodec to GStreamer frames.
#pragma once

#include <gst/video/video.h>
#include <memory>

struct AVFrame;
struct SwsContext;

namespace cps {

bool is_full_range(const AVFrame *picture);

// From a libavutil pixel format to the same GStreamer format, or to the nearest lossless one if GStreamer does not have
// it.
class AvPixels {
public:
  // Prepares for pictures like this one. False if no conversion exists.
  bool set_up(const AVFrame *picture);
  bool are_of(const AVFrame *picture) const;
  GstVideoFormat format() const { return format_; }
  const char *name() const; // libavutil's name of the input format

  // Copies into a frame of format() and the same size.
  void copy(const AVFrame *picture, GstVideoFrame &frame) const;

private:
  struct FreeScaler {
    void operator()(SwsContext *scaler) const;
  };

  int from_ = -1, to_ = -1, width_ = 0, height_ = 0; // AVPixelFormats
  bool full_range_ = false;
  GstVideoFormat format_ = GST_VIDEO_FORMAT_UNKNOWN;
  std::unique_ptr<SwsContext, FreeScaler> scaler_; // set if the formats differ
};

} // namespace cps
