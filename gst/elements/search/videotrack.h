// SPDX-License-Identifier: LGPL-2.1-or-later
// The streams of a file, and the selection of the one to read.
#pragma once

#include "gst/elements/common/elementtools.h"

#include <string>
#include <vector>

namespace cps {

// The caps of a parsed stream.
Owned<GstCaps> stream_caps(GstPad *pad);

bool is_video(const GstCaps *caps);

// Selects the best of the video pads. Criteria, in order: a film rather than accompanying stills; a video that the file
// does not exclude from selection; one marked as default; the largest pictures; the first. nullptr if there are no
// pads.
GstPad *best_video(const std::vector<Owned<GstPad>> &videos);

// For users: "H.264 (High Profile)".
std::string describe_caps(const GstCaps *caps);

} // namespace cps
