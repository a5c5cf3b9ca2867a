// SPDX-License-Identifier: LGPL-2.1-or-later
// docs/spec.md#scores and the resize of #pixels on the device, for one frame; scores.cpp and pixels.cpp are the CPU
// versions. Minimum memory traffic: for each row of the target, two rows of each plane.
#include "kernels/device.h"
#include "kernels/kernelargs.h"
#include "kernels/samples.h"

namespace cps {

// Scores kScorePatches adjacent patches in a row of the grid. Additions are in the same order as in PatchScorer.
__device__ inline void score(const FrameArgs &args, int block) {
  CPS_DYNAMIC_SHARED(double, sums); // for each map column of the block, over the rows of its patches
  const int blocks_per_row = (args.grid.width + kScorePatches - 1) / kScorePatches;
  const int grid_y = block / blocks_per_row, first_patch = block % blocks_per_row * kScorePatches;
  const int end_patch = min(first_patch + kScorePatches, args.grid.width);

  const DeviceBands &rows = args.rows, &columns = args.columns;
  const double *const row_weights = rows.weights + rows.begin[grid_y];
  const int row_count = rows.begin[grid_y + 1] - rows.begin[grid_y];
  const int left = columns.first[first_patch];
  const int right = columns.first[end_patch - 1] + columns.begin[end_patch] - columns.begin[end_patch - 1];
  for (int x = left + static_cast<int>(threadIdx.x); x < right; x += kFrameThreads) {
    const float *energy = args.energy + static_cast<int64_t>(rows.first[grid_y]) * args.map.width + x;
    double sum = 0.0;
#pragma unroll 8
    for (int i = 0; i < row_count; ++i, energy += args.map.width)
      sum += row_weights[i] * static_cast<double>(*energy);
    sums[x - left] = sum;
  }
  __syncthreads();
  for (int patch = first_patch + static_cast<int>(threadIdx.x); patch < end_patch; patch += kFrameThreads) {
    const double *sample = sums + (columns.first[patch] - left);
    double sum = 0.0;
    for (int i = columns.begin[patch]; i < columns.begin[patch + 1]; ++i)
      sum += columns.weights[i] * *sample++;
    args.frames.scores[(args.position * args.grid.height + grid_y) * args.grid.width + patch] = sum;
  }
}

template <typename Word>
__device__ inline uint16_t resized(const PlaneView &plane, const DeviceTaps &x_taps, const DeviceTaps &y_taps, int x,
                                   int y) {
  const Tap x_tap = x_taps.taps[x], y_tap = y_taps.taps[y];
  const SampleRow<Word> top(plane, y_tap.first), bottom(plane, y_tap.second);
  return stored_sample(bilinear_sum(top, bottom, x_tap, y_tap, x_taps.den, y_taps.den),
                       stored_unit(x_taps.den, y_taps.den, plane.bits));
}

template <typename Word>
__device__ inline uint16_t filtered(const PlaneView &plane, const DeviceFilter &x_filter, const DeviceFilter &y_filter,
                                    int x, int y) {
  const int32_t *const weights = x_filter.weights + x_filter.begin[x];
  const int count = x_filter.begin[x + 1] - x_filter.begin[x], left = x_filter.first[x];
  int64_t sum = 0;
  for (int i = y_filter.begin[y]; i < y_filter.begin[y + 1]; ++i) {
    const SampleRow<Word> row(plane, y_filter.first[y] + i - y_filter.begin[y]);
    int64_t across = 0;
    for (int j = 0; j < count; ++j)
      across += static_cast<int64_t>(weights[j]) * row[left + j];
    sum += across * y_filter.weights[i];
  }
  return filtered_sample(sum, stored_unit(x_filter.den, y_filter.den, plane.bits), plane.bits);
}

template <typename Word>
__device__ inline uint16_t target_sample(const FrameArgs &args, const PlaneView &plane, int kind, int x, int y) {
  return args.filtered ? filtered<Word>(plane, args.x_filters[kind], args.y_filters[kind], x, y)
                       : resized<Word>(plane, args.x[kind], args.y[kind], x, y);
}

// Computes one sample of the planes at target size.
__device__ inline void resize(const FrameArgs &args, int64_t index) {
  const int64_t plane_samples = static_cast<int64_t>(args.target.width) * args.target.height,
                samples = args.planes * plane_samples;
  if (index >= samples)
    return;
  const int plane_index = static_cast<int>(index / plane_samples), kind = plane_index == 0 ? 0 : 1;
  const auto within = static_cast<int>(index - plane_index * plane_samples);
  const int x = within % args.target.width, y = within / args.target.width;
  const PlaneView &plane = args.picture.plane[plane_index];
  args.frames.pixels[args.position * samples + index] = plane.bits > 8
                                                            ? target_sample<uint16_t>(args, plane, kind, x, y)
                                                            : target_sample<uint8_t>(args, plane, kind, x, y);
}

} // namespace cps

CPS_KERNEL(cps_frame, cps::FrameArgs, cps::kFrameThreads) {
  if (blockIdx.x == 0 && threadIdx.x == 0 && args.frames.ids) {
    args.frames.ids[args.position] = args.id;
    args.frames.flags[args.position] = args.random_access ? cps::kRandomAccessFrame : 0;
  }
  const int block = static_cast<int>(blockIdx.x) - args.score_blocks;
  if (block < 0)
    cps::score(args, static_cast<int>(blockIdx.x));
  else
    cps::resize(args, static_cast<int64_t>(block) * cps::kFrameThreads + threadIdx.x);
}
