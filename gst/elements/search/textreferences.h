// SPDX-License-Identifier: LGPL-2.1-or-later
// Texts that name other sources, of which GStreamer has no notion: they get types of their own, to be refused by name.
#pragma once

#include "gst/elements/common/elementtools.h"

namespace cps {

gboolean register_text_references(GstPlugin *plugin);

// "a PLS playlist" and the like; nullptr where the type is another.
const char *text_reference_name(const GstStructure *media);

} // namespace cps
