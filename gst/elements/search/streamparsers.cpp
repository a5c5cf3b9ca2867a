// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/search/streamparsers.h"

#include "gst/elements/common/elementtools.h"
#include "gst/elements/common/upstream.h"
#include "gst/elements/search/videotrack.h"

namespace cps {

std::string parser_behind_parsebin(GstPad *pad) {
  const Owned<GstCaps> caps = stream_caps(pad);
  const Owned<GstPad> demuxed = demuxer_pad(pad);
  const bool is_jpeg = !demuxed && !gst_caps_is_any(caps.get()) && !gst_caps_is_empty(caps.get()) &&
                       gst_structure_has_name(gst_caps_get_structure(caps.get(), 0), "image/jpeg");
  return is_jpeg ? "jpegparse" : "";
}

std::string parser_of(GstPad *pad) {
  const Owned<GstCaps> caps = stream_caps(pad);
  const bool has_caps = gst_caps_is_fixed(caps.get()); // not fixed if the pad is about to stop
  if (!has_caps || gst_structure_has_name(gst_caps_get_structure(caps.get(), 0), "image/x-j2c"))
    return "";
  constexpr GstElementFactoryListType kParsers = GST_ELEMENT_FACTORY_TYPE_PARSER;
  GList *all = gst_element_factory_list_get_elements(kParsers, GST_RANK_MARGINAL);
  GList *taking = gst_element_factory_list_filter(all, caps.get(), GST_PAD_SINK, TRUE);
  std::string name = taking ? GST_OBJECT_NAME(taking->data) : "";
  gst_plugin_feature_list_free(taking);
  gst_plugin_feature_list_free(all);
  return name;
}

} // namespace cps
