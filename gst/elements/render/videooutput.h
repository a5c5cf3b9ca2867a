// SPDX-License-Identifier: LGPL-2.1-or-later
// The raw video that an element outputs whose frames may change their size: caps, and buffers of downstream's pool.
#pragma once

#include "gst/elements/common/elementtools.h"

#include <gst/video/video.h>

namespace cps {

class VideoOutput {
public:
  explicit VideoOutput(GstPad *srcpad) : srcpad_(srcpad) {}
  ~VideoOutput() { reset(); }
  VideoOutput(const VideoOutput &) = delete;
  VideoOutput &operator=(const VideoOutput &) = delete;

  // Sends caps of RGBA frames of this size and of no fixed rate, if they differ from the last ones, and asks downstream
  // for a pool then, or when it wishes to be asked again. Streaming thread.
  GstFlowReturn negotiate(guint width, guint height);
  const GstVideoInfo &info() const { return info_; }

  // A frame to write to. Never waits for downstream.
  GstFlowReturn acquire(Owned<GstBuffer> &buffer);

  // Frees the pool; the next frame is negotiated anew. Not while the streaming thread runs.
  void reset();

private:
  void choose_pool();

  GstPad *srcpad_;
  GstVideoInfo info_ = {};
  Owned<GstCaps> caps_;
  Owned<GstBufferPool> pool_;
};

} // namespace cps
