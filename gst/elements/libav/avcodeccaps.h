// SPDX-License-Identifier: LGPL-2.1-or-later
// What libavcodec wants to know of a stream, as caps and as what goes with a buffer.
#pragma once

#include "gst/elements/common/elementtools.h"

#include <string>

struct AVCodecContext;
struct AVCodecParameters;
struct AVPacket;

namespace cps {

// Streams whose caps name libavcodec's decoder; those that other decoders take though GStreamer has no name for the
// format of their frames; and those of which the decoders of gst-libav do not pass on what libavcodec says of errors.
#define AVCODEC_CAPS                                                                                                   \
  "video/x-cps-libav; video/x-vp9; video/x-ffv; video/x-cineform; "                                                    \
  "video/x-av1, stream-format=(string)obu-stream, alignment=(string)tu; "                                              \
  "video/x-h264, stream-format=(string){avc, avc3, byte-stream}, alignment=(string)au; "                               \
  "video/mpeg, mpegversion=(int){1, 2, 4}, systemstream=(boolean)false"

// Caps that name the decoder. nullptr where libavcodec has none.
Owned<GstCaps> caps_of_libav_codec(const AVCodecParameters *codec);

// Is this for avcodecdec alone?
bool is_of_avcodec(const GstCaps *caps);

// Has libavcodec a decoder for it?
bool avcodec_has(const GstCaps *caps);
// And does that one go before those of plugins?
bool is_better_of_avcodec(const GstCaps *caps);

// A decoder for caps of AVCODEC_CAPS, which the caller opens and frees. nullptr where there is none.
AVCodecContext *context_of_caps(const GstCaps *caps);

// Changes of the palette go with a buffer, whoever copies it.
void put_side_data(const AVPacket *packet, GstBuffer *buffer);
void take_side_data(GstBuffer *buffer, AVPacket *packet);

std::string text_of_libav_error(int error);

} // namespace cps
