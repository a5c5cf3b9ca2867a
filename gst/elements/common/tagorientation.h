// SPDX-License-Identifier: LGPL-2.1-or-later
// The display orientation in a stream's tags.
#pragma once

#include "gst/codecpatch/cpsframemeta.h"

#include <string>

namespace cps {

// Follows videoflip: a stream tag takes precedence over a container tag; both apply until another stream begins; tags
// without orientation change nothing. Not thread-safe.
class TagOrientation {
public:
  // Call for the events of the stream in order; only STREAM_START and TAG matter.
  void handle_tags(GstEvent *event);

  CpsOrientation now() const { return of_stream_.known ? of_stream_.orientation : of_container_.orientation; }

private:
  struct Tag {
    bool known = false;
    CpsOrientation orientation = CPS_ORIENTATION_IDENTITY;
  };

  std::string stream_id_;
  Tag of_stream_, of_container_;
};

// Orientation from the sticky events of a pad.
CpsOrientation orientation_of(GstPad *pad);

} // namespace cps
