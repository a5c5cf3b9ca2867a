// SPDX-License-Identifier: LGPL-2.1-or-later
// What patchselect and framestack have in common: each test runs once for each of them.
#include "tests/common/suite.h"
#include "tests/common/text.h"
#include "tests/elements/clips.h"

using namespace clips;

namespace {

struct Element {
  const char *factory;
  const char *entry; // what a uniformsampler has to be before
  test::Properties properties;
  bool energy;          // of the frames it needs
  guint64 patch_memory; // that noise_clip() takes
};

// Frames of 96x80 become 56x56 in patchselect: in bytes, samples of three planes at two bytes each, scores and their
// order, and what is kept of 20 patches.
constexpr test::Properties kSmall = {{"input-size", "56"}, {"k-keep", "20"}, {"output-dtype", "f32"}};
constexpr Element kElements[] = {
    {"patchselect", "patchenergy", kSmall, true,
     3 * 56 * 56 * 3 * 2 + 3 * 16 * 24 + 20 * (3 * 14 * 14 * 4 + 6 * 8 + 4)},
    {"framestack", "framestack", {}, false, 3 * 96 * 80 * 3},
};

Clip noise_clip(const Element &element, const GstVideoInfo &info, const Region &region, guint length,
                unsigned seed = 1) {
  const Clip clip = noise_pictures(info, region, length, seed);
  return element.energy ? with_energy(clip, seed) : clip;
}

Clip noise_clip(const Element &element, const char *format = "I420", guint length = 3, unsigned seed = 1,
                const char *colorimetry = "bt709") {
  return noise_clip(element, test::video_info(format, 96, 80, colorimetry), {0, 0, 96, 80}, length, seed);
}

// An element that has begun a stream of these frames.
class Maker : public Harness {
public:
  explicit Maker(const Element &element) : Harness(element.factory, element.properties) {}
  Maker(const Element &element, const Clip &clip) : Maker(element) { begin(clip); }

  void begin(const Clip &clip) const { start(test::video_caps(clip.info).get()); }
};

// Tensors are those that an element makes of the clip that knows of nothing else; tests of the values are each
// element's.
void check_tensors(const Element &element, GstBuffer *tensors, const Clip &clip,
                   const std::pair<const char *, const char *> &property = {}) {
  const Maker fresh(element);
  if (property.first)
    fresh.set(property.first, property.second);
  fresh.begin(clip);
  const Owned<GstBuffer> expected = run(fresh, clip);
  const Owned<GstCaps> caps = test::caps_of(tensors), expected_caps = test::caps_of(expected.get());
  fail_unless(gst_caps_is_equal(caps.get(), expected_caps.get()), "%s: other tensors", element.factory);
  const guint count = gst_buffer_n_memory(expected.get());
  assert_equals_int(gst_buffer_n_memory(tensors), count);
  for (guint i = 0; i < count; ++i) {
    GstMapInfo a, b;
    fail_unless(gst_memory_map(gst_buffer_peek_memory(tensors, i), &a, GST_MAP_READ) &&
                gst_memory_map(gst_buffer_peek_memory(expected.get(), i), &b, GST_MAP_READ));
    fail_unless(a.size > 0 && a.size == b.size && std::equal(a.data, a.data + a.size, b.data), "%s: tensor %u differs",
                element.factory, i);
    gst_memory_unmap(a.memory, &a);
    gst_memory_unmap(b.memory, &b);
  }
}

// The error at a frame that `change` has been at, as the first and as the second of a clip.
void check_frame_refused(const Element &element, const std::function<void(GstBuffer *)> &change, const char *part) {
  const Clip clip = noise_clip(element);
  for (const guint position : {0u, 1u}) {
    const Maker maker(element, clip);
    if (position == 1)
      fail_unless(maker.push(frame(clip, 0)) == GST_FLOW_OK);
    Owned<GstBuffer> bad = frame(clip, position);
    change(bad.get());
    fail_unless(maker.push(std::move(bad)) == GST_FLOW_ERROR);
    maker.check_error(part);
    fail_unless(maker.pull() == nullptr);
  }
}

} // namespace

// Frames

// Padding in memory is none of the picture.
GST_START_TEST(test_strides_and_offsets) {
  const Element &element = kElements[__i__];
  const Clip clip = noise_clip(element, "I420", 2);
  GstVideoInfo padded = clip.info;
  GstVideoAlignment alignment;
  gst_video_alignment_reset(&alignment);
  alignment.padding_left = alignment.padding_top = 4;
  alignment.padding_right = alignment.padding_bottom = 6;
  gst_video_info_align(&padded, &alignment);
  const Maker maker(element, clip);
  for (guint i = 0; i < 2; ++i) {
    Owned<GstBuffer> buffer = test::noise_buffer(padded.size);
    gst_buffer_add_video_meta_full(buffer.get(), GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_I420, 96, 80, 3,
                                   padded.offset, padded.stride);
    test::write_picture(buffer.get(), clip.info, clip.pictures[i]);
    fail_unless(maker.push(with_metas(std::move(buffer), clip, i)) == GST_FLOW_OK);
  }
  check_tensors(element, maker.pull().get(), clip);
}
GST_END_TEST;

// They go back to the decoder's pool at once.
GST_START_TEST(test_keeps_no_frames) {
  const Element &element = kElements[__i__];
  const Clip clip = noise_clip(element);
  const Maker maker(element, clip);
  for (guint i = 0; i < 3; ++i) {
    const Owned<GstBuffer> mine = frame(clip, i);
    fail_unless(maker.push(Owned<GstBuffer>(gst_buffer_ref(mine.get()))) == GST_FLOW_OK);
    ASSERT_MINI_OBJECT_REFCOUNT(mine.get(), "frame", 1);
    if (element.energy)
      ASSERT_MINI_OBJECT_REFCOUNT(cps_buffer_get_energy_meta(mine.get())->map, "map", 1);
  }
}
GST_END_TEST;

// Caps and events

GST_START_TEST(test_gaps_and_eos) {
  const Element &element = kElements[__i__];
  const Clip clip = noise_clip(element);
  const Maker maker(element, clip);
  fail_unless(maker.event(gst_event_new_gap(0, GST_SECOND)));
  run(maker, clip);
  fail_unless(maker.event(gst_event_new_eos()));
  bool ended = false;
  while (const Owned<GstEvent> event{gst_harness_try_pull_event(maker.get())}) {
    fail_if(GST_EVENT_TYPE(event.get()) == GST_EVENT_GAP);
    ended |= GST_EVENT_TYPE(event.get()) == GST_EVENT_EOS;
  }
  fail_unless(ended);
  maker.check_quiet();
}
GST_END_TEST;

GST_START_TEST(test_eos_of_nothing) {
  const Element &element = kElements[__i__];
  const Maker maker(element, noise_clip(element));
  fail_unless(maker.event(gst_event_new_eos()));
  fail_unless(maker.pull_event(GST_EVENT_EOS) != nullptr);
  maker.check_quiet();
}
GST_END_TEST;

GST_START_TEST(test_not_negotiated) {
  const Element &element = kElements[__i__];
  const Maker maker(element);
  const Owned<GstCaps> caps(gst_caps_from_string("video/x-raw, format=v210, width=96, height=80"));
  maker.start(caps.get());
  fail_unless(maker.push(frame(noise_clip(element), 0)) == GST_FLOW_NOT_NEGOTIATED);
}
GST_END_TEST;

// A flush between the check and the caps is no failure to negotiate.
GST_START_TEST(test_flushing_downstream) {
  const Element &element = kElements[__i__];
  const Clip clip = noise_clip(element);
  const Maker maker(element, clip);
  const Owned<GstPad> src(gst_element_get_static_pad(maker.element(), "src"));
  gst_pad_push_event(src.get(), gst_event_new_flush_start());
  fail_unless(maker.push(frame(clip, 0)) == GST_FLOW_FLUSHING);
  maker.check_quiet();
}
GST_END_TEST;

GST_START_TEST(test_allocation) {
  const Element &element = kElements[__i__];
  const Maker maker(element);
  const Owned<GstCaps> caps = test::video_caps(noise_clip(element).info);
  const Owned<GstQuery> query(gst_query_new_allocation(caps.get(), FALSE));
  fail_unless(gst_pad_peer_query(maker.get()->srcpad, query.get()));
  fail_unless(gst_query_find_allocation_meta(query.get(), GST_VIDEO_META_API_TYPE, nullptr));
  fail_unless(gst_query_find_allocation_meta(query.get(), GST_VIDEO_CROP_META_API_TYPE, nullptr));
}
GST_END_TEST;

// Refusals

GST_START_TEST(test_frames_of_no_sequence) {
  const Element &element = kElements[__i__];
  const std::string hint = std::string("put a uniformsampler before ") + element.entry;
  check_frame_refused(
      element, [](GstBuffer *buffer) { gst_buffer_remove_meta(buffer, &cps_buffer_get_frame_meta(buffer)->meta); },
      hint.c_str());
  check_frame_refused(
      element, [](GstBuffer *buffer) { cps_buffer_get_frame_meta(buffer)->seq_len = 0; }, hint.c_str());
  check_frame_refused(
      element, [](GstBuffer *buffer) { cps_buffer_get_frame_meta(buffer)->seq_pos = 3; }, hint.c_str());
}
GST_END_TEST;

GST_START_TEST(test_frames_too_small) {
  const Element &element = kElements[__i__];
  check_frame_refused(
      element,
      [](GstBuffer *buffer) { gst_buffer_set_size(buffer, static_cast<gssize>(gst_buffer_get_size(buffer)) - 1); },
      element.energy ? "memory does not fit its caps" : "memory is smaller");
}
GST_END_TEST;

GST_START_TEST(test_crop_out_of_range) {
  check_frame_refused(
      kElements[__i__],
      [](GstBuffer *buffer) {
        test::add_crop(buffer, {1, 0, 96, 80});
      },
      "crop");
}
GST_END_TEST;

GST_START_TEST(test_wrong_position) {
  const Element &element = kElements[__i__];
  const Clip clip = noise_clip(element);
  for (const guint position : {0u, 2u}) {
    const Maker maker(element, clip);
    fail_unless(maker.push(frame(clip, 0)) == GST_FLOW_OK);
    fail_unless(maker.push(frame(clip, position)) == GST_FLOW_ERROR);
    maker.check_error("where frame 1 was due");
    maker.event(gst_event_new_eos()); // no second error
    maker.check_quiet();
  }
  const Maker late(element, clip);
  fail_unless(late.push(frame(clip, 1)) == GST_FLOW_ERROR);
  late.check_error("where frame 0 was due");
  const Maker other(element, clip);
  fail_unless(other.push(frame(clip, 0)) == GST_FLOW_OK);
  Owned<GstBuffer> longer = frame(clip, 1);
  cps_buffer_get_frame_meta(longer.get())->seq_len = 4;
  fail_unless(other.push(std::move(longer)) == GST_FLOW_ERROR);
  other.check_error("sequence of 4");
}
GST_END_TEST;

GST_START_TEST(test_memory_limit) {
  const Element &element = kElements[__i__];
  const Clip clip = noise_clip(element);
  const std::string enough = std::to_string(element.patch_memory), less = std::to_string(element.patch_memory - 1);
  for (const auto &[limit, fits] :
       {std::pair(enough, true), std::pair(less, false), std::pair(std::string("0"), true)}) {
    const Maker maker(element, clip);
    maker.set("max-memory", limit.c_str());
    fail_unless((maker.push(frame(clip, 0)) == GST_FLOW_OK) == fits, "%s: %s", limit.c_str(), maker.error().c_str());
    if (!fits)
      maker.check_error(
          ("A clip of 3 frames needs " + enough + " bytes of memory, more than max-memory, which is " + less).c_str());
  }
}
GST_END_TEST;

// There is one by default as well. A sequence of a million frames takes 20 gigabytes.
GST_START_TEST(test_memory_limit_by_default) {
  const Element &element = kElements[__i__];
  const Clip clip = noise_clip(element);
  const Maker maker(element, clip);
  Owned<GstBuffer> first = frame(clip, 0);
  cps_buffer_get_frame_meta(first.get())->seq_len = 1u << 20;
  fail_unless(maker.push(std::move(first)) == GST_FLOW_ERROR);
  maker.check_error("more than max-memory");
}
GST_END_TEST;

// Size or format: a clip is of one kind of frames, and what follows must not be read as if it were.
GST_START_TEST(test_caps_change_in_a_clip) {
  const Element &element = kElements[__i__];
  const struct {
    const char *format;
    int width, height;
    const char *part;
  } rows[] = {{"I420", 128, 80, "from 96x80 I420 bt709 to 128x80 I420"},
              {"GRAY8", 96, 80, "to 96x80 GRAY8"},
              {"NV12", 96, 80, "to 96x80 NV12"},
              {"I420_10LE", 96, 80, "to 96x80 I420_10LE"}};
  for (const auto &row : rows) {
    const Clip before = noise_clip(element),
               after = noise_clip(element, test::video_info(row.format, row.width, row.height),
                                  {0, 0, row.width, row.height}, 3);
    const Maker maker(element, before);
    fail_unless(maker.push(frame(before, 0)) == GST_FLOW_OK);
    maker.event(gst_event_new_caps(test::video_caps(after.info).get()));
    const std::string error = maker.error();
    fail_unless(test::contains(error, row.part), "%s", error.c_str());
    fail_unless(test::contains(error, "in the middle of a clip"));
    fail_unless(maker.push(frame(after, 1)) == GST_FLOW_NOT_NEGOTIATED);
    fail_unless(maker.pull() == nullptr);
  }
}
GST_END_TEST;

// All frames of a clip must mean the same colours.
GST_START_TEST(test_color_change_in_a_clip) {
  const Element &element = kElements[__i__];
  const Clip clip = noise_clip(element);
  for (const char *changed : {"bt601", "1:3:5:1", "bt709"}) {
    const Maker maker(element, clip);
    fail_unless(maker.push(frame(clip, 0)) == GST_FLOW_OK);
    Owned<GstCaps> caps = test::video_caps(clip.info);
    caps.reset(gst_caps_make_writable(caps.release()));
    gst_caps_set_simple(caps.get(), "colorimetry", G_TYPE_STRING, changed, nullptr);
    maker.event(gst_event_new_caps(caps.get()));
    const bool same = g_str_equal(changed, "bt709");
    if (same)
      maker.check_quiet();
    else
      maker.check_error("in the middle of a clip");
    fail_unless_equals_int(maker.push(frame(clip, 1)), same ? GST_FLOW_OK : GST_FLOW_NOT_NEGOTIATED);
    fail_unless(maker.pull() == nullptr);
  }
}
GST_END_TEST;

GST_START_TEST(test_crop_change_in_a_clip) {
  const Element &element = kElements[__i__];
  const GstVideoInfo info = test::video_info("I420", 96, 80);
  for (const Region &region : {Region{0, 0, 94, 80}, Region{1, 0, 95, 80}}) {
    const Clip before = noise_clip(element, info, {0, 0, 95, 80}, 3), after = noise_clip(element, info, region, 3);
    const Maker maker(element, before);
    fail_unless(maker.push(frame(before, 0)) == GST_FLOW_OK);
    fail_unless(maker.push(frame(after, 1)) == GST_FLOW_ERROR);
    maker.check_error("The resolution changed from 95x80");
  }
}
GST_END_TEST;

GST_START_TEST(test_orientation_change_in_a_clip) {
  const Element &element = kElements[__i__];
  const Clip clip = noise_clip(element);
  // To patchselect, frames that are turned by 90 degrees are of another size than their energy.
  const std::vector<CpsOrientation> orientations =
      element.energy ? std::vector{CPS_ORIENTATION_180, CPS_ORIENTATION_HORIZ}
                     : std::vector{CPS_ORIENTATION_180, CPS_ORIENTATION_HORIZ, CPS_ORIENTATION_90L};
  for (const CpsOrientation orientation : orientations) {
    const Maker maker(element, clip);
    fail_unless(maker.push(frame(clip, 0)) == GST_FLOW_OK);
    Owned<GstBuffer> other = frame(clip, 1);
    cps_buffer_get_frame_meta(other.get())->orientation = orientation;
    if (element.energy)
      cps_buffer_get_energy_meta(other.get())->orientation = orientation;
    fail_unless(maker.push(std::move(other)) == GST_FLOW_ERROR);
    maker.check_error("rotation of the video changed");
  }
}
GST_END_TEST;

// Clips that are not whole

GST_START_TEST(test_cut_short) {
  const Element &element = kElements[__i__];
  const Clip clip = noise_clip(element);
  for (const guint pushed : {1u, 2u}) {
    const Maker maker(element, clip);
    for (guint i = 0; i < pushed; ++i)
      fail_unless(maker.push(frame(clip, i)) == GST_FLOW_OK);
    maker.event(gst_event_new_eos());
    maker.check_error(("ended after " + std::to_string(pushed) + " of the 3 frames").c_str());
    fail_unless(maker.pull() == nullptr);
    fail_unless(maker.pull_event(GST_EVENT_EOS) != nullptr);
  }
}
GST_END_TEST;

// After an error of its own or of patchenergy's, the end of stream is none more.
GST_START_TEST(test_cut_short_by_an_error) {
  const Element &element = kElements[__i__];
  const Clip clip = noise_clip(element);
  for (const bool own : {true, false}) {
    const Maker maker(element, clip);
    fail_unless(maker.push(frame(clip, 0)) == GST_FLOW_OK);
    if (own) {
      fail_unless(maker.push(frame(clip, 2)) == GST_FLOW_ERROR);
      maker.check_error("came where frame 1 was due");
    } else {
      const Harness energy("patchenergy");
      energy.start(test::video_caps(clip.info).get());
      fail_unless(energy.push(Owned<GstBuffer>(gst_buffer_new_allocate(nullptr, 1, nullptr))) == GST_FLOW_ERROR);
      fail_if(energy.error().empty());
      maker.event(energy.pull_event(GST_EVENT_CUSTOM_DOWNSTREAM).release());
    }
    maker.event(gst_event_new_eos());
    maker.check_quiet();
    fail_unless(maker.pull_event(GST_EVENT_EOS) != nullptr);
  }
}
GST_END_TEST;

GST_START_TEST(test_flush_in_a_clip) {
  const Element &element = kElements[__i__];
  const Clip cut = noise_clip(element, "I420", 3, 1), whole = noise_clip(element, "I420", 4, 2);
  const Maker maker(element, cut);
  fail_unless(maker.push(frame(cut, 0)) == GST_FLOW_OK);
  fail_unless(maker.push(frame(cut, 1)) == GST_FLOW_OK);
  maker.flush();
  const Owned<GstBuffer> tensors = run(maker, whole, 1);
  check_tensors(element, tensors.get(), whole);
  assert_equals_int(clip_of(tensors.get())->n_frames, 4);
  maker.event(gst_event_new_eos());
  maker.check_quiet();
}
GST_END_TEST;

GST_START_TEST(test_states) {
  const Element &element = kElements[__i__];
  const Clip clip = noise_clip(element);
  const Maker maker(element);
  for (const GstState state : {GST_STATE_READY, GST_STATE_NULL, GST_STATE_READY}) {
    maker.begin(clip);
    check_tensors(element, run(maker, clip).get(), clip);
    fail_unless(maker.push(frame(clip, 0)) == GST_FLOW_OK); // amid a clip
    maker.restart(state);
  }
  maker.check_quiet();
}
GST_END_TEST;

// More than one clip

// Longer and shorter ones, each in memory of its own: what has been handed out stays as it is.
GST_START_TEST(test_clips_in_a_row) {
  const Element &element = kElements[__i__];
  std::vector<Clip> clips;
  std::vector<Owned<GstBuffer>> results;
  for (const guint length : {2u, 5u, 2u, 5u, 5u, 2u, 2u})
    clips.push_back(noise_clip(element, "I420", length, static_cast<unsigned>(clips.size())));
  const Maker maker(element, clips[0]);
  for (guint i = 0; i < clips.size(); ++i)
    results.push_back(run(maker, clips[i], 10 + i));
  for (guint i = 0; i < clips.size(); ++i) {
    check_tensors(element, results[i].get(), clips[i]);
    assert_equals_int(clip_of(results[i].get())->clip_index, 10 + i);
    assert_equals_uint64(GST_BUFFER_OFFSET(results[i].get()), 10 + i);
  }
}
GST_END_TEST;

GST_START_TEST(test_caps_change_between_clips) {
  const Element &element = kElements[__i__];
  const Maker maker(element);
  for (const char *format : {"I420", "GRAY8", "RGB", "P010_10LE", "I420"}) {
    const Clip clip = noise_clip(element, format, 2, 1, "1:4:0:0");
    maker.begin(clip);
    check_tensors(element, run(maker, clip).get(), clip);
  }
  for (const auto &[width, height] : {std::pair(192, 80), std::pair(100, 40)}) {
    const Clip other = noise_clip(element, test::video_info("I420", width, height, "bt709"), {0, 0, width, height}, 2);
    maker.begin(other);
    check_tensors(element, run(maker, other).get(), other);
  }
}
GST_END_TEST;

// Properties apply from the next clip on, and a clip says what it was made with.
GST_START_TEST(test_property_changes_in_a_clip) {
  const Element &element = kElements[__i__];
  const Clip clip = noise_clip(element);
  const Maker maker(element, clip);
  fail_unless(maker.push(frame(clip, 0)) == GST_FLOW_OK);
  maker.set("color-matrix", "bt601");
  fail_unless(maker.push(frame(clip, 1)) == GST_FLOW_OK && maker.push(frame(clip, 2)) == GST_FLOW_OK);
  const Owned<GstBuffer> tensors = maker.pull();
  check_tensors(element, tensors.get(), clip);
  assert_text(metadata_of(tensors.get())["color_matrix"], "auto");
  const Owned<GstBuffer> next = run(maker, clip, 1);
  check_tensors(element, next.get(), clip, {"color-matrix", "bt601"});
  assert_text(metadata_of(next.get())["color_matrix"], "bt601");
}
GST_END_TEST;

// Metadata

// The clip has stream times; the buffer's own time stays in the segment, or a sink would drop it.
GST_START_TEST(test_times) {
  const Element &element = kElements[__i__];
  const Clip clip = noise_clip(element);
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  segment.start = segment.position = 10 * GST_SECOND;
  segment.time = 3 * GST_SECOND;
  const Maker maker(element);
  maker.start(test::video_caps(clip.info).get(), &segment);
  for (guint i = 0; i < 3; ++i) {
    Owned<GstBuffer> buffer = frame(clip, i);
    cps_buffer_get_frame_meta(buffer.get())->pts = i == 2 ? GST_CLOCK_TIME_NONE : (11 + i) * GST_SECOND;
    fail_unless(maker.push(std::move(buffer)) == GST_FLOW_OK);
  }
  const Owned<GstBuffer> tensors = maker.pull();
  assert_equals_uint64(GST_BUFFER_PTS(tensors.get()), 11 * GST_SECOND);
  assert_text(metadata_of(tensors.get())["pts_ns"], "[4000000000, 5000000000, null]");
  const Owned<GstEvent> event = maker.pull_event(GST_EVENT_SEGMENT);
  const GstSegment *sent = nullptr;
  gst_event_parse_segment(event.get(), &sent);
  assert_equals_uint64(sent->start, 10 * GST_SECOND);
  assert_equals_uint64(sent->time, 3 * GST_SECOND);
}
GST_END_TEST;

// Without a plan: what caps and frames say.
GST_START_TEST(test_metadata_without_a_plan) {
  const Element &element = kElements[__i__];
  const Clip clip = noise_clip(element);
  const Maker maker(element, clip);
  auto metadata = metadata_of(run(maker, clip).get());
  assert_text(metadata["fps"], "25");
  assert_text(metadata["duration_sec"], "4"); // 100 frames
  assert_text(metadata["source"], "");
}
GST_END_TEST;

// As it is, but for whom the server knows.
GST_START_TEST(test_source_that_is_no_file) {
  const Element &element = kElements[__i__];
  const Clip clip = noise_clip(element);
  for (const auto &[uri, source] : {std::pair{"https://host/a%20b.mp4", "https://host/a%20b.mp4"},
                                    std::pair{"https://me:secret@host/a@b.mp4", "https://***@host/a@b.mp4"},
                                    std::pair{"rtsp://me:p@ss@host:554/?a=@", "rtsp://***@host:554/?a=@"}}) {
    Maker maker(element);
    maker.on_query = with_uri(uri);
    maker.begin(clip);
    assert_text(metadata_of(run(maker, clip).get())["source"], source);
  }
}
GST_END_TEST;

// A plan of before a flush says nothing of what follows.
GST_START_TEST(test_flush_forgets_the_plan) {
  const Element &element = kElements[__i__];
  const Clip clip = noise_clip(element);
  const Maker maker(element, clip);
  CpsPlan *plan = cps_plan_new(3);
  plan->fps = 10;
  maker.event(cps_event_new_plan(plan));
  maker.flush();
  assert_text(metadata_of(run(maker, clip).get())["fps"], "25");
}
GST_END_TEST;

static Suite *tensorclip_suite() {
  TCase *tests = test::subject("general");
  tcase_add_loop_test(tests, test_strides_and_offsets, 0, G_N_ELEMENTS(kElements));
  tcase_add_loop_test(tests, test_keeps_no_frames, 0, G_N_ELEMENTS(kElements));
  tcase_add_loop_test(tests, test_gaps_and_eos, 0, G_N_ELEMENTS(kElements));
  tcase_add_loop_test(tests, test_eos_of_nothing, 0, G_N_ELEMENTS(kElements));
  tcase_add_loop_test(tests, test_not_negotiated, 0, G_N_ELEMENTS(kElements));
  tcase_add_loop_test(tests, test_flushing_downstream, 0, G_N_ELEMENTS(kElements));
  tcase_add_loop_test(tests, test_allocation, 0, G_N_ELEMENTS(kElements));
  tcase_add_loop_test(tests, test_frames_of_no_sequence, 0, G_N_ELEMENTS(kElements));
  tcase_add_loop_test(tests, test_frames_too_small, 0, G_N_ELEMENTS(kElements));
  tcase_add_loop_test(tests, test_crop_out_of_range, 0, G_N_ELEMENTS(kElements));
  tcase_add_loop_test(tests, test_wrong_position, 0, G_N_ELEMENTS(kElements));
  tcase_add_loop_test(tests, test_memory_limit, 0, G_N_ELEMENTS(kElements));
  tcase_add_loop_test(tests, test_memory_limit_by_default, 0, G_N_ELEMENTS(kElements));
  tcase_add_loop_test(tests, test_caps_change_in_a_clip, 0, G_N_ELEMENTS(kElements));
  tcase_add_loop_test(tests, test_color_change_in_a_clip, 0, G_N_ELEMENTS(kElements));
  tcase_add_loop_test(tests, test_crop_change_in_a_clip, 0, G_N_ELEMENTS(kElements));
  tcase_add_loop_test(tests, test_orientation_change_in_a_clip, 0, G_N_ELEMENTS(kElements));
  tcase_add_loop_test(tests, test_cut_short, 0, G_N_ELEMENTS(kElements));
  tcase_add_loop_test(tests, test_cut_short_by_an_error, 0, G_N_ELEMENTS(kElements));
  tcase_add_loop_test(tests, test_flush_in_a_clip, 0, G_N_ELEMENTS(kElements));
  tcase_add_loop_test(tests, test_states, 0, G_N_ELEMENTS(kElements));
  tcase_add_loop_test(tests, test_clips_in_a_row, 0, G_N_ELEMENTS(kElements));
  tcase_add_loop_test(tests, test_caps_change_between_clips, 0, G_N_ELEMENTS(kElements));
  tcase_add_loop_test(tests, test_property_changes_in_a_clip, 0, G_N_ELEMENTS(kElements));
  tcase_add_loop_test(tests, test_times, 0, G_N_ELEMENTS(kElements));
  tcase_add_loop_test(tests, test_metadata_without_a_plan, 0, G_N_ELEMENTS(kElements));
  tcase_add_loop_test(tests, test_source_that_is_no_file, 0, G_N_ELEMENTS(kElements));
  tcase_add_loop_test(tests, test_flush_forgets_the_plan, 0, G_N_ELEMENTS(kElements));
  return test::suite_of("tensorclip", {tests});
}

GST_CHECK_MAIN(tensorclip)
