// SPDX-License-Identifier: LGPL-2.1-or-later
// Which decoders could decode a stream, the best first, and how they are set up.
#pragma once

#include "gst/elements/common/elementtools.h"

#include <vector>

namespace cps {

// Those that put out system memory, by rank, but for a few that are better than theirs, and without the hardware
// decoders, whose output nothing here takes.
std::vector<Owned<GstElementFactory>> cpu_decoders(const GstCaps *caps);

// Those that put out CUDA memory.
std::vector<Owned<GstElementFactory>> gpu_decoders(const GstCaps *caps);

// Is it raw video, or is there a decoder for it?
bool is_decodable(const GstCaps *caps);

// Is the decoder on another GPU than this one?
bool is_on_other_gpu(GstElement *decoder, int device_id);

enum class ThreadType { Auto, Frame, Slice };

// Sets what the decoder has of it, as far as its range goes; 0 and Auto leave its defaults.
void set_decoder_threads(GstElement *decoder, guint threads, ThreadType type);

// Has the decoder put out every bit of a picture, and say so where it would fail: some do less unless they are told to.
void set_exact_output(GstElement *decoder, const GstCaps *caps);

} // namespace cps

#define CPS_TYPE_THREAD_TYPE (cps_thread_type_get_type())
GType cps_thread_type_get_type();
