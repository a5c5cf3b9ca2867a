// SPDX-License-Identifier: LGPL-2.1-or-later
// Arithmetic whose results must be bit-exact on every device. The CPU and CUDA kernels share these functions.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#ifdef __CUDACC__
#define CPS_HD __host__ __device__
#else
#define CPS_HD
#endif

namespace cps {

// docs/spec.md#energy, the one-pixel search. Candidates are numbered in the order that resolves ties: dy in the outer
// loop, dx in the inner one.
constexpr int kMaxRadius = 4;
constexpr int kCandidatesPerRow = 2 * kMaxRadius + 1;
constexpr int kCandidates = kCandidatesPerRow * kCandidatesPerRow;

CPS_HD constexpr int candidate_index(int dy, int dx) {
  return (dy + kMaxRadius) * kCandidatesPerRow + dx + kMaxRadius;
}
CPS_HD constexpr int candidate_dy(int index) {
  return index / kCandidatesPerRow - kMaxRadius;
}
CPS_HD constexpr int candidate_dx(int index) {
  return index % kCandidatesPerRow - kMaxRadius;
}

// Motions in small pixels are ranked by their squared length. A float is precise enough for the root to be rounded only
// once.
constexpr int kMotionSquares = 2 * kMaxRadius * kMaxRadius + 1;

CPS_HD constexpr int motion_square(int dy, int dx) {
  return dy * dy + dx * dx;
}
CPS_HD inline float motion_length(int square) {
  return sqrtf(static_cast<float>(square));
}

// The rank at percentile `percent` (clamped to 1..100) of `count` sorted values. Rounds half away from zero.
CPS_HD inline int64_t rank_index(int64_t count, double percent) {
  const double clamped = percent > 100.0 ? 100.0 : percent > 1.0 ? percent : 1.0;
  // NOLINTNEXTLINE(bugprone-incorrect-roundings): the same instructions on host and device; never negative
  return static_cast<int64_t>(clamped / 100.0 * static_cast<double>(count - 1) + 0.5);
}

// docs/spec.md#energy: a value relative to the percentile, 0..1. kSmallestPercentile prevents a division by 0 for still
// pictures; it is smaller than any difference of code values, in every unit.
constexpr float kSmallestPercentile = 1e-6f;
CPS_HD inline float normalised(float value, float percentile) {
  const float ratio = value / (percentile > kSmallestPercentile ? percentile : kSmallestPercentile);
  return ratio < 1.0f ? ratio : 1.0f;
}

CPS_HD inline float mean_energy(float motion, float residual) {
  return (motion + residual) * 0.5f;
}

// docs/spec.md#energy: luma of an RGB pixel. The order of the additions affects the result.
CPS_HD inline float rgb_luma(float r, float g, float b) {
  return (r * 0.299f + g * 0.587f) + b * 0.114f;
}

// One step of a bilinear sum, without the division by `den` (see Tap). T is int64_t, or double for float values.
template <typename T> CPS_HD inline T blend(T a, T b, int32_t frac, int32_t den) {
  return a * static_cast<T>(den - frac) + b * static_cast<T>(frac);
}

// docs/spec.md#pixels: converts a bilinear sum to a stored sample, rounding half up. `unit` is the sum of the weights
// times the scale of the bit depth. The result is exact, because both are integers below 2^53, and while unit < 2^36 a
// 16-bit double quotient cannot reach a half that the exact quotient does not reach.
template <typename Sum> CPS_HD inline uint16_t stored_sample(Sum sum, double unit) {
  // NOLINTNEXTLINE(bugprone-incorrect-roundings): likewise
  return static_cast<uint16_t>(static_cast<int32_t>(static_cast<double>(sum) * 256.0 / unit + 0.5));
}
// Likewise for a sum by filters with negative weights, which may be outside the range of the samples.
CPS_HD inline uint16_t filtered_sample(int64_t sum, double unit, int bits) {
  const int peak = ((1 << bits) - 1) << (16 - bits);
  if (sum <= 0)
    return 0;
  return static_cast<double>(sum) * 256.0 < peak * unit ? stored_sample(sum, unit) : static_cast<uint16_t>(peak);
}
CPS_HD inline double stored_unit(int32_t den_x, int32_t den_y, int bits) {
  return static_cast<double>(den_x) * static_cast<double>(den_y) * static_cast<double>(1 << (bits - 8));
}

// The same without a division, for units up to kLargestUnitByFactor. The exact quotient plus 0.5 is a multiple of
// 1 / (2 unit), so it is either an integer or at least 2^-33 below the next one. Roundings change the value by less
// than 2^-35: the product is below 2^16 and has a relative error of 2^-52, and the sum is below 2^17. With 2^-34 added,
// the value is never below an integer that the exact one reaches, and never reaches one that the exact one does not.
constexpr double kLargestUnitByFactor = 4294967296.0; // 2^32
CPS_HD inline double stored_factor(double unit) {
  return 256.0 / unit;
}
CPS_HD inline uint16_t stored_sample_by_factor(double sum, double factor) {
  constexpr double kHalf = 0.5 + 1.0 / 17179869184.0; // 0.5 + 2^-34
  return static_cast<uint16_t>(static_cast<int32_t>(sum * factor + kHalf));
}

CPS_HD inline uint32_t float_bits(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}
CPS_HD inline float float_from_bits(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

// Clamps to 0..255; NaN becomes one of both. Compares bits as integers, which have the order of the floats above 0.
// Loops over integers vectorise to a minimum and a maximum. Those of floats become masks, because of NaN.
CPS_HD inline float clamp_code(float value) {
  const auto bits = static_cast<int32_t>(float_bits(value)), most = static_cast<int32_t>(float_bits(255.0f));
  const int32_t positive = bits > 0 ? bits : 0;
  return float_from_bits(static_cast<uint32_t>(positive < most ? positive : most));
}

// docs/spec.md#pixels: one channel of a stored pixel before the clamp; `m` and `offset` are parts of a ColorTransform.
CPS_HD inline float color_value(float m0, float m1, float m2, float offset, uint16_t a, uint16_t b, uint16_t c) {
  return ((m0 * static_cast<float>(a) + m1 * static_cast<float>(b)) + m2 * static_cast<float>(c)) + offset;
}
CPS_HD inline float scaled_value(float value, float scale, float mean, float std) {
  return (value * scale - mean) / std;
}

// Conversions to the output dtypes; all round half to even. Without branches, so that loops over them vectorise.

// Saturates to 0..255. The addition of 2^23 rounds, and leaves the integer in the low bits.
CPS_HD inline uint8_t float_to_byte(float value) {
  return static_cast<uint8_t>(float_bits(clamp_code(value) + 8388608.0f));
}

CPS_HD inline uint16_t float_to_half(float value) {
  const uint32_t all = float_bits(value), sign = all & 0x80000000u, bits = all ^ sign;
  // Changes the exponent bias and rounds off the 13 bits that a half lacks. A carry into the exponent is correct, even
  // to infinity.
  const uint32_t normal = (bits - (112u << 23) + 0xfffu + ((bits >> 13) & 1u)) >> 13;
  // Below 2^-14 the float addition aligns and rounds, because the last bit of the sum is the smallest subnormal half.
  const uint32_t subnormal = float_bits(float_from_bits(bits) + 0.5f) - float_bits(0.5f);
  const uint32_t special = bits > 0x7f800000u ? 0x7e00u : 0x7c00u;
  const uint32_t finite = bits < (113u << 23) ? subnormal : normal;
  return static_cast<uint16_t>((bits < (143u << 23) ? finite : special) | (sign >> 16));
}

CPS_HD inline uint16_t float_to_bfloat16(float value) {
  const uint32_t bits = float_bits(value);
  // A NaN is not rounded, and a bit is set, so that it does not become infinity if its payload was in the low bits.
  const bool nan = static_cast<int32_t>(bits & 0x7fffffffu) > 0x7f800000;
  const uint32_t rounding = nan ? 0 : 0x7fffu + ((bits >> 16) & 1u), quiet = nan ? 0x400000u : 0;
  return static_cast<uint16_t>(((bits + rounding) | quiet) >> 16);
}

} // namespace cps
