// SPDX-License-Identifier: LGPL-2.1-or-later
// Caps and buffer metadata for libavcodec.
#pragma once

#include "gst/elements/common/elementtools.h"

#include <string>

struct AVCodecContext;
struct AVCodecParameters;
struct AVPacket;

namespace cps {

// Streams whose caps name a libavcodec decoder; streams that other decoders accept although GStreamer cannot name their
// output format; and streams for which gst-libav's decoders do not report libavcodec's errors.
#define AVCODEC_CAPS                                                                                                   \
  "video/x-cps-libav; video/x-vp9; video/x-ffv; video/x-cineform; "                                                    \
  "video/x-av1, stream-format=(string)obu-stream, alignment=(string)tu; "                                              \
  "video/x-h264, stream-format=(string){avc, avc3, byte-stream}, alignment=(string)au; "                               \
  "video/mpeg, mpegversion=(int){1, 2, 4}, systemstream=(boolean)false"

// Caps that name the decoder; nullptr if libavcodec has none.
Owned<GstCaps> caps_of_libav_codec(const AVCodecParameters *codec);

// True if only avcodecdec accepts the caps.
bool is_of_avcodec(const GstCaps *caps);

// True if libavcodec has a decoder for the caps.
bool avcodec_has(const GstCaps *caps);
// True if that decoder is preferred over the decoders of other plugins.
bool is_better_of_avcodec(const GstCaps *caps);

// A decoder for caps in AVCODEC_CAPS; the caller opens and frees it. nullptr if there is none.
AVCodecContext *context_of_caps(const GstCaps *caps);

// Attach palette changes to a buffer as a meta, which survives copies of the buffer.
void put_side_data(const AVPacket *packet, GstBuffer *buffer);
void take_side_data(GstBuffer *buffer, AVPacket *packet);

std::string text_of_libav_error(int error);

} // namespace cps
