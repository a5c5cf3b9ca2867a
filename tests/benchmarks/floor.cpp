// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/benchmarks/floor.h"

extern "C" {
#include <libavcodec/avcodec.h>
}

namespace bench {

static_assert(Packets::kPadding >= AV_INPUT_BUFFER_PADDING_SIZE);

namespace {

struct Free {
  void operator()(AVCodecContext *context) const {
    context->extradata = nullptr; // ours
    avcodec_free_context(&context);
  }
  void operator()(AVFrame *frame) const { av_frame_free(&frame); }
  void operator()(AVPacket *packet) const { av_packet_free(&packet); }
};
template <typename T> using Freed = std::unique_ptr<T, Free>;

void fill(AVPacket *packet, const Packet &from) {
  auto *data = const_cast<uint8_t *>(from.data.data());
  // With an owner that owns nothing: libavcodec would copy a packet that has none.
  packet->buf = av_buffer_create(
      data, from.data.size(), [](void *, uint8_t *) {}, nullptr, AV_BUFFER_FLAG_READONLY);
  packet->data = data;
  packet->size = static_cast<int>(from.data.size() - Packets::kPadding);
  packet->pts = from.pts;
}

size_t receive(AVCodecContext *context, AVFrame *frame) {
  size_t frames = 0;
  while (avcodec_receive_frame(context, frame) == 0)
    frames++;
  return frames;
}

} // namespace

size_t decode(const Packets &packets, int threads) {
  const AVCodec *codec = avcodec_find_decoder(AV_CODEC_ID_H264);
  const Freed<AVCodecContext> context(avcodec_alloc_context3(codec));
  const Freed<AVFrame> frame(av_frame_alloc());
  const Freed<AVPacket> packet(av_packet_alloc());
  if (!packets.header.empty()) {
    context->extradata = const_cast<uint8_t *>(packets.header.data());
    context->extradata_size = static_cast<int>(packets.header.size() - Packets::kPadding);
  }
  context->thread_count = threads;
  context->thread_type = FF_THREAD_FRAME | FF_THREAD_SLICE;
  context->flags |= AV_CODEC_FLAG_OUTPUT_CORRUPT;
  if (avcodec_open2(context.get(), codec, nullptr) < 0)
    stop("libavcodec has no decoder for H.264");
  size_t frames = 0;
  for (const Packet &from : packets.packets) {
    fill(packet.get(), from);
    if (avcodec_send_packet(context.get(), packet.get()) < 0)
      stop("libavcodec does not take a packet");
    av_packet_unref(packet.get());
    frames += receive(context.get(), frame.get());
  }
  avcodec_send_packet(context.get(), nullptr);
  return frames + receive(context.get(), frame.get());
}

} // namespace bench
