// SPDX-License-Identifier: LGPL-2.1-or-later
// Stands in for CUB's, with its interface and requirements.
#pragma once

#include "tests/cudasim/collective.h"

namespace cub {

template <typename T, int kThreads> class BlockScan {
public:
  using TempStorage = cps::sim::Collective<T, kThreads>;

  explicit BlockScan(TempStorage &storage) : storage_(storage) {}

  void ExclusiveSum(T in, T &out) {
    T all;
    ExclusiveSum(in, out, all);
  }
  void ExclusiveSum(T in, T &out, T &all) {
    const unsigned rank = storage_.gather(in);
    if (rank == 0) {
      T sum = T();
      for (T &value : storage_.values) {
        const T before = sum;
        sum = static_cast<T>(sum + value);
        value = before;
      }
      storage_.all = sum;
    }
    storage_.wait();
    out = storage_.values[rank];
    all = storage_.all;
    storage_.leave();
  }
  void InclusiveSum(T in, T &out) {
    T all;
    InclusiveSum(in, out, all);
  }
  void InclusiveSum(T in, T &out, T &all) {
    T before;
    ExclusiveSum(in, before, all);
    out = static_cast<T>(before + in);
  }

private:
  TempStorage &storage_;
};

} // namespace cub
