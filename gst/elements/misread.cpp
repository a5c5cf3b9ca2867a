// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/misread.h"

#include "gst/elements/upstream.h"

namespace cps {

static bool is_of(GstPad *pad, const char *factory) {
  const Owned<GstElement> element(pad ? gst_pad_get_parent_element(pad) : nullptr);
  return element && g_str_equal(GST_OBJECT_NAME(gst_element_get_factory(element.get())), factory);
}

bool is_misread(GstPad *pad, const GstCaps *caps) {
  const GstStructure *stream = gst_caps_get_structure(caps, 0);
  if (gst_structure_has_name(stream, "application/mxf") || gst_structure_has_name(stream, "video/x-4xm"))
    return true;
  const bool palette = gst_structure_has_field(stream, "palette_data") ||
                       g_strcmp0(gst_structure_get_string(stream, "format"), "RGB8P") == 0;
  return palette && is_of(demuxer_pad(pad).get(), "avidemux");
}

} // namespace cps
