// SPDX-License-Identifier: LGPL-2.1-or-later
#ifdef HAVE_AVFORMAT
#include "gst/elements/libav/avcodecdec.h"
#include "gst/elements/libav/avformatdemux.h"
#endif
#include "gst/elements/bins/patchstreambin.h"
#include "gst/elements/planner/frameplanner.h"
#include "gst/elements/process/framestack.h"
#include "gst/elements/process/patchenergy.h"
#include "gst/elements/process/patchselect.h"
#include "gst/elements/render/patchrender.h"
#include "gst/elements/search/textreferences.h"
#include "gst/elements/sink/tensormetasink.h"
#ifdef HAVE_AVFORMAT
#include "gst/elements/libav/typefinders.h"
#endif
#include "gst/elements/bins/uniformdecodebin.h"
#include "gst/elements/sampler/uniformsampler.h"

static gboolean plugin_init(GstPlugin *plugin) {
  gboolean registered = FALSE;
  registered |= GST_ELEMENT_REGISTER(frameplanner, plugin);
  registered |= GST_ELEMENT_REGISTER(uniformsampler, plugin);
  registered |= GST_ELEMENT_REGISTER(patchenergy, plugin);
  registered |= GST_ELEMENT_REGISTER(patchselect, plugin);
  registered |= GST_ELEMENT_REGISTER(framestack, plugin);
  registered |= GST_ELEMENT_REGISTER(patchrender, plugin);
  registered |= GST_ELEMENT_REGISTER(tensormetasink, plugin);
  registered |= GST_ELEMENT_REGISTER(uniformdecodebin, plugin);
  registered |= GST_ELEMENT_REGISTER(patchstreambin, plugin);
  registered |= cps::register_text_references(plugin);
#ifdef HAVE_AVFORMAT
  registered |= GST_ELEMENT_REGISTER(avcodecdec, plugin);
  registered |= GST_ELEMENT_REGISTER(avformatdemux, plugin);
  registered |= cps::register_type_finders(plugin);
#endif
  return registered;
}

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, codecpatch,
                  "Samples video frames and selects their most informative patches as tensors", plugin_init,
                  PACKAGE_VERSION, "LGPL", "codecpatch", "Unknown package origin")
