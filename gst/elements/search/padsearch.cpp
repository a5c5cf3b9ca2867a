// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/search/padsearch.h"

#include "gst/common/objectlock.h"
#include "gst/elements/common/upstream.h"
#include "gst/elements/search/encryption.h"
#include "gst/elements/search/videotrack.h"

#include <algorithm>
#include <cstring>

namespace cps {

namespace {

// The most data before a video that no pad has announced yet: enough for any muxer's interleaving, and little enough to
// report a source of audio only. If there is a pad of a video, its data are awaited until the end.
constexpr GstClockTime kMostTime = 60 * GST_SECOND;
constexpr guint64 kMostBytes = 32 << 20;

bool is_of_video(GstPad *pad) {
  const Owned<GstCaps> caps = stream_caps(pad);
  return is_video(caps.get());
}

// True if no element upstream has more than one stream. Demuxers of tags, such as ID3, have only one.
bool is_alone(GstPad *pad) {
  const Owned<GstPad> demuxed = demuxer_pad(pad);
  if (!demuxed)
    return true;
  const Owned<GstElement> demuxer(gst_pad_get_parent_element(demuxed.get()));
  const gchar *klass = gst_element_get_metadata(demuxer.get(), GST_ELEMENT_METADATA_KLASS);
  return klass && strstr(klass, "Metadata");
}

// Where the demuxer has the pad among its own: in the order of the container, in which it adds them.
gint place_in_container(GstPad *pad) {
  const Owned<GstPad> demuxed = demuxer_pad(pad);
  const Owned<GstElement> demuxer(demuxed ? gst_pad_get_parent_element(demuxed.get()) : nullptr);
  if (!demuxer)
    return 0;
  const ObjectLock lock(demuxer.get());
  return g_list_index(demuxer->srcpads, demuxed.get());
}

// Excludes tags that contain only the address of a picture.
bool is_image(const GstCaps *caps) {
  return caps && gst_caps_get_size(caps) > 0 &&
         g_str_has_prefix(gst_structure_get_name(gst_caps_get_structure(caps, 0)), "image/");
}

// The largest picture in the pad's tags: an album's cover, not its icon.
Owned<GstSample> tagged_picture(GstPad *pad) {
  Owned<GstSample> largest;
  gsize most = 0;
  for (guint i = 0; const Owned<GstEvent> event{gst_pad_get_sticky_event(pad, GST_EVENT_TAG, i)}; i++) {
    GstTagList *tags = nullptr;
    gst_event_parse_tag(event.get(), &tags);
    for (guint at = 0; at < gst_tag_list_get_tag_size(tags, GST_TAG_IMAGE); at++) {
      GstSample *sample = nullptr;
      if (!gst_tag_list_get_sample_index(tags, GST_TAG_IMAGE, at, &sample))
        continue;
      Owned<GstSample> picture(sample);
      GstBuffer *bytes = is_image(gst_sample_get_caps(sample)) ? gst_sample_get_buffer(sample) : nullptr;
      if (bytes && gst_buffer_get_size(bytes) > most) {
        most = gst_buffer_get_size(bytes);
        largest = std::move(picture);
      }
    }
  }
  return largest;
}

} // namespace

void PadSearch::add(GstPad *pad) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    streams_.push_back({Owned<GstPad>(GST_PAD(gst_object_ref(pad))), false});
  }
  constexpr auto kData = static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST |
                                                      GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM);
  gst_pad_add_probe(pad, kData, on_probe, this, nullptr);
}

void PadSearch::remove(GstPad *pad) {
  tell(look_at_end(pad));
}

GstPadProbeReturn PadSearch::on_probe(GstPad *pad, GstPadProbeInfo *info, gpointer data) {
  auto *self = static_cast<PadSearch *>(data);
  const GstPadProbeType type = GST_PAD_PROBE_INFO_TYPE(info);
  if (type & GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM) {
    if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) != GST_EVENT_EOS)
      return GST_PAD_PROBE_OK;
    self->tell(self->look_at_end(pad));
    return GST_PAD_PROBE_OK;
  }
  GstBuffer *first = nullptr;
  gsize size = 0;
  if (type & GST_PAD_PROBE_TYPE_BUFFER_LIST) {
    GstBufferList *list = GST_PAD_PROBE_INFO_BUFFER_LIST(info);
    first = gst_buffer_list_get(list, 0);
    size = gst_buffer_list_calculate_size(list);
  } else {
    first = GST_PAD_PROBE_INFO_BUFFER(info);
    size = gst_buffer_get_size(first);
  }
  const Answer answer = self->look_at_data(pad, size, GST_BUFFER_DTS_OR_PTS(first));
  self->tell(answer, pad, first);
  // Once data may pass, an unlinked pad returns an error, so that its sender stops.
  return self->lets_go_ ? GST_PAD_PROBE_REMOVE : GST_PAD_PROBE_DROP;
}

void PadSearch::stop() {
  const std::lock_guard<std::mutex> lock(mutex_);
  answered_ = true;
}

void PadSearch::tell(Answer answer, GstPad *pad, GstBuffer *first) {
  if (answer == Answer::Found)
    listener_.on_found(pad, first);
  else if (answer == Answer::None)
    tell_rest();
  else if (answer == Answer::NoTrack)
    listener_.on_no_track(count_videos());
  else if (answer == Answer::NoData)
    listener_.on_no_data();
}

// If a picture replaces the streams, their data are dropped, so that the streams end without an error.
void PadSearch::tell_rest() {
  Rest rest;
  std::unique_lock<std::mutex> lock(mutex_);
  for (const Stream &stream : streams_) {
    const Owned<GstCaps> caps = stream_caps(stream.pad.get());
    rest.streams.push_back(describe_caps(caps.get()));
    if (is_encrypted_video(caps.get()))
      rest.encrypted.reset(gst_caps_ref(caps.get()));
    if (!rest.picture)
      rest.picture = tagged_picture(stream.pad.get());
  }
  lock.unlock();
  lets_go_ = !rest.picture;
  listener_.on_none(std::move(rest));
}

size_t PadSearch::count_videos() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return videos().size();
}

// In the order of the container, because parsebin adds its pads in any order: a thread of its own makes each.
std::vector<Owned<GstPad>> PadSearch::videos() const {
  std::vector<Owned<GstPad>> pads;
  for (const Stream &stream : streams_)
    if (is_of_video(stream.pad.get()))
      pads.emplace_back(GST_PAD(gst_object_ref(stream.pad.get())));
  std::stable_sort(pads.begin(), pads.end(), [](const Owned<GstPad> &a, const Owned<GstPad> &b) {
    return place_in_container(a.get()) < place_in_container(b.get());
  });
  return pads;
}

// Returns nullptr if the track has not appeared.
static const GstPad *choose(const std::vector<Owned<GstPad>> &videos, int track) {
  if (track < 0)
    return best_video(videos);
  return static_cast<size_t>(track) < videos.size() ? videos[static_cast<size_t>(track)].get() : nullptr;
}

// True if the selected track has appeared, or, without a selection, any video.
bool PadSearch::is_in_sight() const {
  return videos().size() > static_cast<size_t>(std::max(track_, 0));
}

bool PadSearch::is_too_much(gsize bytes, GstClockTime time) {
  dropped_ += bytes;
  if (GST_CLOCK_TIME_IS_VALID(time)) {
    earliest_ = GST_CLOCK_TIME_IS_VALID(earliest_) ? std::min(earliest_, time) : time;
    latest_ = GST_CLOCK_TIME_IS_VALID(latest_) ? std::max(latest_, time) : time;
  }
  return dropped_ > kMostBytes || latest_ - earliest_ > kMostTime;
}

// Selects a video when the first one has data, because by then the demuxer has announced all it knows of its tracks.
PadSearch::Answer PadSearch::look_at_data(GstPad *pad, gsize bytes, GstClockTime time) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (answered_)
    return Answer::Wait;
  if (!chosen_ && gst_pad_has_current_caps(pad) && is_of_video(pad))
    chosen_ = choose(videos(), track_);
  if (chosen_ != pad)
    return is_in_sight() || (!is_alone(pad) && !is_too_much(bytes, time)) ? Answer::Wait : give_up();
  answered_ = true;
  const std::vector<Owned<GstPad>> pads = videos();
  while (pads[static_cast<size_t>(++found_track_)].get() != pad) {
  }
  lets_go_ = true;
  return Answer::Found;
}

PadSearch::Answer PadSearch::look_at_end(const GstPad *pad) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (answered_)
    return Answer::Wait;
  bool more = false;
  for (Stream &stream : streams_) {
    stream.ended |= stream.pad.get() == pad;
    more |= !stream.ended;
  }
  return more && pad != chosen_ ? Answer::Wait : give_up();
}

PadSearch::Answer PadSearch::give_up() {
  answered_ = true;
  if (videos().empty())
    return Answer::None;
  return is_in_sight() ? Answer::NoData : Answer::NoTrack;
}

} // namespace cps
