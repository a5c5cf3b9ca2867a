// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/sampler/sequence.h"

#include <algorithm>

namespace cps {

// No codec reorders output by more than the 16 pictures of its decoded picture buffer, so a frame is lost once more
// than 16 later frames have arrived. Some decoders output frames in the wrong order within this limit.
static constexpr size_t kReorderLimit = 16;

// The status of a frame that is not a substitute.
static CpsFrameStatus own_status(GstBuffer *frame) {
  return GST_BUFFER_FLAG_IS_SET(frame, GST_BUFFER_FLAG_CORRUPTED) ? CPS_FRAME_STATUS_DAMAGED : CPS_FRAME_STATUS_OK;
}

Sequence::Sequence(std::vector<uint64_t> ids) : ids_(std::move(ids)) {
  for (uint64_t id : ids_)
    frames_[id].uses++;
  latest_.reserve(kReorderLimit + 2);
}

void Sequence::arrive(uint64_t id, Owned<GstBuffer> buffer) {
  latest_.insert(std::upper_bound(latest_.begin(), latest_.end(), id), id);
  if (latest_.size() > kReorderLimit + 1)
    latest_.erase(latest_.begin());
  const auto wanted = frames_.find(id);
  if (wanted != frames_.end() && !wanted->second.buffer)
    wanted->second.buffer = std::move(buffer);
}

bool Sequence::given_up(uint64_t id) const {
  return finished_ || (latest_.size() > kReorderLimit && id < latest_.front());
}

std::optional<Sequence::Item> Sequence::pop() {
  if (done())
    return std::nullopt;
  const uint64_t id = ids_[next_];
  const auto held = frames_.find(id);
  Item item;
  if (held->second.buffer) {
    item = {next_, use(held), CPS_FRAME_STATUS_OK};
    item.status = own_status(item.buffer.get());
    last_.reset(gst_buffer_ref(item.buffer.get()));
    last_id_ = id;
  } else if (given_up(id)) {
    item = substitute(id);
    if (!item.buffer && !finished_)
      return std::nullopt; // a substitute may still arrive
    item.position = next_;
    if (--held->second.uses == 0)
      frames_.erase(held);
  } else {
    return std::nullopt;
  }
  next_++;
  return item;
}

Owned<GstBuffer> Sequence::use(std::map<uint64_t, Held>::iterator held) {
  if (--held->second.uses > 0)
    return Owned<GstBuffer>(gst_buffer_ref(held->second.buffer.get()));
  Owned<GstBuffer> buffer = std::move(held->second.buffer);
  frames_.erase(held);
  return buffer;
}

// The nearest earlier frame that is available, else the nearest later one.
Sequence::Item Sequence::substitute(uint64_t id) const {
  GstBuffer *earlier = nullptr, *later = nullptr;
  uint64_t earlier_id = 0, later_id = UINT64_MAX;
  auto consider = [&](uint64_t candidate, GstBuffer *buffer) {
    if (!buffer)
      return;
    if (candidate < id && (!earlier || candidate > earlier_id)) {
      earlier = buffer;
      earlier_id = candidate;
    } else if (candidate > id && (!later || candidate < later_id)) {
      later = buffer;
      later_id = candidate;
    }
  };
  consider(last_id_, last_.get());
  for (const auto &[candidate, held] : frames_)
    consider(candidate, held.buffer.get());
  GstBuffer *found = earlier ? earlier : later;
  return {0, Owned<GstBuffer>(found ? gst_buffer_ref(found) : nullptr),
          earlier ? CPS_FRAME_STATUS_SUBSTITUTED : CPS_FRAME_STATUS_MISSING};
}

} // namespace cps
