// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/sampler/report.h"

#include "gst/elements/sampler/samplerdebug.h"

#define GST_CAT_DEFAULT cps::sampler_debug()

namespace cps {

static guint64 frame_id(const ItemContext &context, const Sequence::Item &item, guint position) {
  return context.plan.frames[context.plan.clips[item.clip].first + position].frame_id;
}

// Reports a frame that the decoder has flagged as damaged; not all decoders do so.
static bool report_damage(const ItemContext &context, const Sequence::Item &item) {
  const guint64 id = frame_id(context, item, item.position);
  if (context.fails) {
    GST_ELEMENT_ERROR(context.element, STREAM, DECODE,
                      ("Frame %" G_GUINT64_FORMAT " is damaged: the decoder made up what is lost of it; "
                       "on-error=substitute would take it as it is.",
                       id),
                      (nullptr));
    return false;
  }
  if (item.position == 0 || frame_id(context, item, item.position - 1) != id) // only once for a repeated frame
    GST_ELEMENT_WARNING(context.element, STREAM, DECODE,
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

bool report_item(const ItemContext &context, const Sequence::Item &item) {
  const guint64 id = frame_id(context, item, item.position);
  GST_LOG_OBJECT(context.element, "clip %u, position %u, frame %" G_GUINT64_FORMAT ": %s",
                 context.first_index + item.clip, item.position, id, status_text(item.status));
  if (item.status == CPS_FRAME_STATUS_OK)
    return true;
  if (item.status == CPS_FRAME_STATUS_DAMAGED)
    return report_damage(context, item);
  if (context.fails) {
    GST_ELEMENT_ERROR(
        context.element, STREAM, DECODE,
        ("Frame %" G_GUINT64_FORMAT " could not be decoded; on-error=substitute would repeat another.", id), (nullptr));
    return false;
  }
  GST_ELEMENT_WARNING(context.element, STREAM, DECODE,
                      ("Frame %" G_GUINT64_FORMAT " could not be decoded: %s stands in for it.", id,
                       item.status == CPS_FRAME_STATUS_SUBSTITUTED ? "the sampled frame before it" : "a later frame"),
                      (nullptr));
  return true;
}

bool report_lost_clip(const ItemContext &context, const Sequence::Item &item) {
  if (context.fails || context.plan.n_clips == 1) {
    post_nothing_decoded(context.element);
    return false;
  }
  GST_ELEMENT_WARNING(
      context.element, STREAM, DECODE,
      ("None of the frames of clip %u could be decoded: it is left out.", context.first_index + item.clip), (nullptr));
  return true;
}

void post_nothing_decoded(GstElement *element) {
  GST_ELEMENT_ERROR(element, STREAM, DECODE, ("None of the sampled frames could be decoded."), (nullptr));
}

} // namespace cps
