// SPDX-License-Identifier: LGPL-2.1-or-later
// Arguments of the CUDA kernels: one struct per kernel, passed by value. Pointers are to device memory. gst/cuda fills
// the structs.
#pragma once

#include "kernels/arith.h"
#include "kernels/geometry.h"
#include "kernels/patchlayout.h"
#include "kernels/pixels.h"
#include "kernels/placescores.h"
#include "kernels/plane.h"

#include <cstdint>

namespace cps {

// A TapTable on the device.
struct DeviceTaps {
  const Tap *taps = nullptr;
  int32_t den = 1;
};

// A FilterTable on the device.
struct DeviceFilter {
  const int32_t *weights = nullptr, *begin = nullptr, *first = nullptr;
  int32_t den = 1;
};

// A BandedMatrix on the device: row p has the weights of samples first[p] .. first[p] + begin[p + 1] - begin[p] - 1.
struct DeviceBands {
  const double *weights = nullptr; // of all rows, concatenated
  const int32_t *begin = nullptr;  // start of each row in `weights`, and the end
  const int32_t *first = nullptr;
};

// Number of key bits per histogram when searching a rank: as many as a sum of four 10-bit values has.
constexpr int kRankBits = 12;
constexpr int kRankBins = 1 << kRankBits;

// Threads per block, and work per block.
constexpr int kSearchThreads = 128, kSearchTileWidth = 32, kSearchTileHeight = 8;
constexpr int kRefineThreads = 512, kRefineKeys = 8 * kRefineThreads;
constexpr int kNormaliseThreads = 256;
constexpr int kFrameThreads = 256, kScorePatches = 8; // in a row of the grid
constexpr int kReplenishThreads = 128;
constexpr int kSelectThreads = 512;
constexpr int kCutThreads = 128, kCutPixels = 1024;
constexpr int kRgbThreads = 256;

// energy.cu: cps_energy_quads8, _quads16 (small luma as sums of four), _codes8, _codes16, _rgb8 (as code values), and
// _stored_quads, _stored (the previous picture's small luma again). Computes the small luma, the search, and the part
// of the ranks that one histogram determines; or the difference alone. One block per tile.
struct EnergySearchArgs {
  PictureView picture;
  DeviceTaps x, y;
  Size small;
  int radius = 0;
  float *current = nullptr;        // small luma of `picture`
  const float *previous = nullptr; // small luma to compare with; nullptr for the first picture, whose energy is 0
  float full = 0.0f;               // difference that counts as 1; 0 for the search
  float *energy = nullptr;         // written if `previous` is nullptr, or without a search
  float *residual = nullptr;       // of the best candidate of each small pixel
  uint8_t *motion = nullptr;       // squared length of that candidate's motion
  struct EnergyRanks *ranks = nullptr;
  uint32_t rank = 0;
  int key_bits = 0; // size of a residual's key: an integer in quads, else the bits of a float
};

// Data shared by blocks, and the resulting ranks. All 0 before the first launch; each launch resets the counts to 0.
struct EnergyRanks {
  uint32_t residual_bins[kRankBins];
  uint32_t motion_bins[kMotionSquares];
  uint32_t blocks_done;
  uint32_t candidates; // keys found so far that begin with the prefix
  float motion_percentile;
  float residual_percentile; // final if key_bits <= kRankBits
  uint32_t prefix;           // otherwise: the first kRankBits bits of the percentile's key,
  uint32_t rank_in_prefix;   // and its rank among the keys with this prefix
};

// energy.cu: cps_energy_refine. Finds the remaining bits of the residual's percentile. One block per kRefineKeys
// residuals.
struct EnergyRefineArgs {
  const float *residual = nullptr;
  uint32_t *candidates = nullptr; // scratch, one per residual
  uint32_t count = 0;
  int key_bits = 0;
  bool integers = false; // the type of the key, see residual_key()
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

// Per-frame data kept until the clip is complete.
struct ClipFrames {
  uint16_t *pixels = nullptr; // planes at target size
  double *scores = nullptr;
  int64_t *ids = nullptr;   // or none of these two
  uint8_t *flags = nullptr; // FrameFlags
};

enum FrameFlags : uint8_t {
  kRandomAccessFrame = 1,
  kFavouredFrame = 2, // in a static clip
};

// frame.cu: cps_frame. Computes the scores of one frame by its energy (the first `score_blocks` blocks, if any) and its
// planes at target size, or the latter only.
struct FrameArgs {
  PictureView picture;
  int planes = 0;
  Size target;
  bool filtered = false; // else bilinear
  DeviceTaps x[2], y[2]; // luma (or R, G, B), chroma
  DeviceFilter x_filters[2], y_filters[2];

  const float *energy = nullptr;
  Size map, grid;
  DeviceBands rows, columns; // My, Mx of docs/spec.md#scores
  int score_blocks = 0;

  ClipFrames frames;
  int64_t position = 0; // of the frame in `frames`
  int64_t id = 0;
  bool random_access = false;
};

// replenishment.cu: cps_replenish. docs/spec.md#replenishment: the scores of all frames. One block per place.
struct ReplenishArgs {
  ClipFrames frames;
  int length = 0; // frames
  int planes = 0;
  Size target;
  int grid_width = 0;
  int patch = 0;
  bool blocks = false;       // units are 2x2 blocks
  KeptFrame *kept = nullptr; // scratch, one per unit of the clip
  int64_t *gains = nullptr;  // likewise
};

// clip.cu: cps_clip_select. docs/spec.md#selection over the scores of all frames. One block.
struct SelectArgs {
  ClipFrames frames;
  int length = 0;                  // frames
  bool first_frame_counts = false; // as random-access frame
  bool replenishment = false;      // the ranking: units of the first frame are preferred, not of random-access frames
  Size grid;
  bool blocks = false;         // units are 2x2 blocks
  int64_t count = 0;           // units to select, at most
  int64_t preferred_units = 0; // number that rank above all others
  int64_t most = 0;            // maximum rank of a unit, without the lift in a static clip
  int key_bits = 0;            // size of a key
  double min_score = 0.0;      // of units that are not preferred; 0 is off
  bool static_fallback = false;
  double static_abs_thresh = 0.0;
  double static_rel_thresh = 0.0;
  int static_uniform_frames = 0;
  double unit_pixels = 0.0;
  int64_t *ranks = nullptr;          // scratch, one per unit: first ranks, then keys
  int64_t *selected = nullptr;       // patch indices, in output order
  int64_t *selected_count = nullptr; // number of units selected
};

// clip.cu: cps_clip_cut. One block per kCutPixels pixels of a patch.
struct CutArgs {
  const int64_t *selected = nullptr;
  ClipFrames frames;
  int planes = 0;
  Size target;
  PatchLayout layout;
  ColorTransform color;
  OutputScaling scaling;
  PixelType type = PixelType::U8;
  void *pixels = nullptr;
  int64_t *fields = nullptr;
  float *meta_scores = nullptr;
};

// rgb.cu: cps_rgb. Converts one frame to packed RGB. One thread per pixel; the pixels of a block are in one row.
struct RgbArgs {
  PictureView picture;
  int planes = 0;
  int sub_x_bits = 0, sub_y_bits = 0; // log2 of the subsampling factors
  ColorTransform color;
  int blocks_per_row = 0;
  uint8_t *rgb = nullptr;
};

} // namespace cps
