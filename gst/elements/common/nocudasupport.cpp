// SPDX-License-Identifier: LGPL-2.1-or-later
// Replaces cudasupport.cpp in builds without CUDA.
#include "gst/elements/common/cudasupport.h"

namespace cps {

bool cuda_available() {
  return false;
}

struct StageContext::State {};

StageContext::StageContext(GstElement *) {}
StageContext::~StageContext() = default;
void StageContext::set_context(GstContext *) {}
// NOLINTNEXTLINE(readability-convert-member-functions-to-static): it has something to do in other builds
bool StageContext::answer(GstQuery *) {
  return false;
}
void StageContext::release() {}

bool gpu_works(int, std::string &why_not) {
  why_not = "this build of codecpatch is without CUDA";
  return false;
}

void give_primary_context(GstElement *, int) {}

} // namespace cps
