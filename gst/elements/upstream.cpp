// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/upstream.h"

#include "gst/elements/private.h"

namespace cps {

static bool is_seekable(GstPad *sinkpad) {
  const Owned<GstQuery> query(gst_query_new_seeking(GST_FORMAT_TIME));
  gboolean seekable = FALSE;
  if (gst_pad_peer_query(sinkpad, query.get()))
    gst_query_parse_seeking(query.get(), nullptr, &seekable, nullptr, nullptr);
  return seekable;
}

static bool is_bandwidth_limited(GstPad *sinkpad) {
  const Owned<GstQuery> query(gst_query_new_scheduling());
  return gst_pad_peer_query(sinkpad, query.get()) &&
         gst_query_has_scheduling_mode_with_flags(query.get(), GST_PAD_MODE_PUSH,
                                                  GST_SCHEDULING_FLAG_BANDWIDTH_LIMITED);
}

static bool is_live(GstPad *sinkpad) {
  const Owned<GstQuery> query(gst_query_new_latency());
  gboolean live = FALSE;
  if (gst_pad_peer_query(sinkpad, query.get()))
    gst_query_parse_latency(query.get(), &live, nullptr, nullptr);
  return live;
}

// Calls `visit` for each item; stops and returns true once it does.
template <typename Visit> static bool any_pad(GstIterator *pads, Visit visit) {
  if (!pads)
    return false;
  GValue item = G_VALUE_INIT;
  bool found = false;
  for (bool more = true; more && !found;) {
    switch (gst_iterator_next(pads, &item)) {
    case GST_ITERATOR_OK:
      found = visit(GST_PAD(g_value_get_object(&item)));
      g_value_reset(&item);
      break;
    case GST_ITERATOR_RESYNC:
      gst_iterator_resync(pads);
      break;
    default:
      more = false;
    }
  }
  if (G_IS_VALUE(&item))
    g_value_unset(&item);
  gst_iterator_free(pads);
  return found;
}

// Does data that reaches `sinkpad` come through an element that feeds something else, too?
static bool feeds_others(GstPad *sinkpad) {
  const Owned<GstPad> source(gst_pad_get_peer(sinkpad));
  if (!source)
    return false;
  return any_pad(gst_pad_iterate_internal_links(source.get()), [&](GstPad *input) {
    const bool other = any_pad(gst_pad_iterate_internal_links(input),
                               [&](GstPad *output) { return output != source.get() && gst_pad_is_linked(output); });
    return other || feeds_others(input);
  });
}

// The demuxer upstream of `sinkpad`, or nullptr.
static Owned<GstElement> find_demuxer(GstPad *sinkpad) {
  const Owned<GstPad> source(gst_pad_get_peer(sinkpad));
  if (!source)
    return nullptr;
  Owned<GstElement> element(gst_pad_get_parent_element(source.get()));
  GstElementFactory *factory = element ? gst_element_get_factory(element.get()) : nullptr;
  if (factory && gst_element_factory_list_is_type(factory, GST_ELEMENT_FACTORY_TYPE_DEMUXER))
    return element;
  element.reset();
  any_pad(gst_pad_iterate_internal_links(source.get()), [&](GstPad *input) {
    element = find_demuxer(input);
    return element != nullptr;
  });
  return element;
}

GstClockTime declared_duration(GstPad *sinkpad) {
  const Owned<GstElement> demuxer = find_demuxer(sinkpad);
  if (!demuxer)
    return GST_CLOCK_TIME_NONE;
  {
    const ObjectLock lock(demuxer.get());
    if (demuxer->numsrcpads != 1)
      return GST_CLOCK_TIME_NONE;
  }
  gint64 duration = -1;
  if (!gst_pad_peer_query_duration(sinkpad, GST_FORMAT_TIME, &duration) || duration <= 0)
    return GST_CLOCK_TIME_NONE;
  return static_cast<GstClockTime>(duration);
}

bool can_read_twice(GstPad *sinkpad, std::string &reason) {
  if (is_live(sinkpad))
    reason = "the input is live";
  else if (is_bandwidth_limited(sinkpad))
    reason = "the input is slow to seek";
  else if (!is_seekable(sinkpad))
    reason = "the input cannot seek";
  else if (feeds_others(sinkpad))
    reason = "the input feeds another branch of the pipeline, too";
  return reason.empty();
}

} // namespace cps
