// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/sampler/report.h"

#include "gst/elements/sampler/samplerdebug.h"

#define GST_CAT_DEFAULT cps::sampler_debug()

namespace cps {

// Reports a frame that the decoder has flagged as damaged; not all decoders do so.
static bool report_damage(const ItemReport &report, guint64 id) {
  if (report.fails) {
    GST_ELEMENT_ERROR(report.element, STREAM, DECODE,
                      ("Frame %" G_GUINT64_FORMAT " is damaged: the decoder made up what is lost of it; "
                       "on-error=substitute would take it as it is.",
                       id),
                      (nullptr));
    return false;
  }
  if (!report.repeats)
    GST_ELEMENT_WARNING(report.element, STREAM, DECODE,
                        ("Frame %" G_GUINT64_FORMAT " is damaged: the decoder made up what is lost of it.", id),
                        (nullptr));
  return true;
}

static const char *status_text(CpsFrameStatus status) {
  switch (status) {
  case CPS_FRAME_STATUS_OK:
    return "passed";
  case CPS_FRAME_STATUS_SUBSTITUTED:
    return "substituted by the sampled frame before it";
  case CPS_FRAME_STATUS_MISSING:
    return "substituted by a later frame";
  case CPS_FRAME_STATUS_DAMAGED:
    return "passed, although it is damaged";
  }
  return "";
}

bool report_item(const ItemReport &report, const ClipSource::Item &item) {
  GST_LOG_OBJECT(report.element, "clip %u, position %u, frame %" G_GUINT64_FORMAT ": %s", report.clip_index,
                 item.position, item.id, status_text(item.status));
  if (item.status == CPS_FRAME_STATUS_OK)
    return true;
  if (item.status == CPS_FRAME_STATUS_DAMAGED)
    return report_damage(report, item.id);
  if (report.fails) {
    GST_ELEMENT_ERROR(
        report.element, STREAM, DECODE,
        ("Frame %" G_GUINT64_FORMAT " could not be decoded; on-error=substitute would repeat another.", item.id),
        (nullptr));
    return false;
  }
  GST_ELEMENT_WARNING(report.element, STREAM, DECODE,
                      ("Frame %" G_GUINT64_FORMAT " could not be decoded: %s stands in for it.", item.id,
                       item.status == CPS_FRAME_STATUS_SUBSTITUTED ? "the sampled frame before it" : "a later frame"),
                      (nullptr));
  return true;
}

void report_lost_clip(const ItemReport &report, const ClipSource::Item &item) {
  GST_ELEMENT_WARNING(report.element, STREAM, DECODE,
                      ("Clip %u is left out, because %s.", report.clip_index, item.loss), (nullptr));
}

void post_nothing_decoded(GstElement *element) {
  GST_ELEMENT_ERROR(element, STREAM, DECODE, ("None of the sampled frames could be decoded."), (nullptr));
}

} // namespace cps
