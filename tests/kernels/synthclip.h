// SPDX-License-Identifier: LGPL-2.1-or-later
// The clip that golden/synth_frames.py draws, drawn again.
#pragma once

#include <cstdint>
#include <vector>

namespace synth {

constexpr int kWidth = 320, kHeight = 240, kFrames = 40, kKeyInterval = 12;

// Packed RGB of picture `t`.
inline std::vector<uint8_t> draw(int t) {
  std::vector<uint8_t> pixels;
  pixels.reserve(3 * kWidth * kHeight);
  const int square_x = 20 + 5 * t, square_y = 60 + 2 * t;
  for (int y = 0; y < kHeight; ++y)
    for (int x = 0; x < kWidth; ++x) {
      const int panned = x < 160 ? x + t : x;
      const int base = y >= 200 ? 90 : (((panned * 7 + y * 13) ^ ((panned * y) >> 3)) & 127) + 40;
      int r = base, g = (base * 3 + 20) >> 2, b = (255 - base) >> 1;
      if (x >= square_x && x < square_x + 48 && y >= square_y && y < square_y + 48) {
        r = 200 + ((((x - square_x) * 5) ^ ((y - square_y) * 3)) & 55);
        g = r >> 1;
        b = r >> 2;
      }
      if (x >= 260 && x < 276 && y >= 20 && y < 36)
        r = g = b = 30 + ((t * 37) & 191);
      for (const int value : {r, g, b})
        pixels.push_back(static_cast<uint8_t>(value));
    }
  return pixels;
}

} // namespace synth
