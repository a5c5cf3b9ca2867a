// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/codecpatch/cpsclip.h"

#include "gst/codecpatch/json.h"

#include <algorithm>
#include <string>

G_DEFINE_BOXED_TYPE(CpsClip, cps_clip, cps_clip_ref, cps_clip_unref)

/**
 * cps_clip_new:
 * @n_frames: number of sampled frames
 *
 * Returns: (transfer full): a clip with @n_frames zeroed frames, to be filled in.
 */
CpsClip *cps_clip_new(guint n_frames) {
  CpsClip *clip = g_atomic_rc_box_new0(CpsClip);
  clip->n_frames = n_frames;
  clip->frames = g_new0(CpsClipFrame, n_frames);
  clip->duration = GST_CLOCK_TIME_NONE;
  clip->options = gst_structure_new_empty("options");
  return clip;
}

/**
 * cps_clip_ref:
 * @clip: a #CpsClip
 *
 * Returns: (transfer full): @clip, with one more reference. Thread-safe.
 */
CpsClip *cps_clip_ref(CpsClip *clip) {
  return static_cast<CpsClip *>(g_atomic_rc_box_acquire(clip));
}

/**
 * cps_clip_unref:
 * @clip: (transfer full): a #CpsClip
 *
 * Releases a reference, and frees the clip with the last one. Thread-safe.
 */
void cps_clip_unref(CpsClip *clip) {
  g_atomic_rc_box_release_full(clip, [](gpointer data) {
    auto *self = static_cast<CpsClip *>(data);
    g_free(self->frames);
    g_free(self->source);
    gst_structure_free(self->options);
  });
}

namespace {

template <typename Get> std::string frame_list(const CpsClip *clip, Get get) {
  std::string list = "[";
  for (guint i = 0; i < clip->n_frames; i++)
    list += (i ? ", " : "") + get(clip->frames[i]);
  return list + "]";
}

// A time in ns, null if there is none.
std::string json_time(GstClockTime time) {
  return GST_CLOCK_TIME_IS_VALID(time) ? std::to_string(time) : "null";
}

} // namespace

/**
 * cps_clip_foreach_metadata:
 * @clip: a #CpsClip
 * @func: (scope call): called once for each entry
 * @user_data: passed to @func
 *
 * Passes the clip's metadata to @func as text, as it is stored in files: the sampled frames as JSON arrays
 * (`sampled_frame_ids`, `pts_ns`, `is_i`, `frame_status`), `stream_frames`, `fps` and `duration_sec` (0 if unknown),
 * `source`, the sizes, `clip_index`, `spec_version`, and each option under its property name with `_` for `-`.
 */
void cps_clip_foreach_metadata(const CpsClip *clip, CpsClipMetadataFunc func, gpointer user_data) {
  g_return_if_fail(clip && func);
  auto emit = [&](const char *key, const std::string &value) { func(key, value.c_str(), user_data); };
  emit("sampled_frame_ids", frame_list(clip, [](const CpsClipFrame &f) { return std::to_string(f.frame_id); }));
  emit("pts_ns", frame_list(clip, [](const CpsClipFrame &f) { return json_time(f.pts); }));
  emit("is_i", frame_list(clip, [](const CpsClipFrame &f) { return std::string(f.is_i ? "true" : "false"); }));
  emit("frame_status",
       frame_list(clip, [](const CpsClipFrame &f) { return cps::json_string(cps_frame_status_to_string(f.status)); }));
  emit("stream_frames", std::to_string(clip->stream_frames));
  emit("fps", cps::json_number(clip->fps));
  emit("duration_sec",
       cps::json_number(GST_CLOCK_TIME_IS_VALID(clip->duration) ? static_cast<double>(clip->duration) / GST_SECOND
                                                                : 0.0));
  emit("source", clip->source ? clip->source : "");
  emit("source_width", std::to_string(clip->source_width));
  emit("source_height", std::to_string(clip->source_height));
  emit("target_width", std::to_string(clip->target_width));
  emit("target_height", std::to_string(clip->target_height));
  emit("grid_height", std::to_string(clip->grid_height));
  emit("grid_width", std::to_string(clip->grid_width));
  emit("clip_index", std::to_string(clip->clip_index));
  emit("spec_version", std::to_string(CPS_SPEC_VERSION));
  for (gint i = 0; i < gst_structure_n_fields(clip->options); i++) {
    const char *name = gst_structure_nth_field_name(clip->options, static_cast<guint>(i));
    std::string key = name;
    std::replace(key.begin(), key.end(), '-', '_');
    emit(key.c_str(), cps::value_text(gst_structure_get_value(clip->options, name)));
  }
}
