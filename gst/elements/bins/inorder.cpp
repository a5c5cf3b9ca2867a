// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/bins/inorder.h"

#include "gst/codecpatch/cpsframemeta.h"
#include "gst/elements/common/elementtools.h"

#include <deque>
#include <memory>
#include <mutex>
#include <optional>

namespace cps {

namespace {

// The identities of the pictures that a decoder holds.
struct Identities {
  std::mutex mutex;
  std::deque<std::optional<CpsFrameMeta>> pending; // nullopt for a picture without identity
};
using Shared = std::shared_ptr<Identities>;

GstPadProbeReturn on_picture(GstPad *, GstPadProbeInfo *info, gpointer data) {
  Identities &identities = **static_cast<Shared *>(data);
  const std::lock_guard<std::mutex> lock(identities.mutex);
  if (GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER) {
    const CpsFrameMeta *meta = cps_buffer_get_frame_meta(GST_PAD_PROBE_INFO_BUFFER(info));
    identities.pending.push_back(meta ? std::make_optional(*meta) : std::nullopt);
  } else if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_FLUSH_STOP) {
    identities.pending.clear();
  }
  return GST_PAD_PROBE_OK;
}

GstPadProbeReturn on_frame(GstPad *, GstPadProbeInfo *info, gpointer data) {
  Identities &identities = **static_cast<Shared *>(data);
  const std::lock_guard<std::mutex> lock(identities.mutex);
  if (identities.pending.empty())
    return GST_PAD_PROBE_OK;
  const std::optional<CpsFrameMeta> own = identities.pending.front();
  identities.pending.pop_front();
  GstBuffer *frame = gst_buffer_make_writable(GST_PAD_PROBE_INFO_BUFFER(info));
  GST_PAD_PROBE_INFO_DATA(info) = frame;
  if (CpsFrameMeta *meta = cps_buffer_get_frame_meta(frame))
    gst_buffer_remove_meta(frame, &meta->meta);
  if (own)
    cps_buffer_add_frame_meta(frame, own->frame_id, own->total, own->pts, own->flags);
  return GST_PAD_PROBE_OK;
}

void watch(GstElement *decoder, const char *name, int type, GstPadProbeCallback callback, const Shared &identities) {
  const Owned<GstPad> pad(gst_element_get_static_pad(decoder, name));
  const auto release = [](gpointer data) { delete static_cast<Shared *>(data); };
  gst_pad_add_probe(pad.get(), static_cast<GstPadProbeType>(type), callback, new Shared(identities), release);
}

} // namespace

bool loses_identities(const GstCaps *caps) {
  const GstStructure *stream = gst_caps_get_structure(caps, 0);
  return gst_structure_has_name(stream, "image/gst-libav-gif") ||
         (gst_structure_has_name(stream, "video/x-rle") &&
          g_strcmp0(gst_structure_get_string(stream, "layout"), "quicktime") == 0);
}

void keep_identities(GstElement *decoder) {
  const auto identities = std::make_shared<Identities>();
  watch(decoder, "sink", GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_FLUSH, on_picture, identities);
  watch(decoder, "src", GST_PAD_PROBE_TYPE_BUFFER, on_frame, identities);
}

} // namespace cps
