// SPDX-License-Identifier: LGPL-2.1-or-later
// Headers of MP4 files, written here box by box.
#include "gst/bitstream/movieheader.h"

#include <gst/check/gstcheck.h>
#include <optional>
#include <string>

using cps::MovieTrack;

namespace {

constexpr uint32_t kMovieScale = 1000, kScale = 25 * 40; // of the track: a frame takes 40
constexpr uint32_t kFrame = 40;
constexpr GstClockTime kTick = GST_SECOND / kScale;

std::string be(uint64_t value, int bytes) {
  std::string out;
  while (bytes-- > 0)
    out.push_back(bytes < 8 ? static_cast<char>(value >> 8 * bytes) : '\0');
  return out;
}

std::string box(const std::string &type, const std::string &content) {
  return be(content.size() + 8, 4) + type + content;
}

struct Entry {
  uint64_t duration;
  int64_t media_time;
};

struct Movie {
  bool wide = false; // 64-bit fields
  uint32_t frames = 10;
  uint64_t duration = 10 * kFrame;         // of the track's header
  uint64_t movie_duration = 10 * kFrame;   // of the movie's, which has the same scale
  std::vector<int32_t> offsets;            // of composition times, one a frame
  std::optional<std::vector<Entry>> edits; // none: there is no such box
  bool fragmented = false;
  std::string handler = "vide";

  std::string time_header(const char *type, uint32_t scale, uint64_t length) const {
    const int bytes = wide ? 8 : 4;
    return box(type, be(wide ? 1 : 0, 1) + be(0, 3) + be(0, bytes) + be(0, bytes) + be(scale, 4) + be(length, bytes) +
                         be(0, 4));
  }

  std::string edit_box() const {
    std::string list = be(wide ? 1 : 0, 1) + be(0, 3) + be(edits->size(), 4);
    for (const Entry &e : *edits)
      list += be(e.duration, wide ? 8 : 4) + be(static_cast<uint64_t>(e.media_time), wide ? 8 : 4) + be(0x10000, 4);
    return box("edts", box("elst", list));
  }

  std::string bytes() const {
    std::string tables = box("stts", be(0, 4) + be(1, 4) + be(frames, 4) + be(kFrame, 4)) +
                         box("stsz", be(0, 4) + be(0, 4) + be(frames, 4) + std::string(4 * size_t{frames}, '\1'));
    if (!offsets.empty()) {
      std::string list = be(1, 1) + be(0, 3) + be(offsets.size(), 4);
      for (const int32_t offset : offsets)
        list += be(1, 4) + be(static_cast<uint32_t>(offset), 4);
      tables += box("ctts", list);
    }
    const std::string media = time_header("mdhd", kScale, duration) +
                              box("hdlr", be(0, 8) + handler + std::string(12, '\0')) +
                              box("minf", box("stbl", tables));
    const std::string track =
        box("tkhd", be(wide ? 1 : 0, 1) + be(7, 3) + be(0, wide ? 16 : 8) + be(3, 4) + std::string(68, '\0')) +
        (edits ? edit_box() : "") + box("mdia", media);
    return box("moov", time_header("mvhd", kMovieScale, movie_duration) + box("trak", track) +
                           (fragmented ? box("mvex", "") : ""));
  }
};

struct Opened {
  std::vector<MovieTrack> tracks;
  std::string bytes;

  explicit Opened(const Movie &movie) : bytes(movie.bytes()) {
    tracks = cps::open_movie_header(reinterpret_cast<uint8_t *>(bytes.data()), bytes.size());
  }
  const MovieTrack &track() const {
    fail_unless(tracks.size() == 1);
    return tracks[0];
  }
  // Duration in the header `type`.
  uint64_t duration(const char *type, bool wide = false) const {
    const auto *at = reinterpret_cast<const uint8_t *>(bytes.data()) + bytes.find(type) - 4;
    return wide ? GST_READ_UINT64_BE(at + 32) : GST_READ_UINT32_BE(at + 24);
  }
  bool has_edits() const { return bytes.find("edts") != std::string::npos; }
};

// Every other frame is a B frame: shown 80, 0; the last one ends at 440.
std::vector<int32_t> reordered(uint32_t frames, int32_t shift = 0) {
  std::vector<int32_t> offsets;
  for (uint32_t i = 0; i < frames; i++)
    offsets.push_back((i % 2 ? 0 : 2 * static_cast<int32_t>(kFrame)) + shift);
  return offsets;
}

} // namespace

GST_START_TEST(test_nothing_to_do) {
  for (const bool wide : {false, true}) {
    Movie movie;
    movie.wide = wide;
    const Opened opened(movie);
    fail_unless(opened.bytes == movie.bytes());
    fail_unless(opened.track().id == 3 && opened.track().shows_all && opened.track().edits.empty());
    assert_equals_uint64(opened.track().end, 400 * kTick);
  }
  Movie sound;
  sound.handler = "soun";
  sound.edits = {{100, 40}};
  const Opened opened(sound);
  fail_unless(opened.tracks.empty() && opened.bytes == sound.bytes());
}
GST_END_TEST;

// The demuxer stops at the duration, though the last frames are shown behind it.
GST_START_TEST(test_durations_are_extended) {
  for (const bool wide : {false, true}) {
    Movie movie;
    movie.wide = wide;
    movie.offsets = reordered(10);
    movie.duration = movie.movie_duration = 390;
    const Opened opened(movie);
    assert_equals_uint64(opened.duration("mdhd", wide), 440);
    assert_equals_uint64(opened.duration("mvhd", wide), 440);
    assert_equals_uint64(opened.track().end, 440 * kTick);
    movie.duration = movie.movie_duration = 0; // unknown, which cuts nothing off
    assert_equals_uint64(Opened(movie).duration("mdhd", wide), 0);
  }
}
GST_END_TEST;

// An edit that shows everything stays, without its end.
GST_START_TEST(test_plain_edits_stay) {
  for (const bool wide : {false, true})
    for (const uint64_t start : {0, 5000}) {
      Movie movie;
      movie.wide = wide;
      movie.offsets = reordered(10);
      std::vector<Entry> edits;
      if (start > 0)
        edits.push_back({start, -1}); // shown later
      edits.push_back({404, 40});     // the first frame shown is at 40
      movie.edits = edits;
      const Opened opened(movie);
      fail_unless(opened.has_edits() && opened.track().shows_all && opened.track().edits.empty());
      fail_unless(opened.track().end == (start + 400) * kTick);
      edits.back().duration = 0;
      Movie without_end = movie;
      without_end.edits = edits;
      const std::string list = without_end.edit_box();
      fail_unless(opened.bytes.find(list) != std::string::npos);
      assert_equals_uint64(opened.duration("mvhd", wide), start + 400);
    }
}
GST_END_TEST;

struct Cut {
  const char *what;
  std::vector<Entry> edits;
  std::vector<int32_t> offsets;
  std::vector<cps::Edit> expected; // in ticks
  uint64_t end;
};

GST_START_TEST(test_other_edits_are_taken) {
  const Cut kCuts[] = {
      {"the beginning", {{300, 100}}, {}, {{100, 400, 0}}, 300},
      {"the end", {{200, 0}}, {}, {{0, 200, 0}}, 200},
      {"the beginning, to the end of the track", {{0, 100}}, {}, {{100, GST_CLOCK_TIME_NONE, 0}}, 300},
      {"one behind the other", {{200, 0}, {200, 200}}, {}, {{0, 200, 0}, {200, 400, 200}}, 400},
      {"what is between, later",
       {{500, -1}, {80, 40}, {100, -1}, {80, 240}},
       {},
       {{40, 120, 500}, {240, 320, 680}},
       760},
      // Shifted by 80, so that none is before its decode time.
      {"negative offsets", {{200, 80}}, reordered(10, -80), {{160, 360, 0}}, 200},
  };
  for (const bool wide : {false, true})
    for (const Cut &cut : kCuts) {
      Movie movie;
      movie.wide = wide;
      movie.edits = cut.edits;
      movie.offsets = cut.offsets;
      const Opened opened(movie);
      const MovieTrack &track = opened.track();
      fail_if(opened.has_edits(), "%s", cut.what);
      fail_unless(track.edits.size() == cut.expected.size(), "%s", cut.what);
      for (size_t i = 0; i < track.edits.size(); i++) {
        const cps::Edit &edit = track.edits[i], &expected = cut.expected[i];
        const bool open = expected.stop == GST_CLOCK_TIME_NONE;
        fail_unless(edit.start == expected.start * kTick && edit.time == expected.time * kTick &&
                        edit.stop == (open ? expected.stop : expected.stop * kTick),
                    "%s, %zu", cut.what, i);
      }
      fail_unless(track.end == cut.end * kTick, "%s: %" G_GUINT64_FORMAT, cut.what, track.end);
    }
}
GST_END_TEST;

// Their samples are not in the header, and an edit does not cut them off.
GST_START_TEST(test_fragments) {
  Movie movie;
  movie.fragmented = true;
  movie.frames = 0;
  movie.edits = {{400, 80}};
  const Opened opened(movie);
  fail_unless(opened.track().shows_all && opened.track().edits.empty() && opened.has_edits());
  fail_if(GST_CLOCK_TIME_IS_VALID(opened.track().end));
  const std::string references = be(0x80000000, 4) + be(500, 4) + be(0, 4) + be(0, 4) + be(700, 4) + be(0, 4);
  for (const bool wide : {false, true}) {
    const std::string index =
        box("sidx", be(wide ? 1 : 0, 1) + be(0, 3) + be(3, 4) + be(kScale, 4) + be(100, wide ? 8 : 4) +
                        be(0, wide ? 8 : 4) + be(0, 2) + be(2, 2) + references);
    const MovieTrack track = cps::read_segment_index(reinterpret_cast<const uint8_t *>(index.data()), index.size());
    fail_unless(track.id == 3 && track.end == 1300 * kTick);
  }
}
GST_END_TEST;

// Whatever is cut off or overwritten, nothing outside of the box is touched.
GST_START_TEST(test_damage) {
  Movie movie;
  movie.offsets = reordered(10);
  movie.edits = {{500, -1}, {200, 40}};
  const std::string good = movie.bytes();
  for (size_t size = 0; size < good.size(); size++) {
    std::vector<uint8_t> bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)); // an exact allocation
    cps::open_movie_header(bytes.data(), bytes.size());
    cps::read_segment_index(bytes.data(), bytes.size());
  }
  for (size_t at = 0; at < good.size(); at++)
    for (const int value : {0, 1, 127, 255}) {
      std::vector<uint8_t> bytes(good.begin(), good.end());
      bytes[at] = static_cast<uint8_t>(value);
      cps::open_movie_header(bytes.data(), bytes.size());
    }
}
GST_END_TEST;

static Suite *movieheader_suite() {
  Suite *suite = suite_create("movieheader");
  TCase *tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, test_nothing_to_do);
  tcase_add_test(tests, test_durations_are_extended);
  tcase_add_test(tests, test_plain_edits_stay);
  tcase_add_test(tests, test_other_edits_are_taken);
  tcase_add_test(tests, test_fragments);
  tcase_add_test(tests, test_damage);
  return suite;
}

GST_CHECK_MAIN(movieheader)
