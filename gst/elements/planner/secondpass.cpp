// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/planner/secondpass.h"

#include "gst/elements/common/frametime.h"

#include <algorithm>

namespace cps {

void SecondPass::begin(bool sought) {
  wanted_.clear();
  needed_ = {};
  first_ = SIZE_MAX;
  skip_ = 0;
  cursor_ = far_from_ = 0;
  located_ = !sought;
  target_.reset();
}

void SecondPass::rewind() {
  cursor_ = 0;
  located_ = true;
  target_.reset();
}

std::optional<size_t> SecondPass::far_entry() {
  if (needed_.keep.empty() || cursor_ < far_from_)
    return std::nullopt;
  size_t unit = std::max(cursor_, skip_);
  bool parameter_sets = false;
  for (; unit < needed_.end && !(needed_.keep[unit] && index_.unit(unit).has_picture); unit++)
    parameter_sets |= index_.unit(unit).parameter_sets;
  far_from_ = unit + 1;
  if (unit >= needed_.end || unit - cursor_ < kFar)
    return std::nullopt;
  const StreamIndex::AccessUnit &entry = index_.unit(unit);
  const bool enters = entry.random_access && !entry.second_field && (!parameter_sets || entry.parameter_sets);
  return enters ? std::optional(unit) : std::nullopt;
}

void SecondPass::jump_to(size_t target) {
  target_ = skip_ = target;
  located_ = false;
}

void SecondPass::want(std::vector<uint64_t> wanted, bool drop, int64_t order_window) {
  wanted_ = std::move(wanted);
  std::sort(wanted_.begin(), wanted_.end());
  wanted_.erase(std::unique(wanted_.begin(), wanted_.end()), wanted_.end());
  needed_ = needed_units(index_, wanted_, order_window);
  for (first_ = 0; first_ < index_.units() && !(needed_.keep[first_] && index_.unit(first_).has_picture);)
    first_++;
  if (!drop) {
    std::fill(needed_.keep.begin(), needed_.keep.end(), true);
    std::fill(needed_.drain.begin(), needed_.drain.end(), false);
  }
}

size_t SecondPass::match(uint64_t fingerprint, GstClockTime pts) {
  const size_t found = located_ ? index_.find(fingerprint, cursor_) : index_.find_nearest(fingerprint, pts);
  if (found < index_.units()) {
    cursor_ = found + 1;
    located_ = true;
  }
  return found;
}

SecondPass::Action SecondPass::action(size_t unit) const {
  if (needed_.keep.empty() || unit >= index_.units())
    return Action::Push;
  if (unit >= needed_.end)
    return Action::End;
  if (!needed_.keep[unit] || unit < skip_)
    return Action::Drop;
  return needed_.drain[unit] ? Action::DrainAndPush : Action::Push;
}

const char *SecondPass::text_of(Action action) {
  switch (action) {
  case Action::Push:
    return "kept";
  case Action::DrainAndPush:
    return "kept, after the decoder has output what it holds";
  case Action::Drop:
    return "dropped, because no wanted frame depends on it";
  case Action::End:
    return "dropped, because no wanted frame follows";
  }
  return "";
}

size_t SecondPass::kept() const {
  const auto end = needed_.keep.begin() + static_cast<std::ptrdiff_t>(needed_.end);
  return static_cast<size_t>(std::count(needed_.keep.begin(), end, true));
}

Owned<GstBuffer> SecondPass::stamp(Owned<GstBuffer> buffer, size_t at, const GstSegment *section) const {
  const StreamIndex::AccessUnit &unit = index_.unit(at);
  const bool counts = unit.frame != kNoFrame;
  const GstClockTime frame_time = counts ? position_in(section, index_.time(unit.frame)) : GST_CLOCK_TIME_NONE;
  buffer.reset(gst_buffer_make_writable(buffer.release()));
  GstClockTime pts = section ? unit.pts : position_in(nullptr, unit.clipped ? kUntimed : unit.time);
  GstClockTime dts = section ? unit.dts : position_in(nullptr, unit.decode_time);
  // Sets missing times, because decoders would synthesize them without regard to the start of the section, and then
  // drop frames as outside of it.
  if (counts && !unit.second_field && GST_CLOCK_TIME_IS_VALID(frame_time)) {
    if (section && !GST_CLOCK_TIME_IS_VALID(pts))
      dts = GST_CLOCK_TIME_NONE; // because it is on another time line
    pts = frame_time;
  }
  GST_BUFFER_PTS(buffer.get()) = pts;
  GST_BUFFER_DTS(buffer.get()) = dts;
  guint flags = unit.random_access ? CPS_FRAME_FLAG_RANDOM_ACCESS : CPS_FRAME_FLAG_NONE;
  if (counts && std::binary_search(wanted_.begin(), wanted_.end(), unit.frame))
    flags |= CPS_FRAME_FLAG_WANTED;
  cps_buffer_add_frame_meta(buffer.get(), counts ? unit.frame : CPS_FRAME_ID_NONE, index_.frames(),
                            counts ? frame_time : pts, static_cast<CpsFrameFlags>(flags));
  return buffer;
}

Owned<GstBuffer> SecondPass::close(Owned<GstBuffer> buffer, size_t at, std::string_view end) const {
  if (end.empty() || !is_last(at))
    return buffer;
  buffer.reset(gst_buffer_make_writable(buffer.release()));
  gst_buffer_append_memory(buffer.get(),
                           gst_memory_new_wrapped(GST_MEMORY_FLAG_READONLY, const_cast<char *>(end.data()), end.size(),
                                                  0, end.size(), nullptr, nullptr));
  return buffer;
}

} // namespace cps
