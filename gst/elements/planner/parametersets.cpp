// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/planner/parametersets.h"

namespace cps {

// H.264 has 32 sequence and 256 picture parameter sets; no valid stream changes more than this between pictures.
constexpr size_t kMaxPending = 64;

static std::string bytes_of(GstBuffer *unit, const std::vector<Part> &parts) {
  std::string bytes;
  for (const Part &part : parts) {
    const size_t at = bytes.size();
    bytes.resize(at + part.size);
    gst_buffer_extract(unit, part.offset, &bytes[at], part.size);
  }
  return bytes;
}

void ParameterSetKeeper::clear() {
  last_.clear();
  pending_.clear();
}

// Ignores sets that equal the last ones, because most streams repeat them before every random-access point.
void ParameterSetKeeper::drop(GstBuffer *unit, const std::vector<Part> &parameter_sets) {
  if (parameter_sets.empty())
    return;
  std::string bytes = bytes_of(unit, parameter_sets);
  if (bytes == last_)
    return;
  if (pending_.size() == kMaxPending)
    pending_.erase(pending_.begin());
  pending_.emplace_back(gst_buffer_new_memdup(bytes.data(), bytes.size()));
  last_ = std::move(bytes);
}

Owned<GstBuffer> ParameterSetKeeper::pass(Owned<GstBuffer> unit, const std::vector<Part> &parameter_sets) {
  if (!parameter_sets.empty())
    last_ = bytes_of(unit.get(), parameter_sets);
  if (pending_.empty())
    return unit;
  unit.reset(gst_buffer_make_writable(unit.release()));
  for (auto header = pending_.rbegin(); header != pending_.rend(); ++header)
    gst_buffer_prepend_memory(unit.get(), gst_buffer_get_all_memory(header->get()));
  pending_.clear();
  return unit;
}

} // namespace cps
