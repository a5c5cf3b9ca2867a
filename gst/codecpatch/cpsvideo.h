/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/codecpatch/cpsindex.h>
#include <gst/codecpatch/cpssession.h>

G_BEGIN_DECLS

/* One source, any number of sessions, and one index for all of them:
 *
 *   CpsVideo *video = cps_video_new_path("v.mp4");
 *   const char *plan[] = {"output", "frames", "frame-ids", "<10, 20>", NULL};
 *   CpsSession *session = cps_video_index(video, NULL, &error) ? cps_video_open(video, plan, &error) : NULL;
 */

/**
 * CpsVideo:
 *
 * The source of a video, and its index once it is known. The sessions of a video with an index do not read the source
 * twice; they read what their plan needs, as far as the container has a table of it. Reference counted. Any thread may
 * use it, and several sessions may be open at the same time, except those of cps_video_new_stream().
 */
typedef struct _CpsVideo CpsVideo;

CPS_API CpsVideo *cps_video_new_path(const gchar *path);
CPS_API CpsVideo *cps_video_new_uri(const gchar *uri);
CPS_API CpsVideo *cps_video_new_bytes(gconstpointer data, gsize size, GDestroyNotify release, gpointer user_data,
                                      const gchar *name);
CPS_API CpsVideo *cps_video_new_stream(CpsReadFunc read, CpsSeekFunc seek, GDestroyNotify release, gpointer user_data,
                                       const gchar *name);
CPS_API CpsVideo *cps_video_ref(CpsVideo *video);
CPS_API void cps_video_unref(CpsVideo *video);

CPS_API CpsSession *cps_video_open(CpsVideo *video, const gchar *const *options, GError **error);
CPS_API gboolean cps_video_index(CpsVideo *video, const gchar *const *options, GError **error);
CPS_API CpsIndex *cps_video_get_index(CpsVideo *video);
CPS_API void cps_video_set_index(CpsVideo *video, CpsIndex *index);

G_END_DECLS
