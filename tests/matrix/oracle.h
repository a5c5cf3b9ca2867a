// SPDX-License-Identifier: LGPL-2.1-or-later
// What a full decode of a stream shows, and what a line with a frameplanner samples of it.
#pragma once

#include "tests/pipelines/clips.h"

#include "tests/common/command.h"

#include <sstream>

namespace matrix {

using pipes::Line;
using pipes::Outcome;
using pipes::Owned;
using test::output_of;

inline bool have_program(const char *name) {
  gchar *path = g_find_program_in_path(name);
  if (!path)
    g_print("skipped: no program %s\n", name);
  g_free(path);
  return path != nullptr;
}

// False with a message where GStreamer here lacks an element of the line.
inline bool have_elements_of(const std::string &line) {
  std::istringstream parts(line);
  for (std::string word, before = "!"; parts >> word; before = word)
    if (before == "!" && word.find('/') == std::string::npos && !pipes::have_elements({word.c_str()}))
      return false;
  return true;
}

struct Picture {
  std::string pixels; // checksum, "" of a frame that does not come
  int number;         // burnt in, -1 where there is none to read
  size_t unit = 0;    // the access unit, in decode order, where that is known
  bool damaged = false;
};

// Every picture of the stream, in the order that the decoder puts them out: by display order.
inline std::vector<Picture> decode(const std::string &reading, const std::string &decoder,
                                   std::string *error = nullptr) {
  const Owned<GstCaps> unit(gst_caps_new_empty_simple("timestamp/x-unit"));
  size_t units = 0;
  std::vector<Picture> pictures;
  Line line(reading + " ! identity name=units ! " + decoder + " name=decoder ! fakesink");
  line.on_buffer("units", "src", [&](GstPad *, GstBuffer *buffer) { // has no tags, so that decoders carry it along
    gst_buffer_add_reference_timestamp_meta(buffer, unit.get(), units++, GST_CLOCK_TIME_NONE);
  });
  line.on_buffer("decoder", "src", [&](GstPad *pad, GstBuffer *buffer) {
    const auto *meta = gst_buffer_get_reference_timestamp_meta(buffer, unit.get());
    pictures.push_back({pipes::checksum(pad, buffer), pipes::read_number(pad, buffer), meta ? meta->timestamp : 0,
                        GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_CORRUPTED)});
  });
  const Outcome outcome = line.run();
  line.stop();
  fail_unless(outcome.eos || error, "%s: %s (%s)", reading.c_str(), outcome.error.c_str(), outcome.debug.c_str());
  if (error)
    *error = outcome.error;
  return pictures;
}

// Which pictures libavcodec takes for points of random access, in display order.
inline std::vector<bool> key_pictures(const std::string &path) {
  std::istringstream lines(output_of({"ffprobe", "-v", "quiet", "-select_streams", "v:0", "-show_entries",
                                      "frame=key_frame", "-of", "csv=p=0", path}));
  std::vector<bool> keys;
  for (std::string line; std::getline(lines, line);)
    if (!line.empty())
      keys.push_back(line[0] == '1');
  return keys;
}

struct Sampled {
  guint64 frame_id, total;
  GstClockTime pts;
  bool random_access;
  CpsFrameStatus status;
  Picture picture;
};

// libde265dec says this of every codec_data.
constexpr const char *kHarmless = "Unsupported extra data version 1";

inline std::string planned(const std::string &reading, const std::string &strategy, const std::string &decoder) {
  return reading + " ! frameplanner uniform-strategy=" + strategy + " ! " + decoder;
}

// Runs `line`; `frames` are those that pass the pad, of the sampler where it has that name.
inline Outcome run_sampler(Line &line, std::vector<Sampled> &frames, const char *element = "sampler",
                           const char *at = "src") {
  line.on_buffer(element, at, [&frames](GstPad *pad, GstBuffer *buffer) {
    const CpsFrameMeta *meta = cps_buffer_get_frame_meta(buffer);
    frames.push_back({meta->frame_id,
                      meta->total,
                      meta->pts,
                      (meta->flags & CPS_FRAME_FLAG_RANDOM_ACCESS) != 0,
                      meta->status,
                      {pipes::checksum(pad, buffer), pipes::read_number(pad, buffer)}});
  });
  return line.run();
}

// What comes of sampling `n` frames with `strategy`.
inline std::vector<Sampled> sample(const std::string &what, const std::string &reading, const std::string &decoder,
                                   const std::string &strategy, int n, bool may_warn) {
  Line line(planned(reading, strategy, decoder) +
            " ! uniformsampler name=sampler sequence-length=" + std::to_string(n) + " ! fakesink");
  std::vector<Sampled> frames;
  const Outcome outcome = run_sampler(line, frames);
  fail_unless(outcome.eos, "%s: %s (%s)", what.c_str(), outcome.error.c_str(), outcome.debug.c_str());
  for (const std::string &warning : outcome.warnings)
    fail_unless(may_warn || warning.find(kHarmless) != std::string::npos, "%s: %s", what.c_str(), warning.c_str());
  return frames;
}

struct Expected {
  std::vector<Picture> pictures; // by frame id
  std::vector<bool> keys;        // empty: not to be checked
  bool last_is_torn = false;     // the last access unit ends too early: its pixels are up to chance
  bool may_warn = false;
};

inline size_t last_unit(const std::vector<Picture> &pictures) {
  size_t last = 0;
  for (const Picture &picture : pictures)
    last = std::max(last, picture.unit);
  return last;
}

inline void check_sample(const std::string &what, const std::vector<Sampled> &frames, const Expected &expected, int n) {
  const auto total = static_cast<int>(expected.pictures.size());
  const std::vector<int> ids = pipes::spread(pipes::count_up(0, total), n);
  fail_unless(frames.size() == ids.size(), "%s: %d frames", what.c_str(), static_cast<int>(frames.size()));
  for (size_t i = 0; i < frames.size(); i++) {
    const Sampled &frame = frames[i];
    const auto id = static_cast<size_t>(ids[i]);
    fail_unless(frame.total == static_cast<guint64>(total), "%s: %d frames in all, not %d", what.c_str(),
                static_cast<int>(frame.total), total);
    fail_unless(frame.frame_id == id, "%s: frame %d instead of %d", what.c_str(), static_cast<int>(frame.frame_id),
                ids[i]);
    const Picture &picture = expected.pictures[id];
    if (picture.pixels.empty()) {
      fail_if(frame.status == CPS_FRAME_STATUS_OK, "%s: frame %d is there", what.c_str(), ids[i]);
      continue;
    }
    fail_unless(frame.status == CPS_FRAME_STATUS_OK, "%s: frame %d is missing", what.c_str(), ids[i]);
    const bool torn = expected.last_is_torn && picture.unit == last_unit(expected.pictures);
    fail_unless(torn || frame.picture.pixels == picture.pixels,
                "%s: other pixels in frame %d (number %d instead of %d)", what.c_str(), ids[i], frame.picture.number,
                picture.number);
    fail_unless(expected.keys.empty() || frame.random_access == expected.keys[id], "%s: frame %d is %sa key",
                what.c_str(), ids[i], frame.random_access ? "" : "not ");
  }
}

// Every strategy, from one frame to more than there are. Of each it is every other number: those of an odd `turn` are
// not those of an even one, so that streams of a kind, and the decoders of one, have them all between them. With
// CPS_ALL in the environment it is every number.
inline void check_all(const std::string &name, const std::string &reading, const std::string &decoder,
                      const Expected &expected, int turn) {
  const int more = static_cast<int>(expected.pictures.size()) + 7;
  const bool every_number = g_getenv("CPS_ALL") != nullptr;
  for (const char *strategy : {"stream", "skip", "seek", "auto"}) {
    int place = turn++;
    for (const int n : {1, 2, 8, 16, 64, more}) {
      if (place++ % 2 != 0 && !every_number)
        continue;
      const std::string what = name + ", " + decoder + ", " + strategy + ", n = " + std::to_string(n);
      check_sample(what, sample(what, reading, decoder, strategy, n, expected.may_warn), expected, n);
    }
  }
}

} // namespace matrix
