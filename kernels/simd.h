// SPDX-License-Identifier: LGPL-2.1-or-later
// Marks loops that the compiler vectorises better with AVX2 than with SSE2, which every x86-64 has.
#pragma once

#include <cstddef> // tells which C library this is

// Compiles a function twice, with all calls inlined; the dynamic loader selects the version for the processor.
// Contraction stays off, so that results are equal. Used only where measurements show a gain, because it doubles the
// code. Disabled for clang, which does not clone templates; where the loader cannot select; and under sanitizers,
// because the loader would select before they are initialised.
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__) &&                           \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define CPS_SIMD __attribute__((target_clones("avx2", "default"), flatten))
#else
#define CPS_SIMD
#endif
