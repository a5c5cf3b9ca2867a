// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/elements/uniformsampler/fixture.h"

using namespace sampler;

namespace {

GstEvent *rotation(const char *value, GstTagScope scope = GST_TAG_SCOPE_STREAM) {
  GstTagList *tags = gst_tag_list_new(GST_TAG_IMAGE_ORIENTATION, value, nullptr);
  gst_tag_list_set_scope(tags, scope);
  return gst_event_new_tag(tags);
}

// Of all frames that came out since the last call.
void check_orientations(const Harness &sampler, const std::vector<CpsOrientation> &expected) {
  const auto frames = sampler.pull_all();
  assert_equals_int(frames.size(), expected.size());
  for (size_t i = 0; i < frames.size(); ++i)
    assert_equals_int(cps_buffer_get_frame_meta(frames[i].get())->orientation, expected[i]);
}

constexpr test::Properties kRotating = {{"sequence-length", "2"}, {"apply-rotation", "true"}};

} // namespace

GST_START_TEST(test_orientation_of_tags) {
  const std::pair<const char *, CpsOrientation> rows[] = {
      {"rotate-0", CPS_ORIENTATION_IDENTITY},    {"rotate-90", CPS_ORIENTATION_90R},
      {"rotate-180", CPS_ORIENTATION_180},       {"rotate-270", CPS_ORIENTATION_90L},
      {"flip-rotate-0", CPS_ORIENTATION_HORIZ},  {"flip-rotate-90", CPS_ORIENTATION_UR_LL},
      {"flip-rotate-180", CPS_ORIENTATION_VERT}, {"flip-rotate-270", CPS_ORIENTATION_UL_LR},
      {"upside-down", CPS_ORIENTATION_IDENTITY},
  };
  for (const auto &[tag, orientation] : rows)
    for (const bool before_caps : {false, true}) {
      const Harness sampler("uniformsampler", kRotating);
      if (before_caps) {
        sampler.event(gst_event_new_stream_start("test"));
        sampler.event(rotation(tag));
      }
      sampler.start(caps().get());
      if (!before_caps)
        sampler.event(rotation(tag));
      push_stamped(sampler, range(0, 10));
      check_orientations(sampler, {orientation, orientation});
      const Owned<GstEvent> tags = sampler.pull_event(GST_EVENT_TAG); // goes on as it is
      fail_unless(tags != nullptr);
      sampler.check_quiet();
    }
}
GST_END_TEST;

// By default, whatever tags or stamps say, and where there are none.
GST_START_TEST(test_orientation_is_identity) {
  const Harness ignoring("uniformsampler", {{"sequence-length", "2"}});
  ignoring.start(caps().get());
  ignoring.event(rotation("rotate-90"));
  for (guint64 id = 0; id < 10; ++id) {
    Owned<GstBuffer> frame = stamped(id);
    cps_buffer_get_frame_meta(frame.get())->orientation = CPS_ORIENTATION_180;
    ignoring.push(std::move(frame));
  }
  check_orientations(ignoring, {CPS_ORIENTATION_IDENTITY, CPS_ORIENTATION_IDENTITY});
  const Harness untagged("uniformsampler", kRotating);
  untagged.start(caps().get());
  push_stamped(untagged, range(0, 10));
  check_orientations(untagged, {CPS_ORIENTATION_IDENTITY, CPS_ORIENTATION_IDENTITY});
}
GST_END_TEST;

GST_START_TEST(test_orientation_of_frames_without_stamps) {
  const Harness sampler("uniformsampler",
                        {{"sequence-length", "2"}, {"apply-rotation", "true"}, {"total-frames", "10"}});
  sampler.start(caps().get());
  sampler.event(rotation("rotate-270"));
  push_plain(sampler, 0, 10);
  check_orientations(sampler, {CPS_ORIENTATION_90L, CPS_ORIENTATION_90L});
}
GST_END_TEST;

// Tags of the stream come before those of its container, whichever is told first.
GST_START_TEST(test_orientation_of_stream_and_container) {
  for (const bool stream_first : {false, true}) {
    const Harness sampler("uniformsampler", kRotating);
    sampler.start(caps().get());
    if (stream_first)
      sampler.event(rotation("rotate-90"));
    sampler.event(rotation("rotate-180", GST_TAG_SCOPE_GLOBAL));
    if (!stream_first) {
      push_stamped(sampler, {0});
      check_orientations(sampler, {CPS_ORIENTATION_180});
      sampler.event(rotation("rotate-90"));
    }
    sampler.event(gst_event_new_tag(gst_tag_list_new(GST_TAG_TITLE, "says nothing of it", nullptr)));
    push_stamped(sampler, range(stream_first ? 0 : 1, 10));
    const std::vector<CpsOrientation> rest(stream_first ? 2 : 1, CPS_ORIENTATION_90R);
    check_orientations(sampler, rest);
  }
}
GST_END_TEST;

// It belongs to the frames that come behind it: those that wait for their turn keep theirs.
GST_START_TEST(test_orientation_changes) {
  const Harness sampler("uniformsampler", {{"frame-ids", "<9, 2, 9>"}, {"apply-rotation", "true"}});
  sampler.start(caps().get());
  push_stamped(sampler, range(0, 5));
  sampler.event(rotation("rotate-90"));
  push_stamped(sampler, range(5, 10));
  check_orientations(sampler, {CPS_ORIENTATION_90R, CPS_ORIENTATION_IDENTITY, CPS_ORIENTATION_90R});
}
GST_END_TEST;

// A seek keeps it, for tags do not come again; another stream does not.
GST_START_TEST(test_orientation_of_the_next_stream) {
  const Harness sampler("uniformsampler", kRotating);
  sampler.start(caps().get());
  sampler.event(rotation("rotate-90"));
  push_stamped(sampler, {0, 3});
  sampler.flush();
  push_stamped(sampler, range(0, 10));
  check_orientations(sampler, {CPS_ORIENTATION_90R, CPS_ORIENTATION_90R, CPS_ORIENTATION_90R});
  sampler.start(caps().get()); // the same stream once more
  push_stamped(sampler, range(0, 10));
  check_orientations(sampler, {CPS_ORIENTATION_90R, CPS_ORIENTATION_90R});
  sampler.start(caps().get(), nullptr, "second");
  push_stamped(sampler, range(0, 10));
  check_orientations(sampler, {CPS_ORIENTATION_IDENTITY, CPS_ORIENTATION_IDENTITY});
  sampler.event(rotation("rotate-180"));
  sampler.restart(GST_STATE_READY);
  sampler.start(caps().get(), nullptr, "second");
  push_stamped(sampler, range(0, 10));
  check_orientations(sampler, {CPS_ORIENTATION_IDENTITY, CPS_ORIENTATION_IDENTITY});
}
GST_END_TEST;

TCase *sampler::orientation_tests() {
  TCase *tests = test::subject("orientation");
  tcase_add_test(tests, test_orientation_of_tags);
  tcase_add_test(tests, test_orientation_is_identity);
  tcase_add_test(tests, test_orientation_of_frames_without_stamps);
  tcase_add_test(tests, test_orientation_of_stream_and_container);
  tcase_add_test(tests, test_orientation_changes);
  tcase_add_test(tests, test_orientation_of_the_next_stream);
  return tests;
}
