// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/sampler/sequence.h"

#include <algorithm>
#include <utility>

namespace cps {

// No codec reorders output by more than the 16 pictures of its decoded picture buffer, so a frame is lost once more
// than 16 later frames have arrived. Some decoders output frames in the wrong order within this limit.
static constexpr size_t kReorderLimit = 16;

// The status of a frame that is not a substitute.
static CpsFrameStatus own_status(GstBuffer *frame) {
  return GST_BUFFER_FLAG_IS_SET(frame, GST_BUFFER_FLAG_CORRUPTED) ? CPS_FRAME_STATUS_DAMAGED : CPS_FRAME_STATUS_OK;
}

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

void Sequence::arrive(uint64_t id, Frame frame) {
  latest_.insert(std::upper_bound(latest_.begin(), latest_.end(), id), id);
  if (latest_.size() > kReorderLimit + 1)
    latest_.erase(latest_.begin());
  while (opened_ < plan_->n_clips && first_of(opened_) <= id)
    open_next();
  const auto wanted = frames_.find(id);
  if (wanted == frames_.end() || wanted->second.frame.buffer)
    return;
  wanted->second.frame = std::move(frame);
  arrived_++;
}

Frame *Sequence::find(uint64_t id) {
  const auto held = frames_.find(id);
  return held != frames_.end() && held->second.frame.buffer ? &held->second.frame : nullptr;
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
  Item item;
  if (find(id)) {
    item.frame = use(id);
    item.status = own_status(item.frame.buffer.get());
    last_ = item.frame.share();
    last_id_ = id;
  } else if (given_up(id)) {
    item = substitute(id);
    if (!item.frame.buffer) // a substitute may still arrive
      return is_lost() ? std::optional<Item>({clip_, next_, {}, CPS_FRAME_STATUS_MISSING}) : std::nullopt;
    use(id);
  } else {
    return std::nullopt;
  }
  item.clip = clip_;
  item.position = next_;
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
Sequence::Item Sequence::substitute(uint64_t id) const {
  const Frame *earlier = nullptr, *later = nullptr;
  uint64_t earlier_id = 0, later_id = UINT64_MAX;
  auto consider = [&](uint64_t candidate, const Frame &frame) {
    if (!frame.buffer)
      return;
    if (candidate < id && (!earlier || candidate > earlier_id)) {
      earlier = &frame;
      earlier_id = candidate;
    } else if (candidate > id && (!later || candidate < later_id)) {
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
  const Frame *found = earlier ? earlier : later;
  return {0, 0, found ? found->share() : Frame(), earlier ? CPS_FRAME_STATUS_SUBSTITUTED : CPS_FRAME_STATUS_MISSING};
}

} // namespace cps
