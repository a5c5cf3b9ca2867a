// SPDX-License-Identifier: LGPL-2.1-or-later
// Keeps the parameter sets of dropped access units for the next unit that is pushed.
#pragma once

#include "gst/bitstream/pictureparser.h"
#include "gst/elements/common/elementtools.h"

#include <string>
#include <vector>

namespace cps {

class ParameterSetKeeper {
public:
  // `unit` goes to the decoder. Returns it with the pending parameter sets prepended. `parameter_sets`: its own.
  Owned<GstBuffer> pass(Owned<GstBuffer> unit, const std::vector<Part> &parameter_sets);
  // `unit` is dropped.
  void drop(GstBuffer *unit, const std::vector<Part> &parameter_sets);
  void clear();

private:
  std::string last_;                      // stream headers so far, those of the last unit that has any
  std::vector<Owned<GstBuffer>> pending_; // not yet sent to the decoder, in stream order
};

} // namespace cps
