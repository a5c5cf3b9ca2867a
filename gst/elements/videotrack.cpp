// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/videotrack.h"

#include <gst/pbutils/pbutils.h>
#include <tuple>

namespace cps {

Owned<GstCaps> stream_caps(GstPad *pad) {
  if (GstCaps *caps = gst_pad_get_current_caps(pad))
    return Owned<GstCaps>(caps);
  return Owned<GstCaps>(gst_pad_query_caps(pad, nullptr));
}

bool is_video(const GstCaps *caps) {
  if (gst_caps_is_empty(caps) || gst_caps_is_any(caps))
    return false;
  const char *media = gst_structure_get_name(gst_caps_get_structure(caps, 0));
  return g_str_has_prefix(media, "video/") || g_str_has_prefix(media, "image/");
}

namespace {

// In the order of preference.
using Merit = std::tuple<bool, bool, gint64>;

Merit merit(GstPad *pad) {
  const Owned<GstStream> stream(gst_pad_get_stream(pad));
  const GstStreamFlags flags = stream ? gst_stream_get_stream_flags(stream.get()) : GST_STREAM_FLAG_NONE;
  const Owned<GstCaps> caps = stream_caps(pad);
  gint width = 0, height = 0;
  if (!gst_caps_is_empty(caps.get())) {
    const GstStructure *video = gst_caps_get_structure(caps.get(), 0);
    gst_structure_get_int(video, "width", &width);
    gst_structure_get_int(video, "height", &height);
  }
  return {!(flags & GST_STREAM_FLAG_UNSELECT), flags & GST_STREAM_FLAG_SELECT, static_cast<gint64>(width) * height};
}

} // namespace

GstPad *best_video(const std::vector<Owned<GstPad>> &videos) {
  GstPad *best = nullptr;
  Merit most;
  for (const Owned<GstPad> &pad : videos) {
    const Merit own = merit(pad.get());
    if (!best || own > most) {
      best = pad.get();
      most = own;
    }
  }
  return best;
}

std::string describe(const GstCaps *caps) {
  if (gst_caps_is_fixed(caps))
    if (const Owned<gchar> text{gst_pb_utils_get_codec_description(caps)})
      return text.get();
  const Owned<gchar> text(gst_caps_to_string(caps));
  return text.get();
}

} // namespace cps
