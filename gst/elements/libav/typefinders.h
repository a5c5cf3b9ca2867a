// SPDX-License-Identifier: LGPL-2.1-or-later
// Containers that the finders of GStreamer take for something else.
#pragma once

#include <gst/gst.h>

namespace cps {

// To be called when the plugin is loaded. Nothing of GStreamer's demuxes them: the bins read them with libavformat.
gboolean register_type_finders(GstPlugin *plugin);

} // namespace cps
