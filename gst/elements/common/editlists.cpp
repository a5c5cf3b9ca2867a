// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/common/editlists.h"

#include "gst/bitstream/bytes.h"
#include "gst/elements/common/upstream.h"

#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>

namespace cps {

namespace {

// The tracks of one demuxer. Written by the thread that reads the file, read by the threads of its pads.
struct TakenTracks {
  std::mutex mutex;
  std::vector<MovieTrack> tracks;
  std::vector<MovieTrack> indexed; // ends of fragments according to segment indices
};

const char *const kTaken = "cps-taken-tracks";

bool is_movie_header(const GstMapInfo &box) {
  return box.size > 8 && memcmp(box.data + 4, "moov", 4) == 0 && read_be<uint32_t>(box.data) <= box.size;
}

// Modifies the box, after making the buffer writable.
void take_movie_header(TakenTracks &taken, GstPadProbeInfo *info) {
  GstBuffer *buffer = gst_buffer_make_writable(GST_PAD_PROBE_INFO_BUFFER(info));
  GST_PAD_PROBE_INFO_DATA(info) = buffer;
  GstMapInfo box;
  if (!gst_buffer_map(buffer, &box, GST_MAP_READWRITE))
    return;
  const std::lock_guard<std::mutex> lock(taken.mutex);
  taken.tracks = open_movie_header(box.data, box.size);
  gst_buffer_unmap(buffer, &box);
}

// Called when the demuxer has pulled a part of the file: a whole box, once it knows the positions of boxes.
GstPadProbeReturn on_pulled(GstPad *, GstPadProbeInfo *info, gpointer data) {
  auto *taken = static_cast<TakenTracks *>(data);
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER(info);
  GstMapInfo box;
  if (!buffer || !gst_buffer_map(buffer, &box, GST_MAP_READ))
    return GST_PAD_PROBE_OK;
  const bool is_header = is_movie_header(box);
  const MovieTrack indexed = read_segment_index(box.data, box.size);
  gst_buffer_unmap(buffer, &box);
  if (is_header)
    take_movie_header(*taken, info);
  if (indexed.id != 0) {
    const std::lock_guard<std::mutex> lock(taken->mutex);
    taken->indexed.push_back(indexed);
  }
  return GST_PAD_PROBE_OK;
}

void on_element_added(GstBin *, GstElement *element, gpointer) {
  if (!is_made_by(element, "qtdemux"))
    return;
  const Owned<GstPad> sinkpad(gst_element_get_static_pad(element, "sink"));
  auto *taken = new TakenTracks;
  g_object_set_data_full(G_OBJECT(element), kTaken, taken,
                         [](gpointer tracks) { delete static_cast<TakenTracks *>(tracks); });
  gst_pad_add_probe(sinkpad.get(), static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_PULL | GST_PAD_PROBE_TYPE_BUFFER),
                    on_pulled, taken, nullptr);
}

// qtdemux ends its streams' ids with the id of the track.
uint32_t track_id(const std::string &stream_id) {
  const size_t slash = stream_id.rfind('/');
  return static_cast<uint32_t>(strtoul(stream_id.c_str() + (slash == std::string::npos ? 0 : slash + 1), nullptr, 10));
}

} // namespace

void take_edit_lists(GstElement *parsebin) {
  g_signal_connect(parsebin, "element-added", G_CALLBACK(on_element_added), nullptr);
}

MovieTrack taken_track(GstPad *sinkpad, const std::string &stream_id) {
  const Owned<GstElement> demuxer = find_demuxer(sinkpad);
  auto *taken = demuxer ? static_cast<TakenTracks *>(g_object_get_data(G_OBJECT(demuxer.get()), kTaken)) : nullptr;
  if (!taken)
    return {};
  const std::lock_guard<std::mutex> lock(taken->mutex);
  MovieTrack found;
  for (const MovieTrack &track : taken->tracks)
    if (track.id == track_id(stream_id))
      found = track;
  for (const MovieTrack &track : taken->indexed)
    if (track.id == found.id && (!GST_CLOCK_TIME_IS_VALID(found.end) || found.end < track.end))
      found.end = track.end;
  return found;
}

} // namespace cps
