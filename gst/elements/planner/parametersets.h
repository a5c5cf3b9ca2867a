// SPDX-License-Identifier: LGPL-2.1-or-later
// The parameter sets of access units that are dropped, for the next one that is not.
#pragma once

#include "gst/bitstream/pictureparser.h"
#include "gst/elements/common/elementtools.h"

#include <string>
#include <vector>

namespace cps {

class ParameterSetKeeper {
public:
  // `unit` goes to the decoder, and what it lacks goes with it. `parameter_sets`: its own.
  Owned<GstBuffer> pass(Owned<GstBuffer> unit, const std::vector<Part> &parameter_sets);
  // It does not.
  void drop(GstBuffer *unit, const std::vector<Part> &parameter_sets);
  void clear();

private:
  std::string last_;                      // headers of the stream up to here, those of the last unit that has any
  std::vector<Owned<GstBuffer>> pending_; // not yet seen by the decoder, in stream order
};

} // namespace cps
