// SPDX-License-Identifier: LGPL-2.1-or-later
// What becomes of each access unit when an indexed stream is read again.
#pragma once

#include "gst/bitstream/neededunits.h"
#include "gst/elements/common/elementtools.h"

#include <cstdint>
#include <string_view>
#include <vector>

namespace cps {

class SecondPass {
public:
  enum class Action {
    Push,
    DrainAndPush, // the decoder has to put out all it has first
    Drop,         // nothing that is wanted depends on it
    End,          // nothing that is wanted follows
  };

  static const char *text_of(Action action); // for logs

  explicit SecondPass(const StreamIndex &index) : index_(index) {}

  // Wanting nothing in particular, from the start or, after a seek, from some access unit on.
  void begin(bool sought);
  // The same once more, from the start.
  void rewind();

  // `wanted`: display-order indices. `drop`: leave out what they do not depend on.
  void want(std::vector<uint64_t> wanted, bool drop, int64_t order_window);

  // The unit of the index with this fingerprint: most likely the one after the last, but after a seek the one whose
  // time is nearest, for pictures repeat in still scenes. index.units() where it has none.
  size_t match(uint64_t fingerprint, GstClockTime pts);
  // False after a seek, until a unit has matched.
  bool located() const { return located_; }
  // The unit that should come next.
  size_t position() const { return cursor_; }

  Action action(size_t unit) const;

  // Is it the last that is needed?
  bool is_last(size_t unit) const { return unit + 1 == needed_.end; }

  // Is `unit` behind the first that is needed?
  bool is_too_late(size_t unit) const { return unit < index_.units() && unit > first_; }

  // Is more needed than has come so far?
  bool is_short() const { return !wanted_.empty() && cursor_ < needed_.end; }

  // The units before this one are to be dropped, whatever the plan.
  void skip_to(size_t unit) { skip_ = unit; }

  // How many units go to the decoder.
  size_t kept() const;

  // Gives the access unit `at` its frame's identity, and its time on the time line of the index: as a position in the
  // `section` that the application sought, or as stream time (nullptr).
  Owned<GstBuffer> stamp(Owned<GstBuffer> buffer, size_t at, const GstSegment *section) const;

  // Appends `end`, which is static, to the last access unit that is needed.
  Owned<GstBuffer> close(Owned<GstBuffer> buffer, size_t at, std::string_view end) const;

private:
  const StreamIndex &index_;
  std::vector<uint64_t> wanted_; // ascending
  NeededUnits needed_;           // for them; empty where everything goes through
  size_t first_ = SIZE_MAX;      // that is needed
  size_t skip_ = 0;              // see skip_to()
  size_t cursor_ = 0;
  bool located_ = true; // the cursor is right
};

} // namespace cps
