// SPDX-License-Identifier: LGPL-2.1-or-later
// The kind of memory in caps, and what our pads accept.
#pragma once

#include "gst/elements/common/elementtools.h"

namespace cps {

// The caps feature of CUDA memory.
extern const char *const kCudaFeature;

// True if the (fixed) caps have CUDA memory.
bool is_cuda_caps(const GstCaps *caps);

// True for every kind of CUDA memory.
bool is_cuda_memory(GstMemory *memory);

// Caps for pad templates: one structure per kind of memory, always in the same order. CUDA memory only if a driver is
// installed.
Owned<GstCaps> video_template_caps();
Owned<GstCaps> tensor_template_caps(const char *fields);

void add_pad_template(GstElementClass *klass, const char *name, GstPadDirection direction, GstCaps *caps);

// The video caps that `sinkpad` can accept, in the kinds of memory in which the peer of `srcpad` accepts tensors.
// `filter` narrows them; it may be nullptr.
Owned<GstCaps> video_caps_for_peer(GstPad *sinkpad, GstPad *srcpad, GstCaps *filter);

// For an answered CAPS query of a sink pad. cudaupload and cudadownload can pass frames through unchanged or copy them
// to the other memory; their filter lists the unchanged memory first. If the filter looks like that, the user inserted
// the element in order to copy, so answer with the other memory only. (Preference order alone is not enough, because
// queues and similar elements do not preserve it.)
void prefer_other_memory(GstQuery *query);

} // namespace cps
