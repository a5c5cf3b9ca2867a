// SPDX-License-Identifier: LGPL-2.1-or-later
// Selects the decoders for a stream, best first, and configures them.
#pragma once

#include "gst/elements/common/elementtools.h"

#include <vector>

namespace cps {

// Returns the decoders that output system memory, by rank, except that a few are preferred over better-ranked ones.
// Hardware decoders are excluded, because no element here accepts their output.
std::vector<Owned<GstElementFactory>> cpu_decoders(const GstCaps *caps);

// Returns the decoders that output CUDA memory.
std::vector<Owned<GstElementFactory>> gpu_decoders(const GstCaps *caps);

// True if the caps are raw video, or if a decoder for them is installed.
bool is_decodable(const GstCaps *caps);

// True if the decoder uses a GPU other than `device_id`.
bool is_on_other_gpu(GstElement *decoder, int device_id);

enum class ThreadType { Auto, Frame, Slice };

// Sets those of the two that the decoder has as properties, within the property's range. 0 and Auto keep the default.
void set_decoder_threads(GstElement *decoder, guint threads, ThreadType type);

// Sets the decoder's properties so that its output is bit-exact and it does not crash on formats that GStreamer has no
// name for; some decoders do less by default.
void set_exact_output(GstElement *decoder, const GstCaps *caps);

} // namespace cps

#define CPS_TYPE_THREAD_TYPE (cps_thread_type_get_type())
GType cps_thread_type_get_type();
