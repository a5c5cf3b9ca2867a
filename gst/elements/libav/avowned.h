// SPDX-License-Identifier: LGPL-2.1-or-later
// Owners for what libavcodec frees.
#pragma once

#include <memory>

extern "C" {
#include <libavcodec/avcodec.h>
}

namespace cps {

struct FreeAv {
  void operator()(AVCodecContext *context) const { avcodec_free_context(&context); }
  void operator()(AVPacket *packet) const { av_packet_free(&packet); }
  void operator()(AVFrame *frame) const { av_frame_free(&frame); }
};

template <typename T> using AvOwned = std::unique_ptr<T, FreeAv>;

} // namespace cps
