// SPDX-License-Identifier: LGPL-2.1-or-later
// Decodes parts of a clip, and compares with the whole: the test of what a parser says about dependencies.
#pragma once

#include "gst/bitstream/neededunits.h"
#include "tests/bitstream/clips.h"

#include <map>

// A decoded picture and the access unit that it came from.
struct Shown {
  uint32_t unit;
  Bytes pixels;
};

// The units of a clip that `keep` names, or all; each is followed through the decoder by a meta without tags.
inline std::vector<Shown> decode_units(const Clip &clip, const std::string &decoder,
                                       const std::vector<bool> *keep = nullptr) {
  Ref<GstCaps> label(gst_caps_new_empty_simple("timestamp/x-unit"));
  Clip units;
  for (size_t i = 0; i < clip.size(); ++i) {
    if (keep && !(*keep)[i])
      continue;
    Ref<GstBuffer> buffer(gst_buffer_copy(gst_sample_get_buffer(clip[i].get())));
    gst_buffer_add_reference_timestamp_meta(buffer.get(), label.get(), i, GST_CLOCK_TIME_NONE);
    units.emplace_back(gst_sample_new(buffer.get(), gst_sample_get_caps(clip[i].get()), nullptr, nullptr));
  }
  std::vector<Shown> shown;
  for (const auto &sample : run("appsrc name=in ! " + decoder + " ! appsink name=out", &units)) {
    GstBuffer *buffer = gst_sample_get_buffer(sample.get());
    const auto *meta = gst_buffer_get_reference_timestamp_meta(buffer, label.get());
    fail_unless(meta != nullptr);
    shown.push_back({static_cast<uint32_t>(meta->timestamp), bytes_of(buffer)});
  }
  return shown;
}

// The decoder puts out the frames of the index, all of them and in its order.
inline void check_frames_are_shown(const Parsed &parsed, const std::vector<Shown> &all, const std::string &what) {
  fail_unless(all.size() == parsed.index.frames(), "%s: %u frames, %zu are shown", what.c_str(), parsed.index.frames(),
              all.size());
  for (size_t i = 0; i < all.size(); ++i)
    fail_unless(parsed.index.unit(all[i].unit).frame == i, "%s: frame %u is shown as number %zu", what.c_str(),
                parsed.index.unit(all[i].unit).frame, i);
}

inline std::vector<std::vector<uint64_t>> wanted_sets(uint64_t frames) {
  std::vector<std::vector<uint64_t>> sets;
  for (uint64_t step : {3u, 5u, 8u, 13u})
    for (uint64_t first : {0u, 1u, 2u}) {
      sets.emplace_back();
      for (uint64_t id = first; id < frames; id += step)
        sets.back().push_back(id);
    }
  for (uint64_t id = 0; id < frames; id += 1 + frames / 12)
    sets.push_back({id});
  sets.push_back({frames - 1});
  return sets;
}

// Wanted frames are the same, bit by bit, if only the units go to the decoder that are needed. Returns how many of each
// hundred were dropped.
inline int check_subsets(const Clip &clip, const Parsed &parsed, const std::vector<Shown> &all,
                         const std::string &decoder, const std::string &what) {
  std::map<uint32_t, const Bytes *> expected;
  for (const Shown &picture : all)
    expected[picture.unit] = &picture.pixels;
  size_t dropped = 0, units = 0;
  for (const auto &wanted : wanted_sets(parsed.index.frames())) {
    const cps::NeededUnits needed = cps::needed_units(parsed.index, wanted, INT64_MAX);
    dropped += static_cast<size_t>(std::count(needed.keep.begin(), needed.keep.end(), false));
    units += needed.keep.size();
    std::map<uint32_t, Bytes> found;
    for (Shown &picture : decode_units(clip, decoder, &needed.keep))
      found[parsed.index.unit(picture.unit).frame] = std::move(picture.pixels);
    for (const uint64_t id : wanted) {
      const uint32_t unit =
          static_cast<uint32_t>(&parsed.index.frame(static_cast<uint32_t>(id)) - &parsed.index.unit(0));
      fail_unless(found.count(static_cast<uint32_t>(id)) == 1, "%s: frame %d of %zu wanted is missing", what.c_str(),
                  static_cast<int>(id), wanted.size());
      fail_unless(found[static_cast<uint32_t>(id)] == *expected[unit], "%s: frame %d of %zu wanted differs",
                  what.c_str(), static_cast<int>(id), wanted.size());
    }
  }
  const int percent = static_cast<int>(100 * dropped / units);
  g_print("%s: %zu units, %u frames, %d %% dropped\n", what.c_str(), clip.size(), parsed.index.frames(), percent);
  return percent;
}

// All of the above.
inline int check_clip(const Clip &clip, const std::string &decoder, const std::string &what) {
  const Parsed parsed = parse(clip);
  for (size_t i = 0; i < parsed.understood.size(); ++i)
    fail_unless(parsed.understood[i], "%s: unit %zu not understood", what.c_str(), i);
  const auto all = decode_units(clip, decoder);
  check_frames_are_shown(parsed, all, what);
  return check_subsets(clip, parsed, all, decoder, what);
}

// A source of moving pictures.
inline std::string source(int frames, const std::string &pattern = "ball", const std::string &caps = "") {
  return "videotestsrc num-buffers=" + std::to_string(frames) + " pattern=" + pattern +
         " ! video/x-raw,width=64,height=48,framerate=25/1" + caps + " ! ";
}

inline int count_hidden(const Parsed &parsed) {
  return static_cast<int>(std::count_if(parsed.pictures.begin(), parsed.pictures.end(),
                                        [](const auto &p) { return p.has_picture && !p.output; }));
}
