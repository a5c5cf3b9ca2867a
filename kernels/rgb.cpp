// SPDX-License-Identifier: LGPL-2.1-or-later
#include "kernels/rgb.h"

#include "kernels/samples.h"
#include "kernels/simd.h"

#include <algorithm>

namespace cps {

namespace {

template <typename Row> CPS_SIMD void scale_row(const Row &row, int count, int unit_bits, uint16_t *__restrict out) {
  for (int x = 0; x < count; ++x)
    out[x] = stored_sample_at_source(row[x], unit_bits);
}

template <typename Row>
CPS_SIMD void blend_rows(const Row &top, const Row &bottom, int count, int frac, int den, int32_t *__restrict out) {
  for (int x = 0; x < count; ++x)
    out[x] = blend<int32_t>(top[x], bottom[x], frac, den);
}

// Interpolates samples that are subsampled by kSub, at every luma position. samples[-1] and samples[count] must exist.
template <int kSub>
CPS_SIMD void expand_row(const int32_t *__restrict samples, int count, int unit_bits, uint16_t *__restrict out) {
  for (int i = 0; i < count; ++i)
    for (int k = 0; k < kSub; ++k) {
      const int at = 2 * k + 1 - kSub, frac = at < 0 ? at + 2 * kSub : at; // as in source_tap(), without its clamp
      const int32_t left = samples[at < 0 ? i - 1 : i], right = samples[at < 0 ? i : i + 1];
      out[kSub * i + k] = stored_sample_at_source(blend(left, right, frac, 2 * kSub), unit_bits);
    }
}

void expand_row(int sub, const int32_t *samples, int count, int unit_bits, uint16_t *out) {
  switch (sub) {
  case 1:
    return expand_row<1>(samples, count, unit_bits, out);
  case 2:
    return expand_row<2>(samples, count, unit_bits, out);
  case 4:
    return expand_row<4>(samples, count, unit_bits, out);
  }
}

// Converts blocks of pixels, first to one word per pixel, because loops over words vectorise and loops over three bytes
// do not.
CPS_SIMD void convert_row(const uint16_t *const rows[3], int width, const ColorTransform &color,
                          uint8_t *__restrict out) {
  constexpr int kPixels = 256;
  uint32_t words[kPixels];
  const float(&m)[3][3] = color.matrix;
  const float(&offset)[3] = color.offset;
  for (int begin = 0; begin < width; begin += kPixels) {
    const int count = std::min(kPixels, width - begin);
    const uint16_t *const a = rows[0] + begin, *const b = rows[1] + begin, *const c = rows[2] + begin;
    for (int x = 0; x < count; ++x) {
      const auto byte = [&](int channel) -> uint32_t {
        return float_to_byte(
            color_value(m[channel][0], m[channel][1], m[channel][2], offset[channel], a[x], b[x], c[x]));
      };
      words[x] = byte(0) | byte(1) << 8 | byte(2) << 16;
    }
    for (int x = 0; x < count; ++x, out += 3) {
      out[0] = static_cast<uint8_t>(words[x]);
      out[1] = static_cast<uint8_t>(words[x] >> 8);
      out[2] = static_cast<uint8_t>(words[x] >> 16);
    }
  }
}

bool is_copied(const PictureView &picture) {
  return picture.model == ColorModel::Rgb &&
         std::all_of(picture.plane, picture.plane + 3, [](const PlaneView &plane) { return plane.bits == 8; });
}

template <typename Row> void copy_row(const Row &row, int count, uint8_t *__restrict out) {
  for (int x = 0; x < count; ++x, out += 3)
    *out = static_cast<uint8_t>(row[x]);
}

void copy_plane(const PlaneView &plane, Size size, uint8_t *out) {
  with_rows(plane, [&](const auto &row_at) {
    for (int y = 0; y < size.height; ++y, out += 3 * static_cast<size_t>(size.width))
      copy_row(row_at(y), size.width, out);
  });
}

} // namespace

RgbConverter::RgbConverter(const PictureView &layout, const ColorTransform &color) : color_(color) {
  if (is_copied(layout))
    return;
  for (int i = 0; i < layout.planes(); ++i) // chroma may begin before luma and end after it
    rows_[i].resize(static_cast<size_t>(layout.plane[i].width) *
                    static_cast<size_t>(layout.model == ColorModel::Yuv && i > 0 ? layout.sub_x : 1));
  if (layout.model == ColorModel::Yuv)
    blended_.resize(static_cast<size_t>(layout.plane[1].width) + 2);
}

const uint16_t *RgbConverter::stored_row(const PictureView &picture, int index, int y) {
  const PlaneView &plane = picture.plane[index];
  uint16_t *const out = rows_[index].data();
  const bool subsampled = picture.model == ColorModel::Yuv && index > 0 && (picture.sub_x > 1 || picture.sub_y > 1);
  with_rows(plane, [&](const auto &row_at) {
    if (!subsampled)
      return scale_row(row_at(y), plane.width, plane.bits - 8, out);
    const int sub_x_bits = factor_bits(picture.sub_x), sub_y_bits = factor_bits(picture.sub_y);
    const Tap tap = source_tap(y, sub_y_bits, picture.phase_y, plane.height);
    int32_t *const blended = blended_.data() + 1;
    blend_rows(row_at(tap.first), row_at(tap.second), plane.width, tap.frac, 2 * picture.sub_y, blended);
    blended[-1] = blended[0];
    blended[plane.width] = blended[plane.width - 1];
    expand_row(picture.sub_x, blended, plane.width, source_unit_bits(sub_x_bits, sub_y_bits, plane.bits), out);
  });
  return subsampled ? out + picture.phase_x : out;
}

void RgbConverter::run(const PictureView &picture, uint8_t *out) {
  const Size size = picture.size;
  if (is_copied(picture)) {
    for (int i = 0; i < 3; ++i)
      copy_plane(picture.plane[i], size, out + i);
    return;
  }
  for (int y = 0; y < size.height; ++y) {
    const uint16_t *rows[3] = {};
    for (int i = 0; i < 3;
         ++i) // for grey pictures luma is read as chroma, because the colour transform multiplies chroma by 0
      rows[i] = i < picture.planes() ? stored_row(picture, i, y) : rows[0];
    convert_row(rows, size.width, color_, out);
    out += 3 * static_cast<size_t>(size.width);
  }
}

} // namespace cps
