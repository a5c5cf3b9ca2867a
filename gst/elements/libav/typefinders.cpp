// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/libav/typefinders.h"

#include <cstring>

namespace cps {

namespace {

struct Signature {
  const char *name, *media;
  guint size;
  bool (*matches)(const guint8 *data);
};

// Two letters, the kind of the packet, its number and a constant. Needed because the video looks like plain MPEG.
bool is_pva(const guint8 *data) {
  return memcmp(data, "AV", 2) == 0 && (data[2] == 1 || data[2] == 2) && data[4] == 0x55;
}

// A GUID. Needed because the audio inside looks like plain MPEG.
bool is_wtv(const guint8 *data) {
  static constexpr guint8 kGuid[] = {0xb7, 0xd8, 0x00, 0x20, 0x37, 0x49, 0xda, 0x11,
                                     0xa6, 0x4e, 0x00, 0x07, 0xe9, 0x5e, 0xad, 0x8d};
  return memcmp(data, kGuid, sizeof kGuid) == 0;
}

constexpr Signature kSignatures[] = {
    {"cps-pva", "application/x-pva", 5, is_pva},
    {"cps-wtv", "application/x-wtv", 16, is_wtv},
};

void look(GstTypeFind *find, gpointer data) {
  const auto *signature = static_cast<const Signature *>(data);
  const guint8 *start = gst_type_find_peek(find, 0, signature->size);
  if (start && signature->matches(start))
    gst_type_find_suggest_simple(find, GST_TYPE_FIND_MAXIMUM, signature->media, nullptr, nullptr);
}

} // namespace

gboolean register_type_finders(GstPlugin *plugin) {
  gboolean registered = TRUE;
  for (const Signature &signature : kSignatures) {
    GstCaps *caps = gst_caps_new_empty_simple(signature.media);
    registered &= gst_type_find_register(plugin, signature.name, GST_RANK_PRIMARY, look, nullptr, caps,
                                         const_cast<Signature *>(&signature), nullptr);
    gst_caps_unref(caps);
  }
  return registered;
}

} // namespace cps
