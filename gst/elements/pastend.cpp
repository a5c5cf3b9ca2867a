// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/pastend.h"

namespace cps {

// Reads in a row that bring nothing. Elements that look for something near the end may want a few.
constexpr guint kMostFutile = 256;

static GstPadProbeReturn on_pull(GstPad *, GstPadProbeInfo *info, gpointer data) {
  auto &futile = *static_cast<guint *>(data);
  if (!(GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BLOCK)) { // it has brought something
    futile = 0;
    return GST_PAD_PROBE_OK;
  }
  if (futile++ < kMostFutile)
    return GST_PAD_PROBE_PASS;
  return GST_PAD_PROBE_HANDLED; // without a buffer: whoever pulls gets neither data nor the end
}

void stop_reading_past_end(GstPad *source) {
  constexpr auto kPulls =
      static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_PULL | GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BLOCK);
  gst_pad_add_probe(source, kPulls, on_pull, g_new0(guint, 1), g_free);
}

} // namespace cps
