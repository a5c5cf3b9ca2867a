// SPDX-License-Identifier: LGPL-2.1-or-later
// The options of a session: text that becomes properties of elements. Internal.
#pragma once

#include "gst/codecpatch/session/sessioninbox.h"
#include "gst/common/owned.h"

#include <string>
#include <utility>
#include <vector>

namespace cps {

// What a session's `output` says: patches of the frames, or the frames as they are.
enum class SessionOutput { Patches, Frames };

const char *output_name(SessionOutput output);

// A source that has nothing to give for so long has nothing to give: that many seconds.
constexpr double kStallTimeout = 30;

struct SessionOptions {
  SessionOutput output = SessionOutput::Patches;
  Limits limits{0, kStallTimeout};
  bool background = false;                                   // nobody waits for the source to be opened
  std::vector<std::pair<std::string, std::string>> settings; // of the elements, by property name
};

// The elements that make that output, from the source on. tensormetasink follows.
const std::vector<const char *> &elements_of(SessionOutput output);

// Every element that a session may use.
const std::vector<const char *> &session_elements();

// Reads key, value, key, value..., NULL (or no list). Needs no GStreamer.
bool read_options(const gchar *const *list, SessionOptions &options, GError **error);

// Sets the properties, each on the first of `elements` that has it.
bool apply_options(const SessionOptions &options, const std::vector<GstElement *> &elements, GError **error);

// The text of a property of the first of `elements` that has it, nullptr where none has. The caller's own.
gchar *option_text(const std::vector<GstElement *> &elements, const char *name);

} // namespace cps
