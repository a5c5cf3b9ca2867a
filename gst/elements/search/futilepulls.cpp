// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/search/futilepulls.h"

#include <unordered_set>
#include <utility>

namespace cps {

namespace {

// Maximum number of futile pulls in a row: two seconds of CPU time. Type finders and demuxers together cause some
// hundreds.
constexpr guint kMostFutile = 100000;
// Number of offsets that are remembered. A loop over more offsets is not detected.
constexpr size_t kMostPlaces = 10000;

struct Pulls {
  std::function<bool()> is_searching;
  std::unordered_set<guint64> places;
  guint futile = 0;
};

// Called with the pad's stream lock held.
GstPadProbeReturn on_pull(GstPad *source, GstPadProbeInfo *info, gpointer data) {
  auto *pulls = static_cast<Pulls *>(data);
  if (!pulls->is_searching())
    return GST_PAD_PROBE_REMOVE;
  if (pulls->places.size() >= kMostPlaces)
    pulls->places.clear();
  const bool is_new = pulls->places.insert(info->offset).second;
  pulls->futile = is_new ? 0 : pulls->futile + 1;
  if (pulls->futile < kMostFutile)
    return GST_PAD_PROBE_PASS;
  GST_WARNING_OBJECT(source, "the same %" G_GSIZE_FORMAT " places are read over and over", pulls->places.size());
  return GST_PAD_PROBE_HANDLED; // without a buffer: the caller gets neither data nor EOS
}

GstPadProbeReturn on_query(GstPad *, GstPadProbeInfo *info, gpointer) {
  const bool asks = GST_QUERY_TYPE(GST_PAD_PROBE_INFO_QUERY(info)) == GST_QUERY_SCHEDULING;
  return asks ? GST_PAD_PROBE_DROP : GST_PAD_PROBE_OK;
}

} // namespace

void refuse_pulls(GstPad *source) {
  gst_pad_add_probe(source, GST_PAD_PROBE_TYPE_QUERY_UPSTREAM, on_query, nullptr, nullptr);
}

void stop_futile_pulls(GstPad *source, std::function<bool()> is_searching) {
  constexpr auto kBefore = static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_PULL | GST_PAD_PROBE_TYPE_BLOCK);
  auto pulls = std::make_unique<Pulls>();
  pulls->is_searching = std::move(is_searching);
  gst_pad_add_probe(source, kBefore, on_pull, pulls.release(),
                    [](gpointer data) { const std::unique_ptr<Pulls> owned(static_cast<Pulls *>(data)); });
}

} // namespace cps
