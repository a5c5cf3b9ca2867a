// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/search/videotrack.h"

#include "gst/elements/common/upstream.h"

#include <algorithm>
#include <gst/pbutils/pbutils.h>
#include <set>
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

struct Track {
  GstPad *pad; // cppcheck-suppress unusedStructMember ; read through an iterator
  GstStreamFlags flags;
  size_t pictures; // counted at kMoments moments
  gint64 area;
};

constexpr gint64 kMoments = 32;

// Counts the pictures at kMoments moments of the track; 0 if the demuxer does not report their positions. Most demuxers
// do not report the number of pictures, and no rate if it varies.
size_t count_pictures(GstPad *pad, gint64 duration) {
  std::set<gint64> offsets;
  for (gint64 i = 0; i < kMoments; i++) {
    gint64 offset = 0;
    if (gst_pad_query_convert(pad, GST_FORMAT_TIME, i * (duration / kMoments), GST_FORMAT_BYTES, &offset))
      offsets.insert(offset);
  }
  return offsets.size();
}

// The same from a frame rate; kMoments if that is unknown.
size_t count_by_rate(const GstStructure *video, gint64 duration) {
  gint n = 0, d = 1;
  if (!gst_structure_get_fraction(video, "framerate", &n, &d) || n <= 0 || d <= 0)
    return kMoments;
  const guint64 pictures = gst_util_uint64_scale(static_cast<guint64>(duration), static_cast<guint64>(n),
                                                 static_cast<guint64>(d) * GST_SECOND);
  return static_cast<size_t>(std::min<guint64>(pictures, kMoments));
}

// Uses the container's data, because a parser may know only the pictures, or not even those yet.
Track track_of(GstPad *pad) {
  const Owned<GstStream> stream(gst_pad_get_stream(pad));
  const Owned<GstPad> demuxed = demuxer_pad(pad);
  GstPad *source = demuxed ? demuxed.get() : pad;
  Track track{pad, stream ? gst_stream_get_stream_flags(stream.get()) : GST_STREAM_FLAG_NONE, kMoments, 0};
  const Owned<GstCaps> caps = stream_caps(source);
  if (gst_caps_is_empty(caps.get()))
    return track;
  const GstStructure *video = gst_caps_get_structure(caps.get(), 0);
  gint width = 0, height = 0;
  gst_structure_get_int(video, "width", &width);
  gst_structure_get_int(video, "height", &height);
  track.area = static_cast<gint64>(width) * height;
  gint64 duration = 0;
  if (gst_pad_query_duration(source, GST_FORMAT_TIME, &duration) && duration > 0) {
    const size_t pictures = count_pictures(source, duration);
    track.pictures = pictures > 0 ? pictures : count_by_rate(video, duration);
  }
  return track;
}

} // namespace

GstPad *best_video(const std::vector<Owned<GstPad>> &videos) {
  if (videos.size() == 1)
    return videos[0].get();
  std::vector<Track> tracks;
  size_t most = 0;
  for (const Owned<GstPad> &pad : videos) {
    tracks.push_back(track_of(pad.get()));
    most = std::max(most, tracks.back().pictures);
  }
  // Stills that accompany a film, such as the large ones of phones, are few over the same time.
  constexpr size_t kTimesMore = 4;
  const auto merit = [most](const Track &track) { // in the order of preference
    return std::make_tuple(track.pictures * kTimesMore > most, !(track.flags & GST_STREAM_FLAG_UNSELECT),
                           (track.flags & GST_STREAM_FLAG_SELECT) != 0, track.area);
  };
  const auto best = std::max_element(tracks.begin(), tracks.end(),
                                     [&](const Track &a, const Track &b) { return merit(a) < merit(b); });
  return best == tracks.end() ? nullptr : best->pad;
}

std::string describe_caps(const GstCaps *caps) {
  if (gst_caps_is_fixed(caps))
    if (const Owned<gchar> text{gst_pb_utils_get_codec_description(caps)})
      return text.get();
  const Owned<gchar> text(gst_caps_to_string(caps));
  return text.get();
}

} // namespace cps
