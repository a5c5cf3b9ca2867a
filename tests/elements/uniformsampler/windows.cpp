// SPDX-License-Identifier: LGPL-2.1-or-later
// Plans of several clips: docs/spec.md#windows.
#include "tests/elements/uniformsampler/fixture.h"

using namespace sampler;

namespace {

// The pictures of each clip, by clip_index. Checks the numbers of their positions.
std::vector<Ids> clips_of(const std::vector<Owned<GstBuffer>> &buffers) {
  std::vector<Ids> clips;
  for (size_t i = 0; i < buffers.size();) {
    const CpsFrameMeta *first = cps_buffer_get_frame_meta(buffers[i].get());
    fail_unless(first->clip_index >= clips.size());
    clips.resize(first->clip_index + 1);
    const guint length = first->seq_len;
    for (guint position = 0; position < length; ++position, ++i) {
      const CpsFrameMeta *meta = cps_buffer_get_frame_meta(buffers.at(i).get());
      assert_equals_int(meta->clip_index, clips.size() - 1);
      assert_equals_int(meta->seq_pos, position);
      assert_equals_int(meta->seq_len, length);
      clips.back().push_back(picture_of(buffers[i].get()));
    }
  }
  return clips;
}

std::string text_of(const std::vector<Ids> &clips) {
  std::string text;
  for (const Ids &clip : clips)
    text += sampler::text_of(clip) + "| ";
  return text;
}

#define assert_clips(actual, ...) assert_text(text_of(actual), text_of(std::vector<Ids> __VA_ARGS__))

Owned<GstCaps> caps_of_width(int width) {
  Owned<GstCaps> wide = caps();
  gst_caps_set_simple(wide.get(), "width", G_TYPE_INT, width, nullptr);
  return wide;
}

} // namespace

GST_START_TEST(test_windows_overlap) {
  Harness sampler("uniformsampler", {{"sequence-length", "3"}, {"window", "200000000"}, {"hop", "80000000"}});
  sampler.start(caps().get());
  push_stamped(sampler, range(0, 10));
  sampler.check_quiet();
  assert_clips(clips_of(sampler.pull_all()), {{0, 2, 4}, {2, 4, 6}, {4, 6, 8}, {6, 7, 9}, {8, 8, 9}});
  for (gint64 clip = 0; clip < 5; ++clip) {
    const Owned<GstEvent> event = sampler.pull_event(GST_EVENT_CUSTOM_DOWNSTREAM_STICKY);
    const CpsPlan *plan = cps_event_parse_plan(event.get());
    assert_equals_int(plan->n_frames, 3);
    assert_equals_int(plan->n_clips, 1);
    // The options make this clip alone.
    assert_equals_int64(time_option(plan, "start"), clip * 80000000);
    assert_equals_int64(time_option(plan, "stop"), clip * 80000000 + 200000000);
    for (const char *name : {"window", "hop", "clip-length"})
      fail_if(gst_structure_has_field(plan->options, name), "%s", name);
  }
  fail_unless(sampler.pull_event(GST_EVENT_EOS) != nullptr);
}
GST_END_TEST;

GST_START_TEST(test_windows_with_gaps_between) {
  Harness sampler("uniformsampler", {{"sequence-length", "2"}, {"window", "80000000"}, {"hop", "200000000"}});
  sampler.start(caps().get());
  push_stamped(sampler, range(0, 13), 13);
  assert_clips(clips_of(sampler.pull_all()), {{0, 1}, {5, 6}, {10, 11}});
  sampler.check_quiet();
}
GST_END_TEST;

GST_START_TEST(test_clips_of_a_length) {
  Harness sampler("uniformsampler", {{"frame-ids", "<3, 1, 3, 9, 1>"}, {"clip-length", "2"}});
  sampler.start(caps().get());
  push_stamped(sampler, range(0, 10));
  assert_clips(clips_of(sampler.pull_all()), {{3, 1}, {3, 9}, {1}});
  const Owned<GstEvent> event = sampler.pull_event(GST_EVENT_CUSTOM_DOWNSTREAM_STICKY);
  guint length = 0;
  fail_unless(gst_structure_get_uint(cps_event_parse_plan(event.get())->options, "clip-length", &length));
  assert_equals_int(length, 2);
}
GST_END_TEST;

// A second plan continues the count of clips.
GST_START_TEST(test_clips_are_counted_on) {
  Harness sampler("uniformsampler", {{"sequence-length", "1"}, {"window", "80000000"}});
  sampler.start(caps().get());
  push_stamped(sampler, range(0, 6), 6);
  fail_unless(clips_of(sampler.pull_all()).size() == 3);
  sampler.start(caps().get(), nullptr, "another");
  push_stamped(sampler, range(0, 2), 2);
  assert_clips(clips_of(sampler.pull_all()), {{}, {}, {}, {0}});
}
GST_END_TEST;

// Frames are released as soon as no later window needs them, and those that no window needs at once.
GST_START_TEST(test_holds_what_later_windows_need) {
  Harness sampler("uniformsampler", {{"sequence-length", "2"}, {"window", "240000000"}, {"hop", "120000000"}});
  sampler.start(caps().get()); // 0 5, 3 8, 6 11, ...
  std::vector<Owned<GstBuffer>> frames;
  for (guint64 id = 0; id < 9; ++id) {
    frames.push_back(stamped(id, 300));
    sampler.push(Owned<GstBuffer>(gst_buffer_ref(frames.back().get())));
    sampler.pull_all();
  }
  // 6 waits for its window, and 8 could be a substitute.
  for (guint64 id = 0; id < 9; ++id)
    ASSERT_MINI_OBJECT_REFCOUNT(frames[id].get(), "frame", (id == 6 ? 2 : 1));
}
GST_END_TEST;

// A substitute is of the same clip.
GST_START_TEST(test_windows_have_their_own_substitutes) {
  Harness sampler("uniformsampler", {{"sequence-length", "3"}, {"window", "200000000"}});
  sampler.start(caps().get());
  push_stamped(sampler, {0, 1, 2, 3, 4, 6, 7, 8, 9}); // 5 begins the second window
  sampler.event(gst_event_new_eos());
  const auto frames = sampler.pull_all();
  assert_clips(clips_of(frames), {{0, 2, 4}, {7, 7, 9}});
  assert_equals_int(status_of(frames[3].get()), CPS_FRAME_STATUS_MISSING);
  assert_equals_uint64(cps_buffer_get_frame_meta(frames[3].get())->frame_id, 5);
}
GST_END_TEST;

GST_START_TEST(test_lost_clips_are_left_out) {
  Harness sampler("uniformsampler", {{"sequence-length", "2"}, {"window", "80000000"}});
  sampler.start(caps().get());
  push_stamped(sampler, {0, 1, 6, 7, 8, 9}); // not 2 to 5
  sampler.event(gst_event_new_eos());
  assert_clips(clips_of(sampler.pull_all()), {{0, 1}, {}, {}, {6, 7}, {8, 9}});
  fail_unless(test::contains(sampler.warning(), "Clip 1 "));
  fail_unless(test::contains(sampler.warning(), "Clip 2 "));
  sampler.check_quiet();
  fail_unless(sampler.pull_event(GST_EVENT_EOS) != nullptr);
}
GST_END_TEST;

GST_START_TEST(test_lost_clips_may_fail) {
  Harness sampler("uniformsampler", {{"sequence-length", "2"}, {"window", "80000000"}, {"on-error", "fail"}});
  sampler.start(caps().get());
  push_stamped(sampler, {0, 1});
  sampler.event(gst_event_new_eos());
  assert_clips(clips_of(sampler.pull_all()), {{0, 1}});
  sampler.check_error("None of the sampled frames");
}
GST_END_TEST;

GST_START_TEST(test_all_clips_lost) {
  Harness sampler("uniformsampler", {{"sequence-length", "1"}, {"window", "80000000"}});
  sampler.start(caps().get());
  sampler.push(stamped(1, 4));
  sampler.event(gst_event_new_eos());
  fail_unless(sampler.pull() == nullptr);
  sampler.check_error("None of the sampled frames");
}
GST_END_TEST;

namespace {

// The pictures and caps that a sampler with these properties sends, of 8 frames; from the fourth on they are narrower.
std::string sent(test::Properties properties) {
  Harness sampler("uniformsampler", properties);
  sampler.start(caps_of_width(64).get());
  std::string order;
  gst_pad_add_probe(
      sampler.get()->sinkpad,
      static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM),
      [](GstPad *, GstPadProbeInfo *info, gpointer text) {
        auto &seen = *static_cast<std::string *>(text);
        if (info->type & GST_PAD_PROBE_TYPE_BUFFER) {
          seen += std::to_string(picture_of(GST_PAD_PROBE_INFO_BUFFER(info))) + " ";
        } else if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_CAPS) {
          GstCaps *caps;
          gst_event_parse_caps(GST_PAD_PROBE_INFO_EVENT(info), &caps);
          int width = 0;
          gst_structure_get_int(gst_caps_get_structure(caps, 0), "width", &width);
          seen += "w" + std::to_string(width) + " ";
        } else if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_CUSTOM_DOWNSTREAM) {
          seen += "failed ";
        }
        return GST_PAD_PROBE_OK;
      },
      &order, nullptr);
  push_stamped(sampler, range(0, 3), 8);
  sampler.event(gst_event_new_caps(caps_of_width(32).get()));
  push_stamped(sampler, range(3, 8), 8);
  fail_unless(sampler.error().empty());
  return order;
}

} // namespace

// Clips with two formats are left out. Frames that are held have the format in which they came.
GST_START_TEST(test_formats_between_held_frames) { // 0 3, 2 5, 4 7, 6 7
  assert_text(sent({{"sequence-length", "2"}, {"window", "160000000"}, {"hop", "80000000"}}),
              "0 failed 2 failed w32 4 7 6 7 ");
  assert_text(sent({{"sequence-length", "2"}, {"window", "160000000"}, {"hop", "80000000"}, {"on-error", "fail"}}),
              "0 w32 3 w64 2 w32 5 4 7 6 7 ");
}
GST_END_TEST;

// A decoder with a pool of few buffers would wait for one for ever. Frames that are held are copies then.
GST_START_TEST(test_limited_pool) {
  Harness sampler("uniformsampler", {{"sequence-length", "8"}, {"window", "400000000"}, {"hop", "120000000"}});
  sampler.start(caps().get());
  const Owned<GstBufferPool> pool(gst_buffer_pool_new());
  GstStructure *config = gst_buffer_pool_get_config(pool.get());
  gst_buffer_pool_config_set_params(config, caps().get(), 1000, 2, 4);
  fail_unless(gst_buffer_pool_set_config(pool.get(), config) && gst_buffer_pool_set_active(pool.get(), TRUE));
  const GstBufferPoolAcquireParams no_wait = {GST_FORMAT_UNDEFINED, 0, 0, GST_BUFFER_POOL_ACQUIRE_FLAG_DONTWAIT, {}};
  std::vector<guint64> shown;
  for (guint64 id = 0; id < 40; ++id) {
    GstBuffer *buffer = nullptr;
    auto params = no_wait;
    fail_unless(gst_buffer_pool_acquire_buffer(pool.get(), &buffer, &params) == GST_FLOW_OK, "no buffer for frame %d",
                static_cast<int>(id));
    gst_buffer_memset(buffer, 0, static_cast<guint8>(id), 1000);
    sampler.push(test::stamped(Owned<GstBuffer>(buffer), id, 40, CPS_FRAME_FLAG_NONE));
    for (const auto &frame : sampler.pull_all()) {
      guint8 value = 0;
      gst_buffer_extract(frame.get(), 0, &value, 1);
      assert_equals_uint64(value, cps_buffer_get_frame_meta(frame.get())->frame_id);
      shown.push_back(value);
    }
  }
  fail_unless(shown.size() > 80);
  sampler.check_quiet();
  gst_buffer_pool_set_active(pool.get(), FALSE);
}
GST_END_TEST;

TCase *sampler::window_tests() {
  TCase *tests = test::subject("windows");
  tcase_add_test(tests, test_windows_overlap);
  tcase_add_test(tests, test_windows_with_gaps_between);
  tcase_add_test(tests, test_clips_of_a_length);
  tcase_add_test(tests, test_clips_are_counted_on);
  tcase_add_test(tests, test_holds_what_later_windows_need);
  tcase_add_test(tests, test_windows_have_their_own_substitutes);
  tcase_add_test(tests, test_lost_clips_are_left_out);
  tcase_add_test(tests, test_lost_clips_may_fail);
  tcase_add_test(tests, test_all_clips_lost);
  tcase_add_test(tests, test_formats_between_held_frames);
  tcase_add_test(tests, test_limited_pool);
  return tests;
}
