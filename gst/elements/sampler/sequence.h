// SPDX-License-Identifier: LGPL-2.1-or-later
// Sorts decoded frames, which arrive in any order, into the order of a plan's sequences.
#pragma once

#include "gst/codecpatch/cpsframemeta.h"
#include "gst/elements/common/elementtools.h"

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace cps {

// A decoded frame and its format.
struct Frame {
  Owned<GstBuffer> buffer;
  Owned<GstCaps> caps;

  Frame share() const {
    return {Owned<GstBuffer>(buffer ? gst_buffer_ref(buffer.get()) : nullptr),
            Owned<GstCaps>(caps ? gst_caps_ref(caps.get()) : nullptr)};
  }
};

// The clips of a plan, one after the other. A frame that several clips need is held until the last of them has it.
// Memory depends on the clips that overlap, not on their number.
class Sequence {
public:
  // The next output. `frame` is empty if no frame of the clip has been decoded; skip_clip() then continues.
  struct Item {
    guint clip;
    guint position; // in the clip
    Frame frame;
    CpsFrameStatus status;
  };

  // Keeps a reference to `plan`.
  explicit Sequence(CpsPlan *plan);

  // Adds a decoded frame, and holds it as long as a later position needs it.
  void arrive(uint64_t id, Frame frame);

  // No further frame will arrive.
  void finish() { finished_ = true; }

  // Returns the next position once its frame has arrived or can no longer arrive.
  std::optional<Item> pop();

  // Continues with the next clip.
  void skip_clip();

  bool done() const { return clip_ == plan_->n_clips; }

  // Frames that are held.
  size_t held() const { return arrived_ + (last_.buffer ? 1 : 0); }
  // Frame `id` if it is held, else nullptr.
  Frame *find(uint64_t id);

private:
  struct Held {
    Frame frame;
    size_t uses = 0; // positions of open clips that still need it
  };

  const CpsPlanClip &clip() const { return plan_->clips[clip_]; }
  uint64_t first_of(guint clip) const { return plan_->frames[plan_->clips[clip].first].frame_id; }
  void open_next();
  bool given_up(uint64_t id) const;
  bool is_lost() const;
  Item substitute(uint64_t id) const;
  Frame use(uint64_t id);
  void advance(guint position);

  Owned<CpsPlan> plan_;
  guint clip_ = 0;        // the current clip
  guint next_ = 0;        // position in it
  guint opened_ = 0;      // clips whose frames are in `frames_`
  bool ascending_ = true; // clips begin in the order of their frames, which ascend in each
  bool finished_ = false;
  std::map<uint64_t, Held> frames_; // of open clips; `frame` is set once it has arrived
  size_t arrived_ = 0;              // frames in `frames_` that have arrived
  std::vector<uint64_t> latest_;    // the highest ids that arrived, ascending
  uint64_t last_id_ = 0;            // the last id that pop() returned, for substitution
  Frame last_;
};

} // namespace cps
