// SPDX-License-Identifier: LGPL-2.1-or-later
// Loops that the compiler vectorises better with AVX2 than with the SSE2 that every x86-64 has.
#pragma once

#include <cstddef> // tells which C library this is

// Compiles a function, with all that it calls inlined, for both; the dynamic loader takes what the processor has.
// Contraction stays off, so that results are equal. Only where it was measured to pay: the code is there twice.
// Not for clang, which does not clone templates, nor where the loader cannot choose, or would before a sanitizer is up.
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__) &&                           \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define CPS_SIMD __attribute__((target_clones("avx2", "default"), flatten))
#else
#define CPS_SIMD
#endif
