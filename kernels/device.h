// What the .cu files are written in: CUDA C++ under nvcc, and, for tests without a GPU, the same text compiled for the
// host by tests/cudasim.
#pragma once

#ifdef __CUDACC__
#define CPS_KERNEL(name, Args) extern "C" __global__ void name(const __grid_constant__ Args args)
#define CPS_DYNAMIC_SHARED(Type, name) extern __shared__ __align__(16) unsigned char cps_dynamic_shared[];             \
  Type *const name = reinterpret_cast<Type *>(cps_dynamic_shared)
#else
#include "tests/cudasim/simt.h"
#endif
