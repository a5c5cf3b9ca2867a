// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/bins/formatbridge.h"

#include "gst/elements/common/dynamicelements.h"
#include "gst/elements/common/picture.h"

namespace cps {

// The targets of conversion: some of the formats that the kernels read, those with fewer bits and less chroma first.
static constexpr GstVideoFormat kReadable[] = {
    GST_VIDEO_FORMAT_GRAY8,     GST_VIDEO_FORMAT_GRAY16_LE, GST_VIDEO_FORMAT_YUV9,      GST_VIDEO_FORMAT_Y41B,
    GST_VIDEO_FORMAT_I420,      GST_VIDEO_FORMAT_Y42B,      GST_VIDEO_FORMAT_Y444,      GST_VIDEO_FORMAT_I420_10LE,
    GST_VIDEO_FORMAT_I422_10LE, GST_VIDEO_FORMAT_Y444_10LE, GST_VIDEO_FORMAT_I420_12LE, GST_VIDEO_FORMAT_I422_12LE,
    GST_VIDEO_FORMAT_Y444_12LE, GST_VIDEO_FORMAT_P016_LE,   GST_VIDEO_FORMAT_Y444_16LE, GST_VIDEO_FORMAT_RGB,
    GST_VIDEO_FORMAT_RGBA,      GST_VIDEO_FORMAT_GBR_10LE,  GST_VIDEO_FORMAT_GBR_12LE,  GST_VIDEO_FORMAT_ARGB64_LE,
};

// 5, 6 and 5 bits count as 6. A palette index counts as 8, the depth of its colours.
static guint depth_of(const GstVideoFormatInfo *format) {
  guint depth = 0;
  for (guint c = 0; c < std::min(3u, GST_VIDEO_FORMAT_INFO_N_COMPONENTS(format)); c++)
    if (!GST_VIDEO_FORMAT_INFO_HAS_PALETTE(format) || c == 0)
      depth = std::max(depth, guint{GST_VIDEO_FORMAT_INFO_DEPTH(format, c)});
  return depth;
}

static bool holds(const GstVideoFormatInfo *to, const GstVideoFormatInfo *from) {
  if (GST_VIDEO_FORMAT_INFO_IS_RGB(to) != GST_VIDEO_FORMAT_INFO_IS_RGB(from) ||
      GST_VIDEO_FORMAT_INFO_IS_GRAY(to) != GST_VIDEO_FORMAT_INFO_IS_GRAY(from) || depth_of(to) < depth_of(from))
    return false;
  return !GST_VIDEO_FORMAT_INFO_IS_YUV(from) ||
         (GST_VIDEO_FORMAT_INFO_W_SUB(to, 1) <= GST_VIDEO_FORMAT_INFO_W_SUB(from, 1) &&
          GST_VIDEO_FORMAT_INFO_H_SUB(to, 1) <= GST_VIDEO_FORMAT_INFO_H_SUB(from, 1));
}

GstVideoFormat readable_format(GstVideoFormat format, const std::function<bool(GstVideoFormat)> &is_read) {
  if (is_read(format))
    return format;
  const GstVideoFormatInfo *from = gst_video_format_get_info(format);
  for (const GstVideoFormat to : kReadable)
    if (holds(gst_video_format_get_info(to), from) && is_read(to))
      return to;
  return GST_VIDEO_FORMAT_UNKNOWN;
}

namespace {

struct Bridge {
  GstBin *bin;
  GstElement *decoder; // owns the pad of the probe
  GstElement *sampler;
  GstPad *srcpad;
  Owned<GstPad> reader; // the pad that the sampler was linked to
  bool is_ghost;        // `reader` is the inner side of `srcpad`
  GstElement *filter;   // after the videoconvert; nullptr until that exists

  bool build();
  Owned<GstCaps> see(GstCaps *caps);
};

Owned<GstCaps> with_format(const GstCaps *caps, GstVideoFormat format) {
  Owned<GstCaps> copy(gst_caps_copy(caps));
  gst_caps_set_simple(copy.get(), "format", G_TYPE_STRING, gst_video_format_to_string(format), nullptr);
  return copy;
}

// Sets the matrix explicitly, because videoconvert, like all of GStreamer 1.22, drops the range if the matrix is
// unknown.
Owned<GstCaps> with_matrix(const GstCaps *caps, const GstVideoInfo &info) {
  Owned<GstCaps> copy(gst_caps_copy(caps));
  const GstVideoColorimetry colorimetry = stream_colorimetry(info);
  if (const Owned<gchar> text{gst_video_colorimetry_to_string(&colorimetry)})
    gst_caps_set_simple(copy.get(), "colorimetry", G_TYPE_STRING, text.get(), nullptr);
  return copy;
}

// Inserts a videoconvert and a filter between sampler and reader. Returns false after posting an error.
bool Bridge::build() {
  GstElement *convert = make_part(bin, "videoconvert");
  filter = convert ? make_part(bin, "capsfilter") : nullptr;
  if (!filter)
    return false;
  gst_util_set_object_arg(G_OBJECT(convert), "dither", "none"); // because the conversion only adds bits
  const Owned<GstPad> sampled(gst_element_get_static_pad(sampler, "src")),
      converted(gst_element_get_static_pad(filter, "src"));
  if (is_ghost)
    gst_ghost_pad_set_target(GST_GHOST_PAD(srcpad), converted.get());
  else if (gst_pad_unlink(sampled.get(), reader.get()))
    gst_pad_link(converted.get(), reader.get());
  const bool linked = gst_element_link(convert, filter) && gst_element_link(sampler, convert);
  return gst_element_sync_state_with_parent(filter) && gst_element_sync_state_with_parent(convert) && linked;
}

// Returns the caps to send to the sampler; nullptr after posting an error.
Owned<GstCaps> Bridge::see(GstCaps *caps) {
  GstVideoInfo info;
  Owned<GstCaps> same(gst_caps_ref(caps));
  const GstCapsFeatures *memory = gst_caps_get_features(caps, 0);
  if (!gst_caps_features_is_equal(memory, GST_CAPS_FEATURES_MEMORY_SYSTEM_MEMORY) || !video_info_from_caps(info, caps))
    return same;
  const GstVideoFormat format = GST_VIDEO_INFO_FORMAT(&info);
  if (format == GST_VIDEO_FORMAT_ARGB64 && is_made_by(decoder, "pngdec")) {
    GST_ELEMENT_ERROR(bin, STREAM, FORMAT,
                      ("PNG of 16 bits cannot be read: pngdec puts its samples in the wrong places. Convert the file "
                       "to 8 bits."),
                      (nullptr));
    return nullptr;
  }
  const GstVideoFormat read = readable_format(format, [&](GstVideoFormat one) {
    return gst_pad_query_accept_caps(reader.get(), with_format(caps, one).get());
  });
  if (read == GST_VIDEO_FORMAT_UNKNOWN || (read == format && !filter) || (!filter && !build()))
    return same; // if no element accepts the caps, the sampler posts the error
  GST_INFO_OBJECT(bin, "%s is read as %s", gst_video_format_to_string(format), gst_video_format_to_string(read));
  const Owned<GstCaps> wanted(
      gst_caps_new_simple("video/x-raw", "format", G_TYPE_STRING, gst_video_format_to_string(read), nullptr));
  g_object_set(filter, "caps", wanted.get(), nullptr);
  return with_matrix(caps, info);
}

GstPadProbeReturn see_event(GstPad *, GstPadProbeInfo *info, gpointer data) {
  GstEvent *event = GST_PAD_PROBE_INFO_EVENT(info);
  if (GST_EVENT_TYPE(event) != GST_EVENT_CAPS)
    return GST_PAD_PROBE_OK;
  GstCaps *caps;
  gst_event_parse_caps(event, &caps);
  const Owned<GstCaps> seen = static_cast<Bridge *>(data)->see(caps);
  if (!seen)
    return GST_PAD_PROBE_DROP;
  if (seen.get() != caps) {
    GST_PAD_PROBE_INFO_DATA(info) = gst_event_new_caps(seen.get());
    gst_event_unref(event);
  }
  return GST_PAD_PROBE_OK;
}

} // namespace

void bridge_formats(GstBin *bin, GstElement *sampler, GstPad *srcpad) {
  const Owned<GstPad> sink(gst_element_get_static_pad(sampler, "sink")),
      src(gst_element_get_static_pad(sampler, "src"));
  // The probe is on the pad of a part, because parts are removed with the stream and the sampler is not.
  const Owned<GstPad> decoded(gst_pad_get_peer(sink.get()));
  Owned<GstPad> reader(gst_pad_get_peer(src.get()));
  const Owned<GstPad> target(gst_ghost_pad_get_target(GST_GHOST_PAD(srcpad)));
  // cppcheck-suppress mismatchingContainers ; they are pads
  const bool ends_here = target.get() == src.get();
  auto *bridge = new Bridge{bin, GST_PAD_PARENT(decoded.get()), sampler, srcpad, std::move(reader), ends_here, nullptr};
  gst_pad_add_probe(decoded.get(), GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, see_event, bridge,
                    [](gpointer data) { delete static_cast<Bridge *>(data); });
}

} // namespace cps
