// SPDX-License-Identifier: LGPL-2.1-or-later
// Which memory caps ask for, and what our pads can do with it.
#pragma once

#include "gst/elements/common/elementtools.h"

namespace cps {

// The feature of caps whose buffers are in CUDA memory.
extern const char *const kCudaFeature;

// Do (fixed) caps say CUDA memory?
bool is_cuda_caps(const GstCaps *caps);

// Is it CUDA memory of any kind?
bool is_cuda_memory(GstMemory *memory);

// What pad templates say, one structure for each kind of memory, the same kinds in the same order. CUDA memory only
// where there is a driver.
Owned<GstCaps> video_template_caps();
Owned<GstCaps> tensor_template_caps(const char *fields);

void add_pad_template(GstElementClass *klass, const char *name, GstPadDirection direction, GstCaps *caps);

// The video in its own kinds of memory that `sinkpad` can take for what is downstream of `srcpad` to take its tensors,
// narrowed by `filter`, which may be nullptr.
Owned<GstCaps> video_caps_for_peer(GstPad *sinkpad, GstPad *srcpad, GstCaps *filter);

// For a CAPS query of a sink pad that has been answered. Who knows its frames and can put them out as they are, which
// its filter has first, or as a copy in the other kind of memory (cudaupload, cudadownload), was put there for the
// copy: that kind alone is the answer then, for queues and the like keep no order.
void prefer_other_memory(GstQuery *query);

} // namespace cps
