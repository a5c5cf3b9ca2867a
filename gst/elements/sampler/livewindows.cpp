// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/sampler/livewindows.h"

#include <algorithm>

namespace cps {

// Bounds the memory: so many windows may be open at a time.
static constexpr GstClockTime kMostOverlapping = 1000;

// Positions of a window: sequence_length, or those at i / rate before its end, and max_frames at most.
static guint positions_of(const SamplingPlan &plan) {
  if (!samples_by_rate(plan))
    return plan.sequence_length;
  const guint64 period = guint64{GST_SECOND} * static_cast<guint64>(plan.rate_den);
  const guint64 count = gst_util_uint64_scale_ceil(plan.window, static_cast<guint64>(plan.rate_num), period);
  const guint64 most = plan.max_frames > 0 ? plan.max_frames : kMaxPositions + guint64{1};
  return static_cast<guint>(std::clamp<guint64>(count, 1, most));
}

static bool by_rate(const SamplingPlan &plan) {
  return samples_by_rate(plan) && (plan.max_frames == 0 || positions_of(plan) < plan.max_frames);
}

std::string LiveWindows::check(const SamplingPlan &plan) {
  if (const std::string error = check_sampling(plan); !error.empty())
    return error;
  if (plan.clip_length > 0)
    return "clip-length can be used only where a frameplanner knows the frames of the stream.";
  if (plan.start != kNoTime || plan.stop != kNoTime)
    return "start and stop can be used only where a frameplanner knows the frames of the stream.";
  if (plan.hop > 0 && plan.window / plan.hop > kMostOverlapping)
    return "hop must be at least a " + std::to_string(kMostOverlapping) +
           "th of window where no frameplanner knows the frames of the stream.";
  const guint positions = positions_of(plan);
  if (positions == 0 || positions > kMaxPositions)
    return "A window would have " + std::to_string(positions) + " frames, it must have 1 to " +
           std::to_string(kMaxPositions) + ".";
  return {};
}

LiveWindows::LiveWindows(const SamplingPlan &plan, Owned<CpsPlan> all)
    : window_(plan.window), hop_(plan.hop > 0 ? plan.hop : plan.window),
      step_num_(by_rate(plan) ? Wide{GST_SECOND} * static_cast<Wide>(plan.rate_den) : Wide{plan.window}),
      step_den_(by_rate(plan) ? static_cast<Wide>(plan.rate_num) : Wide{positions_of(plan)}),
      length_(positions_of(plan)), all_(std::move(all)) {}

void LiveWindows::restart() {
  for (Window &window : windows_)
    window.lost = true;
  next_start_ = last_time_ = GST_CLOCK_TIME_NONE;
  last_ = {};
}

void LiveWindows::open_windows(GstClockTime time) {
  if (!GST_CLOCK_TIME_IS_VALID(next_start_))
    next_start_ = time;
  for (; next_start_ <= time; next_start_ += hop_)
    windows_.push_back({next_clip_++, next_start_, 0, {}, false});
}

// Decides the positions up to `time` by the last frame and `frame`, which is at `time`: the nearer one, the earlier one
// on a tie. Without a frame, decides all of the rest.
void LiveWindows::decide(Window &window, const Frame *frame, GstClockTime time) {
  for (; window.decided < length_; window.decided++) {
    const Wide position = Wide{window.start} * step_den_ + window.decided * step_num_;
    const Wide before = Wide{GST_CLOCK_TIME_IS_VALID(last_time_) ? last_time_ : time} * step_den_;
    const Wide now = Wide{time} * step_den_;
    if (frame && now < position)
      return;
    const bool is_before = !frame || (last_.buffer && position >= before && position - before <= now - position);
    window.frames.push_back(is_before ? last_.share() : frame->share());
  }
}

void LiveWindows::arrive(Frame frame) {
  const GstClockTime time = cps_buffer_get_frame_meta(frame.buffer.get())->pts;
  if (GST_CLOCK_TIME_IS_VALID(last_time_) && time - last_time_ > window_)
    restart();
  hold(frame);
  open_windows(time);
  for (Window &window : windows_)
    if (!window.lost)
      decide(window, &frame, time);
  last_ = std::move(frame);
  last_time_ = time;
}

void LiveWindows::finish() {
  finished_ = true;
  for (Window &window : windows_)
    if (!window.lost && last_.buffer)
      decide(window, nullptr, last_time_);
}

std::optional<ClipSource::Item> LiveWindows::pop() {
  if (windows_.empty())
    return std::nullopt;
  Window &window = windows_.front();
  const guint position = window.returned();
  start_ = window.start;
  if (window.lost)
    return Item{window.clip, position, CPS_FRAME_ID_NONE, {}, CPS_FRAME_STATUS_MISSING, "the stream is interrupted"};
  if (window.frames.empty())
    return std::nullopt;
  Item item{window.clip, position, 0, std::move(window.frames.front()), CPS_FRAME_STATUS_OK};
  item.id = cps_buffer_get_frame_meta(item.frame.buffer.get())->frame_id;
  item.status = own_status(item.frame.buffer.get());
  window.frames.pop_front();
  if (window.returned() == length_)
    windows_.pop_front();
  return item;
}

void LiveWindows::skip_clip() {
  windows_.pop_front();
}

Owned<CpsPlan> LiveWindows::plan_of(guint) const {
  Owned<CpsPlan> plan(cps_plan_new(length_));
  plan->fps = all_->fps;
  gst_structure_free(plan->options);
  plan->options = gst_structure_copy(all_->options);
  for (guint i = 0; i < length_; i++)
    plan->frames[i] = {CPS_FRAME_ID_NONE, GST_CLOCK_TIME_NONE, FALSE};
  plan->clips[0].start = start_;
  plan->clips[0].stop = start_ + window_;
  return plan;
}

size_t LiveWindows::held() const {
  size_t frames = last_.buffer ? 1 : 0;
  for (const Window &window : windows_)
    frames += window.frames.size();
  return frames;
}

} // namespace cps
