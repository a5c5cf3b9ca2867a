// SPDX-License-Identifier: LGPL-2.1-or-later
// Type finders for containers that GStreamer's own finders mistake for other types.
#pragma once

#include <gst/gst.h>

namespace cps {

// Call when the plugin is loaded. No GStreamer demuxer supports these containers: the bins read them with libavformat.
gboolean register_type_finders(GstPlugin *plugin);

} // namespace cps
