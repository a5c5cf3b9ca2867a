// SPDX-License-Identifier: LGPL-2.1-or-later
// The step that all rankings of a selection share.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace cps {

// Keeps the `count` best of `candidates`, in any order. `better` is a strict order without ties.
template <typename Better> void keep_best(std::vector<int64_t> &candidates, int64_t count, const Better &better) {
  if (count < static_cast<int64_t>(candidates.size())) {
    std::nth_element(candidates.begin(), candidates.begin() + count, candidates.end(), better);
    candidates.resize(static_cast<size_t>(count));
  }
}

} // namespace cps
