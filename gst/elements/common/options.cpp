// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/common/options.h"

namespace cps {

Options::Options(gpointer object) : object_(GST_OBJECT_CAST(object)), values_(gst_structure_new_empty("options")) {
  guint count = 0;
  GParamSpec **specs = g_object_class_list_properties(G_OBJECT_GET_CLASS(object), &count);
  for (guint i = 0; i < count; i++)
    if (specs[i]->owner_type == G_OBJECT_TYPE(object))
      gst_structure_set_value(values_.get(), specs[i]->name, g_param_spec_get_default_value(specs[i]));
  g_free(specs);
}

void Options::set(const GValue *value, const GParamSpec *spec) {
  ObjectLock lock(object_);
  gst_structure_set_value(values_.get(), spec->name, value);
}

void Options::get(GValue *value, const GParamSpec *spec) const {
  ObjectLock lock(object_);
  g_value_copy(gst_structure_get_value(values_.get(), spec->name), value);
}

Owned<GstStructure> Options::snapshot() const {
  ObjectLock lock(object_);
  return Owned<GstStructure>(gst_structure_copy(values_.get()));
}

gint option_int(const GstStructure *options, const char *name) {
  return g_value_get_int(gst_structure_get_value(options, name));
}

gint option_enum(const GstStructure *options, const char *name) {
  const GValue *value = gst_structure_get_value(options, name);
  return value && G_VALUE_HOLDS_ENUM(value) ? g_value_get_enum(value) : 0;
}

bool option_bool(const GstStructure *options, const char *name) {
  return g_value_get_boolean(gst_structure_get_value(options, name));
}

double option_double(const GstStructure *options, const char *name) {
  return g_value_get_double(gst_structure_get_value(options, name));
}

void merge_options(GstStructure *to, const GstStructure *from) {
  gst_structure_foreach(
      from,
      [](GQuark field, const GValue *value, gpointer target) -> gboolean {
        gst_structure_id_set_value(static_cast<GstStructure *>(target), field, value);
        return TRUE;
      },
      to);
}

// Stream times are properties with -1 for "not set".
static uint64_t time_option(const GstStructure *options, const char *name) {
  gint64 value = -1;
  gst_structure_get_int64(options, name, &value);
  return value < 0 ? kNoTime : static_cast<uint64_t>(value);
}

SamplingPlan sampling_plan(const GstStructure *options) {
  SamplingPlan plan;
  gst_structure_get_uint(options, "sequence-length", &plan.sequence_length);
  gst_structure_get_uint(options, "max-frames", &plan.max_frames);
  gst_structure_get_fraction(options, "sample-fps", &plan.rate_num, &plan.rate_den);
  plan.start = time_option(options, "start");
  plan.stop = time_option(options, "stop");
  const GValue *ids = gst_structure_get_value(options, "frame-ids");
  for (guint i = 0; ids && GST_VALUE_HOLDS_ARRAY(ids) && i < gst_value_array_get_size(ids); i++) {
    const GValue *id = gst_value_array_get_value(ids, i);
    plan.frame_ids.push_back(G_VALUE_HOLDS_INT(id) ? g_value_get_int(id) : -1);
  }
  return plan;
}

bool in_segment(const GstSegment &segment, GstClockTime pts) {
  if (segment.format != GST_FORMAT_TIME || !GST_CLOCK_TIME_IS_VALID(pts))
    return true;
  return pts >= segment.start && (!GST_CLOCK_TIME_IS_VALID(segment.stop) || pts < segment.stop);
}

void narrow_to_segment(SamplingPlan &plan, const GstSegment &segment) {
  if (segment.format != GST_FORMAT_TIME)
    return;
  if (segment.time > 0 && (plan.start == kNoTime || plan.start < segment.time))
    plan.start = segment.time;
  const guint64 stop = gst_segment_to_stream_time(&segment, GST_FORMAT_TIME, segment.stop);
  if (GST_CLOCK_TIME_IS_VALID(stop) && (plan.stop == kNoTime || plan.stop > stop))
    plan.stop = stop;
}

} // namespace cps
