// SPDX-License-Identifier: LGPL-2.1-or-later
// The streams that a file turns out to have, and which of them to read.
#pragma once

#include "gst/elements/common/elementtools.h"

#include <string>
#include <vector>

namespace cps {

// The caps of a parsed stream.
Owned<GstCaps> stream_caps(GstPad *pad);

bool is_video(const GstCaps *caps);

// The one of highest quality among pads of videos: a film rather than stills that go with it, not one that its file
// marks as not to be chosen, then one that it marks as the default, then the one of the largest pictures, then the
// first. nullptr of none.
GstPad *best_video(const std::vector<Owned<GstPad>> &videos);

// For people: "H.264 (High Profile)".
std::string describe_caps(const GstCaps *caps);

} // namespace cps
