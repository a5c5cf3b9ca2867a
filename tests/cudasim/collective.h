// SPDX-License-Identifier: LGPL-2.1-or-later
// What the stand-ins for CUB's collectives share.
#pragma once

#include "tests/cudasim/simt.h"

namespace cps::sim {

// CUB's temporary storage: may be used again behind a __syncthreads(), which this notices.
template <typename T, int kThreads> struct Collective {
  uint64_t used_at;
  T values[kThreads];
  T all;

  // Every thread's value is in `values` when this returns.
  unsigned gather(T value) {
    const Position &here = position();
    if (here.block_size.x != kThreads || here.block_size.y != 1 || here.block_size.z != 1)
      misuse("a collective is not of the block's size");
    if (used_at == moment())
      misuse("a collective's TempStorage is used again without a barrier between");
    const unsigned rank = here.thread.x;
    values[rank] = value;
    wait();
    return rank;
  }
  static void wait() { barrier(false, {"a collective", static_cast<int>(sizeof(Collective))}); }
  void leave() { used_at = moment(); }
};

} // namespace cps::sim
