// SPDX-License-Identifier: LGPL-2.1-or-later
// Stands in for CUB's, with its interface and requirements.
#pragma once

#include "tests/cudasim/collective.h"

namespace cub {

template <typename T, int kThreads> class BlockReduce {
public:
  using TempStorage = cps::sim::Collective<T, kThreads>;

  explicit BlockReduce(TempStorage &storage) : storage_(storage) {}

  T Sum(T in) {
    return Reduce(in, [](const T &a, const T &b) { return static_cast<T>(a + b); });
  }

  // Only thread 0 gets the result.
  template <typename Join> T Reduce(T in, Join join) {
    const unsigned rank = storage_.gather(in);
    T result;
    memset(&result, 0xa5, sizeof result);
    if (rank == 0) {
      result = storage_.values[0];
      for (int i = 1; i < kThreads; ++i)
        result = join(result, storage_.values[i]);
    }
    storage_.leave();
    return result;
  }

private:
  TempStorage &storage_;
};

} // namespace cub
