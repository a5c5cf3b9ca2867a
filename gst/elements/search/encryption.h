// SPDX-License-Identifier: LGPL-2.1-or-later
// What demuxers say of a video that is encrypted.
#pragma once

#include "gst/elements/common/elementtools.h"

#include <string>

namespace cps {

// Are these caps those of an encrypted video? They have the media type that it would have otherwise.
bool is_encrypted_video(const GstCaps *caps);

// By which scheme, for people: "cenc".
std::string encryption_scheme(const GstCaps *caps);

// Does an element ask for keys? Such caps then; nullptr otherwise. qtdemux asks before it has a pad, and fails.
Owned<GstCaps> encrypted_by_request(GstMessage *message);

} // namespace cps
