// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/common/upstream.h"

#include "gst/elements/common/frametime.h"

namespace cps {

bool is_live(GstPad *sinkpad) {
  const Owned<GstQuery> query(gst_query_new_latency());
  gboolean live = FALSE;
  if (gst_pad_peer_query(sinkpad, query.get()))
    gst_query_parse_latency(query.get(), &live, nullptr, nullptr);
  return live;
}

// Calls `visit` for each pad. Stops and returns true once `visit` returns true.
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

// True if an element consumes the data of `output`, as elements without outputs do. A branch may also end in an
// unlinked pad, for example in a bin that parses every stream of a file.
static bool is_consumed(GstPad *output) {
  const Owned<GstPad> input(gst_pad_get_peer(output));
  if (!input)
    return false;
  bool passes_on = false;
  const bool consumed = any_pad(gst_pad_iterate_internal_links(input.get()), [&](GstPad *next) {
    passes_on = true;
    return is_consumed(next);
  });
  return consumed || !passes_on;
}

// True if the data at `sinkpad` pass an element that also feeds another consumer.
static bool feeds_others(GstPad *sinkpad) {
  const Owned<GstPad> source(gst_pad_get_peer(sinkpad));
  if (!source)
    return false;
  return any_pad(gst_pad_iterate_internal_links(source.get()), [&](GstPad *input) {
    const bool other = any_pad(gst_pad_iterate_internal_links(input),
                               [&](GstPad *output) { return output != source.get() && is_consumed(output); });
    return other || feeds_others(input);
  });
}

static bool is_seekable(GstPad *pad, GstFormat format) {
  const Owned<GstQuery> query(gst_query_new_seeking(format));
  gboolean seekable = FALSE;
  if (gst_pad_query(pad, query.get()))
    gst_query_parse_seeking(query.get(), nullptr, &seekable, nullptr, nullptr);
  return seekable;
}

// The source's output pad for the stream at `output`.
static Owned<GstPad> first_output(GstPad *output) {
  Owned<GstPad> source;
  any_pad(gst_pad_iterate_internal_links(output), [&](GstPad *input) {
    const Owned<GstPad> before(gst_pad_get_peer(input));
    source = before ? first_output(before.get()) : nullptr;
    return source != nullptr;
  });
  return source ? std::move(source) : Owned<GstPad>(GST_PAD(gst_object_ref(output)));
}

// Returns nullptr if `sinkpad` is not linked.
static Owned<GstPad> find_source(GstPad *sinkpad) {
  const Owned<GstPad> output(gst_pad_get_peer(sinkpad));
  return output ? first_output(output.get()) : nullptr;
}

guint64 source_bytes(GstPad *output) {
  const Owned<GstPad> source = first_output(output);
  gint64 bytes = -1;
  const bool known = gst_pad_query_duration(source.get(), GST_FORMAT_BYTES, &bytes) && bytes >= 0;
  return known ? static_cast<guint64>(bytes) : G_MAXUINT64;
}

static bool is_bandwidth_limited(GstPad *source) {
  const Owned<GstQuery> query(gst_query_new_scheduling());
  auto flags = static_cast<GstSchedulingFlags>(0);
  if (gst_pad_query(source, query.get()))
    gst_query_parse_scheduling(query.get(), &flags, nullptr, nullptr, nullptr);
  return flags & GST_SCHEDULING_FLAG_BANDWIDTH_LIMITED;
}

Owned<GstPad> demuxer_pad(GstPad *output) {
  const Owned<GstElement> element(gst_pad_get_parent_element(output));
  GstElementFactory *factory = element ? gst_element_get_factory(element.get()) : nullptr;
  if (factory && gst_element_factory_list_is_type(factory, GST_ELEMENT_FACTORY_TYPE_DEMUXER))
    return Owned<GstPad>(GST_PAD(gst_object_ref(output)));
  Owned<GstPad> found;
  any_pad(gst_pad_iterate_internal_links(output), [&](GstPad *input) {
    const Owned<GstPad> before(gst_pad_get_peer(input));
    found = before ? demuxer_pad(before.get()) : nullptr;
    return found != nullptr;
  });
  return found;
}

Owned<GstElement> find_demuxer(GstPad *sinkpad) {
  const Owned<GstPad> source(gst_pad_get_peer(sinkpad));
  const Owned<GstPad> demuxed = source ? demuxer_pad(source.get()) : nullptr;
  return Owned<GstElement>(demuxed ? gst_pad_get_parent_element(demuxed.get()) : nullptr);
}

bool seeks_by_table(GstPad *sinkpad) {
  const Owned<GstElement> demuxer = find_demuxer(sinkpad);
  return is_made_by(demuxer.get(), "qtdemux") || is_made_by(demuxer.get(), "matroskademux");
}

bool segments_cut(GstPad *sinkpad) {
  const Owned<GstElement> demuxer = find_demuxer(sinkpad);
  return !demuxer || is_made_by(demuxer.get(), "qtdemux");
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
  return peer_duration(sinkpad);
}

Rewindability can_rewind(GstPad *sinkpad, std::string &reason) {
  const Owned<GstPad> source = find_source(sinkpad), output(gst_pad_get_peer(sinkpad));
  if (!source || is_live(sinkpad))
    reason = "the input is live";
  else if (is_bandwidth_limited(source.get()))
    reason = "the input is slow to seek";
  else if (!is_seekable(source.get(), GST_FORMAT_BYTES) && !is_seekable(source.get(), GST_FORMAT_TIME))
    reason = "the input cannot seek"; // asks the source, because demuxers may claim more
  else if (feeds_others(sinkpad))
    reason = "the input feeds another branch of the pipeline, too";
  if (!reason.empty())
    return Rewindability::No;
  if (is_seekable(output.get(), GST_FORMAT_TIME))
    return Rewindability::Yes;
  reason = "the input cannot seek";
  return Rewindability::Maybe;
}

} // namespace cps
