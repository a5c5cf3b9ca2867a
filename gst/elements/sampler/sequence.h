// SPDX-License-Identifier: LGPL-2.1-or-later
// Sorts decoded frames, which arrive in any order, into the order of a plan's sequences.
#pragma once

#include "gst/elements/sampler/clipsource.h"

#include <map>
#include <vector>

namespace cps {

// The clips of a plan, one after the other. A frame that several clips need is held until the last of them has it.
// Memory depends on the clips that overlap, not on their number.
class Sequence : public ClipSource {
public:
  // Keeps a reference to `plan`.
  explicit Sequence(CpsPlan *plan);

  Owned<CpsPlan> plan_of(guint clip) const override { return Owned<CpsPlan>(cps_plan_copy_clip(plan_.get(), clip)); }
  void arrive(Frame frame) override;
  void finish() override { finished_ = true; }
  std::optional<Item> pop() override;
  void skip_clip() override;
  bool done() const override { return clip_ == plan_->n_clips; }
  size_t held() const override { return arrived_ + (last_.buffer ? 1 : 0); }

private:
  struct Held {
    Frame frame;
    size_t uses = 0; // positions of open clips that still need it
  };

  const CpsPlanClip &clip() const { return plan_->clips[clip_]; }
  uint64_t first_of(guint clip) const { return plan_->frames[plan_->clips[clip].first].frame_id; }
  bool has(uint64_t id) const;
  void open_next();
  bool given_up(uint64_t id) const;
  bool is_lost() const;
  void substitute(Item &item) const;
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
