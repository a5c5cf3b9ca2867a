// SPDX-License-Identifier: LGPL-2.1-or-later
#include "kernels/pixels.h"

#include "kernels/resize.h"
#include "kernels/simd.h"

#include <algorithm>
#include <cstring>

namespace cps {

namespace {

constexpr int kPixels = 1024; // of a patch, converted at a time

// Copies samples in blocks of a fixed size, because the rows of a patch are too short for calls of memcpy().
void copy_samples(const uint16_t *from, ptrdiff_t count, uint16_t *to) {
  constexpr int kBlock = 8;
  if (count < kBlock) {
    std::copy_n(from, count, to);
    return;
  }
  const auto copy = [&](ptrdiff_t x) { memcpy(to + x, from + x, kBlock * sizeof *to); };
  for (ptrdiff_t x = 0; x < count - kBlock; x += kBlock)
    copy(x);
  copy(count - kBlock); // overlaps the block before it
}

// Collects pixels of a patch, numbered row by row, from its rows in one plane.
void collect(const uint16_t *plane, ptrdiff_t stride, ptrdiff_t patch, ptrdiff_t begin, ptrdiff_t count,
             uint16_t *out) {
  ptrdiff_t x = begin % patch;
  for (const uint16_t *row = plane + begin / patch * stride; count > 0; row += stride) {
    const ptrdiff_t samples = std::min(patch - x, count);
    copy_samples(row + x, samples, out);
    out += samples;
    count -= samples;
    x = 0;
  }
}

// Converts pixels to one channel. `convert` converts a scaled float to an output value.
template <typename Out, typename Convert>
CPS_SIMD void convert_pixels(const uint16_t (&samples)[3][kPixels], ptrdiff_t count, const ColorTransform &color,
                             const OutputScaling &scaling, int channel, const Convert &convert, Out *__restrict out) {
  const float *const m = color.matrix[channel];
  const float m0 = m[0], m1 = m[1], m2 = m[2], offset = color.offset[channel];
  const float scale = scaling.scale, mean = scaling.mean[channel], std = scaling.std[channel];
  const auto convert_all = [&](const auto &scaled) {
    for (ptrdiff_t i = 0; i < count; ++i)
      out[i] =
          convert(scaled(clamp_code(color_value(m0, m1, m2, offset, samples[0][i], samples[1][i], samples[2][i]))));
  };
  if (scale == 1.0f && mean == 0.0f && std == 1.0f) // scaled_value() changes nothing, and its division takes long
    convert_all([](float value) { return value; });
  else
    convert_all([=](float value) { return scaled_value(value, scale, mean, std); });
}

// The reverse of collect(): writes pixels of a patch to their rows in one channel of the output.
template <typename Out>
void spread(const Out *values, ptrdiff_t patch, ptrdiff_t begin, ptrdiff_t count, const PixelStrides &strides,
            Out *out) {
  ptrdiff_t x = begin % patch;
  for (Out *row = out + begin / patch * strides.row; count > 0; row += strides.row) {
    for (; x < patch && count > 0; ++x, --count)
      row[x * strides.column] = *values++;
    x = 0;
  }
}

// Writes one patch. `planes` point to its top left pixel. Pixels are collected before they are converted, because one
// row of a patch is too short for vectors of many pixels.
template <typename Out, typename Convert>
void cut(const uint16_t *const planes[3], int stride, int patch, const ColorTransform &color,
         const OutputScaling &scaling, const PixelStrides &strides, Out *out, const Convert &convert) {
  uint16_t samples[3][kPixels];
  Out values[kPixels];
  const ptrdiff_t pixels = static_cast<ptrdiff_t>(patch) * patch;
  const bool contiguous = strides.row == patch && strides.column == 1;
  for (ptrdiff_t begin = 0; begin < pixels; begin += kPixels) {
    const ptrdiff_t count = std::min<ptrdiff_t>(kPixels, pixels - begin);
    for (int i = 0; i < 3; ++i)
      collect(planes[i], stride, patch, begin, count, samples[i]);
    for (int channel = 0; channel < 3; ++channel) {
      Out *const first = out + channel * strides.channel;
      convert_pixels(samples, count, color, scaling, channel, convert, contiguous ? first + begin : values);
      if (!contiguous)
        spread(values, patch, begin, count, strides, first);
    }
  }
}

} // namespace

size_t pixel_size(PixelType type) {
  switch (type) {
  case PixelType::U8:
    return 1;
  case PixelType::F16:
  case PixelType::BF16:
    return 2;
  case PixelType::F32:
    return 4;
  }
  return 0;
}

PictureTables::PictureTables(const PictureView &layout, const Target &target) : kinds(std::min(layout.planes(), 2)) {
  const int sub_x[2] = {1, layout.sub_x}, sub_y[2] = {1, layout.sub_y};
  const int phase_x[2] = {0, layout.phase_x}, phase_y[2] = {0, layout.phase_y};
  const auto make = target.resample == Resample::Area ? area_filter : bicubic_filter;
  for (int i = 0; i < kinds; ++i) {
    const PlaneView &plane = layout.plane[i];
    if (target.resample == Resample::Bilinear) {
      x_taps[i] = bilinear_taps(layout.size.width, sub_x[i], phase_x[i], plane.width, target.size.width);
      y_taps[i] = bilinear_taps(layout.size.height, sub_y[i], phase_y[i], plane.height, target.size.height);
    } else {
      x_filters[i] = make(layout.size.width, sub_x[i], phase_x[i], plane.width, target.size.width);
      y_filters[i] = make(layout.size.height, sub_y[i], phase_y[i], plane.height, target.size.height);
    }
  }
}

PictureResizer::PictureResizer(const PictureView &layout, const Target &target)
    : planes_(layout.planes()), target_(target), tables_(layout, target) {}

size_t PictureResizer::samples() const {
  const Size size = target_.size;
  return static_cast<size_t>(planes_) * static_cast<size_t>(size.width) * static_cast<size_t>(size.height);
}

void PictureResizer::run(const PictureView &picture, uint16_t *out) const {
  for (int i = 0; i < planes_; ++i) {
    const int kind = i == 0 ? 0 : 1;
    if (target_.resample == Resample::Bilinear)
      resize_plane(picture.plane[i], tables_.x_taps[kind], tables_.y_taps[kind], out);
    else
      filter_plane(picture.plane[i], tables_.x_filters[kind], tables_.y_filters[kind], out);
    out += samples() / static_cast<size_t>(planes_);
  }
}

PictureView stored_picture(const PictureView &layout, Size size, const uint16_t *planes) {
  PictureView picture;
  picture.model = layout.model;
  picture.size = size;
  const ptrdiff_t samples = static_cast<ptrdiff_t>(size.width) * size.height;
  constexpr int kBytes = sizeof(uint16_t);
  for (int i = 0; i < layout.planes(); ++i) {
    PlaneView &plane = picture.plane[i];
    plane.data = reinterpret_cast<const uint8_t *>(planes + i * samples);
    plane.stride = static_cast<ptrdiff_t>(size.width) * kBytes;
    plane.step = kBytes;
    plane.width = size.width;
    plane.height = size.height;
    plane.bits = 16;
  }
  return picture;
}

ColorTransform yuv_to_rgb(double kr, double kb, bool full_range) {
  // H.273: R and B are derived from the colour differences, G from the definition of luma.
  const double kg = 1.0 - kr - kb;
  const double v_to_r = 2.0 * (1.0 - kr), u_to_b = 2.0 * (1.0 - kb);
  const double rgb_from_yuv[3][3] = {
      {1.0, 0.0, v_to_r}, {1.0, -kb * u_to_b / kg, -kr * v_to_r / kg}, {1.0, u_to_b, 0.0}};

  const double black = full_range ? 0.0 : 16.0, luma_range = full_range ? 255.0 : 219.0;
  const double zero[3] = {black, 128.0, 128.0};
  const double range[3] = {luma_range, full_range ? 255.0 : 224.0, full_range ? 255.0 : 224.0};
  ColorTransform color;
  for (int i = 0; i < 3; ++i) {
    double offset = 0.0;
    for (int j = 0; j < 3; ++j) {
      const double weight = 255.0 * rgb_from_yuv[i][j] / range[j];
      color.matrix[i][j] = static_cast<float>(weight / 256.0); // samples are in 1/256 of a code value
      offset -= weight * zero[j];
    }
    color.offset[i] = static_cast<float>(offset);
  }
  return color;
}

ColorTransform gray_to_rgb(bool full_range) {
  ColorTransform color = yuv_to_rgb(0.299, 0.114, full_range); // the luma column is the same for every matrix
  for (int i = 0; i < 3; ++i) {
    color.matrix[i][1] = color.matrix[i][2] = 0.0f;
    color.offset[i] = full_range ? 0.0f : -16.0f * 255.0f / 219.0f;
  }
  return color;
}

ColorTransform rgb_to_rgb() {
  ColorTransform color{};
  for (int i = 0; i < 3; ++i)
    color.matrix[i][i] = 1.0f / 256.0f;
  return color;
}

PatchCutter::PatchCutter(Size target, int planes, int patch, const ColorTransform &color, const OutputScaling &scaling,
                         PixelType type)
    : PatchCutter(target, planes, patch, color, scaling, type, patch_strides(patch)) {}

PatchCutter::PatchCutter(Size target, int planes, int patch, const ColorTransform &color, const OutputScaling &scaling,
                         PixelType type, const PixelStrides &strides)
    : target_(target), planes_(planes), patch_(patch), color_(color), scaling_(scaling), type_(type),
      strides_(strides) {}

size_t PatchCutter::patch_bytes() const {
  return 3 * static_cast<size_t>(patch_) * static_cast<size_t>(patch_) * pixel_size(type_);
}

void PatchCutter::run(const uint16_t *picture, int64_t index, void *out) const {
  const int64_t patches_per_row = target_.width / patch_;
  const uint16_t *origin =
      picture + index / patches_per_row * patch_ * target_.width + index % patches_per_row * patch_;
  // For grey pictures the luma plane is read as chroma, because the colour transform multiplies chroma by 0.
  const ptrdiff_t plane = planes_ == 3 ? static_cast<ptrdiff_t>(target_.width) * target_.height : 0;
  const uint16_t *const planes[3] = {origin, origin + plane, origin + 2 * plane};

  with_pixel_type(type_, out, [&](auto *patch, const auto &convert) {
    cut(planes, target_.width, patch_, color_, scaling_, strides_, patch, convert);
  });
}

} // namespace cps
