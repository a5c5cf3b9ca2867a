// SPDX-License-Identifier: LGPL-2.1-or-later
/* embed VIDEO [PROPERTY=VALUE...]: patchstreambin in the application's own pipeline, with GLib's main loop and
 * GStreamer's bus. Prints the tensors. The properties are those of patchstreambin: gst-inspect-1.0 patchstreambin lists
 * them.
 *
 *   cc -std=c11 embed.c -o embed $(pkg-config --cflags --libs gstreamer-codecpatch-1.0)
 *
 * An application without a pipeline of its own should use sessions: see session.c. */
#include <gst/codecpatch/codecpatch.h>

#include <string.h>

typedef struct {
  GMainLoop *loop;
  GstElement *pipeline, *sink;
  guint clips;
  gboolean failed;
} App;

static void print_clip(GstBuffer *buffer) {
  const CpsTensorMeta *meta = cps_buffer_get_tensor_meta(buffer);

  g_print("clip %u of %s, %u frames\n", meta->clip->clip_index, meta->clip->source ? meta->clip->source : "a stream",
          meta->clip->n_frames);
  for (guint i = 0; i < meta->n_tensors; i++) {
    const CpsTensor *tensor = &meta->tensors[i];
    g_print("  %-12s %s [", g_quark_to_string(tensor->id), cps_dtype_get_name(tensor->dtype));
    for (guint d = 0; d < tensor->n_dims; d++)
      g_print("%s%" G_GINT64_FORMAT, d ? ", " : "", tensor->dims[d]);
    g_print("]\n");
  }
}

/* Pulls all queued tensors. Runs in the main loop, because on_new_tensors() is called on the streaming thread, which
 * must not wait. */
static gboolean take_tensors(gpointer data) {
  App *app = data;
  GstSample *sample = NULL;

  for (;;) {
    g_signal_emit_by_name(app->sink, "try-pull-tensors", (guint64)0, &sample);
    if (!sample)
      return G_SOURCE_REMOVE;
    print_clip(gst_sample_get_buffer(sample));
    gst_sample_unref(sample);
    app->clips++;
  }
}

static GstFlowReturn on_new_tensors(GstElement *sink, gpointer app) {
  g_idle_add(take_tensors, app);
  return GST_FLOW_OK;
}

static gboolean on_message(GstBus *bus, GstMessage *message, gpointer data) {
  App *app = data;
  GError *error = NULL;

  switch (GST_MESSAGE_TYPE(message)) {
  case GST_MESSAGE_ERROR:
    gst_message_parse_error(message, &error, NULL);
    if (!app->failed) /* later errors are consequences */
      g_printerr("error: %s\n", error->message);
    app->failed = TRUE;
    g_main_loop_quit(app->loop);
    break;
  case GST_MESSAGE_WARNING:
    gst_message_parse_warning(message, &error, NULL);
    g_printerr("warning: %s\n", error->message);
    break;
  case GST_MESSAGE_EOS:
    take_tensors(app); /* because the main loop may not have run it yet */
    g_main_loop_quit(app->loop);
    break;
  default:
    break;
  }
  g_clear_error(&error);
  return G_SOURCE_CONTINUE;
}

static GstElement *add_element(App *app, const gchar *factory) {
  GstElement *element = gst_element_factory_make(factory, NULL);
  if (!element)
    g_printerr("There is no element \"%s\": use `meson devenv`, or set GST_PLUGIN_PATH.\n", factory);
  else
    gst_bin_add(GST_BIN(app->pipeline), element);
  return element;
}

/* "property=value", as on gst-launch-1.0's command line. */
static gboolean set_property(GstElement *element, gchar *argument) {
  gchar *equals = strchr(argument, '=');
  if (equals) {
    *equals = '\0';
    if (g_object_class_find_property(G_OBJECT_GET_CLASS(element), argument)) {
      gst_util_set_object_arg(G_OBJECT(element), argument, equals + 1);
      return TRUE;
    }
  }
  g_printerr("\"%s\" is no property of patchstreambin.\n", argument);
  return FALSE;
}

static gboolean build(App *app, int argc, char **argv) {
  GstElement *stream = add_element(app, "patchstreambin");
  GError *error = NULL;
  gchar *uri;

  app->sink = add_element(app, "tensormetasink");
  if (!stream || !app->sink || !gst_element_link(stream, app->sink))
    return FALSE;
  uri = gst_filename_to_uri(argv[1], &error);
  if (!uri) {
    g_printerr("%s\n", error->message);
    g_error_free(error);
    return FALSE;
  }
  g_object_set(stream, "uri", uri, NULL);
  g_free(uri);
  for (int i = 2; i < argc; i++)
    if (!set_property(stream, argv[i]))
      return FALSE;
  g_signal_connect(app->sink, "new-tensors", G_CALLBACK(on_new_tensors), app);
  return TRUE;
}

static void run(App *app) {
  GstBus *bus = gst_element_get_bus(app->pipeline);

  gst_bus_add_watch(bus, on_message, app);
  app->loop = g_main_loop_new(NULL, FALSE);
  gst_element_set_state(app->pipeline, GST_STATE_PLAYING); /* on failure, an error is on the bus */
  g_main_loop_run(app->loop);
  gst_element_set_state(app->pipeline, GST_STATE_NULL);
  g_main_loop_unref(app->loop);
  gst_bus_remove_watch(bus);
  gst_object_unref(bus);
}

int main(int argc, char **argv) {
  App app = {0};

  gst_init(&argc, &argv);
  if (argc < 2) {
    g_printerr("usage: embed VIDEO [PROPERTY=VALUE...]\n");
    return 2;
  }
  app.pipeline = gst_object_ref_sink(gst_pipeline_new("embed"));
  if (build(&app, argc, argv))
    run(&app);
  gst_object_unref(app.pipeline);
  return app.failed || app.clips == 0;
}
