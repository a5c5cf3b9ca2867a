#include "gst/bitstream/neededunits.h"

#include <algorithm>
#include <cstdlib>

namespace cps {

namespace {

constexpr size_t kNone = SIZE_MAX;

// Where decoding has to begin for each unit: at the entry point before it in decode order, or, for a picture that
// follows an entry point but is shown before it, at the entry point before that: it may refer to what lies between.
std::vector<uint32_t> find_entries(const StreamIndex &index) {
  std::vector<uint32_t> entries(index.units());
  uint32_t entry = 0, before = 0;
  for (size_t i = 0; i < index.units(); ++i) {
    const StreamIndex::AccessUnit &unit = index.unit(i);
    if (unit.has_picture && unit.random_access && !unit.second_field) {
      before = unit.starts_sequence ? static_cast<uint32_t>(i) : entry;
      entry = static_cast<uint32_t>(i);
    }
    const StreamIndex::AccessUnit &start = index.unit(entry);
    const bool leading = unit.has_picture && i != entry && unit.sequence == start.sequence && unit.order < start.order;
    entries[i] = leading ? before : entry;
  }
  return entries;
}

class Closure {
public:
  Closure(const StreamIndex &index, int64_t order_window)
      : index_(index), order_window_(order_window), entries_(find_entries(index)), needed_(index.units()) {}

  void want(size_t unit) { needed_[unit] = true; }

  // Backwards through the stream, since what a picture refers to lies before it.
  void complete() {
    for (size_t i = index_.units(); i-- > 0;) {
      if (!needed_[i] && !is_implied(i))
        continue;
      needed_[i] = true;
      needed_[entries_[i]] = true;
      if (index_.unit(i).second_field && i > 0)
        needed_[i - 1] = true;
      if (index_.unit(i).references == StreamIndex::kUnknownReferences)
        all_from_ = std::min<size_t>(all_from_, entries_[i]);
      else
        index_.visit_references(i, [this](size_t reference) { needed_[reference] = true; });
      if (index_.unit(i).anchors_order)
        anchor_ = i;
    }
  }

  bool is_needed(size_t unit) const { return needed_[unit]; }
  bool is_leading(size_t unit, size_t entry) const { return unit > entry && entries_[unit] < entry; }

private:
  // Needed by a later picture whose references are unknown, or to keep the order of pictures unambiguous.
  bool is_implied(size_t i) const {
    const StreamIndex::AccessUnit &unit = index_.unit(i);
    if (!unit.has_picture)
      return false;
    return (i >= all_from_ && unit.reference) || (unit.anchors_order && bridges_order(i));
  }

  // Would the order of the next needed anchor be ambiguous to a decoder that has seen the anchor before this one last?
  bool bridges_order(size_t i) const {
    if (anchor_ == kNone || index_.unit(anchor_).sequence != index_.unit(i).sequence || entries_[anchor_] > i)
      return false;
    for (size_t before = i; before-- > entries_[anchor_];)
      if (index_.unit(before).anchors_order)
        return std::llabs(int64_t{index_.unit(anchor_).order} - index_.unit(before).order) >= order_window_;
    return false;
  }

  const StreamIndex &index_;
  const int64_t order_window_;
  const std::vector<uint32_t> entries_;
  std::vector<bool> needed_;
  size_t all_from_ = kNone; // units from here on that others refer to are needed
  size_t anchor_ = kNone;   // the needed unit that anchors the order of others, nearest after the one at hand
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
  bool jumped = false;
  for (size_t i = 0; i < index.units(); ++i) {
    const StreamIndex::AccessUnit &unit = index.unit(i);
    const bool keep = !unit.has_picture || closure.is_needed(i);
    units.keep[i] = keep;
    if (!keep) {
      jumped = true;
      continue;
    }
    if (unit.has_picture)
      units.end = i + 1;
    if (!unit.random_access || unit.second_field)
      continue;
    bool leading_needed = false;
    for (size_t l = i + 1; l < index.units() && closure.is_leading(l, i) && !leading_needed; ++l)
      leading_needed = closure.is_needed(l);
    units.drain[i] = jumped && !unit.starts_sequence && !leading_needed;
    jumped = false;
  }
  return units;
}

} // namespace cps
