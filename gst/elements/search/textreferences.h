// SPDX-License-Identifier: LGPL-2.1-or-later
// Text files that name other sources, and that GStreamer does not recognise. They get media types of their own, so that
// they are refused by name.
#pragma once

#include "gst/elements/common/elementtools.h"

namespace cps {

gboolean register_text_references(GstPlugin *plugin);

// "a PLS playlist" and the like; nullptr for other types.
const char *text_reference_name(const GstStructure *media);

} // namespace cps
