// SPDX-License-Identifier: LGPL-2.1-or-later
// How a stream's tags say that its pictures are to be shown.
#pragma once

#include "gst/codecpatch/cpsframemeta.h"

#include <string>

namespace cps {

// By the rules of videoflip: a tag of the stream takes precedence over one of its container, both hold until another
// stream begins, and tags that say nothing of it change nothing. Not thread-safe.
class TagOrientation {
public:
  // An event of the stream, in order; others than STREAM_START and TAG do not matter.
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

// That of the stream that has come out of a pad so far.
CpsOrientation orientation_of(GstPad *pad);

} // namespace cps
