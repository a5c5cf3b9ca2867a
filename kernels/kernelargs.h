// SPDX-License-Identifier: LGPL-2.1-or-later
// What the CUDA kernels take: one struct a kernel, passed by value. Pointers are to device memory. Filled in by
// gst/cuda.
#pragma once

#include "kernels/arith.h"
#include "kernels/geometry.h"
#include "kernels/pixels.h"
#include "kernels/plane.h"

#include <cstdint>

namespace cps {

// A TapTable on the device.
struct DeviceTaps {
  const Tap *taps = nullptr;
  int32_t den = 1;
};

// A BandedMatrix on the device: row p has the weights of samples first[p] .. first[p] + begin[p + 1] - begin[p] - 1.
struct DeviceBands {
  const double *weights = nullptr; // of all rows, one after the other
  const int32_t *begin = nullptr;  // of each row in `weights`, and the end
  const int32_t *first = nullptr;
};

// Ranks are found by histograms of this many bits of a key at a time: as many as sums of four 10-bit values have.
constexpr int kRankBits = 12;
constexpr int kRankBins = 1 << kRankBits;

// Threads of a block, and what a block does.
constexpr int kSearchThreads = 128, kSearchTileWidth = 32, kSearchTileHeight = 8;
constexpr int kRefineThreads = 512, kRefineKeys = 8 * kRefineThreads;
constexpr int kNormaliseThreads = 256;
constexpr int kFrameThreads = 256, kScorePatches = 8; // in a row of the grid
constexpr int kSelectThreads = 512;
constexpr int kCutThreads = 128, kCutPixels = 1024;
constexpr int kRgbThreads = 256;

// energy.cu: cps_energy_quads8, _quads16 (small luma as sums of four), _codes8, _codes16, _rgb8 (as code values), and
// _stored_quads, _stored (that of the picture before once more). Small luma, search, and as much of the ranks as one
// histogram tells. One block a tile.
struct EnergySearchArgs {
  PictureView picture;
  DeviceTaps x, y;
  Size small;
  int radius = 0;
  float *current = nullptr;        // small luma of `picture`
  const float *previous = nullptr; // small luma to compare with; nullptr: the first picture, whose energy is 0
  float *energy = nullptr;         // written where there is nothing to compare with
  float *residual = nullptr;       // of the best candidate of each small pixel,
  uint8_t *motion = nullptr;       // and the square of its motion
  struct EnergyRanks *ranks = nullptr;
  uint32_t rank = 0;
  int key_bits = 0; // of a residual's key: an integer in quads, else the bits of a float
};

// What blocks share, and where the ranks are left. All 0 before the first launch; launches leave the counts 0.
struct EnergyRanks {
  uint32_t residual_bins[kRankBins];
  uint32_t motion_bins[kMotionSquares];
  uint32_t blocks_done;
  uint32_t candidates; // keys that begin with the prefix, so far
  float motion_percentile;
  float residual_percentile; // final where key_bits <= kRankBits
  uint32_t prefix;           // else: the first kRankBits bits of its key,
  uint32_t rank_in_prefix;   // and its rank among the keys that begin with them
};

// energy.cu: cps_energy_refine. One block each kRefineKeys residuals. The other bits of the residual's percentile.
struct EnergyRefineArgs {
  const float *residual = nullptr;
  uint32_t *candidates = nullptr; // scratch, one a residual
  uint32_t count = 0;
  int key_bits = 0;
  bool integers = false; // what the key is made of
  EnergyRanks *ranks = nullptr;
};

// energy.cu: cps_energy_normalise.
struct EnergyNormaliseArgs {
  const float *residual = nullptr;
  const uint8_t *motion = nullptr;
  const EnergyRanks *ranks = nullptr;
  int64_t count = 0;
  float *energy = nullptr;
};

// What is kept of each frame until the clip is whole.
struct ClipFrames {
  uint16_t *pixels = nullptr; // planes at target size
  double *scores = nullptr;
  int64_t *ids = nullptr;
  uint8_t *flags = nullptr; // FrameFlags
};

enum FrameFlags : uint8_t {
  kRandomAccessFrame = 1,
  kFavouredFrame = 2, // in a static clip
};

// frame.cu: cps_frame. Scores of one frame (the first `score_blocks` blocks), and its planes at target size.
struct FrameArgs {
  PictureView picture;
  int planes = 0;
  Size target;
  DeviceTaps x[2], y[2]; // luma (or R, G, B), chroma

  const float *energy = nullptr;
  Size map, grid;
  DeviceBands rows, columns; // My, Mx of docs/spec.md#scores
  int score_blocks = 0;

  ClipFrames frames;
  int64_t position = 0; // of the frame among them
  int64_t id = 0;
  bool random_access = false;
};

// clip.cu: cps_select. One block. docs/spec.md#selection over the scores of all frames.
struct SelectArgs {
  ClipFrames frames;
  int length = 0;                  // frames
  bool first_frame_counts = false; // as a random-access frame
  Size grid;
  bool blocks = false;             // units are 2x2 blocks
  int64_t count = 0;               // units to select
  int64_t random_access_units = 0; // on random-access frames
  int64_t most = 0;                // rank of a unit, without what lifts it in a static clip
  int key_bits = 0;                // of a key
  bool static_fallback = false;
  double static_abs_thresh = 0.0;
  double static_rel_thresh = 0.0;
  int static_uniform_frames = 0;
  double unit_pixels = 0.0;
  int64_t *ranks = nullptr;    // scratch, one a unit: first its rank, then its key
  int64_t *selected = nullptr; // patch indices, in output order
};

// clip.cu: cps_cut. One block each kCutPixels pixels of a patch.
struct CutArgs {
  const int64_t *selected = nullptr;
  ClipFrames frames;
  int planes = 0;
  Size target, grid;
  int patch = 0;
  ColorTransform color;
  OutputScaling scaling;
  PixelType type = PixelType::U8;
  void *patches = nullptr;
  int64_t *fields = nullptr;
  float *meta_scores = nullptr;
};

// rgb.cu: cps_rgb. One frame as packed RGB, one thread a pixel; a block has pixels of one row.
struct RgbArgs {
  PictureView picture;
  int planes = 0;
  int sub_x_bits = 0, sub_y_bits = 0; // of the subsampling factors
  ColorTransform color;
  int blocks_per_row = 0;
  uint8_t *rgb = nullptr;
};

} // namespace cps
