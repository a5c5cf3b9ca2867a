// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/search/misread.h"

#include "gst/elements/common/upstream.h"

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

static Owned<GstElementFactory> better_demuxer(GstElementFactory *first) {
  const char *name = GST_OBJECT_NAME(first);
  const bool better = g_str_has_prefix(name, "avdemux_") || strcmp(name, "rmdemux") == 0;
  return Owned<GstElementFactory>(better ? gst_element_factory_find("avformatdemux") : nullptr);
}

G_GNUC_BEGIN_IGNORE_DEPRECATIONS // parsebin's signal uses GValueArray

    GValueArray *
    better_demuxers(GValueArray *factories) {
  if (factories->n_values == 0)
    return nullptr;
  auto *first = GST_ELEMENT_FACTORY(g_value_get_object(g_value_array_get_nth(factories, 0)));
  const Owned<GstElementFactory> better = better_demuxer(first);
  if (!better)
    return nullptr;
  GValueArray *sorted = g_value_array_new(1);
  GValue value = G_VALUE_INIT;
  g_value_init(&value, G_TYPE_OBJECT);
  g_value_set_object(&value, better.get());
  g_value_array_append(sorted, &value);
  g_value_unset(&value);
  return sorted;
}

G_GNUC_END_IGNORE_DEPRECATIONS

} // namespace cps
