// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/libavcodecs.h"

#include <string>

namespace cps {

static const char *const kUnknown = "unknown/unknown";
static const char *const kDecoder = "libav-decoder";

static Owned<GstCaps> sink_caps(GstElementFactory *factory) {
  for (const GList *item = gst_element_factory_get_static_pad_templates(factory); item; item = item->next) {
    auto *pad = static_cast<GstStaticPadTemplate *>(item->data);
    if (pad->direction == GST_PAD_SINK)
      return Owned<GstCaps>(gst_static_pad_template_get_caps(pad));
  }
  return nullptr;
}

Owned<GstCaps> caps_of_libav_decoder(const char *name) {
  const std::string element = std::string("avdec_") + name;
  const Owned<GstElementFactory> factory(gst_element_factory_find(element.c_str()));
  const Owned<GstCaps> taken = factory ? sink_caps(factory.get()) : nullptr;
  if (!taken || gst_caps_get_size(taken.get()) == 0)
    return nullptr;
  Owned<GstCaps> caps(gst_caps_fixate(gst_caps_copy_nth(taken.get(), 0)));
  GstStructure *media = gst_caps_get_structure(caps.get(), 0);
  gst_structure_remove_fields(media, "width", "height", "framerate", nullptr);
  if (gst_structure_has_name(media, kUnknown))
    gst_structure_set(media, kDecoder, G_TYPE_STRING, element.c_str(), nullptr);
  return caps;
}

static const gchar *named_decoder(const GstCaps *caps) {
  if (gst_caps_is_any(caps) || gst_caps_is_empty(caps))
    return nullptr;
  return gst_structure_get_string(gst_caps_get_structure(caps, 0), kDecoder);
}

bool name_decoder(const GstCaps *caps) {
  return named_decoder(caps) != nullptr;
}

bool name_decoder(const GstCaps *caps, GstElementFactory *factory) {
  return g_strcmp0(named_decoder(caps), GST_OBJECT_NAME(factory)) == 0;
}

} // namespace cps
