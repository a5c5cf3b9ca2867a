// SPDX-License-Identifier: LGPL-2.1-or-later
// Detects still-picture streams that are animations.
#pragma once

#include <gst/gst.h>

#include <string>

namespace cps {

// Describes, for users, an animation of which no GStreamer element decodes more than the first picture. Examines the
// beginning of the data; returns an empty string for anything else.
std::string undecodable_animation(const GstCaps *caps, GstBuffer *first);

} // namespace cps
