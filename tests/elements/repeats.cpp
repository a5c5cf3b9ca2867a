// SPDX-License-Identifier: LGPL-2.1-or-later
// Frames that a plan repeats, in patchselect and framestack: each test runs once for each kind of tensors.
#include "tests/common/suite.h"
#include "tests/elements/clips.h"

using namespace clips;

namespace {

struct Output {
  const char *factory;
  test::Properties properties;
  bool energy; // of the frames it needs
};

constexpr test::Properties kByEnergy = {{"input-size", "56"}, {"k-keep", "40"}, {"output-dtype", "f32"}};
constexpr test::Properties kByReplenishment = {
    {"input-size", "56"}, {"k-keep", "40"}, {"output-dtype", "f32"}, {"ranking", "replenishment"}};
constexpr test::Properties kResized = {{"width", "40"}};
constexpr Output kOutputs[] = {{"patchselect", kByEnergy, true},
                               {"patchselect", kByReplenishment, false},
                               {"framestack", {}, false},
                               {"framestack", kResized, false}};

GstVideoInfo info() {
  return test::video_info("I420", 96, 80, "bt709");
}

// A clip in which each frame has the id that is given for it, and all frames of one id the same pixels. Maps of energy
// are all different, as those of a frame and its repeat are.
Clip clip_of(const Output &output, const std::vector<guint64> &ids) {
  const auto length = static_cast<guint>(ids.size());
  const Clip distinct = noise_pictures(info(), {0, 0, 96, 80}, length);
  Clip clip = output.energy ? with_energy(distinct) : distinct;
  clip.ids = ids;
  for (guint i = 1; i < length; ++i)
    if (ids[i] == ids[i - 1])
      clip.pictures[i] = clip.pictures[i - 1];
  return clip;
}

Owned<GstEvent> plan_of(const std::vector<guint64> &ids) {
  CpsPlan *plan = cps_plan_new(static_cast<guint>(ids.size()));
  for (guint i = 0; i < plan->n_frames; ++i)
    plan->frames[i].frame_id = ids[i];
  return Owned<GstEvent>(cps_event_new_plan(plan));
}

// An element that knows what will be repeated.
class Maker : public Harness {
public:
  Maker(const Output &output, const std::vector<guint64> &ids) : Harness(output.factory, output.properties) {
    start(test::video_caps(info()).get());
    fail_unless(event(plan_of(ids).release()));
  }

  void take(Owned<GstBuffer> frame) const {
    const GstFlowReturn flow = push(std::move(frame));
    fail_unless(flow == GST_FLOW_OK, "%s", error().c_str());
  }
};

std::vector<guint8> bytes_of(GstBuffer *buffer) {
  std::vector<guint8> bytes(gst_buffer_get_size(buffer));
  gst_buffer_extract(buffer, 0, bytes.data(), bytes.size());
  return bytes;
}

// Equal to the tensors of an element without a plan, which reads every frame.
void check_tensors(const Output &output, GstBuffer *tensors, const Clip &clip) {
  const Harness plain(output.factory, output.properties);
  plain.start(test::video_caps(info()).get());
  fail_unless(tensors != nullptr);
  fail_unless(bytes_of(tensors) == bytes_of(run(plain, clip).get()), "%s: other tensors", output.factory);
}

// Frame `position` with the memory of `other`.
Owned<GstBuffer> with_memory_of(GstBuffer *other, const Clip &clip, guint position) {
  Owned<GstBuffer> buffer(gst_buffer_new());
  gst_buffer_copy_into(buffer.get(), other, GST_BUFFER_COPY_MEMORY, 0, static_cast<gsize>(-1));
  fail_unless(gst_buffer_peek_memory(buffer.get(), 0) == gst_buffer_peek_memory(other, 0));
  return with_metas(std::move(buffer), clip, position);
}

// Changes the pixels although others may hold them, as no element does.
void overwrite(GstBuffer *buffer, const reference::Picture &picture) {
  GstMapInfo map;
  fail_unless(gst_memory_map(gst_buffer_peek_memory(buffer, 0), &map, GST_MAP_READ));
  Owned<GstBuffer> alias(
      gst_buffer_new_wrapped_full(static_cast<GstMemoryFlags>(0), map.data, map.size, 0, map.size, nullptr, nullptr));
  test::write_picture(alias.get(), info(), picture);
  gst_memory_unmap(map.memory, &map);
}

} // namespace

GST_START_TEST(test_equal_tensors) {
  const Output &output = kOutputs[__i__];
  const std::vector<guint64> ids = {4, 4, 4, 6, 8, 8};
  const Clip clip = clip_of(output, ids);
  const Maker maker(output, ids);
  for (int sequence = 0; sequence < 2; ++sequence) {
    Owned<GstBuffer> last;
    for (guint i = 0; i < clip.length(); ++i) {
      const bool repeat = i > 0 && ids[i] == ids[i - 1];
      Owned<GstBuffer> next = repeat ? with_memory_of(last.get(), clip, i) : frame(clip, i);
      last.reset(gst_buffer_ref(next.get()));
      maker.take(std::move(next));
    }
    check_tensors(output, maker.pull().get(), clip);
  }
}
GST_END_TEST;

namespace {

// Takes the frames `ids`. Before the second, which has the memory of the first, the first is overwritten by `picture`.
void check_overwritten(const Output &output, const std::vector<guint64> &ids, size_t picture) {
  const Clip clip = clip_of(output, ids);
  const Maker maker(output, ids);
  const Owned<GstBuffer> first = frame(clip, 0);
  maker.take(Owned<GstBuffer>(gst_buffer_ref(first.get())));
  overwrite(first.get(), clip.pictures[picture]);
  maker.take(with_memory_of(first.get(), clip, 1));
  maker.take(frame(clip, 2));
  check_tensors(output, maker.pull().get(), clip);
}

} // namespace

// Pixels that change between a frame and its repeat are not seen, which no element could bring about.
GST_START_TEST(test_repeats_are_not_read) {
  check_overwritten(kOutputs[__i__], {4, 4, 6}, 2);
}
GST_END_TEST;

// An element between the sampler and this one may have changed the pixels of one of them.
GST_START_TEST(test_other_memory_is_read) {
  const Output &output = kOutputs[__i__];
  const std::vector<guint64> ids = {4, 4, 4};
  Clip clip = clip_of(output, {4, 5, 6});
  clip.ids = ids;
  const Maker maker(output, ids);
  for (guint i = 0; i < clip.length(); ++i)
    maker.take(frame(clip, i));
  check_tensors(output, maker.pull().get(), clip);
}
GST_END_TEST;

// Memory of a pool has other pixels each time.
GST_START_TEST(test_memory_used_again_is_read) {
  check_overwritten(kOutputs[__i__], {4, 5, 6}, 1);
}
GST_END_TEST;

// Two pictures of the same memory.
GST_START_TEST(test_other_offsets_are_read) {
  const Output &output = kOutputs[__i__];
  const std::vector<guint64> ids = {4, 4};
  Clip clip = clip_of(output, {4, 5});
  clip.ids = ids;
  const Maker maker(output, ids);
  GstVideoInfo whole = info();
  const Owned<GstBuffer> both = test::noise_buffer(2 * whole.size);
  for (gsize i = 0; i < 2; ++i) {
    const Owned<GstBuffer> half = frame(clip, static_cast<guint>(i));
    const std::vector<guint8> pixels = bytes_of(half.get());
    gst_buffer_fill(both.get(), i * whole.size, pixels.data(), pixels.size());
  }
  for (gsize i = 0; i < 2; ++i) {
    Owned<GstBuffer> next = with_memory_of(both.get(), clip, static_cast<guint>(i));
    gsize offset[GST_VIDEO_MAX_PLANES] = {};
    for (guint plane = 0; plane < 3; ++plane)
      offset[plane] = whole.offset[plane] + i * whole.size;
    gst_buffer_add_video_meta_full(next.get(), GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_I420, 96, 80, 3, offset,
                                   whole.stride);
    maker.take(std::move(next));
  }
  check_tensors(output, maker.pull().get(), clip);
}
GST_END_TEST;

// A frame is held as long as its next position is to come, and not beyond.
GST_START_TEST(test_holds_frames_for_their_repeats) {
  const Output &output = kOutputs[__i__];
  const std::vector<guint64> ids = {4, 4, 6, 6};
  const Clip clip = clip_of(output, ids);
  const Maker maker(output, ids);
  std::vector<Owned<GstBuffer>> mine;
  const auto push_frame = [&](guint i) {
    mine.push_back(frame(clip, i));
    maker.take(Owned<GstBuffer>(gst_buffer_ref(mine.back().get())));
  };
  push_frame(0);
  ASSERT_MINI_OBJECT_REFCOUNT(mine[0].get(), "frame", 2);
  push_frame(1);
  ASSERT_MINI_OBJECT_REFCOUNT(mine[0].get(), "frame", 1);
  ASSERT_MINI_OBJECT_REFCOUNT(mine[1].get(), "frame", 1);
  push_frame(2);
  ASSERT_MINI_OBJECT_REFCOUNT(mine[2].get(), "frame", 2);
  maker.flush();
  ASSERT_MINI_OBJECT_REFCOUNT(mine[2].get(), "frame", 1);
}
GST_END_TEST;

static Suite *repeats_suite() {
  TCase *tests = test::subject("general");
  tcase_add_loop_test(tests, test_equal_tensors, 0, G_N_ELEMENTS(kOutputs));
  tcase_add_loop_test(tests, test_repeats_are_not_read, 0, G_N_ELEMENTS(kOutputs));
  tcase_add_loop_test(tests, test_other_memory_is_read, 0, G_N_ELEMENTS(kOutputs));
  tcase_add_loop_test(tests, test_memory_used_again_is_read, 0, G_N_ELEMENTS(kOutputs));
  tcase_add_loop_test(tests, test_other_offsets_are_read, 0, G_N_ELEMENTS(kOutputs));
  tcase_add_loop_test(tests, test_holds_frames_for_their_repeats, 0, G_N_ELEMENTS(kOutputs));
  return test::suite_of("repeats", {tests});
}

GST_CHECK_MAIN(repeats)
