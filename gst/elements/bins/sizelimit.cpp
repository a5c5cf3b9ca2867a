// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/bins/sizelimit.h"

#include "gst/bitstream/picturesize.h"
#include "gst/common/readmap.h"
#include "gst/elements/common/upstream.h"

#include <algorithm>

namespace cps {

SizeLimit size_limit(GstBin *bin, guint64 max_source_pixels, GstPad *video) {
  if (max_source_pixels > 0)
    return {bin, max_source_pixels, false};
  const guint64 bytes = source_bytes(video); // G_MAXUINT64 if unknown
  const guint64 more = std::min(bytes, kMostPixels / kPixelsPerByte) * kPixelsPerByte;
  return {bin, std::min(kMostPixels, kPixelsOfSmallest + more), true};
}

Size coded_size(const GstCaps *caps) {
  Size size;
  if (gst_caps_is_any(caps) || gst_caps_is_empty(caps))
    return size;
  const GstStructure *media = gst_caps_get_structure(caps, 0);
  gst_structure_get_int(media, "width", &size.width);
  gst_structure_get_int(media, "height", &size.height);
  return size;
}

bool check_size(const SizeLimit &limit, Size size) {
  const guint64 pixels = static_cast<guint64>(std::max(size.width, 0)) * static_cast<guint64>(std::max(size.height, 0));
  if (pixels <= limit.pixels)
    return true;
  GST_ELEMENT_ERROR(limit.bin, STREAM, FORMAT,
                    ("The video is of %dx%d pixels, more than max-source-pixels, which is %" G_GUINT64_FORMAT "%s.",
                     size.width, size.height, limit.pixels,
                     limit.by_default ? " by default for a source of this many bytes: set it to read this" : ""),
                    (nullptr));
  return false;
}

namespace {

struct Watch {
  SizeLimit limit;
  ReadPictureSize read = nullptr; // for the current caps
  bool refused = false;
};

bool check_picture(const Watch &watch, GstBuffer *buffer) {
  if (!watch.read)
    return true;
  const ReadMap map(buffer);
  const PictureSize size = map ? watch.read(map.data(), map.size()) : PictureSize();
  const auto side = [](uint32_t pixels) { return static_cast<int>(std::min<uint32_t>(pixels, G_MAXINT)); };
  return check_size(watch.limit, {side(size.width), side(size.height)});
}

GstPadProbeReturn look(GstPad *, GstPadProbeInfo *info, gpointer data) {
  auto &watch = *static_cast<Watch *>(data);
  if (info->type & GST_PAD_PROBE_TYPE_BUFFER) {
    watch.refused = watch.refused || !check_picture(watch, GST_PAD_PROBE_INFO_BUFFER(info));
    return watch.refused ? refuse_buffer(info, GST_FLOW_ERROR) : GST_PAD_PROBE_OK;
  }
  GstEvent *event = GST_PAD_PROBE_INFO_EVENT(info);
  if (GST_EVENT_TYPE(event) != GST_EVENT_CAPS)
    return GST_PAD_PROBE_OK;
  GstCaps *caps = nullptr;
  gst_event_parse_caps(event, &caps);
  watch.read = picture_size_reader(caps);
  watch.refused = watch.refused || !check_size(watch.limit, coded_size(caps));
  return watch.refused ? GST_PAD_PROBE_DROP : GST_PAD_PROBE_OK;
}

} // namespace

void watch_size(const SizeLimit &limit, GstPad *pad) {
  const auto free = [](gpointer watch) { delete static_cast<Watch *>(watch); };
  const Owned<GstCaps> caps(gst_pad_get_current_caps(pad));
  auto watch = std::make_unique<Watch>(Watch{limit});
  if (caps)
    watch->read = picture_size_reader(caps.get());
  gst_pad_add_probe(pad, static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM),
                    look, watch.release(), free);
}

} // namespace cps
