// SPDX-License-Identifier: LGPL-2.1-or-later
// Boxes and fields follow ISO/IEC 14496-12, 8.2 to 8.6.
#include "gst/bitstream/movieheader.h"

#include "gst/bitstream/bytes.h"

#include <algorithm>
#include <cstring>
#include <limits>

namespace cps {

namespace {

constexpr size_t kHeader = 8;           // size and type
constexpr size_t kFullHeader = 12;      // with version and flags
constexpr size_t kMaxSamples = 8 << 20; // qtdemux's limit

// A box including its header. Invalid if not found.
struct Box {
  uint8_t *data = nullptr;
  size_t size = 0;

  explicit operator bool() const { return data != nullptr; }
  bool is(const char *type) const { return memcmp(data + 4, type, 4) == 0; }
  bool has(size_t bytes) const { return size >= bytes; }
  uint32_t at(size_t offset) const { return read_be<uint32_t>(data + offset); }
  uint8_t version() const { return data[kHeader]; }
  // Number of complete entries of `bytes` each, which follow a full header and an entry count.
  size_t entries(size_t bytes) const {
    return has(kFullHeader + 4) ? std::min<size_t>(at(kFullHeader), (size - kFullHeader - 4) / bytes) : 0;
  }
  uint8_t *entry(size_t index, size_t bytes) const { return data + kFullHeader + 4 + index * bytes; }
};

// Returns the box at `at` and moves `at` to its end.
Box next_box(uint8_t *&at, const uint8_t *end) {
  const auto left = static_cast<size_t>(end - at);
  if (left < kHeader)
    return {};
  uint64_t size = read_be<uint32_t>(at);
  if (size == 1 && left >= 16)
    size = read_be<uint64_t>(at + kHeader);
  else if (size == 0)
    size = left;
  if (size < kHeader || size > left)
    return {};
  Box box = {at, static_cast<size_t>(size)};
  at += box.size;
  return box;
}

Box child(Box parent, const char *type) {
  if (!parent)
    return {};
  uint8_t *at = parent.data + kHeader, *end = parent.data + parent.size;
  while (const Box box = next_box(at, end))
    if (box.is(type))
      return box;
  return {};
}

// Time scale and duration of "mvhd" and "mdhd", which have the same layout for them.
class TimeHeader {
public:
  explicit TimeHeader(Box box) {
    if (!box || !box.has(kHeader + 1))
      return;
    wide_ = box.version() == 1;
    if (box.has(wide_ ? 40 : 28) && box.at(wide_ ? 28 : 20) > 0)
      box_ = box;
  }
  explicit operator bool() const { return static_cast<bool>(box_); }
  uint64_t scale() const { return box_.at(wide_ ? 28 : 20); }
  uint64_t duration() const { return wide_ ? read_be<uint64_t>(box_.data + 32) : box_.at(24); }
  bool is_unknown() const { return duration() == 0 || duration() == (wide_ ? UINT64_MAX : UINT32_MAX); }
  // A duration of 0 means unknown, so it does not cut off pictures.
  void extend(uint64_t duration) const {
    if (is_unknown() || duration <= this->duration())
      return;
    if (wide_)
      write_be<uint64_t>(box_.data + 32, duration);
    else
      write_be<uint32_t>(box_.data + 24, static_cast<uint32_t>(std::min<uint64_t>(duration, UINT32_MAX - 1)));
  }

private:
  Box box_;
  bool wide_ = false;
};

// Composition times of a track's samples, in units of its time scale.
class SampleTimes {
public:
  explicit SampleTimes(Box table) : durations_(child(table, "stts")), offsets_(child(table, "ctts")) {
    const Box sizes = child(table, "stsz");
    if (sizes && sizes.has(20))
      samples_ = std::min<size_t>(sizes.at(16), kMaxSamples);
  }

  // Calls `visit` with the composition time and duration of each sample.
  template <typename Visit> void each(Visit visit) const {
    const size_t offset_runs = offsets_ ? offsets_.entries(8) : 0;
    size_t run = 0, sample = 0;
    uint32_t left = offset_runs > 0 ? read_be<uint32_t>(offsets_.entry(0, 8)) : 0;
    int64_t decode_time = 0;
    for (size_t i = 0; durations_ && i < durations_.entries(8); i++) {
      const auto count = read_be<uint32_t>(durations_.entry(i, 8)),
                 duration = read_be<uint32_t>(durations_.entry(i, 8) + 4);
      for (uint32_t n = 0; n < count && sample < samples_; n++, sample++) {
        for (; left == 0 && run + 1 < offset_runs; left = read_be<uint32_t>(offsets_.entry(run, 8)))
          run++;
        const int64_t offset = left > 0 ? static_cast<int32_t>(read_be<uint32_t>(offsets_.entry(run, 8) + 4)) : 0;
        left -= left > 0 ? 1 : 0;
        visit(decode_time + offset, duration);
        decode_time += duration;
      }
    }
  }

  // The offset that qtdemux adds to composition times, so that none precedes its decode time.
  int64_t shift(Box table) const {
    if (const Box declared = child(table, "cslg"); declared && offsets_) {
      if (declared.version() == 0 && declared.has(16))
        return std::max<int64_t>(0, static_cast<int32_t>(declared.at(12)));
      if (declared.has(20))
        return std::max<int64_t>(0, static_cast<int64_t>(read_be<uint64_t>(declared.data + 12)));
    }
    int32_t least = 0;
    for (size_t i = 0; offsets_ && i < offsets_.entries(8); i++) {
      const auto offset = static_cast<int32_t>(read_be<uint32_t>(offsets_.entry(i, 8) + 4));
      if (offset != std::numeric_limits<int32_t>::min()) // marks a sample that must not be decoded
        least = std::min(least, offset);
    }
    return -int64_t{least};
  }

private:
  Box durations_, offsets_;
  size_t samples_ = kMaxSamples;
};

// An edit list entry. The media time is in the track's time scale, the duration in the movie's.
struct Entry {
  uint64_t duration;
  int64_t media_time;
};

std::vector<Entry> read_entries(Box list) {
  std::vector<Entry> entries;
  const bool wide = list.version() == 1;
  const size_t bytes = wide ? 20 : 12;
  for (size_t i = 0; i < list.entries(bytes); i++) {
    const uint8_t *at = list.entry(i, bytes);
    if (wide)
      entries.push_back({read_be<uint64_t>(at), static_cast<int64_t>(read_be<uint64_t>(at + 8))});
    else
      entries.push_back({read_be<uint32_t>(at), static_cast<int32_t>(read_be<uint32_t>(at + 4))});
  }
  return entries;
}

// Makes the last entry open-ended.
void open_last_entry(Box list, size_t count) {
  const bool wide = list.version() == 1;
  uint8_t *at = list.entry(count - 1, wide ? 20 : 12);
  memset(at, 0, wide ? 8 : 4);
  write_be<uint32_t>(at + (wide ? 16 : 8), 0x10000); // rate 1
}

// An edit in the track's time scale, except `time`, which is in the movie's.
struct Span {
  int64_t start, stop;
  uint64_t time;
};

class Track {
public:
  Track(Box box, const TimeHeader &movie) : movie_(movie), media_(child(child(box, "mdia"), "mdhd")) {
    const Box media = child(box, "mdia"), handler = child(media, "hdlr"), header = child(box, "tkhd");
    table_ = child(child(media, "minf"), "stbl");
    edits_ = child(box, "edts");
    list_ = child(edits_, "elst");
    const bool has_handler = handler && handler.has(20), has_header = header && header.has(32);
    is_video_ = has_handler && memcmp(handler.data + 16, "vide", 4) == 0;
    if (has_header)
      id_ = header.at(header.version() == 1 ? 28 : 20);
    usable_ = is_video_ && has_header && media_ && table_;
    if (list_ && !list_.has(kFullHeader + 4))
      list_ = {};
  }

  bool is_usable() const { return usable_; }

  // `fragmented`: the header does not list all samples.
  MovieTrack open(bool fragmented) {
    read_spans();
    const SampleTimes times(table_);
    shift_ = times.shift(table_);
    int64_t decode_end = 0, shown_end = 0;
    bool all = true;
    times.each([&](int64_t time, uint32_t duration) {
      shown_end =
          std::max(shown_end, time + std::max<uint32_t>(duration, 1)); // in some files the last sample has duration 0
      decode_end += duration;
      all &= is_shown(time);
    });
    end_ = std::max(shown_end, decode_end);

    MovieTrack track;
    track.id = id_;
    if (decode_end > 0 && !fragmented)
      track.end = stream_time(shown_end);
    track.shows_all = all || fragmented;
    media_.extend(static_cast<uint64_t>(end_));
    // Fragments are shown completely, and qtdemux supports only one edit for them.
    const bool simple = spans_.size() == 1 && count_ == first_media_ + 1;
    if (spans_.empty())
      return track;
    if (track.shows_all && simple) {
      open_last_entry(list_, count_);
      edits_kept_ = true;
    } else if (!fragmented) {
      memcpy(edits_.data + 4, "free", 4);
      for (const Span &span : spans_)
        track.edits.push_back(edit(span));
    }
    return track;
  }

  // In the movie's time scale. Call after open().
  uint64_t movie_end() const {
    const uint64_t time = spans_.empty() ? 0 : spans_.back().time;
    const int64_t start = edits_kept_ ? spans_.back().start : 0;
    return time + gst_util_uint64_scale_ceil(static_cast<uint64_t>(std::max<int64_t>(0, end_ - start)), movie_.scale(),
                                             media_.scale());
  }

private:
  void read_spans() {
    if (!list_)
      return;
    const std::vector<Entry> entries = read_entries(list_);
    uint64_t time = 0;
    count_ = entries.size();
    for (size_t i = 0; i < entries.size(); i++) {
      const Entry &entry = entries[i]; // media time -1: an empty edit
      if (entry.media_time >= 0) {
        if (spans_.empty())
          first_media_ = i;
        const uint64_t length = gst_util_uint64_scale_round(entry.duration, media_.scale(), movie_.scale());
        const bool ends = entry.duration > 0 && length < static_cast<uint64_t>(INT64_MAX - entry.media_time);
        spans_.push_back({entry.media_time, ends ? entry.media_time + static_cast<int64_t>(length) : INT64_MAX, time});
        if (!ends)
          break;
      }
      time += entry.duration;
    }
  }

  bool is_shown(int64_t time) const {
    const auto shows = [time](const Span &span) { return time >= span.start && time < span.stop; };
    return spans_.empty() || std::any_of(spans_.begin(), spans_.end(), shows);
  }

  // Stream time at which a sample that ends at composition time `end` is no longer shown.
  GstClockTime stream_time(int64_t end) const {
    if (spans_.empty())
      return gst_util_uint64_scale(static_cast<uint64_t>(end), GST_SECOND, media_.scale());
    const Span &last = spans_.back();
    const int64_t shown = std::max<int64_t>(0, std::min(last.stop, end) - last.start);
    return gst_util_uint64_scale(last.time, GST_SECOND, movie_.scale()) +
           gst_util_uint64_scale(static_cast<uint64_t>(shown), GST_SECOND, media_.scale());
  }

  // The time stamp that qtdemux gives to a composition time.
  GstClockTime stamp(int64_t time) const {
    return gst_util_uint64_scale(static_cast<uint64_t>(std::max<int64_t>(0, time + shift_)), GST_SECOND,
                                 media_.scale());
  }

  Edit edit(const Span &span) const {
    return {stamp(span.start), span.stop == INT64_MAX ? GST_CLOCK_TIME_NONE : stamp(span.stop),
            gst_util_uint64_scale(span.time, GST_SECOND, movie_.scale())};
  }

  TimeHeader movie_, media_;
  Box table_, edits_, list_;
  uint32_t id_ = 0;
  bool is_video_ = false, usable_ = false;
  size_t count_ = 0, first_media_ = 0; // number of entries, index of the first non-empty one
  std::vector<Span> spans_;            // of the non-empty entries
  bool edits_kept_ = false;
  int64_t shift_ = 0;
  int64_t end_ = 0; // of the last sample, the later of decode time and composition time
};

} // namespace

std::vector<MovieTrack> open_movie_header(uint8_t *data, size_t size) {
  std::vector<MovieTrack> tracks;
  uint8_t *at = data;
  const Box movie = next_box(at, data + size);
  if (!movie || !movie.is("moov"))
    return tracks;
  TimeHeader header(child(movie, "mvhd"));
  if (!header)
    return tracks;
  const bool fragmented = static_cast<bool>(child(movie, "mvex"));
  at = movie.data + kHeader;
  while (const Box box = next_box(at, movie.data + movie.size)) {
    if (!box.is("trak"))
      continue;
    Track track(box, header);
    if (!track.is_usable())
      continue;
    tracks.push_back(track.open(fragmented));
    header.extend(track.movie_end());
  }
  return tracks;
}

MovieTrack read_segment_index(const uint8_t *data, size_t size) {
  auto *at = const_cast<uint8_t *>(data); // never written to
  const Box box = next_box(at, at + size);
  MovieTrack track;
  if (!box || !box.is("sidx") || !box.has(kFullHeader))
    return track;
  const bool wide = box.version() > 0;
  const size_t first = wide ? 40 : 32; // offset of the first reference
  if (!box.has(first) || box.at(16) == 0)
    return track;
  uint64_t end = wide ? read_be<uint64_t>(box.data + 20) : box.at(20);
  const size_t count = std::min<size_t>(read_be<uint16_t>(box.data + first - 2), (box.size - first) / 12);
  for (size_t i = 0; i < count; i++)
    end += box.at(first + 12 * i + 4);
  track.id = box.at(12);
  track.end = gst_util_uint64_scale(end, GST_SECOND, box.at(16));
  return track;
}

} // namespace cps
