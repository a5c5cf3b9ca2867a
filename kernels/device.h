// SPDX-License-Identifier: LGPL-2.1-or-later
// The dialect of the .cu files: CUDA C++ under nvcc; for tests without a GPU, tests/cudasim compiles the same text for
// the host.
#pragma once

// CPS_KERNEL(name, Args, threads) { body } defines a kernel with blocks of `threads` threads and an argument `Args
// args`. CPS_DYNAMIC_SHARED(Type, name) declares the dynamic shared memory of the block.
#ifdef __CUDACC__
#define CPS_KERNEL(name, Args, threads)                                                                                \
  extern "C" __global__ void __launch_bounds__(threads) name(const __grid_constant__ Args args)
#define CPS_DYNAMIC_SHARED(Type, name)                                                                                 \
  extern __shared__ __align__(16) unsigned char cps_dynamic_shared[];                                                  \
  Type *const name = reinterpret_cast<Type *>(cps_dynamic_shared)
#else
#include "tests/cudasim/simt.h"
#endif
