// SPDX-License-Identifier: LGPL-2.1-or-later
#include "kernels/sampling.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace cps {

namespace {

// Products of times, rates and counts do not fit in 64 bits.
__extension__ typedef unsigned __int128 Wide;

constexpr uint64_t kSecond = 1000000000; // ns

bool has_rate(const SamplingPlan &plan) {
  return plan.rate_num != 0 || plan.rate_den <= 0;
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

std::vector<uint64_t> frames_of_section(const SamplingPlan &plan, const std::vector<uint64_t> &times) {
  const uint64_t start = plan.start == kNoTime ? 0 : plan.start;
  std::vector<uint64_t> frames;
  for (uint64_t i = 0; i < times.size(); ++i)
    if (times[i] >= start && times[i] < plan.stop) // an unset stop is kNoTime, and kNoTime is not below any stop
      frames.push_back(i);
  return frames;
}

struct TimedFrame {
  uint64_t time, id;
  bool operator<(const TimedFrame &o) const { return time != o.time ? time < o.time : id < o.id; }
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

std::string check_rate(const SamplingPlan &plan) {
  if (plan.rate_num < 0 || plan.rate_den <= 0)
    return "sample-fps is " + std::to_string(plan.rate_num) + "/" + std::to_string(plan.rate_den) +
           ", it must be a positive fraction, or 0/1 for none.";
  return {};
}

std::string check_section(const SamplingPlan &plan) {
  if (plan.start != kNoTime && plan.start > plan.stop)
    return "start is " + std::to_string(plan.start) + " ns, it must not be after stop, which is " +
           std::to_string(plan.stop) + " ns.";
  return {};
}

std::string check_times(const SamplingPlan &plan, uint64_t total, const std::vector<uint64_t> &times) {
  if (times.size() != total)
    return std::string(has_rate(plan) ? "sample-fps" : "start and stop") +
           " can be used only where the time of every picture is known, and " + std::to_string(times.size()) + " of " +
           std::to_string(total) + " are.";
  return {};
}

std::string check_frames(const SamplingPlan &plan, const std::vector<uint64_t> &frames,
                         const std::vector<uint64_t> &times) {
  if (!frames.empty())
    return {};
  uint64_t first = kNoTime, last = 0;
  for (const uint64_t time : times)
    if (time != kNoTime) {
      first = std::min(first, time);
      last = std::max(last, time);
    }
  if (first == kNoTime)
    return std::string(has_section(plan) ? "start and stop" : "sample-fps") +
           " cannot be used with this stream, none of its pictures has a time.";
  return "There is no picture between start and stop, the pictures of this stream are at " + std::to_string(first) +
         " to " + std::to_string(last) + " ns.";
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

// Returns the error of resolve_sampling(), empty on success.
std::string resolve(const SamplingPlan &plan, uint64_t total, const std::vector<uint64_t> &times,
                    std::vector<uint64_t> &ids) {
  if (total == 0)
    return "The stream has no pictures to sample.";
  if (!plan.frame_ids.empty())
    return resolve_frame_ids(plan, total, ids);

  std::string error = check_rate(plan);
  if (error.empty())
    error = check_section(plan);
  if (error.empty() && !has_rate(plan) && plan.sequence_length == 0)
    error = "sequence-length is 0, it must be at least 1.";
  if (error.empty() && plan.sequence_length > kMaxPositions)
    error = "sequence-length is " + std::to_string(plan.sequence_length) + ", it must be at most " +
            std::to_string(kMaxPositions) + ".";
  if (!error.empty())
    return error;
  if (!sampling_needs_times(plan)) {
    ids = uniform_positions(total, plan.sequence_length);
    return {};
  }

  error = check_times(plan, total, times);
  if (!error.empty())
    return error;
  const std::vector<uint64_t> frames = frames_of_section(plan, times);
  error = check_frames(plan, frames, times);
  if (!error.empty())
    return error;
  if (has_rate(plan))
    return resolve_rate(plan, frames, times, ids);
  ids = sample_uniformly(frames, plan.sequence_length);
  return {};
}

} // namespace

bool resolve_sampling(const SamplingPlan &plan, uint64_t total, const std::vector<uint64_t> &times,
                      std::vector<uint64_t> &ids, std::string &error) {
  ids.clear();
  error = resolve(plan, total, times, ids);
  return error.empty();
}

bool sampling_needs_times(const SamplingPlan &plan) {
  return plan.frame_ids.empty() && (has_rate(plan) || has_section(plan));
}

} // namespace cps
