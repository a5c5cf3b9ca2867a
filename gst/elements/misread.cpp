// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/misread.h"

#include "gst/elements/upstream.h"

namespace cps {

bool is_misread(GstPad *pad, const GstCaps *caps) {
  const GstStructure *stream = gst_caps_get_structure(caps, 0);
  if (gst_structure_has_name(stream, "application/mxf") || gst_structure_has_name(stream, "video/x-4xm"))
    return true;
  const bool palette = gst_structure_has_field(stream, "palette_data") ||
                       g_strcmp0(gst_structure_get_string(stream, "format"), "RGB8P") == 0;
  const Owned<GstPad> demuxed = palette ? demuxer_pad(pad) : nullptr;
  const Owned<GstElement> demuxer(demuxed ? gst_pad_get_parent_element(demuxed.get()) : nullptr);
  return is_made_by(demuxer.get(), "avidemux");
}

Owned<GstElementFactory> better_demuxer(GstElementFactory *first) {
  const char *name = GST_OBJECT_NAME(first);
  const bool better = g_str_has_prefix(name, "avdemux_") || strcmp(name, "rmdemux") == 0;
  return Owned<GstElementFactory>(better ? gst_element_factory_find("avformatdemux") : nullptr);
}

} // namespace cps
