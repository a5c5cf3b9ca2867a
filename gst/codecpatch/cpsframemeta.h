/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/codecpatch/codecpatch-prelude.h>

G_BEGIN_DECLS

/**
 * CPS_FRAME_ID_NONE:
 *
 * The frame_id of an access unit that is not a frame of the stream, because it lies outside the segment or holds no
 * picture.
 */
#define CPS_FRAME_ID_NONE G_MAXUINT64

/**
 * CpsFrameFlags:
 * @CPS_FRAME_FLAG_RANDOM_ACCESS: decoding can start at this frame (IDR, CRA/BLA, recovery point with no missing
 *     references, key frame).
 * @CPS_FRAME_FLAG_WANTED: the plan samples this frame.
 */
typedef enum {
  CPS_FRAME_FLAG_NONE = 0,
  CPS_FRAME_FLAG_RANDOM_ACCESS = 1 << 0,
  CPS_FRAME_FLAG_WANTED = 1 << 1,
} CpsFrameFlags;

/**
 * CpsFrameStatus:
 * @CPS_FRAME_STATUS_OK: the picture is the sampled frame.
 * @CPS_FRAME_STATUS_SUBSTITUTED: the frame could not be decoded; the picture is that of the nearest earlier sampled
 *     frame.
 * @CPS_FRAME_STATUS_MISSING: the frame could not be decoded and no earlier sampled frame exists; the picture is that of
 *     a later frame.
 * @CPS_FRAME_STATUS_DAMAGED: the picture is the sampled frame, but the decoder reports that parts of it are concealed.
 *
 * The decoding result of a sampled frame.
 */
typedef enum {
  CPS_FRAME_STATUS_OK,
  CPS_FRAME_STATUS_SUBSTITUTED,
  CPS_FRAME_STATUS_MISSING,
  CPS_FRAME_STATUS_DAMAGED,
} CpsFrameStatus;

CPS_API const gchar *cps_frame_status_to_string(CpsFrameStatus status);

/**
 * CpsOrientation:
 * @CPS_ORIENTATION_IDENTITY: no change (EXIF 1, the tag "rotate-0")
 * @CPS_ORIENTATION_90R: rotate clockwise by 90 degrees (EXIF 6, "rotate-90")
 * @CPS_ORIENTATION_180: rotate by 180 degrees (EXIF 3, "rotate-180")
 * @CPS_ORIENTATION_90L: rotate counter-clockwise by 90 degrees (EXIF 8, "rotate-270")
 * @CPS_ORIENTATION_HORIZ: mirror, left becomes right (EXIF 2, "flip-rotate-0")
 * @CPS_ORIENTATION_VERT: flip, top becomes bottom (EXIF 4, "flip-rotate-180")
 * @CPS_ORIENTATION_UL_LR: mirror at the diagonal through the upper left corner (EXIF 5, "flip-rotate-270")
 * @CPS_ORIENTATION_UR_LL: mirror at the diagonal through the upper right corner (EXIF 7, "flip-rotate-90")
 *
 * The transform that shows a picture upright. The values are those of GstVideoOrientationMethod.
 */
typedef enum {
  CPS_ORIENTATION_IDENTITY,
  CPS_ORIENTATION_90R,
  CPS_ORIENTATION_180,
  CPS_ORIENTATION_90L,
  CPS_ORIENTATION_HORIZ,
  CPS_ORIENTATION_VERT,
  CPS_ORIENTATION_UL_LR,
  CPS_ORIENTATION_UR_LL,
} CpsOrientation;

typedef struct _CpsFrameMeta CpsFrameMeta;

/**
 * CpsFrameMeta:
 * @meta: parent
 * @frame_id: index of the frame in the display order of the whole stream, or %CPS_FRAME_ID_NONE
 * @total: number of frames of the whole stream, 0 if unknown
 * @pts: presentation time on the time line of the index, in the stream's segment, or %GST_CLOCK_TIME_NONE
 * @flags: a set of #CpsFrameFlags
 * @clip_index: number of the clip since the element started; set by the sampler
 * @seq_pos: position in the clip's sequence; set by the sampler
 * @seq_len: length of the clip's sequence, 0 if the frame has not been sampled; set by the sampler
 * @status: the decoding result; set by the sampler
 * @orientation: orientation that elements downstream of the sampler apply when they read the frame, because its pixels
 *     stay as stored; set by the sampler. Crop metas are in stored coordinates.
 *
 * The identity of a frame, on access units and on raw frames. The meta has no tags, so that decoders and converters
 * copy it to their output. A copy of the buffer or of a region copies the meta.
 */
struct _CpsFrameMeta {
  GstMeta meta;

  guint64 frame_id;
  guint64 total;
  GstClockTime pts;
  CpsFrameFlags flags;

  guint clip_index;
  guint seq_pos;
  guint seq_len;
  CpsFrameStatus status;
  CpsOrientation orientation;
};

#define CPS_FRAME_META_API_TYPE (cps_frame_meta_api_get_type())
#define CPS_FRAME_META_INFO (cps_frame_meta_get_info())

CPS_API GType cps_frame_meta_api_get_type(void);
CPS_API const GstMetaInfo *cps_frame_meta_get_info(void);

CPS_API CpsFrameMeta *cps_buffer_add_frame_meta(GstBuffer *buffer, guint64 frame_id, guint64 total, GstClockTime pts,
                                                CpsFrameFlags flags);
CPS_API CpsFrameMeta *cps_buffer_get_frame_meta(GstBuffer *buffer);

G_END_DECLS
