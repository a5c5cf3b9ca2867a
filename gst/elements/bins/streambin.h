// SPDX-License-Identifier: LGPL-2.1-or-later
// What uniformdecodebin and patchstreambin have in common: from a URI to the sampled frames, and what a class puts
// behind them.
//
//   source ! parsebin ! frameplanner ! decoder ! uniformsampler ! (copy to where it is processed) ! (the class's own)
#pragma once

#include "gst/elements/common/elementtools.h"

#include <initializer_list>

#define CPS_TYPE_STREAM_BIN (cps_stream_bin_get_type())
G_DECLARE_DERIVABLE_TYPE(CpsStreamBin, cps_stream_bin, CPS, STREAM_BIN, GstBin)

struct _CpsStreamBinClass {
  GstBinClass parent_class;

  // The elements behind the sampler, in their order, to the first 0.
  GType stages[3];
};

namespace cps {

// The first thing that a class does when it is initialised: the source pad, and the stages with their properties.
void setup_stream_bin(CpsStreamBinClass *klass, GstCaps *src_caps, std::initializer_list<GType> stages);

} // namespace cps
