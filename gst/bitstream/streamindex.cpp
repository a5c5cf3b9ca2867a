// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/bitstream/streamindex.h"

#include <algorithm>
#include <iterator>
#include <tuple>

namespace cps {

void StreamIndex::clear() {
  units_ = {};
  distances_ = {};
  display_ = {};
  times_ = {};
  times_error_.clear();
  stamped_ = false;
  traits_ = {};
}

void StreamIndex::add(const CodedPicture &picture, const UnitTimes &times, bool clipped) {
  AccessUnit unit = {};
  static_cast<UnitTimes &>(unit) = times;
  unit.fingerprint = picture.fingerprint;
  unit.frame = kNoFrame;
  unit.sequence = units_.empty() ? 0 : units_.back().sequence;
  unit.clipped = clipped;
  unit.has_picture = picture.has_picture;
  unit.parameter_sets = picture.parameter_sets;
  if (picture.has_picture) {
    unit.sequence += picture.starts_sequence ? 1 : 0;
    unit.order = picture.order;
    unit.random_access = picture.random_access;
    unit.starts_sequence = picture.starts_sequence;
    unit.late_start = picture.late_start;
    unit.second_field = picture.second_field;
    unit.output = picture.output;
    unit.reference = picture.reference;
    unit.anchors_order = picture.anchors_order;
    unit.decodable_leading = picture.decodable_leading;
    unit.recovers = picture.recovers;
    unit.after_loss = picture.after_loss;
    keep_references(unit, picture.references);
  }
  units_.push_back(unit);
}

void StreamIndex::keep_references(AccessUnit &unit, const References &references) {
  const size_t here = units_.size();
  const auto *begin = references.units, *end = begin + references.count;
  unit.references_at = static_cast<uint32_t>(distances_.size());
  unit.references = static_cast<uint8_t>(references.count);
  if (!references.known || !std::all_of(begin, end, [here](uint32_t at) { return at < here; })) {
    unit.references = kUnknownReferences;
    return;
  }
  for (const uint32_t *at = begin; at != end; ++at) {
    const auto distance = static_cast<uint32_t>(here - *at);
    distances_.push_back(static_cast<uint8_t>(std::min(distance, kFar)));
    for (int byte = 0; byte < 4 && distance >= kFar; ++byte)
      distances_.push_back(static_cast<uint8_t>(distance >> 8 * byte));
  }
}

// A stream that was cut from another begins with pictures whose references are missing. Decoders show nothing before
// the first complete picture. If there is none, they show all pictures.
void StreamIndex::hide_unrecovered() {
  const auto whole = std::find_if(units_.begin(), units_.end(), [](const AccessUnit &unit) { return unit.recovers; });
  if (whole == units_.end())
    return;
  for (auto unit = units_.begin(); unit != whole; ++unit)
    unit->output = false;
  if (whole->starts_sequence) // the following pictures refer to nothing before it
    return;
  for (auto unit = whole + 1; unit != units_.end() && unit->sequence == whole->sequence; ++unit)
    if (unit->order < whole->order && !unit->second_field)
      unit->output = false;
}

void StreamIndex::hide_last() {
  const auto earlier = [](const AccessUnit &a, const AccessUnit &b) {
    const auto place = [](const AccessUnit &unit) {
      return std::make_tuple(unit.has_picture, unit.sequence, unit.order);
    };
    return place(a) < place(b);
  };
  if (const auto last = std::max_element(units_.begin(), units_.end(), earlier); last != units_.end())
    last->output = false;
}

// Orders pictures by time stamps. An entry point that is earlier than the previous one starts a new sequence.
void StreamIndex::order_by_pts() {
  std::vector<uint32_t> pictures;
  uint32_t sequence = 0;
  GstClockTime last_entry = 0;
  for (const AccessUnit &unit : units_)
    if (unit.has_picture && !GST_CLOCK_TIME_IS_VALID(unit.pts))
      return;
  for (size_t i = 0; i < units_.size(); ++i) {
    AccessUnit &unit = units_[i];
    if (unit.has_picture && unit.random_access) {
      unit.starts_sequence = unit.pts < last_entry;
      sequence += unit.starts_sequence ? 1 : 0;
      last_entry = unit.pts;
    }
    unit.sequence = sequence;
    if (unit.has_picture)
      pictures.push_back(static_cast<uint32_t>(i));
  }
  std::sort(pictures.begin(), pictures.end(), [this](uint32_t a, uint32_t b) {
    return std::make_tuple(units_[a].sequence, units_[a].pts, a) <
           std::make_tuple(units_[b].sequence, units_[b].pts, b);
  });
  for (size_t order = 0; order < pictures.size(); ++order)
    units_[pictures[order]].order = static_cast<int32_t>(order);
}

// Parsers of raw streams may number units in decode order; such time stamps are not presentation times.
void StreamIndex::check_stamps() {
  const auto earlier = [this](uint32_t a, uint32_t b) { return units_[a].pts < units_[b].pts; };
  stamped_ = std::all_of(display_.begin(), display_.end(),
                         [this](uint32_t i) { return GST_CLOCK_TIME_IS_VALID(units_[i].pts); });
  if (!stamped_ || std::is_sorted(display_.begin(), display_.end()))
    return;
  std::vector<uint32_t> decode_order = display_;
  std::sort(decode_order.begin(), decode_order.end());
  stamped_ = !std::is_sorted(decode_order.begin(), decode_order.end(), earlier);
  for (size_t i = 0; i < units_.size() && !stamped_; ++i)
    units_[i].pts = GST_CLOCK_TIME_NONE;
}

void StreamIndex::time_all(int64_t interval) {
  std::vector<FrameStamps> stamps;
  stamps.reserve(display_.size());
  for (const uint32_t i : display_)
    stamps.push_back({units_[i].time, units_[i].decode_time, i});
  times_ = time_frames(std::move(stamps), interval, times_error_);
}

void StreamIndex::finish(bool by_pts, int64_t interval) {
  if (by_pts)
    order_by_pts();
  hide_unrecovered();
  units_.shrink_to_fit();
  distances_.shrink_to_fit();
  const auto is_frame = [](const AccessUnit &u) { return u.has_picture && u.output && !u.second_field && !u.clipped; };
  display_.reserve(static_cast<size_t>(std::count_if(units_.begin(), units_.end(), is_frame)));
  for (size_t i = 0; i < units_.size(); ++i)
    if (is_frame(units_[i]))
      display_.push_back(static_cast<uint32_t>(i));

  const auto position = [this](uint32_t i) { return std::make_tuple(units_[i].sequence, units_[i].order, i); };
  std::sort(display_.begin(), display_.end(), [&](uint32_t a, uint32_t b) { return position(a) < position(b); });
  for (size_t id = 0; id < display_.size(); ++id)
    units_[display_[id]].frame = static_cast<uint32_t>(id);

  uint32_t first_field = kNoFrame;
  for (AccessUnit &unit : units_) {
    if (unit.second_field)
      unit.frame = first_field;
    else if (unit.has_picture)
      first_field = unit.frame;
  }
  time_all(interval);
  check_stamps();
}

bool StreamIndex::has_places() const {
  if (!stamped_ || !times_error_.empty())
    return false;
  GstClockTime last = 0;
  bool first = true;
  for (const AccessUnit &unit : units_) {
    if (!unit.has_picture || !unit.random_access || unit.second_field)
      continue;
    if (!GST_CLOCK_TIME_IS_VALID(unit.pts) || (!first && unit.pts <= last))
      return false;
    last = unit.pts;
    first = false;
  }
  return true;
}

size_t StreamIndex::find(uint64_t fingerprint, size_t hint) const {
  const auto matches = [=](const AccessUnit &unit) { return unit.fingerprint == fingerprint; };
  const auto middle = units_.begin() + static_cast<std::ptrdiff_t>(std::min(hint, units_.size()));
  const auto after = std::find_if(middle, units_.end(), matches);
  if (after != units_.end())
    return static_cast<size_t>(after - units_.begin());
  const auto before = std::find_if(std::make_reverse_iterator(middle), units_.rend(), matches);
  return before == units_.rend() ? units_.size() : static_cast<size_t>(units_.rend() - before) - 1;
}

size_t StreamIndex::find_nearest(uint64_t fingerprint, GstClockTime pts) const {
  const auto distance = [pts](GstClockTime other) {
    return GST_CLOCK_TIME_IS_VALID(pts) && GST_CLOCK_TIME_IS_VALID(other) ? (pts > other ? pts - other : other - pts)
                                                                          : GST_CLOCK_TIME_NONE;
  };
  size_t nearest = units_.size();
  for (size_t i = 0; i < units_.size(); ++i)
    if (units_[i].fingerprint == fingerprint &&
        (nearest == units_.size() || distance(units_[i].pts) < distance(units_[nearest].pts)))
      nearest = i;
  return nearest;
}

} // namespace cps
