// SPDX-License-Identifier: LGPL-2.1-or-later
// docs/spec.md#pixels: pixels at target size, stored compactly until the selection is known, then cut into patches.
#pragma once

#include "kernels/arith.h" // float_to_half(), float_to_bfloat16(), float_to_byte()
#include "kernels/filter.h"
#include "kernels/geometry.h"
#include "kernels/patchlayout.h"
#include "kernels/plane.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace cps {

enum class PixelType { U8, F16, BF16, F32 };

size_t pixel_size(PixelType type); // bytes

// Calls function(out, convert): `out` as a pointer to values of `type`; `convert` converts a float to such a value.
template <typename Function> CPS_HD void with_pixel_type(PixelType type, void *out, const Function &function) {
  struct ToByte {
    CPS_HD uint8_t operator()(float value) const { return float_to_byte(value); }
  };
  struct ToHalf {
    CPS_HD uint16_t operator()(float value) const { return float_to_half(value); }
  };
  struct ToBfloat16 {
    CPS_HD uint16_t operator()(float value) const { return float_to_bfloat16(value); }
  };
  struct Same {
    CPS_HD float operator()(float value) const { return value; }
  };
  switch (type) {
  case PixelType::U8:
    return function(static_cast<uint8_t *>(out), ToByte());
  case PixelType::F16:
    return function(static_cast<uint16_t *>(out), ToHalf());
  case PixelType::BF16:
    return function(static_cast<uint16_t *>(out), ToBfloat16());
  case PixelType::F32:
    return function(static_cast<float *>(out), Same());
  }
}

// The tables for resizing pictures like `layout`, for each kind of plane: luma (or R, G, B), and chroma if there is
// any.
struct PictureTables {
  PictureTables(const PictureView &layout, const Target &target);

  int kinds;
  TapTable x_taps[2], y_taps[2];          // if bilinear
  FilterTable x_filters[2], y_filters[2]; // otherwise
};

// Resizes the planes of pictures with one layout to the target size. Samples are stored in 1/256 of an 8-bit code
// value, for every source depth, rounded half up. Threads may share an object. Filters allocate in run(), bilinear
// resizing does not.
class PictureResizer {
public:
  PictureResizer(const PictureView &layout, const Target &target);

  int planes() const { return planes_; }
  size_t samples() const; // number that run() writes: planes * target pixels

  // Writes one plane after the other, each row by row.
  void run(const PictureView &picture, uint16_t *out) const;

private:
  int planes_;
  Target target_;
  PictureTables tables_;
};

// The planes of `layout` that PictureResizer has written, as a picture of 16 bits.
PictureView stored_picture(const PictureView &layout, Size size, const uint16_t *planes);

// Affine map from stored samples (1/256 of a code value) to RGB 0..255, before the clamp.
struct ColorTransform {
  float matrix[3][3];
  float offset[3];
};

// ITU-R BT.601/709/2020 with constants kr and kb (H.273, non-constant luminance).
ColorTransform yuv_to_rgb(double kr, double kb, bool full_range);
// Grey to RGB: the luma part of yuv_to_rgb().
ColorTransform gray_to_rgb(bool full_range);
// Identity for RGB.
ColorTransform rgb_to_rgb();

// Converts a clamped RGB value to an output value: (x * scale - mean) / std per channel.
struct OutputScaling {
  float scale = 1.0f;
  float mean[3] = {0.0f, 0.0f, 0.0f};
  float std[3] = {1.0f, 1.0f, 1.0f};
};

// Cuts patches from pictures written by PictureResizer. Threads may share an object; it never allocates.
class PatchCutter {
public:
  PatchCutter(Size target, int planes, int patch, const ColorTransform &color, const OutputScaling &scaling,
              PixelType type);
  PatchCutter(Size target, int planes, int patch, const ColorTransform &color, const OutputScaling &scaling,
              PixelType type, const PixelStrides &strides);

  size_t value_bytes() const { return pixel_size(type_); }
  size_t patch_bytes() const; // 3 * patch * patch * pixel_size

  // `picture`: the output of PictureResizer::run(). `index`: row by row in the grid. Writes to `out`, which must be
  // aligned to its pixel type, with the strides of the constructor; without any [3, patch, patch].
  void run(const uint16_t *picture, int64_t index, void *out) const;

private:
  Size target_;
  int planes_, patch_;
  ColorTransform color_;
  OutputScaling scaling_;
  PixelType type_;
  PixelStrides strides_;
};

} // namespace cps
