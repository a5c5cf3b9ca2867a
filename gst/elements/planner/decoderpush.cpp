// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/planner/decoderpush.h"

#include "gst/codecpatch/cpsframemeta.h"

#include <string>

namespace cps {

// The name of the decoder that `pad` is linked to, if it has not announced its output format; else empty.
static std::string decoder_without_format(GstPad *pad) {
  const Owned<GstPad> sink(gst_pad_get_peer(pad));
  const Owned<GstElement> decoder(sink ? gst_pad_get_parent_element(sink.get()) : nullptr);
  const Owned<GstPad> src(decoder ? gst_element_get_static_pad(decoder.get(), "src") : nullptr);
  return src && !gst_pad_has_current_caps(src.get()) ? GST_OBJECT_NAME(decoder.get()) : "";
}

GstFlowReturn push_to_decoder(GstElement *element, GstPad *pad, Owned<GstBuffer> buffer) {
  const GstFlowReturn flow = gst_pad_push(pad, buffer.release());
  if (flow != GST_FLOW_NOT_NEGOTIATED)
    return flow;
  const std::string decoder = decoder_without_format(pad);
  if (decoder.empty())
    return flow;
  const Owned<gchar> release(gst_version_string());
  GST_ELEMENT_ERROR(
      element, STREAM, FORMAT,
      ("The video decodes to a pixel format that %s has no name for: convert the file to another one.", release.get()),
      ("%s has sent no caps", decoder.c_str()));
  return GST_FLOW_ERROR;
}

Owned<GstBuffer> nameless_copy(GstBuffer *unit) {
  Owned<GstBuffer> copy(gst_buffer_copy(unit));
  if (CpsFrameMeta *meta = cps_buffer_get_frame_meta(copy.get()))
    gst_buffer_remove_meta(copy.get(), &meta->meta);
  return copy;
}

} // namespace cps
