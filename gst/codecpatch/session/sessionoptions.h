// SPDX-License-Identifier: LGPL-2.1-or-later
// The options of a session: text that becomes properties of elements. Internal.
#pragma once

#include "gst/codecpatch/session/sessioninbox.h"
#include "gst/common/owned.h"

#include <string>
#include <utility>
#include <vector>

namespace cps {

// Values of a session's option `output`: patches of the frames, whole frames, or the index of the stream alone.
enum class SessionOutput { Patches, Frames, Index };

const char *output_name(SessionOutput output);

// Default of `stall-timeout`: the seconds after which a source that delivers nothing is considered dead.
constexpr double kStallTimeout = 30;

struct SessionOptions {
  SessionOutput output = SessionOutput::Patches;
  Limits limits{0, kStallTimeout};
  bool background = false;                                   // the functions that open do not wait for the source
  std::vector<std::pair<std::string, std::string>> settings; // property names and values of the elements
};

// The elements that produce that output, from the source on. sink_of() follows.
const std::vector<const char *> &elements_of(SessionOutput output);
const char *sink_of(SessionOutput output);

// Every element that a session may use.
const std::vector<const char *> &session_elements();

// Parses key, value, key, value..., NULL; `list` may be nullptr. Does not need GStreamer.
bool read_options(const gchar *const *list, SessionOptions &options, GError **error);

// Sets the properties, each on the first of `elements` that has it.
bool apply_options(const SessionOptions &options, const std::vector<GstElement *> &elements, GError **error);

// The value of a property as text, from the first of `elements` that has it; nullptr if none has. The caller owns it.
gchar *option_text(const std::vector<GstElement *> &elements, const char *name);

} // namespace cps
