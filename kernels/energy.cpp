// SPDX-License-Identifier: LGPL-2.1-or-later
#include "kernels/energy.h"

#include "kernels/simd.h"
#include "kernels/smallluma.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <numeric>
#include <type_traits>
#include <vector>

namespace cps {

namespace {

// Counts values from 0 to a largest one. An increment waits for the previous one of the same count, and neighbours in a
// map are often equal, so kTurns of them in turn have counts of their own.
class Histogram {
public:
  explicit Histogram(size_t largest) : counts_(kTurns * (largest + 1)) {}

  template <typename T> void count(const std::vector<T> &values) {
    std::fill(counts_.begin(), counts_.end(), 0u);
    uint32_t *const counts = counts_.data();
    size_t i = 0;
    for (; i + kTurns <= values.size(); i += kTurns)
      for (size_t turn = 0; turn < kTurns; ++turn)
        ++counts[kTurns * static_cast<size_t>(values[i + turn]) + turn];
    for (; i < values.size(); ++i)
      ++counts[kTurns * static_cast<size_t>(values[i])];
  }

  uint32_t of(size_t value) const {
    const auto first = counts_.begin() + static_cast<ptrdiff_t>(kTurns * value);
    return std::accumulate(first, first + kTurns, 0u);
  }

private:
  static constexpr size_t kTurns = 4;
  std::vector<uint32_t> counts_;
};

// Finds the residual with a given rank in a map; counts them if they are integers.
class SumRank {
public:
  SumRank(size_t, int bits) : histogram_(4 * ((size_t{1} << bits) - 1)) {}

  int16_t find(const std::vector<int16_t> &values, int64_t rank) {
    histogram_.count(values);
    size_t value = 0;
    for (int64_t below = histogram_.of(0); below <= rank; below += histogram_.of(value))
      ++value;
    return static_cast<int16_t>(value);
  }

private:
  Histogram histogram_;
};

class FloatRank {
public:
  FloatRank(size_t count, int) : scratch_(count) {}

  float find(const std::vector<float> &values, int64_t rank) {
    std::copy(values.begin(), values.end(), scratch_.begin());
    std::nth_element(scratch_.begin(), scratch_.begin() + rank, scratch_.end());
    return scratch_[static_cast<size_t>(rank)];
  }

private:
  std::vector<float> scratch_;
};

// Values of a small luma map: int16_t holds the sum of four code values, float holds a code value.
template <typename T> struct MapTraits;
template <> struct MapTraits<int16_t> {
  using Index = int16_t; // as wide as the value, so that a comparison of values selects indices
  using Rank = SumRank;
  static constexpr int16_t kWorst = std::numeric_limits<int16_t>::max();
  // Farther from every sum, which is at most 4 * 4095, than these are from each other.
  static constexpr int16_t kOutside = -16384;
};
template <> struct MapTraits<float> {
  using Index = int32_t;
  using Rank = FloatRank;
  static constexpr float kWorst = std::numeric_limits<float>::infinity();
  static constexpr float kOutside = kWorst;
};

// Motion length of each candidate, in small pixels.
std::array<float, kCandidates> motion_lengths() {
  std::array<float, kCandidates> lengths;
  for (int i = 0; i < kCandidates; ++i)
    lengths[static_cast<size_t>(i)] = motion_length(motion_square(candidate_dy(i), candidate_dx(i)));
  return lengths;
}

inline int16_t distance(int16_t a, int16_t b) {
  const auto difference = static_cast<int16_t>(a - b);
  return static_cast<int16_t>(difference < 0 ? -difference : difference);
}
inline float distance(float a, float b) {
  return std::fabs(a - b);
}

// As many values as a vector of AVX2 has. The compiler splits them where the processor's are shorter.
template <typename T> struct Lanes {
  static constexpr int kCount = 32 / sizeof(T);
  typedef T Type __attribute__((vector_size(32)));
};

// Finds the best candidates of a row: `count` pixels, a multiple of the lanes. `previous` is the row of the same height
// in the other map; `stride` leads to the next one. All candidates of some pixels before those of the next, so that the
// best one stays in a register. Selects instead of branching, because the winning candidate is unpredictable. Of equal
// errors the first is kept.
template <typename T, typename Index>
inline void search_row_within(const T *current, const T *previous, ptrdiff_t stride, int count, int first_dy,
                              int last_dy, int radius, T *residual, Index *motion) {
  using Values = typename Lanes<T>::Type;
  using Indices = typename Lanes<Index>::Type;
  for (int x = 0; x < count; x += Lanes<T>::kCount) {
    Values own, best = Values{} + MapTraits<T>::kWorst;
    Indices which = {};
    memcpy(&own, current + x, sizeof own);
    for (int dy = first_dy; dy <= last_dy; ++dy) {
      const T *const row = previous - dy * stride + x;
      Indices candidate = Indices{} + static_cast<Index>(candidate_index(dy, -radius));
      for (int dx = -radius; dx <= radius; ++dx, candidate += 1) {
        Values value;
        memcpy(&value, row - dx, sizeof value);
        const Values difference = own - value, error = difference < 0 ? -difference : difference;
        // cppcheck-suppress redundantAssignment ; it does not know the selection by a vector
        which = error < best ? candidate : which;
        best = best < error ? best : error; // a minimum for the compiler, unlike a selection by the condition above
      }
    }
    memcpy(residual + x, &best, sizeof best);
    memcpy(motion + x, &which, sizeof which);
  }
}

// The same for a row of a picture that is compared with itself, where the residual is 0: the first candidate of the
// same value wins. Tries none after the pixel itself, and the first one last, so that it overrides the others.
template <typename T, typename Index>
inline void search_own_row_within(const T *row, ptrdiff_t stride, int count, int first_dy, int radius, Index *motion) {
  using Values = typename Lanes<T>::Type;
  using Indices = typename Lanes<Index>::Type;
  for (int x = 0; x < count; x += Lanes<T>::kCount) {
    Values own;
    Indices which = Indices{} + static_cast<Index>(candidate_index(0, 0));
    memcpy(&own, row + x, sizeof own);
    for (int dy = 0; dy >= first_dy; --dy) {
      const T *const candidates = row - dy * stride + x;
      const int last = dy == 0 ? -1 : radius;
      Indices candidate = Indices{} + static_cast<Index>(candidate_index(dy, last));
      for (int dx = last; dx >= -radius; --dx, candidate -= 1) {
        Values value;
        memcpy(&value, candidates - dx, sizeof value);
        // cppcheck-suppress redundantAssignment ; it does not know the selection by a vector
        which = value == own ? candidate : which;
      }
    }
    memcpy(motion + x, &which, sizeof which);
  }
}

// The compiler unrolls the loops over a radius that it knows: that of all pictures but small ones.
template <typename T, typename Index>
CPS_SIMD void search_row(const T *current, const T *previous, ptrdiff_t stride, int count, int first_dy, int last_dy,
                         int radius, T *residual, Index *motion) {
  if (radius == kMaxRadius)
    search_row_within(current, previous, stride, count, first_dy, last_dy, kMaxRadius, residual, motion);
  else
    search_row_within(current, previous, stride, count, first_dy, last_dy, radius, residual, motion);
}
template <typename T, typename Index>
CPS_SIMD void search_own_row(const T *row, ptrdiff_t stride, int count, int first_dy, int radius, Index *motion) {
  if (radius == kMaxRadius)
    search_own_row_within(row, stride, count, first_dy, kMaxRadius, motion);
  else
    search_own_row_within(row, stride, count, first_dy, radius, motion);
}

// Finds the motion length with a given rank in a map.
class MotionRank {
public:
  explicit MotionRank(const std::array<float, kCandidates> &lengths) : lengths_(lengths) {
    for (size_t i = 0; i < order_.size(); ++i)
      order_[i] = i;
    std::sort(order_.begin(), order_.end(), [this](size_t a, size_t b) { return lengths_[a] < lengths_[b]; });
  }

  template <typename Index> float find(const std::vector<Index> &candidates, int64_t rank) {
    histogram_.count(candidates);
    size_t i = 0;
    for (int64_t below = histogram_.of(order_[0]); below <= rank; below += histogram_.of(order_[i]))
      ++i;
    return lengths_[order_[i]];
  }

private:
  std::array<float, kCandidates> lengths_;
  std::array<size_t, kCandidates> order_;
  Histogram histogram_{kCandidates - 1};
};

} // namespace

// The interface of all modes, for any type of map.
class EnergyMaps::Computation {
public:
  explicit Computation(Size map) : size_(map) {}
  virtual ~Computation() = default;
  virtual void next(const PictureView &picture, bool first, float *energy) = 0;
  virtual void repeat(float *energy) = 0;
  Size size() const { return size_; }

private:
  const Size size_;
};

namespace {

// Compares the small luma of each picture with that of the previous one.
template <typename T> class LumaComparison : public EnergyMaps::Computation {
public:
  LumaComparison(const PictureView &layout, Size map)
      : Computation(map), bits_(layout.plane[0].bits),
        x_taps_(bilinear_taps(layout.size.width, 1, 0, layout.size.width, map.width)),
        y_taps_(bilinear_taps(layout.size.height, 1, 0, layout.size.height, map.height)),
        current_(static_cast<size_t>(map.width) * static_cast<size_t>(map.height)), previous_(current_.size()) {}

  void next(const PictureView &picture, bool first, float *energy) override {
    current_.swap(previous_);
    with_word(bits_, [&](auto word) { read_luma<decltype(word)>(picture); });
    if (first)
      std::fill_n(energy, current_.size(), 0.0f);
    else
      compare(current_, previous_, energy);
  }

  void repeat(float *energy) override { compare_same(current_, energy); }

private:
  virtual void compare(const std::vector<T> &current, const std::vector<T> &previous, float *energy) = 0;
  // compare() of a picture with itself.
  virtual void compare_same(const std::vector<T> &picture, float *energy) = 0;

  // cppcheck-suppress unusedPrivateFunction ; used by next(), through with_word()
  template <typename Word> void read_luma(const PictureView &picture) {
    if constexpr (std::is_same_v<T, int16_t>)
      sum_quads<Word>(picture, this->size(), current_.data());
    else if (picture.model == ColorModel::Rgb)
      resize_luma<RgbRow<Word>>(picture, x_taps_, y_taps_, current_.data());
    else
      resize_luma<CodeRow<Word>>(picture, x_taps_, y_taps_, current_.data());
  }

  const int bits_;
  const TapTable x_taps_, y_taps_;
  std::vector<T> current_, previous_;
};

template <typename T> class FrameDifference final : public LumaComparison<T> {
public:
  FrameDifference(const PictureView &layout, Size map, const EnergyOptions &)
      : LumaComparison<T>(layout, map), full_(full_luma(layout.plane[0].bits, std::is_same_v<T, int16_t>)) {}

private:
  void compare(const std::vector<T> &current, const std::vector<T> &previous, float *energy) override {
    for (size_t i = 0; i < current.size(); ++i)
      energy[i] = normalised(static_cast<float>(distance(current[i], previous[i])), full_);
  }

  void compare_same(const std::vector<T> &picture, float *energy) override {
    std::fill_n(energy, picture.size(), 0.0f);
  }

  const float full_;
};

template <typename T> class MotionResidual final : public LumaComparison<T> {
public:
  MotionResidual(const PictureView &layout, Size map, const EnergyOptions &options)
      : LumaComparison<T>(layout, map), radius_(search_radius(map)),
        residual_(static_cast<size_t>(map.width) * static_cast<size_t>(map.height)), motion_(residual_.size()),
        lanes_((map.width + Lanes<T>::kCount - 1) / Lanes<T>::kCount * Lanes<T>::kCount),
        stride_(lanes_ + 2 * kMaxRadius),
        padded_(static_cast<size_t>(stride_) * static_cast<size_t>(map.height), MapTraits<T>::kOutside),
        row_(static_cast<size_t>(lanes_)), residual_row_(row_.size()), motion_row_(row_.size()),
        lengths_(motion_lengths()), motion_rank_(lengths_), residual_rank_(residual_.size(), layout.plane[0].bits),
        rank_(rank_index(static_cast<int64_t>(residual_.size()), options.percentile)) {}

private:
  using Index = typename MapTraits<T>::Index;
  using LumaComparison<T>::size;

  void compare(const std::vector<T> &current, const std::vector<T> &previous, float *energy) override {
    search(current, previous);
    normalise(energy);
  }

  void compare_same(const std::vector<T> &picture, float *energy) override {
    pad(picture);
    for (int y = 0; y < size().height; ++y) {
      search_own_row(padded_row(y), stride_, lanes_, std::max(-radius_, y - (size().height - 1)), radius_,
                     motion_row_.data());
      std::copy_n(motion_row_.begin(), size().width, &motion_[row_start(y)]);
    }
    std::array<float, kCandidates> energies = normalised_motion();
    for (float &value : energies)
      value = mean_energy(value, 0.0f);
    for (size_t i = 0; i < motion_.size(); ++i)
      energy[i] = energies[static_cast<size_t>(motion_[i])];
  }

  void search(const std::vector<T> &current, const std::vector<T> &previous) {
    const int width = size().width, height = size().height;
    pad(previous);
    for (int y = 0; y < height; ++y) {
      std::copy_n(&current[row_start(y)], width, row_.begin());
      search_row(row_.data(), padded_row(y), stride_, lanes_, std::max(-radius_, y - (height - 1)),
                 std::min(radius_, y), radius_, residual_row_.data(), motion_row_.data());
      std::copy_n(residual_row_.begin(), width, &residual_[row_start(y)]);
      std::copy_n(motion_row_.begin(), width, &motion_[row_start(y)]);
    }
  }

  // Sets the map in which candidates are tried.
  void pad(const std::vector<T> &map) {
    for (int y = 0; y < size().height; ++y)
      std::copy_n(&map[row_start(y)], size().width, padded_row(y));
  }

  size_t row_start(int y) const { return static_cast<size_t>(y) * static_cast<size_t>(size().width); }
  T *padded_row(int y) { return &padded_[static_cast<size_t>(y) * static_cast<size_t>(stride_) + kMaxRadius]; }

  std::array<float, kCandidates> normalised_motion() {
    const float percentile = motion_rank_.find(motion_, rank_);
    std::array<float, kCandidates> motion;
    for (size_t i = 0; i < motion.size(); ++i)
      motion[i] = normalised(lengths_[i], percentile);
    return motion;
  }

  void normalise(float *energy) {
    const std::array<float, kCandidates> motion = normalised_motion();
    const auto percentile = static_cast<float>(residual_rank_.find(residual_, rank_));
    for (size_t i = 0; i < residual_.size(); ++i) {
      const float residual = normalised(static_cast<float>(residual_[i]), percentile);
      energy[i] = mean_energy(motion[static_cast<size_t>(motion_[i])], residual);
    }
  }

  const int radius_;
  std::vector<T> residual_;   // errors of the winning candidates
  std::vector<Index> motion_; // indices of the winning candidates
  const int lanes_, stride_;  // width of the rows below in whole vectors, and with margins for candidates
  std::vector<T> padded_;     // the map of the candidates; what is outside of it never wins
  std::vector<T> row_, residual_row_;
  std::vector<Index> motion_row_;
  const std::array<float, kCandidates> lengths_;
  MotionRank motion_rank_;
  typename MapTraits<T>::Rank residual_rank_;
  const int64_t rank_;
};

template <template <typename> class Mode>
std::unique_ptr<EnergyMaps::Computation> make_mode(const PictureView &layout, const EnergyOptions &options) {
  const Size map = small_size(layout.size);
  if (has_quad_sums(layout, map))
    return std::make_unique<Mode<int16_t>>(layout, map, options);
  return std::make_unique<Mode<float>>(layout, map, options);
}

} // namespace

EnergyMaps::EnergyMaps(const PictureView &layout, const EnergyOptions &options)
    : computation_(options.mode == EnergyMode::FrameDifference ? make_mode<FrameDifference>(layout, options)
                                                               : make_mode<MotionResidual>(layout, options)) {}

EnergyMaps::~EnergyMaps() = default;

Size EnergyMaps::map_size() const {
  return computation_->size();
}

void EnergyMaps::next(const PictureView &picture, bool first, float *energy) {
  computation_->next(picture, first, energy);
}

void EnergyMaps::repeat(float *energy) {
  computation_->repeat(energy);
}

} // namespace cps
