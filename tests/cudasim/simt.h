// SPDX-License-Identifier: LGPL-2.1-or-later
// The part of CUDA C++ that the kernels use, for the host: included by kernels/device.h where the compiler is not nvcc.
// What CUDA leaves undefined gives poison or fails.
#pragma once

#include "tests/cudasim/block.h"

#include <cmath>
#include <cstring>
#include <type_traits>

// The body of the kernel follows, as after the macro that nvcc sees.
#define CPS_KERNEL(name, Args, threads)                                                                                \
  static void name##_body(const Args &args);                                                                           \
  extern "C" {                                                                                                         \
  CPS_SIM_EXPORT extern const cps::sim::Kernel name##_kernel;                                                          \
  const cps::sim::Kernel name##_kernel = {[](const void *args) { name##_body(*static_cast<const Args *>(args)); },     \
                                          sizeof(Args), threads};                                                      \
  }                                                                                                                    \
  static void name##_body(const Args &args)

#define CPS_DYNAMIC_SHARED(Type, name) Type *const name = static_cast<Type *>(cps::sim::dynamic_shared())

#define __device__
#define __host__
#define __global__
#define __constant__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __align__(bytes) __attribute__((aligned(bytes)))

// A block has a thread of the system to itself.
#define __shared__ static thread_local

using dim3 = cps::sim::Extent;
using uint3 = cps::sim::Extent;
#define threadIdx (cps::sim::position().thread)
#define blockIdx (cps::sim::position().block)
#define blockDim (cps::sim::position().block_size)
#define gridDim (cps::sim::position().grid_size)
constexpr int warpSize = 32;

// The last argument of what waits: where it is called.
#define CPS_SIM_HERE cps::sim::Site site = {__builtin_FILE(), __builtin_LINE()}

// Vectors.

#define CPS_SIM_VECTORS(Type, name)                                                                                    \
  struct alignas(2 * sizeof(Type)) name##2 {                                                                           \
    Type x, y;                                                                                                         \
  };                                                                                                                   \
  struct alignas(4 * sizeof(Type) < 16 ? 4 * sizeof(Type) : 16) name##4 {                                              \
    Type x, y, z, w;                                                                                                   \
  };                                                                                                                   \
  inline name##2 make_##name##2(Type x, Type y) {                                                                      \
    return {x, y};                                                                                                     \
  }                                                                                                                    \
  inline name##4 make_##name##4(Type x, Type y, Type z, Type w) {                                                      \
    return {x, y, z, w};                                                                                               \
  }

CPS_SIM_VECTORS(signed char, char)
CPS_SIM_VECTORS(unsigned char, uchar)
CPS_SIM_VECTORS(short, short)
CPS_SIM_VECTORS(unsigned short, ushort)
CPS_SIM_VECTORS(int, int)
CPS_SIM_VECTORS(unsigned, uint)
CPS_SIM_VECTORS(long long, longlong)
CPS_SIM_VECTORS(unsigned long long, ulonglong)
CPS_SIM_VECTORS(float, float)
CPS_SIM_VECTORS(double, double)

// Barriers of the block.

inline void __syncthreads(CPS_SIM_HERE) {
  cps::sim::barrier(false, site);
}
inline int __syncthreads_count(int predicate, CPS_SIM_HERE) {
  return static_cast<int>(cps::sim::barrier(predicate != 0, site));
}
inline int __syncthreads_or(int predicate, CPS_SIM_HERE) {
  return cps::sim::barrier(predicate != 0, site) != 0;
}
inline int __syncthreads_and(int predicate, CPS_SIM_HERE) {
  return cps::sim::barrier(predicate == 0, site) == 0;
}
inline void __threadfence() {
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
}
inline void __threadfence_block() {
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

// Warps.

namespace cps::sim {

constexpr uint64_t kUndefined = 0xdeaddeaddeaddeadU;

// Each lane gets the value of the lane that its argument names.
inline void exchange(LaneSlot *lanes, uint32_t present) {
  for (unsigned i = 0; i < 32; ++i)
    if (present >> i & 1) {
      const uint64_t from = lanes[i].argument;
      lanes[i].result = present >> from & 1 ? lanes[from].value : kUndefined;
    }
}

// Each lane gets the lanes whose value is not 0.
inline void ballot(LaneSlot *lanes, uint32_t present) {
  uint64_t set = 0;
  for (unsigned i = 0; i < 32; ++i)
    if (present >> i & 1 && lanes[i].value)
      set |= uint64_t{1} << i;
  for (unsigned i = 0; i < 32; ++i)
    lanes[i].result = set;
}

inline void nothing(LaneSlot *, uint32_t) {}

// Each lane gets the values joined, two at a time.
template <typename T, typename Join> void reduce(LaneSlot *lanes, uint32_t present, const Join &join) {
  bool first = true;
  T all = 0;
  for (unsigned i = 0; i < 32; ++i)
    if (present >> i & 1) {
      const auto value = static_cast<T>(lanes[i].value);
      all = first ? value : static_cast<T>(join(all, value));
      first = false;
    }
  for (unsigned i = 0; i < 32; ++i)
    lanes[i].result = static_cast<uint64_t>(all);
}

template <typename T> T shuffled(uint32_t mask, T value, unsigned from, Site site) {
  static_assert(std::is_arithmetic_v<T> && (sizeof(T) == 4 || sizeof(T) == 8), "CUDA has no shuffle of this type");
  uint64_t bits = 0;
  memcpy(&bits, &value, sizeof value);
  bits = warp(mask, bits, from, exchange, site);
  memcpy(&value, &bits, sizeof value);
  return value;
}

} // namespace cps::sim

inline void __syncwarp(unsigned mask = 0xffffffffU, CPS_SIM_HERE) {
  cps::sim::warp(mask, 0, 0, cps::sim::nothing, site);
}
template <typename T> T __shfl_sync(unsigned mask, T value, int from, int width = 32, CPS_SIM_HERE) {
  const unsigned segment = cps::sim::lane() & ~(width - 1U);
  return cps::sim::shuffled(mask, value, segment | (from & (width - 1U)), site);
}
template <typename T> T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32, CPS_SIM_HERE) {
  const unsigned own = cps::sim::lane();
  return cps::sim::shuffled(mask, value, (own & (width - 1U)) >= delta ? own - delta : own, site);
}
template <typename T> T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32, CPS_SIM_HERE) {
  const unsigned own = cps::sim::lane();
  return cps::sim::shuffled(mask, value, (own & (width - 1U)) + delta < unsigned(width) ? own + delta : own, site);
}
template <typename T> T __shfl_xor_sync(unsigned mask, T value, int bits, int width = 32, CPS_SIM_HERE) {
  const unsigned own = cps::sim::lane(), from = own ^ static_cast<unsigned>(bits);
  return cps::sim::shuffled(mask, value, from <= (own | (width - 1U)) ? from : own, site);
}
inline unsigned __ballot_sync(unsigned mask, int predicate, CPS_SIM_HERE) {
  return static_cast<unsigned>(cps::sim::warp(mask, predicate != 0, 0, cps::sim::ballot, site));
}
inline int __any_sync(unsigned mask, int predicate, CPS_SIM_HERE) {
  return cps::sim::warp(mask, predicate != 0, 0, cps::sim::ballot, site) != 0;
}
inline int __all_sync(unsigned mask, int predicate, CPS_SIM_HERE) {
  return cps::sim::warp(mask, predicate == 0, 0, cps::sim::ballot, site) == 0;
}

#define CPS_SIM_REDUCE(name, Type, expression)                                                                         \
  inline Type name(unsigned mask, Type value, CPS_SIM_HERE) {                                                          \
    const auto combine = [](cps::sim::LaneSlot *lanes, uint32_t present) {                                             \
      cps::sim::reduce<Type>(lanes, present, [](Type a, Type b) { return expression; });                               \
    };                                                                                                                 \
    return static_cast<Type>(cps::sim::warp(mask, static_cast<uint64_t>(value), 0, combine, site));                    \
  }
CPS_SIM_REDUCE(__reduce_add_sync, unsigned, a + b)
CPS_SIM_REDUCE(__reduce_min_sync, unsigned, a < b ? a : b)
CPS_SIM_REDUCE(__reduce_max_sync, unsigned, a > b ? a : b)
CPS_SIM_REDUCE(__reduce_or_sync, unsigned, a | b)
CPS_SIM_REDUCE(__reduce_and_sync, unsigned, a &b)
CPS_SIM_REDUCE(__reduce_add_sync, int, a + b)
CPS_SIM_REDUCE(__reduce_min_sync, int, a < b ? a : b)
CPS_SIM_REDUCE(__reduce_max_sync, int, a > b ? a : b)

// Atomics. Blocks of different streams do run at the same time.

namespace cps::sim {

template <typename T, typename... Types> constexpr bool is_one_of = (std::is_same_v<T, Types> || ...);
template <typename T> struct Same { using Type = T; };
template <typename T> using Plain = typename Same<T>::Type; // is not deduced from

template <typename T, typename Change> T atomically(T *at, const Change &change) {
  T old, changed;
  __atomic_load(at, &old, __ATOMIC_RELAXED);
  do
    changed = change(old);
  while (!__atomic_compare_exchange(at, &old, &changed, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
  return old;
}

} // namespace cps::sim

#define CPS_SIM_ATOMIC(name, expression, ...)                                                                          \
  template <typename T> T name(T *at, cps::sim::Plain<T> b) {                                                          \
    static_assert(cps::sim::is_one_of<T, __VA_ARGS__>, "CUDA has no " #name " of this type");                          \
    return cps::sim::atomically(at, [b](T a) { return static_cast<T>(expression); });                                  \
  }
CPS_SIM_ATOMIC(atomicAdd, a + b, int, unsigned, unsigned long long, float, double)
CPS_SIM_ATOMIC(atomicSub, a - b, int, unsigned)
CPS_SIM_ATOMIC(atomicMin, a < b ? a : b, int, unsigned, long long, unsigned long long)
CPS_SIM_ATOMIC(atomicMax, a > b ? a : b, int, unsigned, long long, unsigned long long)
CPS_SIM_ATOMIC(atomicOr, a | b, int, unsigned, unsigned long long)
CPS_SIM_ATOMIC(atomicAnd, a &b, int, unsigned, unsigned long long)
CPS_SIM_ATOMIC(atomicXor, a ^ b, int, unsigned, unsigned long long)
CPS_SIM_ATOMIC(atomicInc, a >= b ? 0 : a + 1, unsigned)
CPS_SIM_ATOMIC(atomicExch, ((void)a, b), int, unsigned, unsigned long long, float)

template <typename T> T atomicCAS(T *at, cps::sim::Plain<T> expected, cps::sim::Plain<T> value) {
  static_assert(cps::sim::is_one_of<T, int, unsigned, unsigned long long>, "CUDA has no atomicCAS of this type");
  return cps::sim::atomically(at, [&](T old) { return old == expected ? value : old; });
}

// Bits, loads, numbers.

inline int __popc(unsigned bits) {
  return __builtin_popcount(bits);
}
inline int __popcll(unsigned long long bits) {
  return __builtin_popcountll(bits);
}
inline int __clz(int bits) {
  return bits ? __builtin_clz(static_cast<unsigned>(bits)) : 32;
}
inline int __clzll(long long bits) {
  return bits ? __builtin_clzll(static_cast<unsigned long long>(bits)) : 64;
}
inline int __ffs(int bits) {
  return __builtin_ffs(bits);
}
inline int __ffsll(long long bits) {
  return __builtin_ffsll(bits);
}
template <typename T> T __ldg(const T *at) {
  return *at;
}
template <typename T> T __ldcg(const T *at) {
  return *at;
}

template <typename To, typename From> To cps_sim_bits(From value) {
  static_assert(sizeof(To) == sizeof(From));
  To bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}
inline int __float_as_int(float value) {
  return cps_sim_bits<int>(value);
}
inline unsigned __float_as_uint(float value) {
  return cps_sim_bits<unsigned>(value);
}
inline float __int_as_float(int bits) {
  return cps_sim_bits<float>(bits);
}
inline float __uint_as_float(unsigned bits) {
  return cps_sim_bits<float>(bits);
}
inline float __double2float_rn(double value) {
  return static_cast<float>(value);
}

// Arguments of different types are converted like those of operators, as in CUDA.
template <typename A, typename B> constexpr auto min(A a, B b) -> std::common_type_t<A, B> {
  using T = std::common_type_t<A, B>;
  return static_cast<T>(b) < static_cast<T>(a) ? static_cast<T>(b) : static_cast<T>(a);
}
template <typename A, typename B> constexpr auto max(A a, B b) -> std::common_type_t<A, B> {
  using T = std::common_type_t<A, B>;
  return static_cast<T>(a) < static_cast<T>(b) ? static_cast<T>(b) : static_cast<T>(a);
}
