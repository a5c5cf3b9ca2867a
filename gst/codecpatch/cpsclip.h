/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/codecpatch/cpsframemeta.h>

G_BEGIN_DECLS

/**
 * CPS_SPEC_VERSION:
 *
 * Version of the specification that defines the computed values.
 */
#define CPS_SPEC_VERSION 1

#define CPS_TYPE_CLIP (cps_clip_get_type())

typedef struct _CpsClipFrame CpsClipFrame;
typedef struct _CpsClip CpsClip;

/**
 * CpsClipFrame:
 * @frame_id: index in the display order of the whole stream
 * @pts: stream time in ns, or %GST_CLOCK_TIME_NONE
 * @is_i: the frame is treated as a random-access point
 * @status: if and how the frame was decoded
 *
 * One sampled frame.
 */
struct _CpsClipFrame {
  guint64 frame_id;
  GstClockTime pts;
  gboolean is_i;
  CpsFrameStatus status;
};

/**
 * CpsClip:
 * @clip_index: number of the clip since the sampler started
 * @n_frames: number of sampled frames
 * @frames: (array length=n_frames): the sampled frames in sequence order
 * @fps: average frame rate in frames per second, 0 if unknown
 * @duration: duration of the video stream in ns, or %GST_CLOCK_TIME_NONE
 * @source: (nullable): path or URI of the stream
 * @source_width: width of the frames in pixels, after cropping and rotation
 * @source_height: height of the frames in pixels, after cropping and rotation
 * @target_width: width in pixels of the scaled frame that patches are cut from, 0 if there are no patches
 * @target_height: height in pixels of that frame
 * @grid_width: number of patches in a row
 * @grid_height: number of rows of patches
 * @options: every option of the elements that made the clip, by property name
 * @stream_frames: number of frames of the whole stream, 0 if unknown
 *
 * The metadata of a clip. Reference counted; immutable once it is in a #CpsTensorMeta.
 */
struct _CpsClip {
  guint clip_index;
  guint n_frames;
  CpsClipFrame *frames;
  gdouble fps;
  GstClockTime duration;
  gchar *source;
  guint source_width;
  guint source_height;
  guint target_width;
  guint target_height;
  guint grid_width;
  guint grid_height;
  GstStructure *options;
  guint64 stream_frames;
};

/**
 * CpsClipMetadataFunc:
 * @key: name of the entry
 * @value: its value as text: a JSON number, `true` or `false`, a JSON array, or plain text
 * @user_data: the pointer that was passed with the function
 *
 * Receives one metadata entry. @key and @value are valid during the call only.
 */
typedef void (*CpsClipMetadataFunc)(const gchar *key, const gchar *value, gpointer user_data);

CPS_API GType cps_clip_get_type(void);
CPS_API CpsClip *cps_clip_new(guint n_frames);
CPS_API CpsClip *cps_clip_ref(CpsClip *clip);
CPS_API void cps_clip_unref(CpsClip *clip);
CPS_API void cps_clip_foreach_metadata(const CpsClip *clip, CpsClipMetadataFunc func, gpointer user_data);

G_END_DECLS
