// SPDX-License-Identifier: LGPL-2.1-or-later
/* Reads videos with the session API, which needs no knowledge of GStreamer: no pipeline, no bus, no main loop. Prints
 * the tensors of each video, and writes nothing.
 *
 *   cc -std=c11 session.c -o session $(pkg-config --cflags --libs gstreamer-codecpatch-1.0)
 *   ./session a.mp4 b.mkv
 *   ./session -k-keep=512 -output-dtype=f32 a.mp4 -output=frames b.mkv     options apply to the files after them
 *
 * In a build directory: meson devenv -C build examples/session a.mp4 */
#include <gst/codecpatch/codecpatch.h>

#include <string.h>

#define MAX_WORDS 64 /* keys and values of options */

/* The list for cps_session_open_path(): key, value, key, value..., NULL. */
typedef struct {
  const gchar *list[MAX_WORDS + 1];
  size_t count; /* without the NULL */
} Options;

/* Splits "-key=value" in place. FALSE if the argument does not have that form. */
static gboolean add_option(Options *options, gchar *argument) {
  gchar *equals = strchr(argument, '=');
  if (!equals || options->count == MAX_WORDS)
    return FALSE;
  *equals = '\0';
  options->list[options->count++] = argument + 1;
  options->list[options->count++] = equals + 1;
  return TRUE;
}

/* Shapes and types are in the meta of the tensors' buffer. cps_tensors_to_dlpack() hands a tensor to a framework
 * without a copy. */
static void print_tensors(const CpsTensors *clip) {
  const CpsTensorMeta *meta = cps_buffer_get_tensor_meta(cps_tensors_get_buffer(clip));

  for (guint i = 0; i < cps_tensors_get_count(clip); i++) {
    const CpsTensor *tensor = cps_tensor_meta_find(meta, cps_tensors_get_name(clip, i));
    g_print("  %-12s %s [", cps_tensors_get_name(clip, i), cps_dtype_get_name(tensor->dtype));
    for (guint d = 0; d < tensor->n_dims; d++)
      g_print("%s%" G_GINT64_FORMAT, d ? ", " : "", tensor->dims[d]);
    g_print("]\n");
  }
  /* All metadata is text, lists as JSON; cps_tensors_foreach_metadata() iterates over it. */
  g_print("  frames       %s\n", cps_tensors_get_metadata(clip, "sampled_frame_ids"));
  g_print("  size         %s x %s, %s frames a second\n", cps_tensors_get_metadata(clip, "source_width"),
          cps_tensors_get_metadata(clip, "source_height"), cps_tensors_get_metadata(clip, "fps"));
}

/* Prints warnings, such as that of a substituted frame. */
static void print_warnings(CpsSession *session) {
  gchar *warning;
  while ((warning = cps_session_pop_warning(session))) {
    g_printerr("warning: %s\n", warning);
    cps_free(warning);
  }
}

static gboolean print_video(const gchar *path, const Options *options) {
  GError *error = NULL;
  CpsSession *session = cps_session_open_path(path, options->list, &error);

  if (session) {
    g_print("%s\n", path);
    /* A file is one clip. Tensors do not depend on their session and stay valid after it. */
    for (CpsTensors *clip; (clip = cps_session_next(session, &error));) {
      gchar *decoder = cps_session_get(session, "resolved-decoder");
      print_tensors(clip);
      g_print("  decoder      %s\n", decoder ? decoder : "none");
      cps_free(decoder);
      cps_tensors_free(clip);
    }
    print_warnings(session);
    cps_session_free(session);
  }
  if (error) /* the message names the file */
    g_printerr("error: %s\n", error->message);
  else
    return TRUE;
  g_error_free(error);
  return FALSE;
}

int main(int argc, char **argv) {
  Options options = {{NULL}, 0};
  int files = 0, failures = 0;

  for (int i = 1; i < argc; i++) {
    if (argv[i][0] != '-') {
      files++;
      failures += !print_video(argv[i], &options);
    } else if (!add_option(&options, argv[i])) {
      g_printerr("\"%s\" is no option: they are written -k-keep=512.\n", argv[i]);
      return 2;
    }
  }
  if (files == 0)
    g_printerr("usage: session [-OPTION=VALUE...] VIDEO...\n");
  return files == 0 || failures > 0;
}
