// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/search/readcache.h"

#include "gst/elements/common/elementtools.h"

#include <algorithm>
#include <iterator>

namespace cps {

// The amount that a demuxer reads before it starts: tsdemux searches 1.3 MB at the start and 2 MB at the end for
// clocks. Small files are read only once.
constexpr size_t kMostKept = 4 << 20;

static guint64 end_of(const std::pair<const guint64, std::string> &run) {
  return run.first + run.second.size();
}

void ReadCache::serve(GstPad *source) {
  constexpr auto kPull = static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_PULL | GST_PAD_PROBE_TYPE_BLOCK);
  gst_pad_add_probe(source, kPull, on_pull, this, nullptr);
}

void ReadCache::forget() {
  runs_.clear();
  kept_ = 0;
  end_ = G_MAXUINT64;
  first_dts_ = GST_CLOCK_TIME_NONE;
}

// The run that reaches `offset` or begins there; end() if there is none.
ReadCache::Runs::iterator ReadCache::run_up_to(guint64 offset) {
  const auto after = runs_.upper_bound(offset);
  const bool found = after != runs_.begin() && end_of(*std::prev(after)) >= offset;
  return found ? std::prev(after) : runs_.end();
}

// Appends the buffer to the run that it continues, and merges that run with those that it reaches.
void ReadCache::keep(guint64 offset, GstBuffer *buffer) {
  GstMapInfo map;
  if (!gst_buffer_map(buffer, &map, GST_MAP_READ))
    return;
  auto run = run_up_to(offset);
  if (run == runs_.end())
    run = runs_.emplace(offset, std::string()).first;
  run->second.append(reinterpret_cast<const char *>(map.data), map.size);
  kept_ += map.size;
  gst_buffer_unmap(buffer, &map);
  for (auto next = std::next(run); next != runs_.end() && next->first <= end_of(*run); next = runs_.erase(next)) {
    const size_t shared = std::min<guint64>(end_of(*run) - next->first, next->second.size());
    run->second.append(next->second, shared);
    kept_ -= shared;
  }
}

// Reads the part of a pull that is not cached from the source, if there is room for it.
void ReadCache::read_missing(GstPad *source, guint64 offset, size_t size) {
  const auto run = run_up_to(offset);
  const guint64 from = run == runs_.end() ? offset : end_of(*run), to = offset + size;
  if (from >= to || from >= end_ || to - from > kMostKept - kept_)
    return;
  const Owned<GstObject> parent(gst_pad_get_parent(source));
  const GstPadGetRangeFunction read = GST_PAD_GETRANGEFUNC(source);
  if (!parent || !read)
    return;
  const auto asked = static_cast<guint>(to - from);
  GstBuffer *got = nullptr;
  const GstFlowReturn flow = read(source, parent.get(), from, asked, &got);
  const Owned<GstBuffer> buffer(got);
  if (flow == GST_FLOW_EOS)
    end_ = from;
  if (flow != GST_FLOW_OK || gst_buffer_get_size(got) > asked)
    return;
  if (from == 0)
    first_dts_ = GST_BUFFER_DTS(got);
  if (gst_buffer_get_size(got) < asked)
    end_ = from + gst_buffer_get_size(got);
  keep(from, got);
}

// Returns the cached data, up to the end of the source; nullptr if any of it is missing.
GstBuffer *ReadCache::find(guint64 offset, size_t size) {
  const auto run = run_up_to(offset);
  if (run == runs_.end() || end_of(*run) == offset)
    return nullptr;
  const guint64 known = end_of(*run) - offset;
  if (known < size && end_of(*run) != end_)
    return nullptr;
  const size_t given = std::min<guint64>(size, known);
  GstBuffer *buffer = gst_buffer_new_allocate(nullptr, given, nullptr);
  gst_buffer_fill(buffer, 0, run->second.data() + (offset - run->first), given);
  GST_BUFFER_OFFSET(buffer) = offset;
  GST_BUFFER_OFFSET_END(buffer) = offset + given;
  if (offset == 0)
    GST_BUFFER_DTS(buffer) = first_dts_;
  return buffer;
}

// A pull that is dropped with a buffer has been answered. The source itself answers pulls that are not cached, and
// returns errors and EOS.
GstPadProbeReturn ReadCache::on_pull(GstPad *source, GstPadProbeInfo *info, gpointer self) {
  const bool is_plain = !info->data && info->size > 0 && info->offset <= G_MAXUINT64 - info->size;
  if (!is_plain) // the caller passes a buffer, or reads from the current position
    return GST_PAD_PROBE_PASS;
  auto *cache = static_cast<ReadCache *>(self);
  cache->read_missing(source, info->offset, info->size);
  info->data = cache->find(info->offset, info->size);
  return info->data ? GST_PAD_PROBE_DROP : GST_PAD_PROBE_PASS;
}

} // namespace cps
