// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/search/parsebinerrors.h"

namespace cps {

static const char *const kAddedBy = "cps-added-by";

static GQuark noted() {
  static const GQuark quark = g_quark_from_static_string("cps-noted");
  return quark;
}

static void on_element_added(GstBin *, GstElement *element, gpointer) {
  g_object_set_data(G_OBJECT(element), kAddedBy, g_thread_self());
}

// True for an error that an element posts while it streams. Errors during its setup come from the thread that added it.
static bool is_of_the_stream(GstMessage *message) {
  if (GST_MESSAGE_TYPE(message) != GST_MESSAGE_ERROR)
    return false;
  gpointer added_by = g_object_get_data(G_OBJECT(GST_MESSAGE_SRC(message)), kAddedBy);
  return added_by && added_by != g_thread_self();
}

// Replaces the handler that every bin has for its children's messages.
static GstBusSyncReply handle(GstBus *, GstMessage *message, gpointer parsebin) {
  Owned<GstMessage> error(is_of_the_stream(message) ? gst_message_ref(message) : nullptr);
  GST_BIN_GET_CLASS(parsebin)->handle_message(GST_BIN(parsebin), message);
  if (error && !gst_mini_object_get_qdata(GST_MINI_OBJECT(error.get()), noted()))
    gst_element_post_message(GST_ELEMENT(parsebin), error.release());
  return GST_BUS_DROP;
}

void forward_swallowed_errors(GstElement *parsebin) {
  g_signal_connect(parsebin, "element-added", G_CALLBACK(on_element_added), nullptr);
  gst_bus_set_sync_handler(GST_BIN(parsebin)->child_bus, handle, parsebin, nullptr);
}

void attribute_error(GstMessage *message) {
  gst_mini_object_set_qdata(GST_MINI_OBJECT(message), noted(), message, nullptr);
}

} // namespace cps
