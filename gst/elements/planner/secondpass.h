// SPDX-License-Identifier: LGPL-2.1-or-later
// What happens to each access unit in the second pass over an indexed stream.
#pragma once

#include "gst/bitstream/neededunits.h"
#include "gst/elements/common/elementtools.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace cps {

class SecondPass {
public:
  enum class Action {
    Push,
    DrainAndPush, // the decoder must first output all its frames
    Drop,         // no wanted frame depends on it
    End,          // no wanted frame follows
  };

  static const char *text_of(Action action); // for logs

  explicit SecondPass(const StreamIndex &index) : index_(index) {}

  // Starts with an empty set of wanted frames: at the start of the stream or, after a seek, at some access unit.
  void begin(bool sought);
  // Starts again at the beginning with the same wanted frames.
  void rewind();

  // `wanted`: display-order indices. `drop`: drop the units on which no wanted frame depends.
  void want(std::vector<uint64_t> wanted, bool drop, int64_t order_window);

  // Returns the unit of the index with this fingerprint: preferably the one after the last match; after a seek the one
  // with the nearest time, because pictures repeat in still scenes. index.units() if there is none.
  size_t match(uint64_t fingerprint, GstClockTime pts);
  // False after a seek, until a unit matches.
  bool located() const { return located_; }
  // The next expected unit.
  size_t position() const { return cursor_; }

  Action action(size_t unit) const;

  // True if `unit` is the last needed one.
  bool is_last(size_t unit) const { return unit + 1 == needed_.end; }

  // True if `unit` follows the first needed one.
  bool is_too_late(size_t unit) const { return unit < index_.units() && unit > first_; }

  // True if needed units are still missing.
  bool is_short() const { return !wanted_.empty() && cursor_ < needed_.end; }

  // Drops the units before this one, regardless of the plan.
  void skip_to(size_t unit) { skip_ = unit; }

  // The next needed unit, if reading may continue there by a seek: it is an entry point, far from the position, and no
  // parameter sets are lost on the way. Each unit is returned once only, so that a seek that leads elsewhere is not
  // repeated.
  std::optional<size_t> far_entry();
  // Continues at the unit that the next match() finds, and drops the units before `target`.
  void jump_to(size_t target);
  // The target of the last jump, until a unit has matched.
  std::optional<size_t> jump_target() const { return located_ ? std::nullopt : target_; }
  // The unit before which the decoder has received what is needed.
  size_t resume() const { return jump_target().value_or(cursor_); }
  // True if the last reading did not begin at the start.
  bool has_jumped() const { return target_.has_value(); }

  // Number of units that go to the decoder.
  size_t kept() const;

  // Gives the access unit `at` its frame's identity and its time in the index: as a position in `section`, the segment
  // of the application's seek, or as stream time if `section` is nullptr.
  Owned<GstBuffer> stamp(Owned<GstBuffer> buffer, size_t at, const GstSegment *section) const;

  // Appends `end`, which is static, to the last needed access unit.
  Owned<GstBuffer> close(Owned<GstBuffer> buffer, size_t at, std::string_view end) const;

private:
  // Units that are read rather than skipped by a seek. A seek costs about as much as 20 units from a local file.
  static constexpr size_t kFar = 48;

  const StreamIndex &index_;
  std::vector<uint64_t> wanted_; // ascending
  NeededUnits needed_;           // for `wanted_`; empty if all units pass
  size_t first_ = SIZE_MAX;      // the first needed unit
  size_t skip_ = 0;              // see skip_to()
  size_t cursor_ = 0;
  bool located_ = true;          // the cursor is valid
  std::optional<size_t> target_; // see jump_to()
  size_t far_from_ = 0;          // far_entry() has looked at all units before this one
};

} // namespace cps
