// SPDX-License-Identifier: LGPL-2.1-or-later
// Still pictures that turn out to be animations.
#pragma once

#include <gst/gst.h>

#include <string>

namespace cps {

// Animations whose pictures after the first no element of GStreamer decodes, by the beginning of their data: what they
// are, for people; empty where this is none.
std::string undecodable_animation(const GstCaps *caps, GstBuffer *first);

} // namespace cps
