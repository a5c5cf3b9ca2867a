// SPDX-License-Identifier: LGPL-2.1-or-later
// Indices of files, kept in a folder from one reading to the next.
#pragma once

#include <gst/gst.h>

#include <string>

namespace cps {

// Lets the planner use the index that `folder` has of the file at `uri`, and save one if there is none that fits.
// `track`: which of its videos. Does nothing without a folder, and for sources that are not files. Call in READY.
void use_index_cache(GstElement *planner, const std::string &folder, const std::string &uri, gint track);

} // namespace cps
