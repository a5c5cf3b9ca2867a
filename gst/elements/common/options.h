// SPDX-License-Identifier: LGPL-2.1-or-later
// Element properties as data: stored by name, sent in a plan request, written into a clip's metadata.
#pragma once

#include "gst/elements/common/elementtools.h"

#include <string>

namespace cps {

// Values of the properties installed by the element's own class. Thread-safe, by the object lock.
class Options {
public:
  // Call in instance_init; every property starts with its default. `owner`: the class that installed the properties,
  // for an object of a class derived from it; by default the object's own.
  explicit Options(gpointer object, GType owner = G_TYPE_NONE);

  void set(const GValue *value, const GParamSpec *spec);
  void get(GValue *value, const GParamSpec *spec) const;

  // All current values, by property name.
  Owned<GstStructure> snapshot() const;

private:
  GstObject *object_;
  Owned<GstStructure> values_;
};

// set_property and get_property for an element whose `state_of(object)` has a member `options`.
template <auto state_of> void set_option(GObject *object, guint, const GValue *value, GParamSpec *spec) {
  state_of(object).options.set(value, spec);
}
template <auto state_of> void get_option(GObject *object, guint, GValue *value, GParamSpec *spec) {
  state_of(object).options.get(value, spec);
}

// Return one value of a snapshot. option_enum() also reads the answers of other elements, and returns 0 for a missing
// field.
gint option_int(const GstStructure *options, const char *name);
gint option_enum(const GstStructure *options, const char *name);
guint option_uint(const GstStructure *options, const char *name);
guint64 option_uint64(const GstStructure *options, const char *name);
bool option_bool(const GstStructure *options, const char *name);
double option_double(const GstStructure *options, const char *name);
std::string option_string(const GstStructure *options, const char *name); // "" for NULL

// Adds the fields of `from` to `to`, replacing those of the same name.
void merge_options(GstStructure *to, const GstStructure *from);

} // namespace cps
