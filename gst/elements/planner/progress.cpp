// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/planner/progress.h"

namespace cps {

static constexpr gint64 kInterval = G_USEC_PER_SEC / 2;
static constexpr guint kCallsPerLook = 64; // the clock is read once in so many calls

void Progress::begin() {
  next_ = g_get_monotonic_time() + kInterval;
  announced_ = false;
  fraction_ = -1;
}

void Progress::update(guint64 done, guint64 total) {
  fraction_ = total > 0 ? static_cast<double>(done) / static_cast<double>(total) : -1;
  if (++calls_ % kCallsPerLook != 0 || g_get_monotonic_time() < next_)
    return;
  post(announced_ ? GST_PROGRESS_TYPE_CONTINUE : GST_PROGRESS_TYPE_START, done, total);
  announced_ = true;
  next_ = g_get_monotonic_time() + kInterval;
}

void Progress::end(bool complete) {
  fraction_ = complete ? 1 : -1;
  if (announced_ && text_)
    post(complete ? GST_PROGRESS_TYPE_COMPLETE : GST_PROGRESS_TYPE_CANCELED, 0, 0);
  announced_ = false;
}

void Progress::post(GstProgressType type, guint64 done, guint64 total) {
  GstMessage *message = text_ ? gst_message_new_progress(GST_OBJECT(element_), type, code_, text_)
                              : gst_message_new_element(GST_OBJECT(element_), gst_structure_new_empty(code_));
  GstStructure *details = gst_message_writable_structure(message);
  if (done > 0)
    gst_structure_set(details, "done", G_TYPE_UINT64, done, nullptr);
  if (total > 0)
    gst_structure_set(details, "total", G_TYPE_UINT64, total, "percent", G_TYPE_INT,
                      static_cast<gint>(100 * MIN(done, total) / total), nullptr);
  gst_element_post_message(element_, message);
}

} // namespace cps
