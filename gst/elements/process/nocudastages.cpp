// SPDX-License-Identifier: LGPL-2.1-or-later
// Replaces the CUDA side of stages.h in builds without CUDA.
#include "gst/elements/process/stages.h"

namespace cps {

std::unique_ptr<EnergyStage> make_energy_stage(bool, StageContext &) {
  return make_system_energy_stage();
}

std::unique_ptr<PatchStage> make_patch_stage(bool, StageContext &) {
  return make_system_patch_stage();
}

std::unique_ptr<StackStage> make_stack_stage(bool, StageContext &) {
  return make_system_stack_stage();
}

} // namespace cps
