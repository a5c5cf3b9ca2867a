// SPDX-License-Identifier: LGPL-2.1-or-later
// Pictures for tests of the energy: what they show, and their sizes and layouts.
#pragma once

#include "tests/kernels/reference.h"

namespace reference {

enum class Content { Noise, Moving, Still, Steps };

// Pictures of one kind of content, `t` is their place in the sequence.
inline Picture draw(const Layout &layout, Content content, int t, std::mt19937 &random) {
  Picture picture(layout);
  const int peak = picture.peak();
  return picture.fill([&](int p, int x, int y) -> int {
    switch (content) {
    case Content::Noise: // every residual is likely to be non-zero
      return static_cast<int>(random() & static_cast<unsigned>(peak));
    case Content::Moving: // a texture that pans; ties between equal errors
      return ((x + 5 * t) / 3 * 37 + (y + 3 * t) / 2 * 11 * (p + 1)) & peak;
    case Content::Still:
      return (x * 7 + y * 3) & peak;
    case Content::Steps: // the largest possible difference
      return t % 2 ? peak : 0;
    }
    return 0;
  });
}

inline Layout gray(int width, int height, int bits = 8) {
  Layout layout;
  layout.width = width;
  layout.height = height;
  layout.bits = bits;
  return layout;
}

inline Layout rgb(int width, int height, int bits = 8) {
  Layout layout = gray(width, height, bits);
  layout.model = cps::ColorModel::Rgb;
  layout.step = 3;
  return layout;
}

// With small lumas that end in the middle of whatever they are processed by.
constexpr int kEnergySizes[][2] = {{1, 1},  {1, 40},   {40, 1},    {2, 3},     {7, 5},     {9, 64},    {31, 33},
                                   {33, 9}, {127, 60}, {128, 128}, {132, 140}, {140, 256}, {130, 131}, {200, 96}};

} // namespace reference
