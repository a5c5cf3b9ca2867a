// SPDX-License-Identifier: LGPL-2.1-or-later
// Pictures of libavcodec as frames of GStreamer.
#pragma once

#include <gst/video/video.h>
#include <memory>

struct AVFrame;
struct SwsContext;

namespace cps {

bool is_full_range(const AVFrame *picture);

// From one format of libavutil to the same of GStreamer, or to the nearest that loses nothing where GStreamer has no
// name for it.
class AvPixels {
public:
  // For pictures such as this one. False where nothing converts them.
  bool set_up(const AVFrame *picture);
  bool are_of(const AVFrame *picture) const;
  GstVideoFormat format() const { return format_; }
  const char *name() const; // libavutil's, of what comes in

  // Into a frame of format() and the same size.
  void copy(const AVFrame *picture, GstVideoFrame &frame) const;

private:
  struct FreeScaler {
    void operator()(SwsContext *scaler) const;
  };

  int from_ = -1, to_ = -1, width_ = 0, height_ = 0; // AVPixelFormats
  bool full_range_ = false;
  GstVideoFormat format_ = GST_VIDEO_FORMAT_UNKNOWN;
  std::unique_ptr<SwsContext, FreeScaler> scaler_; // where the formats are not the same
};

} // namespace cps
