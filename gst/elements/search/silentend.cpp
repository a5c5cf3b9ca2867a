// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/search/silentend.h"

#include "gst/elements/common/dynamicelements.h"

namespace cps {

// An element that pulls pauses its task at the end; an element in push mode receives EOS.
static bool is_done_with(GstPad *sink) {
  GST_OBJECT_LOCK(sink);
  const GstTask *task = GST_PAD_TASK(sink);
  const bool pulls = GST_PAD_MODE(sink) == GST_PAD_MODE_PULL;
  const bool done = pulls ? task && GST_TASK_STATE(task) == GST_TASK_PAUSED : GST_PAD_IS_EOS(sink);
  GST_OBJECT_UNLOCK(sink);
  return done;
}

static bool is_silent(GstElement *element) {
  bool done = false, shows = false;
  GST_OBJECT_LOCK(element);
  for (GList *each = element->sinkpads; each; each = each->next)
    done = done || is_done_with(GST_PAD(each->data));
  shows = element->numsrcpads > 0;
  GST_OBJECT_UNLOCK(element);
  return done && !shows;
}

std::string silent_element(GstElement *parsebin) {
  if (GST_IS_BIN(parsebin))
    for (const Owned<GstElement> &element : children_of(GST_BIN(parsebin)))
      if (is_silent(element.get()))
        return GST_OBJECT_NAME(gst_element_get_factory(element.get()));
  return "";
}

} // namespace cps
