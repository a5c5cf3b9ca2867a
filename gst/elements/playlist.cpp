// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/playlist.h"

namespace cps {

const char *playlist_name(const GstCaps *caps) {
  static const struct {
    const char *type, *name;
  } kPlaylists[] = {
      {"application/x-hls", "an HLS playlist"},
      {"application/dash+xml", "a DASH manifest"},
      {"application/vnd.ms-sstr+xml", "a Smooth Streaming manifest"},
      {"application/sdp", "a session description (SDP)"},
      {"application/x-sdp", "a session description (SDP)"},
      {"text/uri-list", "a list of URIs"},
  };
  if (gst_caps_is_any(caps) || gst_caps_is_empty(caps))
    return nullptr;
  for (const auto &playlist : kPlaylists)
    if (gst_structure_has_name(gst_caps_get_structure(caps, 0), playlist.type))
      return playlist.name;
  return nullptr;
}

} // namespace cps
