// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/common/dynamicelements.h"

#include <gst/pbutils/missing-plugins.h>

namespace cps {

static const char *const kPart = "cps-part";

void add_part(GstBin *bin, GstElement *element) {
  g_object_set_data(G_OBJECT(element), kPart, element);
  gst_bin_add(bin, element);
}

GstElement *create_part(GstBin *bin, const char *factory) {
  if (GstElement *element = gst_element_factory_make(factory, nullptr))
    return element;
  gst_element_post_message(GST_ELEMENT(bin), gst_missing_element_message_new(GST_ELEMENT(bin), factory));
  GST_ELEMENT_ERROR(bin, CORE, MISSING_PLUGIN,
                    ("There is no element \"%s\": the GStreamer plugin that has it is not installed.", factory),
                    (nullptr));
  return nullptr;
}

GstElement *make_part(GstBin *bin, const char *factory) {
  GstElement *element = create_part(bin, factory);
  if (element)
    add_part(bin, element);
  return element;
}

void drop_part(GstBin *bin, GstElement *element) {
  gst_element_set_locked_state(element, TRUE); // the bin may be about to start it, on another thread
  gst_element_set_state(element, GST_STATE_NULL);
  gst_bin_remove(bin, element);
}

Owned<GstElement> take_part(GstBin *bin, GstElement *element) {
  Owned<GstElement> part(GST_ELEMENT(gst_object_ref(element)));
  g_object_set_data(G_OBJECT(element), kPart, nullptr);
  gst_bin_remove(bin, element);
  return part;
}

void drop_parts(GstBin *bin) {
  for (const Owned<GstElement> &child : children_of(bin))
    if (g_object_get_data(G_OBJECT(child.get()), kPart))
      drop_part(bin, child.get());
}

std::vector<Owned<GstElement>> children_of(GstBin *bin) {
  std::vector<Owned<GstElement>> children;
  const ObjectLock lock(bin);
  for (const GList *item = bin->children; item; item = item->next)
    children.emplace_back(GST_ELEMENT(gst_object_ref(item->data)));
  return children;
}

bool link_pad(GstPad *pad, GstElement *to) {
  const Owned<GstPad> sinkpad(gst_element_get_static_pad(to, "sink"));
  return gst_pad_link(pad, sinkpad.get()) == GST_PAD_LINK_OK;
}

} // namespace cps
