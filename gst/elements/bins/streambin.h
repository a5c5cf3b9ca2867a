// SPDX-License-Identifier: LGPL-2.1-or-later
// Common base of uniformdecodebin and patchstreambin: the elements from a URI to the sampled frames, followed by the
// stages of the class.
//
//   source ! parsebin ! frameplanner ! decoder ! uniformsampler ! (copy to the processing memory) ! (stages of the
//   class)
#pragma once

#include "gst/elements/common/elementtools.h"

#include <initializer_list>

#define CPS_TYPE_STREAM_BIN (cps_stream_bin_get_type())
G_DECLARE_DERIVABLE_TYPE(CpsStreamBin, cps_stream_bin, CPS, STREAM_BIN, GstBin)

struct _CpsStreamBinClass {
  GstBinClass parent_class;

  // The elements after the sampler, in order, terminated by 0.
  GType stages[3];
  // Returns true if a stage is used with the current properties. Unused stages are not linked. nullptr: all are used.
  bool (*uses_stage)(CpsStreamBin *self, GType stage);
};

namespace cps {

// Call first in class_init. Installs the source pad template, and the stages with their properties.
void setup_stream_bin(CpsStreamBinClass *klass, GstCaps *src_caps, std::initializer_list<GType> stages);

} // namespace cps
