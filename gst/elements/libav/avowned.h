// SPDX-License-Identifier: LGPL-2.1-or-later
// Owners for objects of the FFmpeg libraries.
#pragma once

#include "gst/common/owned.h"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
}

namespace cps {

template <> struct Release<AVCodecContext> {
  void operator()(AVCodecContext *context) const { avcodec_free_context(&context); }
};
template <> struct Release<AVFormatContext> {
  void operator()(AVFormatContext *file) const { avformat_close_input(&file); }
};
template <> struct Release<AVFrame> {
  void operator()(AVFrame *frame) const { av_frame_free(&frame); }
};
template <> struct Release<AVIOContext> {
  void operator()(AVIOContext *io) const {
    av_freep(&io->buffer);
    avio_context_free(&io);
  }
};
template <> struct Release<AVPacket> {
  void operator()(AVPacket *packet) const { av_packet_free(&packet); }
};

} // namespace cps
