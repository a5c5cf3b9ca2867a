// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/bitstream/frametimes.h"

#include <algorithm>
#include <cmath>

namespace cps {

namespace {

bool is_set(int64_t time) {
  return time != kUntimed;
}

bool is_reordered(const std::vector<FrameStamps> &frames) {
  const auto earlier = [](const FrameStamps &a, const FrameStamps &b) { return a.unit < b.unit; };
  return !std::is_sorted(frames.begin(), frames.end(), earlier);
}

// True if all presentation times increase in decode order although display order differs, or if they equal the decode
// times.
bool are_decode_times(std::vector<FrameStamps> frames) {
  if (!is_reordered(frames))
    return false;
  frames.erase(
      std::remove_if(frames.begin(), frames.end(), [](const FrameStamps &f) { return !is_set(f.presentation); }),
      frames.end());
  if (std::all_of(frames.begin(), frames.end(), [](const FrameStamps &f) { return f.presentation == f.decode; }))
    return true;
  if (!is_reordered(frames))
    return false;
  std::sort(frames.begin(), frames.end(), [](const FrameStamps &a, const FrameStamps &b) { return a.unit < b.unit; });
  const auto earlier = [](const FrameStamps &a, const FrameStamps &b) { return a.presentation < b.presentation; };
  return std::is_sorted(frames.begin(), frames.end(), earlier);
}

// The longest non-decreasing subsequence of presentation times, as frame indices.
std::vector<size_t> longest_chain(const std::vector<FrameStamps> &frames) {
  std::vector<size_t> tails; // for each chain length, the last frame of the chain that ends earliest
  std::vector<size_t> before(frames.size(), SIZE_MAX);
  for (size_t i = 0; i < frames.size(); i++) {
    if (!is_set(frames[i].presentation))
      continue;
    const auto later = [&](int64_t time, size_t tail) { return time < frames[tail].presentation; };
    const auto at = std::upper_bound(tails.begin(), tails.end(), frames[i].presentation, later);
    if (at != tails.begin())
      before[i] = *(at - 1);
    if (at == tails.end())
      tails.push_back(i);
    else
      *at = i;
  }
  std::vector<size_t> chain;
  for (size_t i = tails.empty() ? SIZE_MAX : tails.back(); i != SIZE_MAX; i = before[i])
    chain.push_back(i);
  std::reverse(chain.begin(), chain.end());
  return chain;
}

// In seconds with three decimals.
std::string seconds(int64_t time) {
  const std::string milliseconds = std::to_string(time / 1000000 + 1000).substr(1); // at least three digits
  const std::string whole = std::to_string(time / 1000000000);
  return whole + "." + milliseconds.substr(milliseconds.size() - 3) + " s";
}

std::string describe_step_back(const std::vector<FrameStamps> &frames) {
  int64_t latest = kUntimed;
  for (size_t i = 0; i < frames.size(); i++) {
    const int64_t time = frames[i].presentation;
    if (is_set(time) && is_set(latest) && time < latest)
      return "its time stamps go back: frame " + std::to_string(i) + " is at " + seconds(time) +
             ", a frame before it at " + seconds(latest);
    latest = std::max(latest, time);
  }
  return "its time stamps go back";
}

// The relative times of the frames, for frames whose presentation times are unknown. Empty if unknown.
std::vector<int64_t> shape(const std::vector<FrameStamps> &frames, const std::vector<size_t> &anchors,
                           int64_t interval) {
  std::vector<int64_t> times;
  times.reserve(frames.size());
  if (std::all_of(frames.begin(), frames.end(), [](const FrameStamps &f) { return is_set(f.decode); })) {
    for (const FrameStamps &frame : frames)
      times.push_back(frame.decode);
    std::sort(times.begin(), times.end());
    return times;
  }
  if (interval <= 0 && anchors.size() > 1)
    interval = (frames[anchors.back()].presentation - frames[anchors.front()].presentation) /
               static_cast<int64_t>(anchors.back() - anchors.front());
  if (interval <= 0 && anchors.size() < frames.size())
    return {};
  for (size_t i = 0; i < frames.size(); i++)
    times.push_back(static_cast<int64_t>(i) * interval);
  return times;
}

// Shifts `times` so that the anchors have their presentation times, and interpolates the shift between anchors.
void fit(std::vector<int64_t> &times, const std::vector<FrameStamps> &frames, const std::vector<size_t> &anchors) {
  const auto offset = [&](size_t anchor) { return frames[anchor].presentation - times[anchor]; };
  std::vector<int64_t> moved = times;
  size_t next = 0; // the first anchor at or after the frame
  for (size_t i = 0; i < times.size(); i++) {
    while (next < anchors.size() && anchors[next] < i)
      next++;
    if (next == 0 || next == anchors.size() || anchors[next] == i) {
      moved[i] = times[i] + offset(anchors[std::min(next, anchors.size() - 1)]);
      continue;
    }
    const size_t left = anchors[next - 1], right = anchors[next];
    const double part = static_cast<double>(i - left) / static_cast<double>(right - left);
    const auto drift = static_cast<double>(offset(right) - offset(left));
    moved[i] = times[i] + offset(left) + std::llround(part * drift);
    moved[i] = std::clamp(moved[i], moved[i - 1], std::max(moved[i - 1], frames[right].presentation));
  }
  times = std::move(moved);
}

} // namespace

std::vector<int64_t> time_frames(std::vector<FrameStamps> frames, int64_t interval, std::string &error) {
  constexpr double kMostlyRight = 0.9; // share of the stamps; the others are errors of the container or a parser
  if (are_decode_times(frames))
    for (FrameStamps &frame : frames) {
      if (!is_set(frame.decode))
        frame.decode = frame.presentation;
      frame.presentation = kUntimed;
    }
  const std::vector<size_t> anchors = longest_chain(frames);
  const auto stamped =
      std::count_if(frames.begin(), frames.end(), [](const FrameStamps &frame) { return is_set(frame.presentation); });
  if (static_cast<double>(anchors.size()) < kMostlyRight * static_cast<double>(stamped)) {
    error = describe_step_back(frames);
    return {};
  }
  std::vector<int64_t> times = shape(frames, anchors, interval);
  if (!times.empty() && !anchors.empty())
    fit(times, frames, anchors);
  for (int64_t &time : times) // stream time begins at 0
    time = std::max<int64_t>(time, 0);
  return times;
}

} // namespace cps
