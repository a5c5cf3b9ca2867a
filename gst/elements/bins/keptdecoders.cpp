// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/bins/keptdecoders.h"

#include "gst/elements/common/dynamicelements.h"
#include "gst/elements/common/streamdebug.h"

#include <algorithm>
#include <cstring>
#include <list>
#include <mutex>

#define GST_CAT_DEFAULT cps::stream_debug()

namespace cps {

namespace {

constexpr size_t kMost = 8; // 40 MB each at 1080p

struct Kept {
  std::string format;
  Owned<GstElement> decoder;
};

struct KeptDecoders {
  std::mutex mutex;
  std::list<Kept> all; // oldest first
};

// Never destroyed, because the driver may be gone when a process ends.
KeptDecoders &kept_decoders() {
  static KeptDecoders &decoders = *std::make_unique<KeptDecoders>().release();
  return decoders;
}

// True if the decoder decodes a new stream after a flush, as decoders with GStreamer's parsing base classes do. In
// GStreamer 1.22 these are nv*sldec and nvav1dec; its nv*dec use the driver's parsers.
constexpr const char *kBases[] = {"GstH264Decoder", "GstH265Decoder", "GstVp8Decoder", "GstVp9Decoder",
                                  "GstAV1Decoder"};
bool starts_anew(GstElementFactory *factory) {
  if (strstr(GST_OBJECT_NAME(factory), "sldec"))
    return true;
  const GType own = gst_element_factory_get_element_type(factory);
  return std::any_of(std::begin(kBases), std::end(kBases), [own](const char *base) {
    const GType type = g_type_from_name(base);
    return type && g_type_is_a(own, type);
  });
}

} // namespace

std::string format_to_keep(GstElementFactory *factory, int device_id, const GstCaps *caps) {
  if (!starts_anew(factory))
    return "";
  const Owned<GstCaps> format(gst_caps_copy(caps));
  gst_structure_remove_fields(gst_caps_get_structure(format.get(), 0), "codec_data", "streamheader", nullptr);
  const Owned<gchar> text(gst_caps_to_string(format.get()));
  return std::string(GST_OBJECT_NAME(factory)) + " on GPU " + std::to_string(device_id) + ": " + text.get();
}

Owned<GstElement> take_kept_decoder(const std::string &format) {
  KeptDecoders &kept = kept_decoders();
  const std::lock_guard<std::mutex> lock(kept.mutex);
  const auto found =
      std::find_if(kept.all.begin(), kept.all.end(), [&format](const Kept &one) { return one.format == format; });
  if (found == kept.all.end())
    return nullptr;
  Owned<GstElement> decoder = std::move(found->decoder);
  kept.all.erase(found);
  GST_DEBUG_OBJECT(decoder.get(), "used again: %s", format.c_str());
  return decoder;
}

void hold_decoder(const KeptDecoder &decoder) {
  gst_element_set_locked_state(decoder.element, TRUE);
}

void keep_decoder(GstBin *bin, const KeptDecoder &decoder) {
  Owned<GstElement> element = take_part(bin, decoder.element);
  gst_element_set_locked_state(element.get(), FALSE);
  const Owned<GstPad> sink(gst_element_get_static_pad(element.get(), "sink"));
  gst_pad_send_event(sink.get(), gst_event_new_flush_start());
  gst_pad_send_event(sink.get(), gst_event_new_flush_stop(TRUE));
  GST_DEBUG_OBJECT(element.get(), "is kept: %s", decoder.format.c_str());
  Kept oldest;
  {
    KeptDecoders &kept = kept_decoders();
    const std::lock_guard<std::mutex> lock(kept.mutex);
    kept.all.push_back({decoder.format, std::move(element)});
    if (kept.all.size() > kMost) {
      oldest = std::move(kept.all.front());
      kept.all.pop_front();
    }
  }
  if (oldest.decoder)
    gst_element_set_state(oldest.decoder.get(), GST_STATE_NULL);
}

} // namespace cps
