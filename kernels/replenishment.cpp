// SPDX-License-Identifier: LGPL-2.1-or-later
#include "kernels/replenishment.h"

#include "kernels/ranking.h"
#include "kernels/simd.h"

#include <algorithm>

namespace cps {

namespace {

constexpr size_t kStride = 16; // samples of a vector
// Samples whose squared differences, at most 256 * 256 each, add up to less than 2^31.
constexpr size_t kChunk = size_t{1} << 14;

CPS_SIMD void load_codes(const uint16_t *stored, int16_t *codes, size_t count) {
  for (size_t i = 0; i < count; ++i)
    codes[i] = code_value(stored[i]);
}

CPS_SIMD void load_codes(const uint8_t *values, int16_t *codes, size_t count) {
  for (size_t i = 0; i < count; ++i)
    codes[i] = values[i];
}

// Of at most kChunk samples.
CPS_SIMD int32_t squared_distance(const int16_t *a, const int16_t *b, size_t count) {
  int32_t sum = 0;
  for (size_t i = 0; i < count; ++i) {
    const auto difference = static_cast<int16_t>(a[i] - b[i]);
    sum += difference * difference;
  }
  return sum;
}

// The team of score_place() on a CPU: one thread.
class PlaceTeam {
public:
  PlaceTeam(const int16_t *codes, size_t samples, size_t stride, int frames)
      : codes_(codes), samples_(samples), stride_(stride), frames_(frames) {}

  int64_t distance_sum(int a, int begin, int end) const {
    int64_t sum = 0;
    for (int frame = begin; frame < end; ++frame)
      for (size_t i = 0; i < stride_; i += kChunk) // what lies after the samples is 0
        sum += squared_distance(codes(a) + i, codes(frame) + i, std::min(kChunk, stride_ - i));
    return sum;
  }

  int64_t distance_to_grey() const {
    int64_t sum = 0;
    for (size_t i = 0; i < samples_; ++i)
      sum += squared(codes_[i] - kCodeGrey);
    return sum;
  }

  int first_to_drop(const int64_t *gains) const {
    int found = 1;
    for (int frame = 2; frame < frames_; ++frame)
      if (drops_before(gains[frame], frame, gains[found], found))
        found = frame;
    return found;
  }

  static void sync() {}
  static bool leads() { return true; }

private:
  const int16_t *codes(int frame) const { return codes_ + static_cast<size_t>(frame) * stride_; }

  const int16_t *codes_;
  size_t samples_, stride_;
  int frames_;
};

} // namespace

ReplenishmentScorer::ReplenishmentScorer(Size target, int planes, int patch, SelectionUnit unit, int frames)
    : target_(target), planes_(planes), patch_(patch), side_(unit_side(patch, unit)), frames_(frames),
      samples_(static_cast<size_t>(planes) * static_cast<size_t>(side_) * static_cast<size_t>(side_)),
      stride_((samples_ + kStride - 1) / kStride * kStride), codes_(static_cast<size_t>(frames) * stride_),
      kept_(static_cast<size_t>(frames)), gains_(static_cast<size_t>(frames)) {}

void ReplenishmentScorer::load_place(const uint16_t *pixels, int place) {
  const auto width = static_cast<size_t>(target_.width), height = static_cast<size_t>(target_.height);
  const auto side = static_cast<size_t>(side_), columns = width / side, at = static_cast<size_t>(place);
  const size_t first = at / columns * side * width + at % columns * side;
  const auto planes = static_cast<size_t>(planes_);
  for (size_t frame = 0; frame < static_cast<size_t>(frames_); ++frame) {
    int16_t *codes = &codes_[frame * stride_];
    for (size_t plane = 0; plane < planes; ++plane) {
      const uint16_t *row = pixels + (frame * planes + plane) * width * height + first;
      for (size_t y = 0; y < side; ++y, row += width, codes += side)
        load_codes(row, codes, side);
    }
  }
}

void ReplenishmentScorer::load_place(const uint8_t *pixels, int place) {
  const auto side = static_cast<size_t>(side_), row_samples = side * static_cast<size_t>(planes_);
  const size_t columns = static_cast<size_t>(target_.width) / side, at = static_cast<size_t>(place);
  const size_t stride = columns * row_samples;
  const size_t first = at / columns * side * stride + at % columns * row_samples;
  for (size_t frame = 0; frame < static_cast<size_t>(frames_); ++frame) {
    const uint8_t *row = pixels + frame * stride * static_cast<size_t>(target_.height) + first;
    for (size_t y = 0; y < side; ++y, row += stride)
      load_codes(row, &codes_[frame * stride_ + y * row_samples], row_samples);
  }
}

template <typename Sample> void ReplenishmentScorer::score_places(const Sample *pixels, double *scores) {
  const Size grid = {target_.width / patch_, target_.height / patch_};
  const int places = target_.width / side_ * (target_.height / side_);
  const bool blocks = side_ != patch_;
  PlaceTeam team(codes_.data(), samples_, stride_, frames_);
  for (int place = 0; place < places; ++place) {
    load_place(pixels, place);
    score_place(team, frames_, kept_.data(), gains_.data(), [&](int frame, int64_t score) {
      write_unit_score(replenishment_score(score, static_cast<int64_t>(samples_)), int64_t{frame} * places + place,
                       blocks, grid.width, scores);
    });
  }
}

void ReplenishmentScorer::run(const uint16_t *pixels, double *scores) {
  score_places(pixels, scores);
}

void ReplenishmentScorer::run(const uint8_t *pixels, double *scores) {
  score_places(pixels, scores);
}

} // namespace cps
