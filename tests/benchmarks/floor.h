// SPDX-License-Identifier: LGPL-2.1-or-later
// Decoding with libavcodec alone: what no line that decodes the same packets can be faster than.
#pragma once

#include "tests/benchmarks/clips.h"

#include <cstdint>

namespace bench {

struct Packet {
  std::vector<uint8_t> data; // and kPadding bytes behind it
  int64_t pts;
};

struct Packets {
  std::vector<uint8_t> header; // codec_data, and kPadding bytes behind it
  std::vector<Packet> packets;

  static constexpr size_t kPadding = 64; // libavcodec reads past the end
};

inline std::vector<uint8_t> padded(GstBuffer *buffer) {
  std::vector<uint8_t> data(gst_buffer_get_size(buffer) + Packets::kPadding);
  gst_buffer_extract(buffer, 0, data.data(), data.size() - Packets::kPadding);
  return data;
}

// H.264 in MP4's framing. Takes the buffers away one by one, so that a long clip is not there twice.
inline Packets packets_of(Units units) {
  Packets packets;
  const GValue *codec_data = gst_structure_get_value(gst_caps_get_structure(units.caps.get(), 0), "codec_data");
  if (codec_data)
    packets.header = padded(gst_value_get_buffer(codec_data));
  for (Owned<GstBuffer> &buffer : units.buffers) {
    packets.packets.push_back({padded(buffer.get()), static_cast<int64_t>(GST_BUFFER_PTS(buffer.get()))});
    buffer.reset();
  }
  return packets;
}

// Decodes them all with that many threads, as avdec_h264 sets them up; copies nothing. The number of frames.
size_t decode(const Packets &packets, int threads);

} // namespace bench
