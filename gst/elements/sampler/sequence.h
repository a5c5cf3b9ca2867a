// SPDX-License-Identifier: LGPL-2.1-or-later
// Sorts decoded frames, which arrive in any order, into the order of a sequence.
#pragma once

#include "gst/codecpatch/cpsframemeta.h"
#include "gst/elements/common/elementtools.h"

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace cps {

class Sequence {
public:
  // The next output. `buffer` is null if no frame has been decoded that could be a substitute.
  struct Item {
    size_t position;
    Owned<GstBuffer> buffer;
    CpsFrameStatus status;
  };

  // `ids`: the frame at each position, in any order and with repeats.
  explicit Sequence(std::vector<uint64_t> ids);

  // Adds a decoded frame, and keeps it as long as a later position needs it.
  void arrive(uint64_t id, Owned<GstBuffer> buffer);

  // No further frame will arrive.
  void finish() { finished_ = true; }

  // Returns the next position once its frame has arrived or can no longer arrive.
  std::optional<Item> pop();

  size_t length() const { return ids_.size(); }
  uint64_t id(size_t position) const { return ids_[position]; }
  bool done() const { return next_ == ids_.size(); }

private:
  struct Held {
    Owned<GstBuffer> buffer;
    size_t uses = 0; // positions that still need it
  };

  bool given_up(uint64_t id) const;
  Item substitute(uint64_t id) const;
  Owned<GstBuffer> use(std::map<uint64_t, Held>::iterator held);

  std::vector<uint64_t> ids_;
  size_t next_ = 0;
  bool finished_ = false;
  std::map<uint64_t, Held> frames_; // wanted frames; `buffer` is set once a frame has arrived
  std::vector<uint64_t> latest_;    // the highest ids that arrived, ascending
  uint64_t last_id_ = 0;            // the last id that pop() returned, for substitution
  Owned<GstBuffer> last_;
};

} // namespace cps
