// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/common/memorylimit.h"

#include "gst/elements/common/options.h"

namespace cps {

static const char *const kRoomQuery = "CpsRoom";

GParamSpec *max_memory_spec() {
  return g_param_spec_uint64(
      "max-memory", "Maximum memory",
      "Bytes that the tensors of a clip, and what is kept of its frames until then, may take (0 = no limit)", 0,
      G_MAXUINT64, kMaxMemory,
      static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING));
}

guint64 product(std::initializer_list<guint64> factors) {
  guint64 result = 1;
  bool overflows = false;
  for (const guint64 factor : factors) {
    if (factor == 0)
      return 0;
    overflows |= !g_uint64_checked_mul(&result, result, factor);
  }
  return overflows ? G_MAXUINT64 : result;
}

guint64 sum(guint64 a, guint64 b) {
  guint64 result = 0;
  return g_uint64_checked_add(&result, a, b) ? result : G_MAXUINT64;
}

bool fits_memory(const GstStructure *options, guint64 bytes, guint length, ElementError &error) {
  const guint64 most = option_uint64(options, "max-memory");
  if (most == 0 || bytes <= most)
    return true;
  return set_error(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT,
                   "A clip of " + std::to_string(length) + " frames needs " + std::to_string(bytes) +
                       " bytes of memory, more than max-memory, which is " + std::to_string(most) +
                       ": sample fewer frames, make them smaller, or allow more.");
}

bool has_room(GstPad *srcpad, guint length) {
  const Owned<GstQuery> query(
      gst_query_new_custom(GST_QUERY_CUSTOM, gst_structure_new(kRoomQuery, "length", G_TYPE_UINT, length, "fits",
                                                               G_TYPE_BOOLEAN, TRUE, nullptr)));
  gst_pad_peer_query(srcpad, query.get());
  gboolean fits = TRUE;
  gst_structure_get_boolean(gst_query_get_structure(query.get()), "fits", &fits);
  return fits;
}

guint room_query_length(GstQuery *query) {
  const GstStructure *structure = gst_query_get_structure(query);
  guint length = 0;
  if (GST_QUERY_TYPE(query) == GST_QUERY_CUSTOM && structure && gst_structure_has_name(structure, kRoomQuery))
    gst_structure_get_uint(structure, "length", &length);
  return length;
}

void refuse_room(GstQuery *query) {
  gst_structure_set(gst_query_writable_structure(query), "fits", G_TYPE_BOOLEAN, FALSE, nullptr);
}

} // namespace cps
