// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/planner/playedsection.h"

#include "gst/elements/planner/timeline.h"

#include <utility>

namespace cps {

void PlayedSection::stopped() {
  gst_segment_init(&segment_, GST_FORMAT_UNDEFINED);
  pending_ = empty_ = whole_sent_ = false;
  stream_started();
}

void PlayedSection::stream_started() {
  first_.reset();
  remembered_.reset();
  partial_ = keeps_ = false;
}

bool PlayedSection::received(const GstSegment &segment, bool indexing, bool empty) {
  if (keeps_)
    return false;
  segment_ = segment;
  pending_ = true;
  const bool replaces = std::exchange(empty_, true); // parsers may send a segment that a seek has made obsolete
  if (indexing && (!first_ || (replaces && empty)))
    first_ = segment_;
  return true;
}

void PlayedSection::flushed_before_indexing() {
  empty_ = false;
  first_.reset();
}

void PlayedSection::flushed_by_application(bool indexed) {
  empty_ = keeps_ = false;
  pending_ = indexed && segment_.format == GST_FORMAT_TIME; // the flush has discarded it downstream
  partial_ = indexed;
  if (!indexed) {
    first_.reset();
    remembered_.reset();
  }
}

// The first segment is the one that the application has sought; later ones may result from an edit list.
void PlayedSection::sought_before_indexing() {
  remembered_ = first_ ? *first_ : segment_;
  partial_ = true;
}

std::optional<GstSegment> PlayedSection::take_remembered() {
  return std::exchange(remembered_, std::nullopt);
}

void PlayedSection::play(const GstSegment &section) {
  segment_ = section;
  pending_ = partial_ = keeps_ = true;
}

std::optional<GstSegment> PlayedSection::due(bool as_it_is, gint64 first_time) {
  if (partial_ || as_it_is)
    return std::exchange(pending_, false) ? std::optional(segment_) : std::nullopt;
  if (!first_ || std::exchange(whole_sent_, true))
    return std::nullopt;
  return whole_stream(*first_, first_time);
}

} // namespace cps
