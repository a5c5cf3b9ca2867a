// SPDX-License-Identifier: LGPL-2.1-or-later
// Keeps decoders of a GPU open from one stream to the next of the same format. To open and close a decoder of NVDEC
// takes 60 ms, or 280 ms if no other is open in the process (H200, driver 580), and to decode a clip 5 ms. Between two
// streams a decoder is in PAUSED, flushed, and in no bin. Thread-safe.
#pragma once

#include "gst/elements/common/elementtools.h"

#include <string>

namespace cps {

// A decoder in a bin that may be kept.
struct KeptDecoder {
  GstElement *element = nullptr; // of the bin; nullptr if it must not be kept
  std::string format;            // of format_to_keep()
};

// Identifies what a decoder has been opened for. "" if decoders of this factory are not kept, because they are not
// known to decode a new stream after a flush.
std::string format_to_keep(GstElementFactory *factory, int device_id, const GstCaps *caps);

// Returns a decoder for this format, in PAUSED, or nullptr.
Owned<GstElement> take_kept_decoder(const std::string &format);

// Lets the decoder stay in PAUSED while the bin goes to READY.
void hold_decoder(const KeptDecoder &decoder);

// Takes the decoder out of the bin, which is in READY, for take_kept_decoder() to find. At most eight are kept; the one
// that has waited longest is closed.
void keep_decoder(GstBin *bin, const KeptDecoder &decoder);

} // namespace cps
