// SPDX-License-Identifier: LGPL-2.1-or-later
#include "kernels/sampling.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace cps {

bool samples_by_rate(const SamplingPlan &plan) {
  return plan.rate_num != 0 || plan.rate_den <= 0;
}

namespace {

// Products of times, rates and counts do not fit in 64 bits.
__extension__ typedef unsigned __int128 Wide;

constexpr uint64_t kSecond = 1000000000; // ns

bool has_windows(const SamplingPlan &plan) {
  return plan.window != 0;
}
bool has_section(const SamplingPlan &plan) {
  return plan.start != kNoTime || plan.stop != kNoTime;
}

// floor(i * (count - 1) / (positions - 1)) for every i below `positions`
std::vector<uint64_t> uniform_positions(uint64_t count, uint32_t positions) {
  std::vector<uint64_t> result(positions);
  for (uint32_t i = 1; i < positions; ++i)
    result[i] = static_cast<uint64_t>(static_cast<Wide>(i) * (count - 1) / (positions - 1));
  return result;
}

// Samples `frames`, display-order indices, by the uniform rule.
std::vector<uint64_t> sample_uniformly(const std::vector<uint64_t> &frames, uint32_t positions) {
  std::vector<uint64_t> ids = uniform_positions(frames.size(), positions);
  for (uint64_t &id : ids)
    id = frames[id];
  return ids;
}

struct TimedFrame {
  uint64_t time, id;
  bool operator<(const TimedFrame &o) const { return time != o.time ? time < o.time : id < o.id; }
};

// The frames of a stream that have a time, by time.
class Timetable {
public:
  explicit Timetable(const std::vector<uint64_t> &times) {
    for (uint64_t id = 0; id < times.size(); ++id)
      if (times[id] != kNoTime)
        frames_.push_back({times[id], id});
    std::sort(frames_.begin(), frames_.end());
  }

  bool empty() const { return frames_.empty(); }
  uint64_t earliest() const { return frames_.front().time; }
  uint64_t latest() const { return frames_.back().time; }

  // The time of the first frame at or after `time`, kNoTime if there is none.
  uint64_t next(uint64_t time) const {
    const auto found = at(time);
    return found == frames_.end() ? kNoTime : found->time;
  }

  // The frames of [start, stop) in display order. An unset start is 0; an unset stop is kNoTime.
  std::vector<uint64_t> between(uint64_t start, uint64_t stop) const {
    std::vector<uint64_t> ids;
    for (auto frame = at(start == kNoTime ? 0 : start); frame != frames_.end() && frame->time < stop; ++frame)
      ids.push_back(frame->id);
    std::sort(ids.begin(), ids.end());
    return ids;
  }

private:
  std::vector<TimedFrame>::const_iterator at(uint64_t time) const {
    return std::lower_bound(frames_.begin(), frames_.end(), TimedFrame{time, 0});
  }

  std::vector<TimedFrame> frames_;
};

// The frames of a section, for the rate plan. Times are relative to `start`, the first position.
class RateSection {
public:
  RateSection(const SamplingPlan &plan, const std::vector<uint64_t> &frames, const std::vector<uint64_t> &times)
      : num_(static_cast<Wide>(plan.rate_num)), period_(static_cast<Wide>(plan.rate_den) * kSecond) {
    for (const uint64_t id : frames)
      frames_.push_back({times[id], id});
    std::sort(frames_.begin(), frames_.end());
    const uint64_t start = plan.start != kNoTime ? plan.start : frames_.front().time;
    for (TimedFrame &frame : frames_)
      frame.time -= start;
    if (plan.stop != kNoTime)
      stop_ = plan.stop - start;
  }

  // Counts the i for which i / rate is below the end minus a quarter of the mean frame interval, because rounded time
  // stamps must not add a position. The end is the smaller of `stop` and the time of the last frame plus a mean
  // interval.
  Wide positions() const {
    if (frames_.size() == 1)
      return 1;
    // In 1 / unit ns, so that the arithmetic is exact.
    const Wide intervals = frames_.size() - 1, unit = 4 * intervals;
    const Wide interval = 4 * Wide{frames_.back().time - frames_.front().time};
    Wide end = frames_.back().time * unit + interval;
    if (stop_ != kNoTime)
      end = std::min(end, stop_ * unit);
    const Wide quarter = interval / 4;
    const Wide count = end > quarter ? divide_up((end - quarter) * num_, period_ * unit) : 0;
    return std::max<Wide>(count, 1); // frames that are all at the start have no interval
  }

  // The frame nearest to each i / rate, the earlier one on a tie.
  std::vector<uint64_t> nearest(uint64_t positions) const {
    std::vector<uint64_t> ids;
    ids.reserve(positions);
    auto before = frames_.begin(); // the first frame with the latest time at or before the position, once there is one
    auto after = before;
    for (uint64_t i = 0; i < positions; ++i) {
      const Wide position = i * period_;
      for (; after != frames_.end() && after->time * num_ <= position; ++after)
        if (after->time != before->time)
          before = after;
      const bool after_is_nearer =
          after != frames_.end() && distance(after->time, position) < distance(before->time, position);
      ids.push_back(after_is_nearer ? after->id : before->id);
    }
    return ids;
  }

private:
  static Wide divide_up(Wide a, Wide b) { return (a + b - 1) / b; }
  // In a unit common to all frames.
  Wide distance(uint64_t time, Wide position) const {
    const Wide at = time * num_;
    return at > position ? at - position : position - at;
  }

  Wide num_, period_; // time * num_ is comparable with i * period_
  std::vector<TimedFrame> frames_;
  uint64_t stop_ = kNoTime;
};

std::string check_section(const SamplingPlan &plan) {
  if (plan.start != kNoTime && plan.start > plan.stop)
    return "start is " + std::to_string(plan.start) + " ns, it must not be after stop, which is " +
           std::to_string(plan.stop) + " ns.";
  return {};
}

std::string check_times(const SamplingPlan &plan, uint64_t total, const std::vector<uint64_t> &times) {
  if (times.size() != total)
    return std::string(has_windows(plan)       ? "window"
                       : samples_by_rate(plan) ? "sample-fps"
                                               : "start and stop") +
           " can be used only where the time of every picture is known, and " + std::to_string(times.size()) + " of " +
           std::to_string(total) + " are.";
  return {};
}

std::string no_frames(const SamplingPlan &plan, const Timetable &times) {
  if (times.empty())
    return std::string(has_section(plan)   ? "start and stop"
                       : has_windows(plan) ? "window"
                                           : "sample-fps") +
           " cannot be used with this stream, none of its pictures has a time.";
  return std::string("There is no picture ") + (has_windows(plan) ? "in a window" : "between start and stop") +
         ", the pictures of this stream are at " + std::to_string(times.earliest()) + " to " +
         std::to_string(times.latest()) + " ns.";
}

std::string resolve_frame_ids(const SamplingPlan &plan, uint64_t total, std::vector<uint64_t> &ids) {
  for (const int64_t id : plan.frame_ids)
    if (id < 0 || static_cast<uint64_t>(id) >= total)
      return "frame-ids has " + std::to_string(id) + ", this stream's pictures are 0 to " + std::to_string(total - 1) +
             ".";
  ids.assign(plan.frame_ids.begin(), plan.frame_ids.end());
  return {};
}

std::string resolve_rate(const SamplingPlan &plan, const std::vector<uint64_t> &frames,
                         const std::vector<uint64_t> &times, std::vector<uint64_t> &ids) {
  const RateSection section(plan, frames, times);
  const Wide positions = section.positions();
  const bool too_many = plan.max_frames > 0 && positions > plan.max_frames;
  if ((too_many ? plan.max_frames : positions) > kMaxPositions)
    return "sample-fps is too high for this stream, it gives more than " + std::to_string(kMaxPositions) +
           " frames; a lower rate or a lower limit in max-frames would do.";
  if (too_many) {
    ids = sample_uniformly(frames, plan.max_frames);
    return {};
  }
  ids = section.nearest(static_cast<uint64_t>(positions));
  return {};
}

// Samples the frames of a section.
std::string resolve_section(const SamplingPlan &plan, const std::vector<uint64_t> &frames,
                            const std::vector<uint64_t> &times, std::vector<uint64_t> &ids) {
  if (samples_by_rate(plan))
    return resolve_rate(plan, frames, times, ids);
  ids = sample_uniformly(frames, plan.sequence_length);
  return {};
}

// Appends the positions `ids`, as one clip or as clips of clip_length.
std::string append(const SamplingPlan &plan, const std::vector<uint64_t> &ids, SampledClip clip, Sampling &sampling) {
  if (sampling.ids.size() + ids.size() > kMaxPlannedPositions)
    return "The plan has more than " + std::to_string(kMaxPlannedPositions) +
           " positions; larger values of window and hop, or sections by start and stop, would do.";
  const size_t longest = plan.clip_length > 0 ? plan.clip_length : ids.size();
  for (size_t at = 0; at < ids.size(); at += longest) {
    clip.first = sampling.ids.size() + at;
    clip.length = static_cast<uint32_t>(std::min(longest, ids.size() - at));
    sampling.clips.push_back(clip);
  }
  sampling.ids.insert(sampling.ids.end(), ids.begin(), ids.end());
  return {};
}

// docs/spec.md#windows
std::string resolve_windows(const SamplingPlan &plan, const Timetable &table, const std::vector<uint64_t> &times,
                            Sampling &sampling) {
  const uint64_t hop = plan.hop > 0 ? plan.hop : plan.window;
  SamplingPlan window = plan;
  window.start = plan.start != kNoTime ? plan.start : table.earliest();
  for (uint64_t next; (next = table.next(window.start)) < plan.stop;) {
    window.stop = plan.stop - window.start > plan.window ? window.start + plan.window : plan.stop;
    uint64_t hops = 1;
    if (next < window.stop) {
      std::vector<uint64_t> ids;
      std::string error = resolve_section(window, table.between(window.start, window.stop), times, ids);
      if (error.empty())
        error = append(plan, ids, {0, 0, window.start, window.stop}, sampling);
      if (!error.empty())
        return error;
    } else {
      hops = (next - window.stop) / hop + 1; // to the first window that ends after the next frame
    }
    if (hops > (kNoTime - window.start) / hop)
      break;
    window.start += hops * hop;
  }
  return sampling.clips.empty() ? no_frames(plan, table) : std::string();
}

// Returns the error of resolve_sampling(), empty on success.
std::string resolve(const SamplingPlan &plan, uint64_t total, const std::vector<uint64_t> &times, Sampling &sampling) {
  if (total == 0)
    return "The stream has no pictures to sample.";
  std::vector<uint64_t> ids;
  std::string error = check_sampling(plan);
  if (!plan.frame_ids.empty()) {
    if (error.empty())
      error = resolve_frame_ids(plan, total, ids);
    return error.empty() ? append(plan, ids, {}, sampling) : error;
  }

  if (error.empty())
    error = check_section(plan);
  if (error.empty() && !samples_by_rate(plan) && plan.sequence_length == 0)
    error = "sequence-length is 0, it must be at least 1.";
  if (error.empty() && plan.sequence_length > kMaxPositions)
    error = "sequence-length is " + std::to_string(plan.sequence_length) + ", it must be at most " +
            std::to_string(kMaxPositions) + ".";
  if (!error.empty())
    return error;
  if (!sampling_needs_times(plan))
    return append(plan, uniform_positions(total, plan.sequence_length), {}, sampling);

  error = check_times(plan, total, times);
  if (!error.empty())
    return error;
  const Timetable table(times);
  const std::vector<uint64_t> frames = table.between(plan.start, plan.stop);
  if (frames.empty())
    return no_frames(plan, table);
  if (has_windows(plan))
    return resolve_windows(plan, table, times, sampling);
  error = resolve_section(plan, frames, times, ids);
  return error.empty() ? append(plan, ids, {}, sampling) : error;
}

} // namespace

bool resolve_sampling(const SamplingPlan &plan, uint64_t total, const std::vector<uint64_t> &times, Sampling &sampling,
                      std::string &error) {
  sampling = {};
  error = resolve(plan, total, times, sampling);
  if (!error.empty())
    sampling = {};
  return error.empty();
}

std::string check_sampling(const SamplingPlan &plan) {
  if (!plan.frame_ids.empty())
    return has_windows(plan) ? "frame-ids and window exclude each other." : "";
  if (plan.rate_num < 0 || plan.rate_den <= 0)
    return "sample-fps is " + std::to_string(plan.rate_num) + "/" + std::to_string(plan.rate_den) +
           ", it must be a positive fraction, or 0/1 for none.";
  return {};
}

bool sampling_needs_times(const SamplingPlan &plan) {
  return plan.frame_ids.empty() && (samples_by_rate(plan) || has_section(plan) || has_windows(plan));
}

} // namespace cps
