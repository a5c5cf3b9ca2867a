// SPDX-License-Identifier: LGPL-2.1-or-later
// Windows of a stream whose frames are not known in advance: docs/spec.md#windows.
#pragma once

#include "gst/elements/sampler/clipsource.h"
#include "kernels/sampling.h"

#include <deque>
#include <string>

namespace cps {

// Times are those of the frames' metas, which never go back. Positions are the frames nearest to even steps from the
// start of a window, so each is decided by the first frame that is not earlier. Memory depends on the windows that
// overlap.
class LiveWindows : public ClipSource {
public:
  // `plan` must have windows. `all`: what the plans of all clips have in common; it has no frames.
  LiveWindows(const SamplingPlan &plan, Owned<CpsPlan> all);

  // Returns a sentence that names the invalid option, "" if there is none.
  static std::string check(const SamplingPlan &plan);

  // The next frame does not continue the stream: what there is of open windows is lost, and windows start anew.
  void restart();

  Owned<CpsPlan> plan_of(guint clip) const override;
  void arrive(Frame frame) override;
  void finish() override;
  std::optional<Item> pop() override;
  void skip_clip() override;
  bool done() const override { return finished_ && windows_.empty(); }
  size_t held() const override;

private:
  __extension__ typedef unsigned __int128 Wide;

  struct Window {
    guint clip;
    GstClockTime start;
    guint decided = 0;        // positions
    std::deque<Frame> frames; // decided, but not returned yet
    bool lost = false;

    guint returned() const { return decided - static_cast<guint>(frames.size()); }
  };

  void open_windows(GstClockTime time);
  void decide(Window &window, const Frame *frame, GstClockTime time);

  const GstClockTime window_, hop_;
  const Wide step_num_, step_den_; // ns from a position to the next
  const guint length_;
  const Owned<CpsPlan> all_;

  std::deque<Window> windows_; // the first is the current clip
  guint next_clip_ = 0;
  GstClockTime next_start_ = GST_CLOCK_TIME_NONE; // of the next window, unset until the first frame
  bool finished_ = false;
  Frame last_; // the last frame that arrived
  GstClockTime last_time_ = GST_CLOCK_TIME_NONE;
  GstClockTime start_ = 0; // of the window of the last item
};

} // namespace cps
