// SPDX-License-Identifier: LGPL-2.1-or-later
#include "kernels/replenishment.h"

#include "kernels/keepbest.h"
#include "kernels/ranking.h"
#include "kernels/simd.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace cps {

namespace {

constexpr int kCodeGrey = 128;                                    // what a place shows before anything was sent
constexpr int64_t kDropped = std::numeric_limits<int64_t>::max(); // above every gain
constexpr size_t kStride = 16;                                    // samples of a vector
// Samples whose squared differences, at most 256 * 256 each, add up to less than 2^31.
constexpr size_t kChunk = size_t{1} << 14;

// A stored sample, in 1/256 of a code value, as a code value, rounded half up: 0 to 256, because sources of more than 8
// bits have samples between 255 and 256.
inline int16_t code_value(uint16_t stored) {
  return static_cast<int16_t>((stored + 128u) >> 8);
}

CPS_SIMD void load_codes(const uint16_t *stored, int16_t *codes, size_t count) {
  for (size_t i = 0; i < count; ++i)
    codes[i] = code_value(stored[i]);
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

} // namespace

ReplenishmentScorer::ReplenishmentScorer(Size target, int planes, int patch, SelectionUnit unit, int frames)
    : target_(target), planes_(planes), side_(unit_side(patch, unit)), frames_(static_cast<size_t>(frames)),
      samples_(static_cast<size_t>(planes) * static_cast<size_t>(side_) * static_cast<size_t>(side_)),
      stride_((samples_ + kStride - 1) / kStride * kStride), codes_(frames_ * stride_), kept_(frames_),
      gains_(frames_) {}

size_t ReplenishmentScorer::units() const {
  return static_cast<size_t>(target_.width / side_) * static_cast<size_t>(target_.height / side_);
}

void ReplenishmentScorer::load_place(const uint16_t *pixels, size_t place) {
  const auto width = static_cast<size_t>(target_.width), height = static_cast<size_t>(target_.height);
  const auto side = static_cast<size_t>(side_), columns = width / side;
  const size_t first = place / columns * side * width + place % columns * side;
  const auto planes = static_cast<size_t>(planes_);
  for (size_t frame = 0; frame < frames_; ++frame) {
    int16_t *codes = &codes_[frame * stride_];
    for (size_t plane = 0; plane < planes; ++plane) {
      const uint16_t *row = pixels + (frame * planes + plane) * width * height + first;
      for (size_t y = 0; y < side; ++y, row += width, codes += side)
        load_codes(row, codes, side);
    }
  }
}

int64_t ReplenishmentScorer::distance(size_t a, size_t b) const {
  const int16_t *const from = &codes_[a * stride_], *const to = &codes_[b * stride_];
  int64_t sum = 0;
  for (size_t i = 0; i < stride_; i += kChunk) // what lies after the samples is 0
    sum += squared_distance(from + i, to + i, std::min(kChunk, stride_ - i));
  return sum;
}

int64_t ReplenishmentScorer::distance_sum(size_t a, size_t begin, size_t end) const {
  int64_t sum = 0;
  for (size_t frame = begin; frame < end; ++frame)
    sum += distance(a, frame);
  return sum;
}

int64_t ReplenishmentScorer::distance_to_grey() const {
  int64_t sum = 0;
  for (size_t i = 0; i < samples_; ++i) {
    const int difference = codes_[i] - kCodeGrey;
    sum += int64_t{difference} * difference;
  }
  return sum;
}

// Each sum of distances is extended when its frame's neighbours are dropped, so that no distance is computed twice, and
// those between frames that are far apart only if all between them are dropped.
void ReplenishmentScorer::score_place(int64_t *scores, size_t step) {
  for (size_t frame = 0; frame < frames_; ++frame) {
    kept_[frame] = {frame - 1, frame + 1, 0, frame > 0 ? distance(frame - 1, frame) : 0};
    gains_[frame] = kept_[frame].without;
  }
  const auto update_gain = [this](size_t frame) {
    gains_[frame] = kept_[frame].without - kept_[kept_[frame].previous].own - kept_[frame].own;
  };
  int64_t score = -1;
  for (size_t left = frames_; left > 1; --left) {
    size_t drop = 1;
    for (size_t frame = 2; frame < frames_; ++frame)
      if (gains_[frame] <= gains_[drop]) // of equal gains the last
        drop = frame;
    score = std::max(gains_[drop], score + 1);
    scores[drop * step] = score;
    gains_[drop] = kDropped;

    const size_t previous = kept_[drop].previous, next = kept_[drop].next;
    kept_[previous].own = kept_[drop].without;
    kept_[previous].next = next;
    if (next < frames_) {
      kept_[next].previous = previous;
      kept_[next].without = kept_[previous].own + distance_sum(previous, next, kept_[next].next);
      update_gain(next);
    }
    if (previous > 0) {
      kept_[previous].without += distance_sum(kept_[previous].previous, drop, next);
      update_gain(previous);
    }
  }
  scores[0] = distance_to_grey();
}

void ReplenishmentScorer::run(const uint16_t *pixels, int64_t *scores) {
  const size_t places = units();
  for (size_t place = 0; place < places; ++place) {
    load_place(pixels, place);
    score_place(scores + place, places);
  }
}

std::vector<int64_t> select_replenished(const int64_t *scores, int frames, size_t units, int64_t count) {
  std::vector<int64_t> selected(static_cast<size_t>(frames) * units);
  std::iota(selected.begin(), selected.end(), int64_t{0});
  const auto first_frame = static_cast<int64_t>(units);
  const auto better = [scores, first_frame](int64_t a, int64_t b) {
    if ((a < first_frame) != (b < first_frame))
      return a < first_frame;
    return scores[a] != scores[b] ? scores[a] > scores[b] : a < b;
  };
  keep_best(selected, std::max<int64_t>(count, 0), better);
  std::sort(selected.begin(), selected.end());
  return selected;
}

void spread_scores(const int64_t *scores, int frames, size_t unit_samples, SelectionUnit unit, Size grid,
                   double *patch_scores) {
  const int64_t patches = int64_t{frames} * grid.width * grid.height;
  const bool blocks = unit == SelectionUnit::Block2x2;
  for (int64_t i = 0; i < (blocks ? patches / 4 : patches); ++i) {
    const double score = static_cast<double>(scores[i]) / static_cast<double>(unit_samples);
    int64_t of_unit[4] = {i};
    if (blocks)
      write_block_patches(first_patch_of_block(i, grid.width), grid.width, of_unit);
    for (int patch = 0; patch < (blocks ? 4 : 1); ++patch)
      patch_scores[of_unit[patch]] = score;
  }
}

} // namespace cps
