// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/search/sourcepolicy.h"

#include "gst/common/uritext.h"
#include "gst/elements/search/textreferences.h"

#include <algorithm>
#include <cstring>

namespace cps {

static constexpr size_t kLongest = 200; // bytes of a URI in an error

// URIs

static std::string scheme_of(const std::string &uri) {
  const Owned<gchar> scheme(gst_uri_get_protocol(uri.c_str()));
  const Owned<gchar> lower(scheme ? g_ascii_strdown(scheme.get(), -1) : nullptr);
  return lower ? lower.get() : "";
}

static bool is_allowed(const std::string &list, const std::string &scheme) {
  gchar **names = g_strsplit_set(list.c_str(), ", ", -1);
  bool allowed = false;
  for (gchar **name = names; *name; name++)
    allowed |= strcmp(*name, "*") == 0 || g_ascii_strcasecmp(*name, scheme.c_str()) == 0;
  g_strfreev(names);
  return allowed;
}

std::string check_uri(const SourcePolicy &policy, const std::string &uri) {
  if (uri.empty())
    return "There is nothing to read: set uri.";
  if (!gst_uri_is_valid(uri.c_str()))
    return "uri is \"" + printable_uri(uri) + "\", which is none: that of a file begins with file:///.";
  const std::string scheme = scheme_of(uri);
  if (!is_allowed(policy.schemes, scheme))
    return "uri is \"" + printable_uri(uri) + "\", but allow-uri-schemes is \"" + policy.schemes + "\": add \"" +
           scheme + "\" to read it.";
  const std::string host = scheme == "file" ? uri_authority(uri) : "";
  if (!host.empty() && g_ascii_strcasecmp(host.c_str(), "localhost") != 0)
    return "uri names a file of the machine \"" + host.substr(host.find('@') + 1) +
           "\", and only those of this one are read: file:/// with three slashes.";
  return "";
}

bool comes_once(const std::string &uri) {
  const Owned<gchar> path(g_filename_from_uri(uri.c_str(), nullptr, nullptr));
  return path && !g_file_test(path.get(), G_FILE_TEST_IS_REGULAR);
}

std::string printable_uri(const std::string &uri) {
  std::string printed = without_credentials(uri);
  if (printed.size() > kLongest) // a data: URI contains all of the data
    printed.replace(kLongest, std::string::npos, "...");
  return Owned<gchar>(g_utf8_make_valid(printed.c_str(), -1)).get();
}

// References

static const struct {
  const char *type, *name;
} kReferences[] = {
    {"application/x-hls", "an HLS playlist"},
    {"application/dash+xml", "a DASH manifest"},
    {"application/vnd.ms-sstr+xml", "a Smooth Streaming manifest"},
    {"application/sdp", "a session description (SDP)"},
    {"application/x-sdp", "a session description (SDP)"},
    {"text/uri-list", "a list of URIs"},
    {"application/smil", "a SMIL presentation"},
    {"application/xges", "an editing project"},
    {"application/vnd.apple-xmeml", "an editing project"},
    {"application/vnd.apple-fcp+xml", "an editing project"},
    {"application/vnd.pixar.opentimelineio+json", "an editing project"},
};

const char *reference_name(const GstCaps *caps) {
  if (gst_caps_is_any(caps) || gst_caps_is_empty(caps))
    return nullptr;
  const GstStructure *media = gst_caps_get_structure(caps, 0);
  if (const char *name = text_reference_name(media))
    return name;
  for (const auto &reference : kReferences)
    if (gst_structure_has_name(media, reference.type))
      return reference.name;
  return nullptr;
}

void post_reference_error(GstBin *bin, const std::string &name) {
  GST_ELEMENT_ERROR(bin, STREAM, WRONG_TYPE,
                    ("This is %s, which names other sources: give one of those, or, of HLS, DASH and Smooth Streaming, "
                     "its URL with allow-playlists=true.",
                     name.c_str()),
                    (nullptr));
}

// Decides by the class that elements declare; the list names elements that do not declare it.
bool opens_others(GstElementFactory *factory) {
  static const char *const kNames[] = {"gesdemux",     "sdpdemux",    "avdemux_concat", "avdemux_hls",
                                       "avdemux_dash", "avdemux_imf", "avdemux_sdp",    "avdemux_rtsp"};
  const gchar *klass = gst_element_factory_get_metadata(factory, GST_ELEMENT_METADATA_KLASS);
  const char *name = GST_OBJECT_NAME(factory);
  const auto is = [klass](const char *kind) { return klass && strstr(klass, kind); };
  const bool by_kind = is("Source") || is("Adaptive") || (is("Network") && is("Demuxer")); // depayloaders open nothing
  return by_kind ||
         std::any_of(std::begin(kNames), std::end(kNames), [&](const char *one) { return strcmp(one, name) == 0; });
}

} // namespace cps
