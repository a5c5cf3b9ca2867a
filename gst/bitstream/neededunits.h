// SPDX-License-Identifier: LGPL-2.1-or-later
// Which access units a decoder must see so that certain frames come out exactly.
#pragma once

#include "gst/bitstream/streamindex.h"

#include <cstdint>
#include <vector>

namespace cps {

struct NeededUnits {
  std::vector<bool> keep;  // one per access unit
  std::vector<bool> drain; // before this one the decoder must put out all it has, since it cannot tell the jump
  size_t end = 0;          // behind the last one that is kept
};

// `wanted`: display-order indices, ascending. `order_window`: see PictureParser.
NeededUnits needed_units(const StreamIndex &index, const std::vector<uint64_t> &wanted, int64_t order_window);

} // namespace cps
