// SPDX-License-Identifier: LGPL-2.1-or-later
// Bilinear sums in two passes: first along the rows of the source, then across them. Sums are doubles, which are exact,
// because they are integers below 2^53 (stored_sample()). So both passes vectorise, and the results are those of
// bilinear_sum(), which the CUDA kernels use.
#include "kernels/resize.h"

#include "kernels/samples.h"
#include "kernels/simd.h"

#include <algorithm>
#include <cstring>

namespace cps {

namespace {

// Scratch memory is on the stack. Therefore the target is resized in parts of at most kColumns columns, whose taps are
// among kSamples samples of a row.
constexpr int kColumns = 512;
constexpr int kSamples = 4096;

// A part of the target, for the first pass. Each column blends two adjacent samples of a line. A line has the samples
// of a row of the source: all from the first tap to the last, or only those with taps.
struct Columns {
  Columns(const TapTable &table, int begin, bool whole_rows);

  const Tap *const taps;
  int count = 0;
  int samples = 0;         // of a line
  int32_t place[kColumns]; // of the first of the two samples in the line
  int32_t weight[2][kColumns];
};

Columns::Columns(const TapTable &table, int begin, bool whole_rows) : taps(table.taps.data() + begin) {
  const int left = std::min(kColumns, static_cast<int>(table.taps.size()) - begin);
  for (; count < left && taps[count].second - taps->first < kSamples; ++count) {
    const Tap &tap = taps[count];
    place[count] = whole_rows ? tap.first - taps->first : 2 * count;
    weight[0][count] = table.den - tap.frac;
    weight[1][count] = tap.frac;
  }
  samples = whole_rows ? taps[count - 1].second - taps->first + 1 : 2 * count;
}

template <typename Row> CPS_SIMD void read_row(const Row &row, int first, int count, uint16_t *__restrict line) {
  for (int x = 0; x < count; ++x)
    line[x] = static_cast<uint16_t>(row[first + x]);
}

template <typename Row> void read_taps(const Row &row, const Tap *taps, int count, uint16_t *line) {
  for (const Tap *tap = taps; tap != taps + count; ++tap) {
    *line++ = static_cast<uint16_t>(row[tap->first]);
    *line++ = static_cast<uint16_t>(row[tap->second]);
  }
}

// First pass. Reads both samples as one word, because loops over words vectorise and loops over pairs do not.
CPS_SIMD void blend_columns(const uint16_t *__restrict line, const Columns &columns, double *__restrict out) {
  constexpr int kFirst = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 16 : 0; // bits below the first sample in that word
  for (int x = 0; x < columns.count; ++x) {
    uint32_t pair;
    memcpy(&pair, line + columns.place[x], sizeof pair);
    const auto first = static_cast<int32_t>(pair >> kFirst & 0xffff);
    const auto second = static_cast<int32_t>(pair >> (16 - kFirst) & 0xffff);
    out[x] = static_cast<double>(first) * columns.weight[0][x] + static_cast<double>(second) * columns.weight[1][x];
  }
}

// Second pass.
CPS_SIMD void blend_rows(const double *__restrict top, const double *__restrict bottom, int count, int32_t frac,
                         int32_t den, double unit, uint16_t *__restrict out) {
  const auto blend_all = [&](const auto &stored) {
    for (int x = 0; x < count; ++x)
      out[x] = stored(blend(top[x], bottom[x], frac, den));
  };
  if (unit <= kLargestUnitByFactor) // the division takes a third of the time
    blend_all([factor = stored_factor(unit)](double sum) { return stored_sample_by_factor(sum, factor); });
  else
    blend_all([unit](double sum) { return stored_sample(sum, unit); });
}

template <typename RowAt>
void resize_columns(const RowAt &row_at, const Columns &columns, const TapTable &y_taps, double unit, ptrdiff_t width,
                    uint16_t *out) {
  uint16_t line[kSamples + 1];
  // The last two rows of the first pass, because adjacent rows of a larger target have rows of the source in common.
  double rows[2][kColumns];
  int held[2] = {-1, -1};
  const auto blended_row = [&](int y) -> const double * {
    double *const row = rows[y % 2];
    if (held[y % 2] != y) {
      if constexpr (decltype(row_at(y))::kFixedStep)
        read_row(row_at(y), columns.taps->first, columns.samples, line);
      else
        read_taps(row_at(y), columns.taps, columns.count, line);
      line[columns.samples] = 0; // read at the edge, with a weight of 0
      blend_columns(line, columns, row);
      held[y % 2] = y;
    }
    return row;
  };
  for (const Tap &tap : y_taps.taps) {
    const double *const top = blended_row(tap.first), *const bottom = blended_row(tap.second);
    blend_rows(top, bottom, columns.count, tap.frac, y_taps.den, unit, out);
    out += width;
  }
}

} // namespace

void resize_plane(const PlaneView &plane, const TapTable &x_taps, const TapTable &y_taps, uint16_t *out) {
  const double unit = stored_unit(x_taps.den, y_taps.den, plane.bits);
  const auto width = static_cast<int>(x_taps.taps.size());
  with_rows(plane, [&](const auto &row_at) {
    // Whole rows are read if that loop vectorises. Else it would take longer than reading the taps.
    constexpr bool kWholeRows = decltype(row_at(0))::kFixedStep;
    for (int begin = 0; begin < width;) {
      const Columns columns(x_taps, begin, kWholeRows);
      resize_columns(row_at, columns, y_taps, unit, width, out + begin);
      begin += columns.count;
    }
  });
}

} // namespace cps
