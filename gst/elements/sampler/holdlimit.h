// SPDX-License-Identifier: LGPL-2.1-or-later
// Keeps held frames from starving a decoder whose pool of buffers is limited, as those of hardware decoders are.
#pragma once

#include "gst/elements/common/elementtools.h"

namespace cps {

class HoldLimit {
public:
  // Replaces `buffer` by a copy of its own if `held` frames, of which it is one, are more than the pool of `buffer` can
  // spare: it must always have as many as its configuration's minimum.
  void keep_apart(Owned<GstBuffer> &buffer, size_t held);

private:
  Owned<GstBufferPool> pool_; // the last one
  guint spare_ = G_MAXUINT;   // buffers that it can spare
};

} // namespace cps
