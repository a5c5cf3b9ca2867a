// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/sampler/sequence.h"

#include <algorithm>
#include <utility>

namespace cps {

// No codec reorders output by more than the 16 pictures of its decoded picture buffer, so a frame is lost once more
// than 16 later frames have arrived. Some decoders output frames in the wrong order within this limit.
static constexpr size_t kReorderLimit = 16;

Sequence::Sequence(CpsPlan *plan) : plan_(cps_plan_ref(plan)) {
  for (guint i = 0; i < plan->n_clips; i++) {
    const CpsPlanFrame *frames = plan->frames + plan->clips[i].first;
    ascending_ &= std::is_sorted(frames, frames + plan->clips[i].n_frames,
                                 [](const CpsPlanFrame &a, const CpsPlanFrame &b) { return a.frame_id < b.frame_id; });
    ascending_ &= i == 0 || first_of(i - 1) <= first_of(i);
  }
  while (!ascending_ && opened_ < plan->n_clips)
    open_next();
  latest_.reserve(kReorderLimit + 2);
}

void Sequence::open_next() {
  const CpsPlanClip &clip = plan_->clips[opened_++];
  for (guint i = 0; i < clip.n_frames; i++)
    frames_[plan_->frames[clip.first + i].frame_id].uses++;
}

void Sequence::arrive(Frame frame) {
  const uint64_t id = cps_buffer_get_frame_meta(frame.buffer.get())->frame_id;
  latest_.insert(std::upper_bound(latest_.begin(), latest_.end(), id), id);
  if (latest_.size() > kReorderLimit + 1)
    latest_.erase(latest_.begin());
  while (opened_ < plan_->n_clips && first_of(opened_) <= id)
    open_next();
  const auto wanted = frames_.find(id);
  if (wanted == frames_.end() || wanted->second.frame.buffer)
    return;
  hold(frame);
  wanted->second.frame = std::move(frame);
  arrived_++;
}

bool Sequence::has(uint64_t id) const {
  const auto held = frames_.find(id);
  return held != frames_.end() && held->second.frame.buffer;
}

bool Sequence::given_up(uint64_t id) const {
  return finished_ || (latest_.size() > kReorderLimit && id < latest_.front());
}

// True if no frame of the rest of the clip will arrive.
bool Sequence::is_lost() const {
  const CpsPlanFrame *frames = plan_->frames + clip().first;
  return std::all_of(frames + next_, frames + clip().n_frames,
                     [this](const CpsPlanFrame &frame) { return given_up(frame.frame_id); });
}

std::optional<Sequence::Item> Sequence::pop() {
  if (done())
    return std::nullopt;
  if (opened_ == clip_)
    open_next();
  const uint64_t id = plan_->frames[clip().first + next_].frame_id;
  Item item{clip_, next_, id, {}, CPS_FRAME_STATUS_OK};
  if (has(id)) {
    item.frame = use(id);
    item.status = own_status(item.frame.buffer.get());
    last_ = item.frame.share();
    last_id_ = id;
  } else if (given_up(id)) {
    substitute(item);
    if (!item.frame.buffer && !is_lost())
      return std::nullopt; // a substitute may still arrive
    if (!item.frame.buffer) {
      item.loss = "none of its frames could be decoded";
      return item;
    }
    use(id);
  } else {
    return std::nullopt;
  }
  advance(next_ + 1);
  return item;
}

// Takes a frame, or what there is of it, for one position.
Frame Sequence::use(uint64_t id) {
  const auto held = frames_.find(id);
  if (--held->second.uses > 0)
    return held->second.frame.share();
  Frame frame = std::move(held->second.frame);
  arrived_ -= frame.buffer ? 1 : 0;
  frames_.erase(held);
  return frame;
}

void Sequence::advance(guint position) {
  next_ = position;
  if (next_ < clip().n_frames)
    return;
  clip_++;
  next_ = 0;
  last_ = {}; // a clip does not depend on the one before it
}

void Sequence::skip_clip() {
  if (done())
    return;
  if (opened_ == clip_)
    open_next();
  for (guint i = next_; i < clip().n_frames; i++)
    use(plan_->frames[clip().first + i].frame_id);
  advance(clip().n_frames);
}

// The nearest earlier frame of the clip that is available, else the nearest later one.
void Sequence::substitute(Item &item) const {
  const Frame *earlier = nullptr, *later = nullptr;
  uint64_t earlier_id = 0, later_id = UINT64_MAX;
  auto consider = [&](uint64_t candidate, const Frame &frame) {
    if (!frame.buffer)
      return;
    if (candidate < item.id && (!earlier || candidate > earlier_id)) {
      earlier = &frame;
      earlier_id = candidate;
    } else if (candidate > item.id && (!later || candidate < later_id)) {
      later = &frame;
      later_id = candidate;
    }
  };
  consider(last_id_, last_);
  for (guint i = 0; i < clip().n_frames; i++) {
    const auto held = frames_.find(plan_->frames[clip().first + i].frame_id);
    if (held != frames_.end())
      consider(held->first, held->second.frame);
  }
  if (const Frame *found = earlier ? earlier : later)
    item.frame = found->share();
  item.status = earlier ? CPS_FRAME_STATUS_SUBSTITUTED : CPS_FRAME_STATUS_MISSING;
}

} // namespace cps
