// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/codecpatch/cpsplan.h"

#include <algorithm>

static constexpr const char kPlanName[] = "CpsPlan";
static constexpr const char kRequestName[] = "CpsPlanRequest";
static constexpr const char kOptionsName[] = "options";

G_DEFINE_BOXED_TYPE(CpsPlan, cps_plan, cps_plan_ref, cps_plan_unref)

static CpsPlan *new_plan(guint n_frames) {
  CpsPlan *plan = g_atomic_rc_box_new0(CpsPlan);
  plan->n_frames = n_frames;
  plan->frames = g_new0(CpsPlanFrame, n_frames);
  plan->duration = GST_CLOCK_TIME_NONE;
  return plan;
}

/**
 * cps_plan_new:
 * @n_frames: length of the sequence
 *
 * Returns: (transfer full): a plan with @n_frames zeroed frames in one clip and no options, to be filled in. A plan
 *     without frames has no clip.
 */
CpsPlan *cps_plan_new(guint n_frames) {
  CpsPlan *plan = new_plan(n_frames);
  plan->options = gst_structure_new_empty(kOptionsName);
  const CpsPlanClip whole = {0, n_frames, GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE};
  cps_plan_set_clips(plan, &whole, n_frames > 0 ? 1 : 0);
  return plan;
}

/**
 * cps_plan_set_clips:
 * @plan: a #CpsPlan that is not in an event yet
 * @clips: (array length=n_clips): clips that together have every position of @plan once, in order
 * @n_clips: the number of @clips
 *
 * Divides the frames of @plan into clips.
 */
void cps_plan_set_clips(CpsPlan *plan, const CpsPlanClip *clips, guint n_clips) {
  auto *copy = g_new(CpsPlanClip, n_clips);
  std::copy_n(clips, n_clips, copy);
  g_free(plan->clips);
  plan->clips = copy;
  plan->n_clips = n_clips;
}

// A plan with these frames of another.
static CpsPlan *copy_frames(const CpsPlan *plan, guint first, guint n_frames) {
  CpsPlan *copy = new_plan(n_frames);
  copy->total = plan->total;
  copy->fps = plan->fps;
  copy->duration = plan->duration;
  std::copy_n(plan->frames + first, n_frames, copy->frames);
  copy->options = gst_structure_copy(plan->options);
  return copy;
}

/**
 * cps_plan_copy:
 * @plan: a #CpsPlan
 *
 * Returns: (transfer full): a new plan with the same content, which may be changed.
 */
CpsPlan *cps_plan_copy(const CpsPlan *plan) {
  CpsPlan *copy = copy_frames(plan, 0, plan->n_frames);
  cps_plan_set_clips(copy, plan->clips, plan->n_clips);
  return copy;
}

/**
 * cps_plan_copy_clip:
 * @plan: a #CpsPlan
 * @clip: index of a clip, less than the number of clips
 *
 * Returns: (transfer full): a new plan of that clip alone, which may be changed.
 */
CpsPlan *cps_plan_copy_clip(const CpsPlan *plan, guint clip) {
  g_return_val_if_fail(clip < plan->n_clips, nullptr);
  CpsPlanClip alone = plan->clips[clip];
  CpsPlan *copy = copy_frames(plan, alone.first, alone.n_frames);
  alone.first = 0;
  cps_plan_set_clips(copy, &alone, 1);
  return copy;
}

/**
 * cps_plan_ref:
 * @plan: a #CpsPlan
 *
 * Returns: (transfer full): @plan, with one more reference. Thread-safe.
 */
CpsPlan *cps_plan_ref(CpsPlan *plan) {
  return static_cast<CpsPlan *>(g_atomic_rc_box_acquire(plan));
}

/**
 * cps_plan_unref:
 * @plan: (transfer full): a #CpsPlan
 *
 * Releases a reference, and frees the plan with the last one. Thread-safe.
 */
void cps_plan_unref(CpsPlan *plan) {
  g_atomic_rc_box_release_full(plan, [](gpointer data) {
    auto *self = static_cast<CpsPlan *>(data);
    g_free(self->frames);
    g_free(self->clips);
    gst_structure_free(self->options);
  });
}

/**
 * cps_event_new_plan:
 * @plan: (transfer full): a plan, immutable from here on
 *
 * Returns: (transfer full): a sticky downstream event that replaces an earlier plan.
 */
GstEvent *cps_event_new_plan(CpsPlan *plan) {
  GstStructure *structure = gst_structure_new(kPlanName, "plan", CPS_TYPE_PLAN, plan, nullptr);
  cps_plan_unref(plan);
  return gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM_STICKY, structure);
}

/**
 * cps_event_parse_plan:
 * @event: any event
 *
 * Returns: (transfer none) (nullable): the plan, owned by @event; %NULL for any other event.
 */
CpsPlan *cps_event_parse_plan(GstEvent *event) {
  if (GST_EVENT_TYPE(event) != GST_EVENT_CUSTOM_DOWNSTREAM_STICKY || !gst_event_has_name(event, kPlanName))
    return nullptr;
  return static_cast<CpsPlan *>(g_value_get_boxed(gst_structure_get_value(gst_event_get_structure(event), "plan")));
}

/**
 * cps_query_new_plan_request:
 *
 * Returns: (transfer full): a query that requests the sampling options from downstream.
 */
GstQuery *cps_query_new_plan_request() {
  return gst_query_new_custom(GST_QUERY_CUSTOM, gst_structure_new_empty(kRequestName));
}

/**
 * cps_query_is_plan_request:
 * @query: any query
 *
 * Returns: %TRUE if @query is a plan request.
 */
gboolean cps_query_is_plan_request(GstQuery *query) {
  const GstStructure *structure = gst_query_get_structure(query);
  return GST_QUERY_TYPE(query) == GST_QUERY_CUSTOM && structure && gst_structure_has_name(structure, kRequestName);
}

/**
 * cps_query_set_plan_request:
 * @query: a writable plan request
 * @options: the answer: a sampler's properties by name
 */
void cps_query_set_plan_request(GstQuery *query, const GstStructure *options) {
  g_return_if_fail(cps_query_is_plan_request(query));
  gst_structure_set(gst_query_writable_structure(query), kOptionsName, GST_TYPE_STRUCTURE, options, nullptr);
}

/**
 * cps_query_get_plan_request:
 * @query: a plan request
 *
 * Returns: (transfer full) (nullable): the answer, %NULL if there is none.
 */
GstStructure *cps_query_get_plan_request(GstQuery *query) {
  g_return_val_if_fail(cps_query_is_plan_request(query), nullptr);
  GstStructure *options = nullptr;
  gst_structure_get(gst_query_get_structure(query), kOptionsName, GST_TYPE_STRUCTURE, &options, nullptr);
  return options;
}
