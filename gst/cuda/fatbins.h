// SPDX-License-Identifier: LGPL-2.1-or-later
// The compiled kernels/*.cu.
#pragma once

#include <vector>

namespace cps::cuda {

struct Fatbin {
  const char *prefix; // of the names of its kernels
  const void *image;  // argument of cuModuleLoadData()
};

const std::vector<Fatbin> &fatbins();

} // namespace cps::cuda
