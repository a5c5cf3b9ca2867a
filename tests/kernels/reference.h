// SPDX-License-Identifier: LGPL-2.1-or-later
// docs/spec.md once more, slowly: what the kernels are compared with. Positions and sums are whole numbers over a
// common denominator that nothing reduces, so the results are exact.
#pragma once

#include "kernels/orientation.h"
#include "kernels/plane.h"
#include "kernels/select.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <random>
#include <vector>

namespace reference {

__extension__ typedef __int128 Wide;

// --- Pictures ---

struct Layout {
  cps::ColorModel model = cps::ColorModel::Gray;
  int width = 0, height = 0;
  int bits = 8, shift = 0;
  int step = 1; // in samples
  bool bottom_up = false;
  int sub_x = 1, sub_y = 1, phase_x = 0, phase_y = 0;
};

inline Layout layout_of(cps::ColorModel model, int width, int height, int bits = 8) {
  Layout layout;
  layout.model = model;
  layout.width = width;
  layout.height = height;
  layout.bits = bits;
  return layout;
}

// A picture that owns its samples. Bytes between samples and bits around code values are noise.
class Picture {
public:
  explicit Picture(const Layout &layout) : layout_(layout) {
    for (int p = 0; p < planes(); ++p)
      samples_[p].resize(static_cast<size_t>(plane_width(p)) * static_cast<size_t>(plane_height(p)));
  }

  const Layout &layout() const { return layout_; }
  int planes() const { return layout_.model == cps::ColorModel::Gray ? 1 : 3; }
  int plane_width(int p) const {
    return is_chroma(p) ? (layout_.width + layout_.phase_x + layout_.sub_x - 1) / layout_.sub_x : layout_.width;
  }
  int plane_height(int p) const {
    return is_chroma(p) ? (layout_.height + layout_.phase_y + layout_.sub_y - 1) / layout_.sub_y : layout_.height;
  }
  int peak() const { return (1 << layout_.bits) - 1; }
  int &at(int p, int x, int y) {
    return samples_[p][static_cast<size_t>(y) * static_cast<size_t>(plane_width(p)) + static_cast<size_t>(x)];
  }
  int at(int p, int x, int y) const { return const_cast<Picture *>(this)->at(p, x, y); }

  template <typename Function> Picture &fill(const Function &value) {
    for (int p = 0; p < planes(); ++p)
      for (int y = 0; y < plane_height(p); ++y)
        for (int x = 0; x < plane_width(p); ++x)
          at(p, x, y) = value(p, x, y);
    return *this;
  }

  // Valid until the picture changes.
  cps::PictureView view() {
    const int word = layout_.bits > 8 ? 2 : 1;
    std::mt19937 noise(1);
    cps::PictureView view;
    view.model = layout_.model;
    view.size = {layout_.width, layout_.height};
    view.sub_x = layout_.sub_x;
    view.sub_y = layout_.sub_y;
    view.phase_x = layout_.phase_x;
    view.phase_y = layout_.phase_y;
    for (int p = 0; p < planes(); ++p) {
      const int width = plane_width(p), height = plane_height(p), step = layout_.step * word;
      const ptrdiff_t stride = static_cast<ptrdiff_t>(width) * step + 5; // leaves 16-bit words unaligned
      bytes_[p].resize(static_cast<size_t>(stride * height));
      for (uint8_t &byte : bytes_[p])
        byte = static_cast<uint8_t>(noise());
      uint8_t *first = bytes_[p].data() + (layout_.bottom_up ? stride * (height - 1) : 0);
      const ptrdiff_t down = layout_.bottom_up ? -stride : stride;
      for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x) {
          const int code_bits = ((1 << layout_.bits) - 1) << layout_.shift;
          const int value = at(p, x, y) << layout_.shift | (static_cast<int>(noise() & 0xffff) & ~code_bits);
          for (int i = 0; i < word; ++i)
            first[y * down + x * step + i] = static_cast<uint8_t>(value >> 8 * i);
        }
      cps::PlaneView &plane = view.plane[p];
      plane.data = first;
      plane.stride = down;
      plane.step = step;
      plane.width = width;
      plane.height = height;
      plane.bits = layout_.bits;
      plane.shift = layout_.shift;
    }
    return view;
  }

private:
  bool is_chroma(int p) const { return layout_.model == cps::ColorModel::Yuv && p > 0; }

  Layout layout_;
  std::vector<int> samples_[3];
  std::vector<uint8_t> bytes_[3];
};

inline Picture noise(const Layout &layout, unsigned seed = 1) {
  std::mt19937 random(seed);
  Picture picture(layout);
  return picture.fill(
      [&](int, int, int) { return static_cast<int>(random() & static_cast<unsigned>(picture.peak())); });
}

// --- Orientations ---

constexpr cps::Orientation kOrientations[] = {
    {false, false, false}, {false, false, true}, {false, true, false}, {false, true, true},
    {true, false, false},  {true, false, true},  {true, true, false},  {true, true, true},
};

// A copy of the picture with its samples in other places, each plane by itself.
inline Picture turned(const Picture &picture, const cps::Orientation &orientation) {
  Layout layout = picture.layout();
  if (orientation.transposed) {
    std::swap(layout.width, layout.height);
    std::swap(layout.sub_x, layout.sub_y);
    std::swap(layout.phase_x, layout.phase_y);
  }
  Picture copy(layout);
  return copy.fill([&](int p, int x, int y) {
    if (orientation.mirrored)
      x = copy.plane_width(p) - 1 - x;
    if (orientation.flipped)
      y = copy.plane_height(p) - 1 - y;
    return orientation.transposed ? picture.at(p, y, x) : picture.at(p, x, y);
  });
}

// A copy of a part of a whole picture.
inline Picture cropped(const Picture &picture, const cps::Rect &part) {
  Layout layout = picture.layout();
  layout.width = part.width;
  layout.height = part.height;
  layout.phase_x = part.x % layout.sub_x;
  layout.phase_y = part.y % layout.sub_y;
  Picture copy(layout);
  return copy.fill([&](int p, int x, int y) {
    const bool chroma = layout.model == cps::ColorModel::Yuv && p > 0;
    return picture.at(p, x + part.x / (chroma ? layout.sub_x : 1), y + part.y / (chroma ? layout.sub_y : 1));
  });
}

// --- Bilinear resizing ---

// The samples that an output lies between; the second one weighs rest / den.
struct Position {
  int first = 0, second = 0;
  int64_t rest = 0, den = 1;
};

inline Position position(int64_t output, int64_t full, int64_t sub, int64_t phase, int64_t samples, int64_t outputs) {
  // (output + 1/2) * full / outputs is where the output's centre lies among the full positions, the chroma sample of
  // position l + 1/2 is (l + 1/2 + phase) / sub - 1/2
  const int64_t den = 2 * outputs * sub;
  const Wide at = static_cast<Wide>(2 * output + 1) * full + static_cast<Wide>(2 * outputs) * phase - outputs * sub;
  if (at <= 0)
    return {0, static_cast<int>(std::min<int64_t>(1, samples - 1)), 0, den};
  if (at >= static_cast<Wide>(samples - 1) * den)
    return {static_cast<int>(samples - 1), static_cast<int>(samples - 1), 0, den};
  const auto first = static_cast<int>(at / den);
  return {first, first + 1, static_cast<int64_t>(at % den), den};
}

// Sum over x.den * y.den of the four samples of a plane around (x, y). T: Wide, or long double for floats.
template <typename T, typename Sample> T weighted(const Position &x, const Position &y, const Sample &sample) {
  return (sample(x.first, y.first) * T(x.den - x.rest) + sample(x.second, y.first) * T(x.rest)) * T(y.den - y.rest) +
         (sample(x.first, y.second) * T(x.den - x.rest) + sample(x.second, y.second) * T(x.rest)) * T(y.rest);
}

// --- docs/spec.md#energy ---

inline int small_side(int side) {
  return std::min(side, std::max(32, side / 4));
}

inline std::vector<float> small_luma(const Picture &picture) {
  const int width = picture.layout().width, height = picture.layout().height;
  const int small_width = small_side(width), small_height = small_side(height);
  const bool rgb = picture.layout().model == cps::ColorModel::Rgb;
  const auto luma = [&](int x, int y) -> long double {
    if (!rgb)
      return picture.at(0, x, y);
    const float r = 0.299f * static_cast<float>(picture.at(0, x, y));
    const float g = 0.587f * static_cast<float>(picture.at(1, x, y));
    const float b = 0.114f * static_cast<float>(picture.at(2, x, y));
    const float rg = r + g;
    return rg + b;
  };
  std::vector<float> small;
  for (int i = 0; i < small_height; ++i)
    for (int j = 0; j < small_width; ++j) {
      const Position y = position(i, height, 1, 0, height, small_height);
      const Position x = position(j, width, 1, 0, width, small_width);
      const auto sum = weighted<long double>(x, y, luma);
      small.push_back(static_cast<float>(sum / (static_cast<long double>(x.den) * static_cast<long double>(y.den))));
    }
  return small;
}

inline int64_t rank(int64_t count, double percent) {
  return static_cast<int64_t>(
      std::round(std::min(std::max(percent, 1.0), 100.0) / 100.0 * static_cast<double>(count - 1)));
}

inline std::vector<float> normalise(const std::vector<float> &map, double percent) {
  std::vector<float> sorted = map;
  std::sort(sorted.begin(), sorted.end());
  const float q = sorted[static_cast<size_t>(rank(static_cast<int64_t>(map.size()), percent))];
  std::vector<float> result;
  for (const float value : map)
    result.push_back(std::min(std::max(value / std::max(q, 1e-6f), 0.0f), 1.0f));
  return result;
}

// By frame-difference.
inline std::vector<float> difference(const std::vector<float> &previous, const std::vector<float> &current, int bits) {
  std::vector<float> energy;
  for (size_t i = 0; i < current.size(); ++i)
    energy.push_back(std::min(std::fabs(current[i] - previous[i]) / static_cast<float>(255 << (bits - 8)), 1.0f));
  return energy;
}

// By motion-residual.
inline std::vector<float> energy(const std::vector<float> &previous, const std::vector<float> &current, int width,
                                 int height, double percent) {
  const int radius = std::max(1, std::min(4, std::min(width, height) / 2));
  std::vector<float> motion, residual;
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      float best = INFINITY, length = 0.0f;
      for (int dy = -radius; dy <= radius; ++dy)
        for (int dx = -radius; dx <= radius; ++dx) {
          if (y - dy < 0 || y - dy >= height || x - dx < 0 || x - dx >= width)
            continue;
          const float error = std::fabs(current[static_cast<size_t>(y * width + x)] -
                                        previous[static_cast<size_t>((y - dy) * width + x - dx)]);
          if (error < best) {
            best = error;
            length = static_cast<float>(std::sqrt(static_cast<double>(dx * dx + dy * dy)));
          }
        }
      motion.push_back(length);
      residual.push_back(best);
    }
  motion = normalise(motion, percent);
  residual = normalise(residual, percent);
  for (size_t i = 0; i < motion.size(); ++i)
    motion[i] = (motion[i] + residual[i]) / 2.0f;
  return motion;
}

// --- docs/spec.md#scores ---

inline std::vector<double> resize(const std::vector<double> &map, cps::Size from, cps::Size to) {
  std::vector<double> result;
  for (int i = 0; i < to.height; ++i)
    for (int j = 0; j < to.width; ++j) {
      const Position y = position(i, from.height, 1, 0, from.height, to.height);
      const Position x = position(j, from.width, 1, 0, from.width, to.width);
      const auto sum = weighted<long double>(x, y, [&](int column, int row) -> long double {
        return map[static_cast<size_t>(row) * static_cast<size_t>(from.width) + static_cast<size_t>(column)];
      });
      result.push_back(static_cast<double>(sum / static_cast<long double>(x.den) / static_cast<long double>(y.den)));
    }
  return result;
}

inline std::vector<double> scores(const std::vector<float> &energy, cps::Size source, cps::Size target, int patch) {
  const cps::Size small{small_side(source.width), small_side(source.height)};
  const auto full = resize(std::vector<double>(energy.begin(), energy.end()), small, source);
  const auto pixels = resize(full, source, target);
  const int columns = target.width / patch;
  std::vector<double> result(static_cast<size_t>(columns * (target.height / patch)));
  for (int y = 0; y < target.height; ++y)
    for (int x = 0; x < target.width; ++x)
      result[static_cast<size_t>(y / patch * columns + x / patch)] += pixels[static_cast<size_t>(y * target.width + x)];
  return result;
}

// --- docs/spec.md#selection and #replenishment ---

// Repeatedly takes the best of `units`, first one on a tie.
inline std::vector<int64_t> top(std::vector<int64_t> units, int64_t count, const std::vector<int64_t> &rank) {
  std::stable_sort(units.begin(), units.end(),
                   [&](int64_t a, int64_t b) { return rank[static_cast<size_t>(a)] > rank[static_cast<size_t>(b)]; });
  units.resize(static_cast<size_t>(std::min<int64_t>(count, static_cast<int64_t>(units.size()))));
  return units;
}

inline std::vector<int64_t> select(const std::vector<double> &scores, int frames, cps::Size grid,
                                   const std::vector<uint8_t> &random_access, const cps::SelectOptions &o) {
  const bool blocks = o.unit == cps::SelectionUnit::Block2x2;
  const int side = blocks ? 2 : 1, columns = grid.width / side, rows = grid.height / side, per_frame = rows * columns;
  const auto patch = [&](int64_t frame, int64_t y, int64_t x) { return (frame * grid.height + y) * grid.width + x; };

  std::vector<int64_t> rank(static_cast<size_t>(frames * per_frame));
  std::vector<double> sums(rank.size());
  for (int f = 0; f < frames; ++f)
    for (int y = 0; y < rows * side; ++y)
      for (int x = 0; x < columns * side; ++x) {
        const auto u = static_cast<size_t>((f * rows + y / side) * columns + x / side);
        const double score = scores[static_cast<size_t>(patch(f, y, x))];
        rank[u] += static_cast<int64_t>(std::floor(1024.0 * score + 0.5));
        sums[u] += score;
      }
  const auto meta = [&](size_t u) { return static_cast<float>(sums[u] / (side * side)); };
  const bool replenishment = o.ranking == cps::Ranking::Replenishment;
  if (replenishment) { // by the number of smaller ones
    std::vector<float> sorted;
    for (size_t u = 0; u < rank.size(); ++u)
      sorted.push_back(meta(u));
    std::sort(sorted.begin(), sorted.end());
    for (size_t u = 0; u < rank.size(); ++u)
      rank[u] = std::lower_bound(sorted.begin(), sorted.end(), meta(u)) - sorted.begin();
  }

  std::vector<int64_t> intra, inter, frames_inter, chosen; // intra: what ranks above all others
  for (int64_t u = 0; u < frames * per_frame; ++u)
    if (replenishment ? u < per_frame : random_access[static_cast<size_t>(u / per_frame)] != 0)
      intra.push_back(u);
    else if (o.min_score <= 0 || static_cast<double>(meta(static_cast<size_t>(u))) >= o.min_score)
      inter.push_back(u);
  for (int64_t f = 0; f < frames; ++f)
    if (!random_access[static_cast<size_t>(f)])
      frames_inter.push_back(f);

  const auto patches = static_cast<int64_t>(scores.size());
  const int64_t k = std::max<int64_t>(0, std::min(o.k_keep, patches)) / (side * side);
  if (intra.empty()) {
    chosen = top(inter, k, rank);
  } else if (static_cast<int64_t>(intra.size()) >= k) {
    chosen = top(intra, k, rank);
  } else {
    if (!replenishment && o.static_fallback && o.static_uniform_frames > 0 && !inter.empty()) {
      std::vector<double> means;
      for (const int64_t q : rank)
        means.push_back(static_cast<double>(q) / 1024.0 / (o.patch_size * o.patch_size * side * side));
      std::sort(means.begin(), means.end());
      const auto at = [&](double p) {
        return means[static_cast<size_t>(reference::rank(static_cast<int64_t>(means.size()), p))];
      };
      double threshold = o.static_abs_thresh > 1.0 ? o.static_abs_thresh / 255.0 : o.static_abs_thresh;
      threshold = std::min(std::max(threshold, 0.0), 1.0);
      const double flat = (at(95) - at(50)) / std::max(at(95), 1e-6);
      if (at(95) < threshold || (at(95) < 2 * threshold && flat < std::max(0.0, o.static_rel_thresh))) {
        std::vector<int64_t> values;
        for (const int64_t u : inter)
          values.push_back(rank[static_cast<size_t>(u)]);
        const auto [least, most] = std::minmax_element(values.begin(), values.end());
        const auto p = static_cast<int64_t>(frames_inter.size());
        const int64_t n = std::max<int64_t>(1, std::min<int64_t>(o.static_uniform_frames, p));
        for (int64_t j = 0; j < n; ++j)
          for (int64_t u = 0; u < per_frame; ++u)
            rank[static_cast<size_t>(frames_inter[static_cast<size_t>(j * p / n)] * per_frame + u)] +=
                *most - *least + 1024;
      }
    }
    chosen = top(inter, k - static_cast<int64_t>(intra.size()), rank);
    chosen.insert(chosen.end(), intra.begin(), intra.end());
  }

  std::sort(chosen.begin(), chosen.end());
  std::vector<int64_t> result;
  for (const int64_t u : chosen)
    for (int y = 0; y < side; ++y)
      for (int x = 0; x < side; ++x)
        result.push_back(patch(u / per_frame, u % per_frame / columns * side + y, u % columns * side + x));
  return result;
}

// --- docs/spec.md#pixels ---

// Round half up of a resized sample in 1/256 of an 8-bit code value.
inline uint16_t stored(const Picture &picture, int p, cps::Size target, int column, int row) {
  const Layout &l = picture.layout();
  const bool chroma = l.model == cps::ColorModel::Yuv && p > 0;
  const Position x =
      position(column, l.width, chroma ? l.sub_x : 1, chroma ? l.phase_x : 0, picture.plane_width(p), target.width);
  const Position y =
      position(row, l.height, chroma ? l.sub_y : 1, chroma ? l.phase_y : 0, picture.plane_height(p), target.height);
  const auto sum = weighted<Wide>(x, y, [&](int i, int j) -> Wide { return picture.at(p, i, j); });
  const Wide unit = static_cast<Wide>(x.den) * y.den << (l.bits - 8);
  return static_cast<uint16_t>(std::min<Wide>((2 * sum * 256 + unit) / (2 * unit), 65535));
}

} // namespace reference
