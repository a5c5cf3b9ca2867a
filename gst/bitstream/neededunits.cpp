// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/bitstream/neededunits.h"

#include <algorithm>
#include <cstdlib>

namespace cps {

namespace {

constexpr size_t kNone = SIZE_MAX;

// The entry points of a unit. A picture that follows an entry point but is shown before it is a leading picture: it may
// refer to pictures before the entry point, and only other leading pictures may refer to it.
struct Entry {
  uint32_t nearest; // the last entry point up to the unit in decode order
  uint32_t
      start : 31; // where decoding must start for the unit: the last entry point of which it is not a leading picture
  uint32_t lossy : 1; // pictures are missing between `start` and the unit
  bool is_leading() const { return start != nearest; }
};

std::vector<Entry> find_entries(const StreamIndex &index) {
  std::vector<Entry> entries(index.units());
  std::vector<uint32_t> points{0}; // entry points so far
  uint32_t loss = 0;               // the last unit with a loss before it
  for (size_t i = 0; i < index.units(); ++i) {
    const StreamIndex::AccessUnit &unit = index.unit(i);
    if (unit.has_picture && unit.random_access && !unit.second_field)
      points.push_back(static_cast<uint32_t>(i));
    if (unit.after_loss)
      loss = static_cast<uint32_t>(i);
    const auto is_leading = [&](uint32_t point) {
      const StreamIndex::AccessUnit &entry = index.unit(point);
      return unit.has_picture && i != point && !entry.starts_sequence && unit.sequence == entry.sequence &&
             unit.order < entry.order && !unit.decodable_leading;
    };
    auto start = points.rbegin();
    // No decoder reorders more pictures than it has buffers.
    for (int held = 0; held < References::kMax && start + 1 != points.rend() && is_leading(*start); ++held)
      ++start;
    entries[i] = {points.back(), *start, loss > *start};
  }
  return entries;
}

class Closure {
public:
  Closure(const StreamIndex &index, int64_t order_window)
      : index_(index), order_window_(order_window), entries_(find_entries(index)), needed_(index.units()) {}

  void want(size_t unit) { needed_[unit] = true; }

  // Iterates backwards, because references precede the picture.
  void complete() {
    for (size_t i = index_.units(); i-- > 0;) {
      if (!needed_[i] && !is_implied(i))
        continue;
      needed_[i] = true;
      needed_[entries_[i].start] = true;
      everything_ |= entries_[i].lossy;
      if (index_.unit(i).references == StreamIndex::kUnknownReferences)
        all_from_ = std::min<size_t>(all_from_, entries_[i].start);
      else
        index_.visit_references(i, [this](size_t reference) { needed_[reference] = true; });
      if (index_.unit(i).anchors_order)
        anchor_ = i;
    }
  }

  bool is_needed(size_t unit) const { return needed_[unit]; }
  // The first dropped picture, or kNone.
  size_t first_gap() const {
    for (size_t i = 0; i < index_.units(); ++i)
      if (index_.unit(i).has_picture && !needed_[i])
        return i;
    return kNone;
  }
  // The entry point at which decoding must start for the unit.
  size_t start_of(size_t unit) const { return entries_[unit].start; }

private:
  // True if a later picture with unknown references needs this unit, or if it keeps the picture order unambiguous.
  bool is_implied(size_t i) const {
    const StreamIndex::AccessUnit &unit = index_.unit(i);
    if (!unit.has_picture)
      return false;
    if (everything_)
      return true;
    // If no leading picture of the entry point is needed so far, other leading pictures are not needed either.
    const bool refers = unit.reference && (entries_[i].is_leading() ? entries_[i].nearest > all_from_ : i >= all_from_);
    return refers || (unit.anchors_order && bridges_order(i));
  }

  // True if the order of the next needed anchor would be ambiguous for a decoder whose last anchor is the one before
  // this.
  bool bridges_order(size_t i) const {
    if (anchor_ == kNone || index_.unit(anchor_).sequence != index_.unit(i).sequence || entries_[anchor_].start > i)
      return false;
    for (size_t before = i; before-- > entries_[anchor_].start;)
      if (index_.unit(before).anchors_order)
        return std::llabs(int64_t{index_.unit(anchor_).order} - index_.unit(before).order) >= order_window_;
    return false;
  }

  const StreamIndex &index_;
  const int64_t order_window_;
  const std::vector<Entry> entries_;
  std::vector<bool> needed_;
  size_t all_from_ = kNone; // all reference units from here on are needed
  // All units up to the current one are needed, because a decoder conceals lost pictures with anything in its memory,
  // even from another GOP.
  bool everything_ = false;
  size_t anchor_ = kNone; // the next needed unit that anchors the order of others
};

} // namespace

NeededUnits needed_units(const StreamIndex &index, const std::vector<uint64_t> &wanted, int64_t order_window) {
  Closure closure(index, order_window);
  for (size_t i = 0; i < index.units(); ++i)
    if (index.unit(i).frame != kNoFrame && std::binary_search(wanted.begin(), wanted.end(), index.unit(i).frame))
      closure.want(i);
  closure.complete();

  NeededUnits units;
  units.keep.resize(index.units());
  units.drain.resize(index.units());
  const size_t gap = closure.first_gap();
  size_t start = kNone; // the earliest start of the needed units from here on
  for (size_t i = index.units(); i-- > 0;) {
    const StreamIndex::AccessUnit &unit = index.unit(i);
    units.keep[i] = !unit.has_picture || closure.is_needed(i);
    if (!unit.has_picture || !units.keep[i])
      continue;
    units.end = std::max(units.end, i + 1);
    start = std::min(start, closure.start_of(i));
    const bool resets_decoder = unit.starts_sequence && !unit.late_start;
    // Up to the first gap the decoder receives the same units as in a full decode, so that errors have the same effect.
    units.drain[i] = i > 0 && gap <= i + 1 && unit.random_access && !unit.second_field && !resets_decoder && start >= i;
  }
  return units;
}

} // namespace cps
