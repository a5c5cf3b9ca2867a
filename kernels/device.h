// SPDX-License-Identifier: LGPL-2.1-or-later
// What the .cu files are written in: CUDA C++ under nvcc, and, for tests without a GPU, the same text compiled for the
// host by tests/cudasim.
#pragma once

// CPS_KERNEL(name, Args, threads) { body } is a kernel of blocks of `threads` threads that has an `Args` called args.
// CPS_DYNAMIC_SHARED(Type, name) is the block's dynamic shared memory.
#ifdef __CUDACC__
#define CPS_KERNEL(name, Args, threads)                                                                                \
  extern "C" __global__ void __launch_bounds__(threads) name(const __grid_constant__ Args args)
#define CPS_DYNAMIC_SHARED(Type, name)                                                                                 \
  extern __shared__ __align__(16) unsigned char cps_dynamic_shared[];                                                  \
  Type *const name = reinterpret_cast<Type *>(cps_dynamic_shared)
#else
#include "tests/cudasim/simt.h"
#endif
