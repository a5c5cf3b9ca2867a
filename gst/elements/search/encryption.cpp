// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/search/encryption.h"

#include <cstring>

namespace cps {

static const char *const kOriginal = "original-media-type";
static const char *const kScheme = "cipher-mode";

bool is_encrypted_video(const GstCaps *caps) {
  if (gst_caps_is_empty(caps) || gst_caps_is_any(caps))
    return false;
  const char *original = gst_structure_get_string(gst_caps_get_structure(caps, 0), kOriginal);
  return original && g_str_has_prefix(original, "video/");
}

std::string encryption_scheme(const GstCaps *caps) {
  const GstStructure *media = gst_caps_get_structure(caps, 0);
  if (const char *scheme = gst_structure_get_string(media, kScheme); scheme && strcmp(scheme, "unknown") != 0)
    return scheme;
  const char *algorithm = gst_structure_get_string(media, "encryption-algorithm"); // in Matroska
  return algorithm ? algorithm : gst_structure_get_name(media);
}

Owned<GstCaps> encrypted_by_request(GstMessage *message) {
  const gchar *type = nullptr;
  if (GST_MESSAGE_TYPE(message) != GST_MESSAGE_NEED_CONTEXT || !gst_message_parse_context_type(message, &type) ||
      strcmp(type, "drm-preferred-decryption-system-id") != 0)
    return nullptr;
  return Owned<GstCaps>(gst_caps_new_simple("application/x-cenc", kOriginal, G_TYPE_STRING, "video/x-unknown", kScheme,
                                            G_TYPE_STRING, "common encryption, cenc or cbcs", nullptr));
}

} // namespace cps
