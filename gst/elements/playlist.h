// SPDX-License-Identifier: LGPL-2.1-or-later
// Sources that are no video, but name others.
#pragma once

#include <gst/gst.h>

namespace cps {

// For people: what `caps` are, where elements that read such a source open others; nullptr where they do not.
const char *playlist_name(const GstCaps *caps);

} // namespace cps
