// SPDX-License-Identifier: LGPL-2.1-or-later
// Selects the access units that a decoder needs in order to decode the wanted frames exactly.
#pragma once

#include "gst/bitstream/streamindex.h"

#include <cstdint>
#include <vector>

namespace cps {

struct NeededUnits {
  std::vector<bool> keep;  // one per access unit
  std::vector<bool> drain; // the decoder must output all its frames before this unit, because it cannot detect the gap
  size_t end = 0;          // one after the last kept unit
};

// `wanted`: display-order indices, ascending. `order_window`: see PictureParser.
NeededUnits needed_units(const StreamIndex &index, const std::vector<uint64_t> &wanted, int64_t order_window);

} // namespace cps
