// SPDX-License-Identifier: LGPL-2.1-or-later
// cudasupport.cpp in a build without CUDA.
#include "gst/elements/bins/backend.h"

namespace cps {

bool gpu_works(int, std::string &why_not) {
  why_not = "this build of codecpatch is without CUDA";
  return false;
}

void give_primary_context(GstElement *, int) {}

} // namespace cps
