// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/codecpatch/session/sessionoptions.h"

#include "gst/codecpatch/json.h"
#include "gst/codecpatch/session/sessionerror.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace cps {

static constexpr double kMaxSeconds = 1e9; // 30 years

const char *output_name(SessionOutput output) {
  switch (output) {
  case SessionOutput::Patches:
    return "patches";
  case SessionOutput::Frames:
    return "frames";
  case SessionOutput::Index:
    return "index";
  }
  return "";
}

static SessionOutput other_output(SessionOutput output) {
  return output == SessionOutput::Patches ? SessionOutput::Frames : SessionOutput::Patches;
}

const std::vector<const char *> &elements_of(SessionOutput output) {
  static const std::vector<const char *> patches{"patchstreambin"}, frames{"uniformdecodebin", "framestack"},
      index{"uniformdecodebin"};
  return output == SessionOutput::Patches ? patches : output == SessionOutput::Frames ? frames : index;
}

const char *sink_of(SessionOutput output) {
  return output == SessionOutput::Index ? "fakesink" : "tensormetasink";
}

const std::vector<const char *> &session_elements() {
  static const std::vector<const char *> all{"patchstreambin", "uniformdecodebin", "framestack", "tensormetasink"};
  return all;
}

// Parsing the list

static std::string property_name(const char *key) {
  std::string name = key;
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

static bool read_output(const char *text, SessionOutput &output, GError **error) {
  for (const SessionOutput candidate : {SessionOutput::Patches, SessionOutput::Frames, SessionOutput::Index}) {
    output = candidate;
    if (g_str_equal(text, output_name(candidate)))
      return true;
  }
  return set_session_error(error, CPS_SESSION_ERROR_OPTION,
                           std::string("output is \"") + text + "\"; it must be patches, frames or index.");
}

// Options of time are in seconds and may be fractions.
static bool read_seconds(const std::string &name, const char *text, double &seconds, GError **error) {
  gchar *end = nullptr;
  seconds = g_ascii_strtod(text, &end);
  if (*text && *end == '\0' && seconds >= 0 && seconds <= kMaxSeconds)
    return true;
  return set_session_error(error, CPS_SESSION_ERROR_OPTION,
                           name + " is \"" + text + "\"; it must be a number of seconds from 0 to 1000000000.");
}

static bool read_background(const char *text, bool &background, GError **error) {
  background = g_str_equal(text, "true");
  return background || g_str_equal(text, "false") ||
         set_session_error(error, CPS_SESSION_ERROR_OPTION,
                           std::string("background is \"") + text + "\"; it must be true or false.");
}

static bool read_option(const std::string &name, const char *text, SessionOptions &options, GError **error) {
  if (name == "output")
    return read_output(text, options.output, error);
  if (name == "timeout")
    return read_seconds(name, text, options.limits.timeout, error);
  if (name == "stall-timeout")
    return read_seconds(name, text, options.limits.stall, error);
  if (name == "background")
    return read_background(text, options.background, error);
  options.settings.emplace_back(name, text);
  return true;
}

bool read_options(const gchar *const *list, SessionOptions &options, GError **error) {
  for (; list && *list; list += 2) {
    const std::string name = property_name(list[0]);
    if (!list[1])
      return set_session_error(error, CPS_SESSION_ERROR_OPTION, "The option \"" + name + "\" has no value.");
    if (!read_option(name, list[1], options, error))
      return false;
  }
  return true;
}

// Properties

// Looks up a session option by property name; nullptr if there is none. Not options: properties inherited from
// GstElement and GstBin; uri, stream, index and index-only, which the session sets; cuda-device-id, because the bins
// have their own properties for devices; and timeout, which the session itself handles.
static GParamSpec *find_property(GObjectClass *type, const std::string &name) {
  if (name.find(':') != std::string::npos) // g_object_class_find_property() would accept "CpsStreamBin::uri"
    return nullptr;
  GParamSpec *spec = g_object_class_find_property(type, name.c_str());
  const char *const hidden_ones[] = {"uri", "stream", "index", "index-only", "cuda-device-id", "timeout"};
  const bool hidden = std::find(std::begin(hidden_ones), std::end(hidden_ones), name) != std::end(hidden_ones);
  return spec && !hidden && !g_type_is_a(GST_TYPE_BIN, spec->owner_type) ? spec : nullptr;
}

// True if an element of the other output has this option. The elements are created for the check, because the pipeline
// does not contain them.
static bool other_output_has(SessionOutput other, const std::string &name) {
  const std::vector<const char *> &elements = elements_of(other);
  return std::any_of(elements.begin(), elements.end(), [&](const char *factory_name) {
    const Owned<GstElement> element(gst_element_factory_make(factory_name, nullptr));
    return element && find_property(G_OBJECT_GET_CLASS(element.get()), name);
  });
}

// The range of an integer property.
struct IntegerRange {
  gint64 minimum;
  guint64 maximum;
};

template <typename Spec> static IntegerRange range_of(const Spec *spec) {
  return {static_cast<gint64>(spec->minimum), static_cast<guint64>(spec->maximum)};
}

static std::optional<IntegerRange> integer_range(const GParamSpec *spec) {
  if (G_IS_PARAM_SPEC_INT(spec))
    return range_of(G_PARAM_SPEC_INT(spec));
  if (G_IS_PARAM_SPEC_UINT(spec))
    return range_of(G_PARAM_SPEC_UINT(spec));
  if (G_IS_PARAM_SPEC_INT64(spec))
    return range_of(G_PARAM_SPEC_INT64(spec));
  if (G_IS_PARAM_SPEC_UINT64(spec))
    return range_of(G_PARAM_SPEC_UINT64(spec));
  return std::nullopt;
}

static std::string enum_nicks(const GEnumClass *type) {
  std::string nicks;
  for (guint i = 0; i < type->n_values; i++)
    nicks += (i == 0 ? "" : i + 1 == type->n_values ? " or " : ", ") + std::string(type->values[i].value_nick);
  return nicks;
}

// The valid values of the property, in words that follow "it must be".
static std::string allowed_values(const GParamSpec *spec) {
  if (const std::optional<IntegerRange> range = integer_range(spec))
    return "an integer from " + std::to_string(range->minimum) + " to " + std::to_string(range->maximum);
  if (G_IS_PARAM_SPEC_DOUBLE(spec))
    return "a number from " + json_number(G_PARAM_SPEC_DOUBLE(spec)->minimum) + " to " +
           json_number(G_PARAM_SPEC_DOUBLE(spec)->maximum);
  if (G_IS_PARAM_SPEC_BOOLEAN(spec))
    return "true or false";
  if (G_IS_PARAM_SPEC_ENUM(spec))
    return enum_nicks(G_PARAM_SPEC_ENUM(spec)->enum_class);
  if (GST_IS_PARAM_SPEC_FRACTION(spec)) {
    const GstParamSpecFraction *fraction = GST_PARAM_SPEC_FRACTION(spec);
    return "a fraction from " + std::to_string(fraction->min_num) + "/" + std::to_string(fraction->min_den) + " to " +
           std::to_string(fraction->max_num) + "/" + std::to_string(fraction->max_den);
  }
  if (GST_IS_PARAM_SPEC_ARRAY_LIST(spec)) {
    const GParamSpec *element = GST_PARAM_SPEC_ARRAY_LIST(spec)->element_spec;
    return "a list such as <1, 2, 3>" + (element ? ", each of it " + allowed_values(element) : "");
  }
  return std::string("a ") + g_type_name(G_PARAM_SPEC_VALUE_TYPE(spec));
}

// Parses a 64-bit integer, because GStreamer truncates values that do not fit a smaller type.
static bool parse_integer(const IntegerRange &range, const std::string &text, GValue *value) {
  const bool negative = text.find('-') != std::string::npos;
  GValue wide = G_VALUE_INIT;
  g_value_init(&wide, negative ? G_TYPE_INT64 : G_TYPE_UINT64);
  bool good = gst_value_deserialize(&wide, text.c_str());
  if (good && negative)
    good = g_value_get_int64(&wide) <= 0 && g_value_get_int64(&wide) >= range.minimum;
  else if (good)
    good = g_value_get_uint64(&wide) <= range.maximum &&
           (range.minimum <= 0 || g_value_get_uint64(&wide) >= static_cast<guint64>(range.minimum));
  good = good && g_value_transform(&wide, value);
  g_value_unset(&wide);
  return good;
}

static bool parse_value(GParamSpec *spec, const std::string &text, GValue *value);

static std::string trim(const std::string &text) {
  const size_t begin = text.find_first_not_of(' ');
  return begin == std::string::npos ? "" : text.substr(begin, text.find_last_not_of(' ') + 1 - begin);
}

// Parses "<a, b, c>", with each element in the syntax of a property of the element's type.
static bool parse_array(GParamSpec *element, const std::string &text, GValue *value) {
  if (text.size() < 2 || text.front() != '<' || text.back() != '>')
    return false;
  const std::string list = trim(text.substr(1, text.size() - 2));
  for (size_t at = 0, end = 0; !list.empty() && end != std::string::npos; at = end + 1) {
    end = list.find(',', at);
    GValue item = G_VALUE_INIT;
    g_value_init(&item, G_PARAM_SPEC_VALUE_TYPE(element));
    const bool good = parse_value(element, trim(list.substr(at, end == std::string::npos ? end : end - at)), &item);
    if (good)
      gst_value_array_append_value(value, &item);
    g_value_unset(&item);
    if (!good)
      return false;
  }
  return true;
}

// Returns true if the text is a valid value of the property.
static bool parse_value(GParamSpec *spec, const std::string &text, GValue *value) {
  if (text.empty())
    return false;
  if (const std::optional<IntegerRange> range = integer_range(spec))
    return parse_integer(*range, text, value);
  if (GST_IS_PARAM_SPEC_ARRAY_LIST(spec) && GST_PARAM_SPEC_ARRAY_LIST(spec)->element_spec)
    return parse_array(GST_PARAM_SPEC_ARRAY_LIST(spec)->element_spec, text, value);
  if (!gst_value_deserialize_with_pspec(value, text.c_str(), spec))
    return false;
  if (G_VALUE_HOLDS_DOUBLE(value) && std::isnan(g_value_get_double(value)))
    return false;
  return !g_param_value_validate(spec, value); // it returns true if the value was out of range
}

static bool set_property(GstElement *element, GParamSpec *spec, const std::string &text, GError **error) {
  if (!(spec->flags & G_PARAM_WRITABLE))
    return set_session_error(error, CPS_SESSION_ERROR_OPTION,
                             std::string("\"") + spec->name + "\" can be read, but not set.");
  GValue value = G_VALUE_INIT;
  g_value_init(&value, G_PARAM_SPEC_VALUE_TYPE(spec));
  const bool good = parse_value(spec, text, &value);
  if (good)
    g_object_set_property(G_OBJECT(element), spec->name, &value);
  g_value_unset(&value);
  return good ||
         set_session_error(error, CPS_SESSION_ERROR_OPTION,
                           std::string(spec->name) + " is \"" + text + "\"; it must be " + allowed_values(spec) + ".");
}

bool apply_options(const SessionOptions &options, const std::vector<GstElement *> &elements, GError **error) {
  g_object_set(elements[0], "stall-timeout", options.limits.stall, nullptr);
  for (const auto &[name, text] : options.settings) {
    GParamSpec *spec = nullptr;
    const auto owner = std::find_if(elements.begin(), elements.end(), [&, &key = name](GstElement *element) {
      return (spec = find_property(G_OBJECT_GET_CLASS(element), key)) != nullptr;
    });
    if (owner == elements.end()) {
      const SessionOutput other = other_output(options.output);
      return set_session_error(error, CPS_SESSION_ERROR_OPTION,
                               other_output_has(other, name)
                                   ? "The option \"" + name + "\" goes with output=" + output_name(other) +
                                         ", not with output=" + output_name(options.output) + "."
                                   : "There is no option \"" + name + "\".");
    }
    if (!set_property(*owner, spec, text, error))
      return false;
  }
  return true;
}

gchar *option_text(const std::vector<GstElement *> &elements, const char *name) {
  for (GstElement *element : elements) {
    GParamSpec *spec = find_property(G_OBJECT_GET_CLASS(element), property_name(name));
    if (!spec || !(spec->flags & G_PARAM_READABLE))
      continue;
    GValue value = G_VALUE_INIT;
    g_value_init(&value, G_PARAM_SPEC_VALUE_TYPE(spec));
    g_object_get_property(G_OBJECT(element), spec->name, &value);
    gchar *text = g_strdup(value_text(&value).c_str());
    g_value_unset(&value);
    return text;
  }
  return nullptr;
}

} // namespace cps
