// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/pastend.h"

namespace cps {

// Reads in a row that bring nothing. Elements that look for something near the end may want a few.
constexpr guint kMostFutile = 256;

// Both under the pad's stream lock.
static GstPadProbeReturn before_pull(GstPad *, GstPadProbeInfo *, gpointer futile) {
  if ((*static_cast<guint *>(futile))++ < kMostFutile)
    return GST_PAD_PROBE_PASS;
  return GST_PAD_PROBE_HANDLED; // without a buffer: whoever pulls gets neither data nor the end
}

static GstPadProbeReturn after_pull(GstPad *, GstPadProbeInfo *, gpointer futile) {
  *static_cast<guint *>(futile) = 0;
  return GST_PAD_PROBE_OK;
}

void stop_reading_past_end(GstPad *source) {
  constexpr auto kBefore = static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_PULL | GST_PAD_PROBE_TYPE_BLOCK);
  constexpr auto kAfter = static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_PULL | GST_PAD_PROBE_TYPE_BUFFER);
  auto *futile = g_new0(guint, 1);
  gst_pad_add_probe(source, kAfter, after_pull, futile, nullptr);
  gst_pad_add_probe(source, kBefore, before_pull, futile, g_free);
}

} // namespace cps
