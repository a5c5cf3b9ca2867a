// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/common/options.h"

namespace cps {

Options::Options(gpointer object, GType owner)
    : object_(GST_OBJECT_CAST(object)), values_(gst_structure_new_empty("options")) {
  if (owner == G_TYPE_NONE)
    owner = G_OBJECT_TYPE(object);
  guint count = 0;
  GParamSpec **specs = g_object_class_list_properties(G_OBJECT_GET_CLASS(object), &count);
  for (guint i = 0; i < count; i++)
    if (specs[i]->owner_type == owner)
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

guint option_uint(const GstStructure *options, const char *name) {
  return g_value_get_uint(gst_structure_get_value(options, name));
}

guint64 option_uint64(const GstStructure *options, const char *name) {
  return g_value_get_uint64(gst_structure_get_value(options, name));
}

std::string option_string(const GstStructure *options, const char *name) {
  const gchar *text = g_value_get_string(gst_structure_get_value(options, name));
  return text ? text : "";
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

} // namespace cps
