// SPDX-License-Identifier: LGPL-2.1-or-later
// In a file of its own, because static analysers take too long for the images.
#include "gst/cuda/fatbins.h"

#include "clip.fatbin.h"
#include "energy.fatbin.h"
#include "frame.fatbin.h"
#include "replenishment.fatbin.h"
#include "rgb.fatbin.h"

namespace cps::cuda {

const std::vector<Fatbin> &fatbins() {
  static const std::vector<Fatbin> all = {
      {"cps_energy", cps_fatbin_energy}, {"cps_frame", cps_fatbin_frame}, {"cps_replenish", cps_fatbin_replenishment},
      {"cps_clip", cps_fatbin_clip},     {"cps_rgb", cps_fatbin_rgb},
  };
  return all;
}

} // namespace cps::cuda
