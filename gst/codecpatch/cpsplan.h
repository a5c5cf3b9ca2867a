/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/codecpatch/cpsframemeta.h>

G_BEGIN_DECLS

/* How the elements agree on the frames to sample:
 *
 *   frameplanner --- plan request (query) --> uniformsampler    which options apply?
 *   frameplanner --- plan (sticky event) ---> uniformsampler    the frames, resolved against the index
 *   uniformsampler - plan (sticky event) ---> patchselect       the frames of one clip, and all options so far
 *
 * The answer to the query holds the sampler's properties, under their own names. */

#define CPS_TYPE_PLAN (cps_plan_get_type())

typedef struct _CpsPlanFrame CpsPlanFrame;
typedef struct _CpsPlanClip CpsPlanClip;
typedef struct _CpsPlan CpsPlan;

/**
 * CpsPlanFrame:
 * @frame_id: index in the display order of the whole stream
 * @pts: presentation time in the stream's segment, or %GST_CLOCK_TIME_NONE
 * @random_access: decoding can start at the frame
 *
 * One position of a sequence.
 */
struct _CpsPlanFrame {
  guint64 frame_id;
  GstClockTime pts;
  gboolean random_access;
};

/**
 * CpsPlanClip:
 * @first: position of its first frame in #CpsPlan.frames
 * @n_frames: length of its sequence, at least 1
 * @start: stream time at which its window starts, or %GST_CLOCK_TIME_NONE if the plan has no windows
 * @stop: stream time before which its window ends, or %GST_CLOCK_TIME_NONE
 *
 * One clip of a plan: consecutive positions.
 */
struct _CpsPlanClip {
  guint first;
  guint n_frames;
  GstClockTime start;
  GstClockTime stop;
};

/**
 * CpsPlan:
 * @total: number of frames of the whole stream, 0 if unknown
 * @n_frames: number of positions of all clips; 0 if the sender could not make a plan
 * @frames: (array length=n_frames): the sequences of the clips, one after the other
 * @n_clips: number of clips
 * @clips: (array length=n_clips): the clips in order; each position belongs to one
 * @fps: average frame rate in frames per second, 0 if unknown
 * @duration: duration of the video stream in ns, or %GST_CLOCK_TIME_NONE
 * @options: the properties of the elements that the plan has passed, by name
 *
 * The frames to sample. A new plan is one clip. Reference counted; immutable once it is in an event.
 */
struct _CpsPlan {
  guint64 total;
  guint n_frames;
  CpsPlanFrame *frames;
  guint n_clips;
  CpsPlanClip *clips;
  gdouble fps;
  GstClockTime duration;
  GstStructure *options;
};

CPS_API GType cps_plan_get_type(void);
CPS_API CpsPlan *cps_plan_new(guint n_frames);
CPS_API CpsPlan *cps_plan_copy(const CpsPlan *plan);
CPS_API CpsPlan *cps_plan_copy_clip(const CpsPlan *plan, guint clip);
CPS_API void cps_plan_set_clips(CpsPlan *plan, const CpsPlanClip *clips, guint n_clips);
CPS_API CpsPlan *cps_plan_ref(CpsPlan *plan);
CPS_API void cps_plan_unref(CpsPlan *plan);

CPS_API GstEvent *cps_event_new_plan(CpsPlan *plan);
CPS_API CpsPlan *cps_event_parse_plan(GstEvent *event);

CPS_API GstQuery *cps_query_new_plan_request(void);
CPS_API gboolean cps_query_is_plan_request(GstQuery *query);
CPS_API void cps_query_set_plan_request(GstQuery *query, const GstStructure *options);
CPS_API GstStructure *cps_query_get_plan_request(GstQuery *query);

G_END_DECLS
