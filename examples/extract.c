/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Extracts the patch tensors of a video file with the codecpatch elements, and prints the result.
 *
 *   extract [OPTION...] VIDEO
 *
 * coded video:   filesrc ! parsebin ! frameplanner ! (best decoder) ! uniformsampler ! patchenergy ! patchselect
 *                  ! tensormetasink
 * raw video:     filesrc ! parsebin ! decodebin ! uniformsampler ! ...      the frames to sample are estimated
 *
 * Builds against the installed library, too:
 *   cc -std=c11 extract.c -o extract $(pkg-config --cflags --libs gstreamer-codecpatch-1.0) */
#include <gst/codecpatch/codecpatch.h>

typedef struct {
  GstElement *pipeline;
  GstElement *sampler; /* the decoder is linked to it */
  GstElement *sink;    /* tensormetasink */
  gint have_video;     /* a video stream has been linked; atomic */
  gint have_others;    /* another stream has been ignored; atomic */
} App;

typedef struct {
  gint sequence_length;
  gint k_keep;
  gint patch_size;
  gint input_size;
  gchar *dtype;
  gchar *output;
} Options;

/* The pipeline */

static void post_error(App *app, const gchar *text) {
  GError *error = g_error_new_literal(GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED, text);
  gst_element_post_message(app->pipeline, gst_message_new_error(GST_OBJECT(app->pipeline), error, NULL));
  g_error_free(error);
}

/* Makes an element and adds it to the pipeline. NULL with a message if the plugin is missing. */
static GstElement *add_element(App *app, const gchar *factory) {
  GstElement *element = gst_element_factory_make(factory, NULL);
  if (element)
    gst_bin_add(GST_BIN(app->pipeline), element);
  else
    g_printerr("There is no element \"%s\": is its plugin installed, and GST_PLUGIN_PATH set?\n", factory);
  return element;
}

static gboolean link_pad(GstPad *pad, GstElement *to) {
  GstPad *sinkpad = gst_element_get_static_pad(to, "sink");
  const gboolean linked = gst_pad_link(pad, sinkpad) == GST_PAD_LINK_OK;
  gst_object_unref(sinkpad);
  return linked;
}

/* Links the decoder between planner and sampler. FALSE without a change if that fails, because the decoder accepts
 * other caps, or because it does not reach READY without its hardware. */
static gboolean try_decoder(App *app, GstElement *planner, GstElement *decoder) {
  gst_bin_add(GST_BIN(app->pipeline), decoder);
  if (gst_element_set_state(decoder, GST_STATE_READY) == GST_STATE_CHANGE_SUCCESS &&
      gst_element_link_many(planner, decoder, app->sampler, NULL))
    return TRUE;
  gst_element_set_state(decoder, GST_STATE_NULL);
  gst_bin_remove(GST_BIN(app->pipeline), decoder);
  return FALSE;
}

/* Links the decoder of the highest rank that fits. NULL if there is none. */
static GstElement *link_decoder(App *app, GstElement *planner, const GstCaps *caps) {
  GList *all = gst_element_factory_list_get_elements(
      GST_ELEMENT_FACTORY_TYPE_DECODER | GST_ELEMENT_FACTORY_TYPE_MEDIA_VIDEO, GST_RANK_MARGINAL);
  GList *fitting = gst_element_factory_list_filter(all, caps, GST_PAD_SINK, FALSE);
  GstElement *linked = NULL;

  fitting = g_list_sort(fitting, gst_plugin_feature_rank_compare_func);
  for (GList *item = fitting; item && !linked; item = item->next) {
    GstElement *decoder = gst_element_factory_create(item->data, NULL);
    if (decoder && try_decoder(app, planner, decoder))
      linked = decoder;
  }
  gst_plugin_feature_list_free(fitting);
  gst_plugin_feature_list_free(all);
  return linked;
}

/* For coded video: plans before decoding. */
static gboolean link_planned(App *app, GstPad *pad, const GstCaps *caps) {
  GstElement *planner = add_element(app, "frameplanner");
  GstElement *decoder;

  if (!planner || !link_pad(pad, planner))
    return FALSE;
  decoder = link_decoder(app, planner, caps);
  if (!decoder) {
    post_error(app, "No decoder for this video is installed (gstreamer1.0-libav has most).");
    return FALSE;
  }
  g_print("decoder       %s, planned by frameplanner\n", GST_OBJECT_NAME(gst_element_get_factory(decoder)));
  return gst_element_sync_state_with_parent(decoder) && gst_element_sync_state_with_parent(planner);
}

static void on_decoded_pad(GstElement *decodebin, GstPad *pad, App *app) {
  if (!link_pad(pad, app->sampler))
    post_error(app, "The decoder's output cannot be sampled.");
}

/* For video that frameplanner does not accept: decodebin finds the decoder, if one is needed, and uniformsampler
 * estimates the number of frames. */
static gboolean link_unplanned(App *app, GstPad *pad) {
  GstElement *decodebin = add_element(app, "decodebin");
  if (!decodebin)
    return FALSE;
  g_signal_connect(decodebin, "pad-added", G_CALLBACK(on_decoded_pad), app);
  gst_element_sync_state_with_parent(decodebin);
  g_print("decoder       decodebin, not planned: frameplanner does not take this video\n");
  return link_pad(pad, decodebin);
}

static gboolean is_plannable(const GstCaps *caps) {
  GstElementFactory *factory = gst_element_factory_find("frameplanner");
  const gboolean plannable = factory && gst_element_factory_can_sink_any_caps(factory, caps);
  if (factory)
    gst_object_unref(factory);
  return plannable;
}

/* Audio and subtitles are not parsed. */
static gboolean on_autoplug_continue(GstElement *parsebin, GstPad *pad, GstCaps *caps, App *app) {
  const gchar *media = gst_structure_get_name(gst_caps_get_structure(caps, 0));
  return !g_str_has_prefix(media, "audio/") && !g_str_has_prefix(media, "text/") &&
         !g_str_has_prefix(media, "subpicture/");
}

static void on_parsed_pad(GstElement *parsebin, GstPad *pad, App *app) {
  GstCaps *caps = gst_pad_get_current_caps(pad);
  const gchar *media;

  if (!caps)
    caps = gst_pad_query_caps(pad, NULL);
  media = gst_caps_get_size(caps) > 0 ? gst_structure_get_name(gst_caps_get_structure(caps, 0)) : "";
  if ((g_str_has_prefix(media, "video/") || g_str_equal(media, "image/jpeg")) &&
      g_atomic_int_compare_and_exchange(&app->have_video, 0, 1)) {
    g_print("video         %s\n", media);
    if (!(is_plannable(caps) ? link_planned(app, pad, caps) : link_unplanned(app, pad)))
      post_error(app, "The video stream could not be linked.");
  } else {
    g_print("left out      %s\n", media);
    g_atomic_int_set(&app->have_others, 1);
  }
  gst_caps_unref(caps);
}

static gboolean set_enum(GstElement *element, const gchar *property, const gchar *nick) {
  GParamSpec *spec = g_object_class_find_property(G_OBJECT_GET_CLASS(element), property);
  const GEnumValue *value = g_enum_get_value_by_nick(G_PARAM_SPEC_ENUM(spec)->enum_class, nick);
  if (value)
    g_object_set(element, property, value->value, NULL);
  return value != NULL;
}

static gboolean build(App *app, const Options *options, const gchar *video) {
  GstElement *source, *parsebin, *energy, *select;

  app->pipeline = gst_object_ref_sink(gst_pipeline_new("extract"));
  source = add_element(app, "filesrc");
  parsebin = add_element(app, "parsebin");
  app->sampler = add_element(app, "uniformsampler");
  energy = add_element(app, "patchenergy");
  select = add_element(app, "patchselect");
  app->sink = add_element(app, "tensormetasink");
  if (!source || !parsebin || !app->sampler || !energy || !select || !app->sink)
    return FALSE;

  g_object_set(source, "location", video, NULL);
  g_object_set(app->sampler, "sequence-length", (guint)options->sequence_length, NULL);
  g_object_set(select, "k-keep", options->k_keep, "patch-size", options->patch_size, "input-size", options->input_size,
               NULL);
  if (!set_enum(select, "output-dtype", options->dtype)) {
    g_printerr("--dtype is \"%s\"; it must be u8, f16, bf16 or f32.\n", options->dtype);
    return FALSE;
  }
  if (options->output) /* written and, because of max-buffers, queued as well */
    g_object_set(app->sink, "location", options->output, "max-buffers", 1, NULL);

  g_signal_connect(parsebin, "pad-added", G_CALLBACK(on_parsed_pad), app);
  g_signal_connect(parsebin, "autoplug-continue", G_CALLBACK(on_autoplug_continue), app);
  return gst_element_link(source, parsebin) && gst_element_link_many(app->sampler, energy, select, app->sink, NULL);
}

/* The result */

static void print_entry(const gchar *key, const gchar *value, gpointer user_data) {
  g_print("  %-22s %s\n", key, value);
}

static void print_tensor(const CpsTensor *tensor) {
  g_print("  %-22s %s [", g_quark_to_string(tensor->id), cps_dtype_get_name(tensor->dtype));
  for (guint i = 0; i < tensor->n_dims; i++)
    g_print("%s%" G_GINT64_FORMAT, i ? ", " : "", tensor->dims[i]);
  g_print("] %" G_GSIZE_FORMAT " bytes\n", cps_tensor_get_size(tensor));
}

/* Counts the patches of each position of the sequence, by column 0 of meta_fields. */
static guint *count_patches(const CpsTensor *fields, GstBuffer *buffer, guint n_frames) {
  guint *counts = g_new0(guint, n_frames);
  GstMapInfo info;

  if (!fields || !cps_tensor_map(fields, buffer, &info, GST_MAP_READ))
    return counts;
  for (gint64 i = 0; i < fields->dims[0]; i++) {
    const gint64 seq_pos = ((const gint64 *)info.data)[i * fields->dims[1]];
    if (seq_pos >= 0 && seq_pos < n_frames)
      counts[seq_pos]++;
  }
  cps_tensor_unmap(fields, buffer, &info);
  return counts;
}

static void print_frames(const CpsClip *clip, const guint *counts) {
  g_print("\n  %3s %8s %10s %4s %-12s %s\n", "pos", "frame", "time [s]", "is_i", "status", "patches");
  for (guint i = 0; i < clip->n_frames; i++) {
    const CpsClipFrame *frame = &clip->frames[i];
    gchar time[32] = "-";
    if (GST_CLOCK_TIME_IS_VALID(frame->pts))
      g_snprintf(time, sizeof time, "%.3f", (gdouble)frame->pts / GST_SECOND);
    g_print("  %3u %8" G_GUINT64_FORMAT " %10s %4s %-12s %u of %u\n", i, frame->frame_id, time,
            frame->is_i ? "yes" : "no", cps_frame_status_to_string(frame->status), counts[i],
            clip->grid_width * clip->grid_height);
  }
}

static void print_scores(const CpsTensor *scores, GstBuffer *buffer) {
  GstMapInfo info;
  gfloat least = G_MAXFLOAT, most = -G_MAXFLOAT;

  if (!scores || scores->dims[0] == 0 || !cps_tensor_map(scores, buffer, &info, GST_MAP_READ))
    return;
  for (gint64 i = 0; i < scores->dims[0]; i++) {
    const gfloat score = ((const gfloat *)info.data)[i];
    least = MIN(least, score);
    most = MAX(most, score);
  }
  cps_tensor_unmap(scores, buffer, &info);
  g_print("\nscores          %g to %g\n", least, most);
}

static gboolean print_clip(GstSample *sample) {
  GstBuffer *buffer = gst_sample_get_buffer(sample);
  const CpsTensorMeta *meta = cps_buffer_get_tensor_meta(buffer);
  const CpsClip *clip = meta->clip;
  const CpsTensor *patches = cps_tensor_meta_find(meta, "patches");
  guint *counts;

  if (!patches) {
    g_printerr("The buffer holds no patches.\n");
    return FALSE;
  }
  g_print("source        %s, %ux%u\n", clip->source, clip->source_width, clip->source_height);
  g_print("target        %ux%u, %u rows of %u patches a frame\n", clip->target_width, clip->target_height,
          clip->grid_height, clip->grid_width);
  g_print("selected      %" G_GINT64_FORMAT " of %" G_GUINT64_FORMAT " patches, %s\n", patches->dims[0],
          (guint64)clip->n_frames * clip->grid_width * clip->grid_height, cps_dtype_get_name(patches->dtype));

  counts = count_patches(cps_tensor_meta_find(meta, "meta_fields"), buffer, clip->n_frames);
  print_frames(clip, counts);
  g_free(counts);
  print_scores(cps_tensor_meta_find(meta, "meta_scores"), buffer);

  g_print("\ntensors\n");
  for (guint i = 0; i < meta->n_tensors; i++)
    print_tensor(&meta->tensors[i]);
  g_print("\nmetadata\n");
  cps_clip_foreach_metadata(clip, print_entry, NULL);
  g_print("\n");
  return TRUE;
}

/* Prints the messages of the elements. FALSE after an error. */
static gboolean read_bus(App *app, GstBus *bus, gboolean *ended) {
  gboolean good = TRUE;
  GstMessage *message;

  while ((message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR | GST_MESSAGE_WARNING | GST_MESSAGE_EOS |
                                                  GST_MESSAGE_ELEMENT))) {
    GError *error = NULL;
    const GstStructure *structure = gst_message_get_structure(message);

    switch (GST_MESSAGE_TYPE(message)) {
    case GST_MESSAGE_ERROR:
      gst_message_parse_error(message, &error, NULL);
      if (good) /* later errors are consequences, as is that of a demuxer without a linked stream */
        g_printerr("error: %s\n", g_atomic_int_get(&app->have_others) && !g_atomic_int_get(&app->have_video)
                                      ? "There is no video stream in the file."
                                      : error->message);
      good = FALSE;
      break;
    case GST_MESSAGE_WARNING:
      gst_message_parse_warning(message, &error, NULL);
      g_printerr("warning: %s\n", error->message);
      break;
    case GST_MESSAGE_EOS:
      *ended = TRUE;
      break;
    default:
      if (gst_message_has_name(message, "tensors-written"))
        g_print("wrote         %s\n", gst_structure_get_string(structure, "location"));
    }
    g_clear_error(&error);
    gst_message_unref(message);
  }
  return good;
}

/* Runs until the end of the stream. TRUE if there was a clip. */
static gboolean run(App *app) {
  GstBus *bus = gst_element_get_bus(app->pipeline);
  gboolean good, ended = FALSE, printed = FALSE;

  gst_element_set_state(app->pipeline, GST_STATE_PLAYING);
  while ((good = read_bus(app, bus, &ended)) && !ended) {
    GstSample *sample = NULL;
    g_signal_emit_by_name(app->sink, "try-pull-tensors", (guint64)(100 * GST_MSECOND), &sample);
    if (!sample)
      continue;
    printed = print_clip(sample);
    gst_sample_unref(sample);
  }
  if (good && !printed)
    g_printerr("error: The stream ended without tensors.\n");
  gst_element_set_state(app->pipeline, GST_STATE_NULL);
  gst_object_unref(bus);
  return good && printed;
}

int main(int argc, char **argv) {
  Options options = {16, 2048, 14, 224, NULL, NULL};
  const GOptionEntry entries[] = {
      {"sequence-length", 'n', 0, G_OPTION_ARG_INT, &options.sequence_length, "Frames to sample (16)", "N"},
      {"k-keep", 'k', 0, G_OPTION_ARG_INT, &options.k_keep, "Patches to select (2048)", "K"},
      {"patch-size", 'p', 0, G_OPTION_ARG_INT, &options.patch_size, "Side of a patch in pixels (14)", "P"},
      {"input-size", 's', 0, G_OPTION_ARG_INT, &options.input_size, "Side of a square of the target's area (224)", "S"},
      {"dtype", 't', 0, G_OPTION_ARG_STRING, &options.dtype, "u8, f16, bf16 or f32 (bf16)", "TYPE"},
      {"output", 'o', 0, G_OPTION_ARG_FILENAME, &options.output, "File to write, as safetensors", "FILE"},
      {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
  };
  GOptionContext *context = g_option_context_new("VIDEO");
  GError *error = NULL;
  App app = {0};
  gboolean good = FALSE;

  g_option_context_set_summary(context, "Extracts the most informative patches of a video as tensors.");
  g_option_context_add_main_entries(context, entries, NULL);
  g_option_context_add_group(context, gst_init_get_option_group());
  if (!g_option_context_parse(context, &argc, &argv, &error))
    g_printerr("%s\n", error->message);
  else if (argc != 2)
    g_printerr("Name one video file; extract --help tells the options.\n");
  else if (!g_file_test(argv[1], G_FILE_TEST_IS_REGULAR))
    g_printerr("There is no file \"%s\".\n", argv[1]);
  else if (options.sequence_length < 1)
    g_printerr("--sequence-length must be at least 1.\n");
  else {
    if (!options.dtype)
      options.dtype = g_strdup("bf16");
    good = build(&app, &options, argv[1]) && run(&app);
  }
  if (app.pipeline) {
    gst_element_set_state(app.pipeline, GST_STATE_NULL);
    gst_object_unref(app.pipeline);
  }
  g_clear_error(&error);
  g_option_context_free(context);
  g_free(options.dtype);
  g_free(options.output);
  return good ? 0 : 1;
}
