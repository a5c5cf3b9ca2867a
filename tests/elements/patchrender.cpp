// SPDX-License-Identifier: LGPL-2.1-or-later
// patchrender: caps, times, events, errors, and one small clip in each mode and type. The drawing itself is tested in
// tests/kernels/render.cpp and gst/python/tests/test_pictures.py.
#include "kernels/arith.h"
#include "tests/common/harness.h"
#include "tests/common/tensors.h"
#include "tests/common/text.h"

#include <gst/codecpatch/codecpatch.h>
#include <gst/video/video.h>

#include <string>
#include <vector>

using test::Harness;
using test::Owned;

namespace {

constexpr GstClockTime kMs = GST_MSECOND;

// Red, green and blue of each pixel.
using Pixels = std::vector<guint8>;

// The bytes of `value` in the type.
void append_value(std::vector<guint8> &out, CpsDtype dtype, float value) {
  const guint16 word = dtype == CPS_DTYPE_F16 ? cps::float_to_half(value) : cps::float_to_bfloat16(value);
  const auto byte = static_cast<guint8>(value);
  const void *data = dtype == CPS_DTYPE_U8    ? static_cast<const void *>(&byte)
                     : dtype == CPS_DTYPE_F32 ? static_cast<const void *>(&value)
                                              : &word;
  const auto *bytes = static_cast<const guint8 *>(data);
  out.insert(out.end(), bytes, bytes + cps_dtype_get_size(dtype));
}

template <typename T> void append_memory(GstBuffer *buffer, const std::vector<T> &values) {
  const gsize size = values.size() * sizeof(T);
  GstMemory *memory = gst_allocator_alloc(nullptr, size, nullptr);
  GstMapInfo map;
  fail_unless(gst_memory_map(memory, &map, GST_MAP_WRITE));
  std::copy_n(reinterpret_cast<const guint8 *>(values.data()), size, map.data);
  gst_memory_unmap(memory, &map);
  gst_buffer_append_memory(buffer, memory);
}

struct ClipOptions {
  CpsDtype dtype = CPS_DTYPE_U8;
  double scale = 1, mean = 0, std = 1;
  guint index = 0;
  guint columns = 2; // of the grid, which has one row
};

CpsClip *new_clip(const ClipOptions &options, std::vector<GstClockTime> times) {
  CpsClip *clip = cps_clip_new(static_cast<guint>(times.size()));
  for (guint i = 0; i < times.size(); ++i)
    clip->frames[i] = {10 * i, times[i], i == 0, CPS_FRAME_STATUS_OK};
  clip->clip_index = options.index;
  clip->fps = 25;
  clip->grid_width = clip->target_width = options.columns;
  clip->grid_height = clip->target_height = 1;
  gst_structure_set(clip->options, "scale", G_TYPE_DOUBLE, options.scale, nullptr);
  if (options.mean != 0 || options.std != 1) {
    GValue mean = G_VALUE_INIT, std = G_VALUE_INIT, one = G_VALUE_INIT;
    g_value_init(&one, G_TYPE_DOUBLE);
    for (const auto &[list, value, name] : {std::tuple(&mean, options.mean, "mean"), {&std, options.std, "std"}}) {
      gst_value_array_init(list, 3);
      g_value_set_double(&one, value);
      for (int i = 0; i < 3; ++i)
        gst_value_array_append_value(list, &one);
      gst_structure_take_value(clip->options, name, list);
    }
  }
  return clip;
}

Owned<GstBuffer> finish(GstBuffer *buffer, const std::vector<CpsTensor> &tensors, CpsClip *clip) {
  cps_buffer_add_tensor_meta(buffer, tensors.data(), static_cast<guint>(tensors.size()), clip);
  GST_BUFFER_PTS(buffer) = clip->frames[0].pts;
  return Owned<GstBuffer>(buffer);
}

// Patches of one pixel: both places of the first frame, then the right one of the second; then nothing.
//
//   position  left          right
//   0         10, 20, 30    40, 50, 60
//   1                       100, 120, 140
//   2
Owned<GstBuffer> patch_clip(const ClipOptions &options = {},
                            const std::vector<GstClockTime> &times = {0, 200 * kMs, 600 * kMs}) {
  GstBuffer *buffer = gst_buffer_new();
  std::vector<guint8> pixels;
  for (const int value : {10, 20, 30, 40, 50, 60, 100, 120, 140})
    append_value(pixels, options.dtype, static_cast<float>((value * options.scale - options.mean) / options.std));
  append_memory(buffer, pixels);
  append_memory(buffer, std::vector<gint64>{0, 0, 1, 0, 0, 0, 0, 0, 1, 1, 0, 1, 1, 10, 0, 3, 0, 1});
  append_memory(buffer, std::vector<float>{0, 5, 10});
  return finish(buffer,
                {test::tensor("patches", options.dtype, {3, 3, 1, 1}, 0),
                 test::tensor("meta_fields", CPS_DTYPE_I64, {3, 6}, 1),
                 test::tensor("meta_scores", CPS_DTYPE_F32, {3}, 2)},
                new_clip(options, times));
}

// A canvas of both places of the first frame, and one of both of the second.
Owned<GstBuffer> canvas_clip() {
  GstBuffer *buffer = gst_buffer_new();
  append_memory(buffer, std::vector<guint8>{10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 120, 140});
  append_memory(buffer, std::vector<gint64>{0, 0, 0, 0, 0, 1, 10, 0, 0, 10, 0, 1});
  append_memory(buffer, std::vector<float>{0, 5, 10, 20});
  return finish(buffer,
                {test::tensor("canvases", CPS_DTYPE_U8, {2, 1, 2, 3}, 0),
                 test::tensor("patch_positions", CPS_DTYPE_I64, {4, 3}, 1),
                 test::tensor("meta_scores", CPS_DTYPE_F32, {4}, 2)},
                new_clip({}, {0, 40 * kMs, 80 * kMs}));
}

Owned<GstBuffer> frame_clip() {
  GstBuffer *buffer = gst_buffer_new();
  append_memory(buffer, std::vector<guint8>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18});
  CpsClip *clip = new_clip({}, {0, 40 * kMs, 80 * kMs});
  clip->grid_width = clip->grid_height = 0;
  return finish(buffer, {test::tensor("frames", CPS_DTYPE_U8, {3, 1, 2, 3}, 0)}, clip);
}

class Render : public Harness {
public:
  Render(test::Properties properties = {}) : Harness("patchrender", properties) {}

  void begin(const GstSegment *segment = nullptr) const {
    const Owned<GstBuffer> one = test::tensor_buffer();
    start(test::caps_of(one.get()).get(), segment);
  }

  std::vector<Owned<GstBuffer>> run(Owned<GstBuffer> clip) const {
    const GstFlowReturn flow = push(std::move(clip));
    fail_unless(flow == GST_FLOW_OK, "%s: %s", gst_flow_get_name(flow), error().c_str());
    check_quiet();
    return pull_all();
  }
};

// The first row; all alpha must be 255.
Pixels row_of(GstBuffer *picture) {
  GstMapInfo map;
  fail_unless(gst_buffer_map(picture, &map, GST_MAP_READ));
  Pixels row;
  for (gsize i = 0; i < 8; ++i)
    if (i % 4 != 3)
      row.push_back(map.data[i]);
    else
      assert_equals_int(map.data[i], 255);
  gst_buffer_unmap(picture, &map);
  return row;
}

void check_rows(const std::vector<Owned<GstBuffer>> &pictures, const std::vector<Pixels> &expected) {
  assert_equals_uint64(pictures.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i)
    fail_unless(row_of(pictures[i].get()) == expected[i], "picture %zu", i);
}

std::string caps_text(const Render &render) {
  const Owned<GstCaps> caps(gst_pad_get_current_caps(render.get()->sinkpad));
  return caps ? Owned<gchar>(gst_caps_to_string(caps.get())).get() : "";
}

std::vector<Pixels> with_mode(const char *mode, Owned<GstBuffer> clip, const char *dim = "50") {
  const Render render({{"mode", mode}, {"dim", dim}, {"background-color", "0xff010203"}});
  render.begin();
  std::vector<Pixels> rows;
  for (const Owned<GstBuffer> &picture : render.run(std::move(clip)))
    rows.push_back(row_of(picture.get()));
  return rows;
}

} // namespace

GST_START_TEST(test_modes) {
  const Pixels first = {10, 20, 30, 40, 50, 60}, held = {10, 20, 30, 100, 120, 140};
  fail_unless((with_mode("hold", patch_clip()) == std::vector<Pixels>{first, held, held}));
  fail_unless((with_mode("sparse", patch_clip()) ==
               std::vector<Pixels>{first, {5, 10, 15, 100, 120, 140}, {5, 10, 15, 50, 60, 70}}));
  fail_unless((with_mode("sparse", patch_clip(), "0") ==
               std::vector<Pixels>{first, {1, 2, 3, 100, 120, 140}, {1, 2, 3, 1, 2, 3}}));
  fail_unless((with_mode("scores", patch_clip()) ==
               std::vector<Pixels>{{68, 1, 84, 33, 145, 140}, {5, 10, 15, 253, 231, 37}, {5, 10, 15, 50, 60, 70}}));
  fail_unless((with_mode("mosaic", patch_clip()) == std::vector<Pixels>{first}));
}
GST_END_TEST;

GST_START_TEST(test_canvases) {
  const Pixels first = {10, 20, 30, 40, 50, 60}, second = {70, 80, 90, 100, 120, 140};
  fail_unless((with_mode("hold", canvas_clip()) == std::vector<Pixels>{first, second, second}));
  fail_unless((with_mode("sparse", canvas_clip(), "0") == std::vector<Pixels>{first, second, {1, 2, 3, 1, 2, 3}}));
  fail_unless((with_mode("mosaic", canvas_clip()) == std::vector<Pixels>{first, second}));
  fail_unless(with_mode("scores", canvas_clip()).at(1) == (Pixels{33, 145, 140, 253, 231, 37}));
}
GST_END_TEST;

GST_START_TEST(test_frames) {
  const std::vector<Pixels> frames = {{1, 2, 3, 4, 5, 6}, {7, 8, 9, 10, 11, 12}, {13, 14, 15, 16, 17, 18}};
  for (const char *mode : {"hold", "sparse"})
    fail_unless(with_mode(mode, frame_clip()) == frames);
  fail_unless((with_mode("mosaic", frame_clip()) == std::vector<Pixels>{frames[0]})); // two in a row, the third below
}
GST_END_TEST;

GST_START_TEST(test_types) {
  const std::vector<Pixels> expected = with_mode("hold", patch_clip());
  for (const CpsDtype dtype : {CPS_DTYPE_F16, CPS_DTYPE_BF16, CPS_DTYPE_F32})
    for (const ClipOptions &options : {ClipOptions{dtype}, {dtype, 1.0 / 255, 0, 1}, {dtype, 1.0 / 255, 0.5, 0.25}})
      fail_unless(with_mode("hold", patch_clip(options)) == expected, "%s, scale %g, mean %g",
                  cps_dtype_get_name(dtype), options.scale, options.mean);
}
GST_END_TEST;

// With the size of a clip; events in their order, and once only.
GST_START_TEST(test_caps) {
  const Render render({{"mode", "hold"}});
  render.begin();
  fail_unless(caps_text(render).empty()); // a clip's size is known with the clip
  render.run(patch_clip());
  const Owned<GstCaps> expected(
      gst_caps_from_string("video/x-raw, format=RGBA, width=2, height=1, framerate=0/1, interlace-mode=progressive"));
  const Owned<GstCaps> caps(gst_pad_get_current_caps(render.get()->sinkpad));
  fail_unless(gst_caps_is_subset(caps.get(), expected.get()), "%s", caps_text(render).c_str());
  std::vector<GstEventType> events;
  while (const Owned<GstEvent> event{gst_harness_try_pull_event(render.get())})
    events.push_back(GST_EVENT_TYPE(event.get()));
  fail_unless((events == std::vector<GstEventType>{GST_EVENT_STREAM_START, GST_EVENT_CAPS, GST_EVENT_SEGMENT}));

  render.run(patch_clip());
  fail_unless(gst_harness_try_pull_event(render.get()) == nullptr);
  render.set("mode", "scores"); // 20 rows more
  render.run(patch_clip());
  fail_unless(test::contains(caps_text(render), "height=(int)21"));
  render.set("mode", "mosaic");
  render.run(patch_clip());
  fail_unless(test::contains(caps_text(render), "height=(int)2"));
  ClipOptions wide;
  wide.columns = 3;
  render.set("mode", "hold");
  render.run(patch_clip(wide));
  fail_unless(test::contains(caps_text(render), "width=(int)3"));
}
GST_END_TEST;

// Until the next one; the last one as a frame of the source.
GST_START_TEST(test_times) {
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  segment.start = 1000 * kMs; // of stream time 0
  const Render render;
  render.begin(&segment);
  const GstClockTime pts[] = {1000 * kMs, 1200 * kMs, 1600 * kMs}, durations[] = {200 * kMs, 400 * kMs, 40 * kMs};
  for (guint clip = 0; clip < 2; ++clip) {
    const auto pictures = render.run(patch_clip());
    assert_equals_uint64(pictures.size(), 3);
    for (guint i = 0; i < 3; ++i) {
      assert_equals_uint64(GST_BUFFER_PTS(pictures[i].get()), pts[i]);
      assert_equals_uint64(GST_BUFFER_DURATION(pictures[i].get()), durations[i]);
      assert_equals_uint64(GST_BUFFER_OFFSET(pictures[i].get()), 3 * clip + i);
      fail_if(GST_BUFFER_DTS_IS_VALID(pictures[i].get()));
    }
  }
  const auto unknown = render.run(patch_clip({}, {GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE}));
  for (guint i = 0; i < 3; ++i)
    fail_if(GST_BUFFER_PTS_IS_VALID(unknown[i].get()) || GST_BUFFER_DURATION_IS_VALID(unknown[i].get()));

  render.set("mode", "mosaic");
  const auto sheet = render.run(patch_clip({}, {440 * kMs, 480 * kMs}));
  assert_equals_uint64(sheet.size(), 1);
  assert_equals_uint64(GST_BUFFER_PTS(sheet[0].get()), 1440 * kMs);
  assert_equals_uint64(GST_BUFFER_DURATION(sheet[0].get()), 80 * kMs);
  const auto canvases = render.run(canvas_clip()); // of frames at 0 and 40 ms of 3
  assert_equals_uint64(canvases.size(), 2);
  assert_equals_uint64(GST_BUFFER_PTS(canvases[0].get()), 1000 * kMs);
  assert_equals_uint64(GST_BUFFER_DURATION(canvases[0].get()), 40 * kMs);
  assert_equals_uint64(GST_BUFFER_PTS(canvases[1].get()), 1040 * kMs);
  assert_equals_uint64(GST_BUFFER_DURATION(canvases[1].get()), 80 * kMs);
}
GST_END_TEST;

GST_START_TEST(test_end_and_flush) {
  const Render render;
  render.begin();
  fail_unless(render.event(gst_event_new_eos())); // without a clip
  fail_unless(render.pull_event(GST_EVENT_EOS) != nullptr);

  render.flush();
  assert_equals_uint64(render.run(patch_clip()).size(), 3);
  GstSegment later;
  gst_segment_init(&later, GST_FORMAT_TIME);
  later.start = later.time = 200 * kMs;
  fail_unless(render.pull_event(GST_EVENT_SEGMENT) != nullptr); // of the clip before
  render.flush(&later);
  const auto pictures = render.run(patch_clip({}, {200 * kMs, 240 * kMs, 280 * kMs}));
  assert_equals_uint64(GST_BUFFER_PTS(pictures[0].get()), 200 * kMs);
  const Owned<GstEvent> event = render.pull_event(GST_EVENT_SEGMENT);
  const GstSegment *sent = nullptr;
  gst_event_parse_segment(event.get(), &sent);
  assert_equals_uint64(sent->start, 200 * kMs);
  fail_unless(render.event(gst_event_new_eos()));
  fail_unless(render.pull_event(GST_EVENT_EOS) != nullptr);
}
GST_END_TEST;

GST_START_TEST(test_restart) {
  const Render render;
  for (const GstState state : {GST_STATE_READY, GST_STATE_NULL, GST_STATE_READY}) {
    render.begin();
    const auto pictures = render.run(patch_clip());
    assert_equals_uint64(pictures.size(), 3);
    assert_equals_uint64(GST_BUFFER_OFFSET(pictures[0].get()), 0);
    fail_unless(render.pull_event(GST_EVENT_CAPS) != nullptr);
    render.restart(state);
  }
}
GST_END_TEST;

GST_START_TEST(test_what_is_refused) {
  const Render render;
  for (const char *text : {"other/tensors, format=flexible", "video/x-raw, format=RGBA"}) {
    const Owned<GstCaps> caps(gst_caps_from_string(text));
    fail_if(gst_pad_peer_query_accept_caps(render.get()->srcpad, caps.get()), "%s", text);
  }
  render.begin();
  fail_unless(render.push(Owned<GstBuffer>(gst_buffer_new_allocate(nullptr, 8, nullptr))) == GST_FLOW_ERROR);
  render.check_error("The tensors come without a description. Link patchselect or framestack to patchrender.");
  render.set("mode", "scores");
  fail_unless(render.push(frame_clip()) == GST_FLOW_ERROR);
  render.check_error("Whole frames have no scores to draw: choose another mode.");
  fail_unless(render.push(test::tensor_buffer()) == GST_FLOW_ERROR); // its fields are arbitrary
  render.check_error("The metadata has no grid_height and grid_width");
  render.set("mode", "hold");
  render.run(patch_clip());
}
GST_END_TEST;

GST_START_TEST(test_tensors_that_are_too_short) {
  Owned<GstBuffer> clip = patch_clip();
  gst_buffer_replace_memory_range(clip.get(), 1, 1, gst_allocator_alloc(nullptr, 100, nullptr));
  const Render render;
  render.begin();
  fail_unless(render.push(std::move(clip)) == GST_FLOW_ERROR);
  render.check_error("The tensor \"meta_fields\" cannot be read.");
}
GST_END_TEST;

GST_START_TEST(test_downstream_refuses) {
  const Render render({{"mode", "hold"}});
  gst_harness_set_sink_caps_str(render.get(), "video/x-raw, format=RGBA, width=640, height=480");
  render.begin();
  fail_unless(render.push(patch_clip()) == GST_FLOW_NOT_NEGOTIATED);
  fail_unless(render.pull() == nullptr);
}
GST_END_TEST;

// No further picture is drawn.
GST_START_TEST(test_downstream_stops) {
  for (const GstFlowReturn flow : {GST_FLOW_EOS, GST_FLOW_FLUSHING, GST_FLOW_ERROR}) {
    const Render render;
    render.begin();
    struct Stop {
      GstFlowReturn flow;
      int calls;
    } stop = {flow, 0};
    gst_pad_add_probe(
        render.get()->sinkpad, GST_PAD_PROBE_TYPE_BUFFER,
        [](GstPad *, GstPadProbeInfo *info, gpointer data) {
          auto *self = static_cast<Stop *>(data);
          if (++self->calls < 2)
            return GST_PAD_PROBE_OK;
          gst_buffer_unref(GST_PAD_PROBE_INFO_BUFFER(info));
          GST_PAD_PROBE_INFO_FLOW_RETURN(info) = self->flow;
          return GST_PAD_PROBE_HANDLED;
        },
        &stop, nullptr);
    fail_unless(render.push(patch_clip()) == flow);
    assert_equals_int(stop.calls, 2);
  }
}
GST_END_TEST;

namespace {

// Downstream's answer to the allocation query.
struct Offer {
  Owned<GstBufferPool> pool{gst_video_buffer_pool_new()};
  guint max = 0;
  int queries = 0;

  void install(const Render &render) {
    gst_pad_add_probe(
        render.get()->sinkpad, GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM,
        [](GstPad *, GstPadProbeInfo *info, gpointer data) {
          auto *self = static_cast<Offer *>(data);
          GstQuery *query = GST_PAD_PROBE_INFO_QUERY(info);
          if (GST_QUERY_TYPE(query) != GST_QUERY_ALLOCATION)
            return GST_PAD_PROBE_OK;
          self->queries += GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_PUSH ? 1 : 0;
          if (gst_query_get_n_allocation_pools(query) == 0)
            gst_query_add_allocation_pool(query, self->pool.get(), 8, 0, self->max);
          gst_query_add_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr);
          return GST_PAD_PROBE_HANDLED;
        },
        this, nullptr);
  }
};

} // namespace

GST_START_TEST(test_pool) {
  for (const guint max : {0U, 2U}) { // one with a limit would make the element wait
    Offer offer;
    offer.max = max;
    const Render render({{"mode", "hold"}});
    offer.install(render);
    render.begin();
    const auto pictures = render.run(patch_clip());
    check_rows(pictures, {{10, 20, 30, 40, 50, 60}, {10, 20, 30, 100, 120, 140}, {10, 20, 30, 100, 120, 140}});
    for (const Owned<GstBuffer> &picture : pictures) {
      fail_unless((picture->pool == offer.pool.get()) == (max == 0));
      assert_equals_uint64(gst_buffer_get_size(picture.get()), 8);
    }
    render.run(patch_clip());
    assert_equals_int(offer.queries, 1);
    gst_pad_push_event(render.get()->sinkpad, gst_event_new_reconfigure());
    check_rows(render.run(patch_clip()),
               {{10, 20, 30, 40, 50, 60}, {10, 20, 30, 100, 120, 140}, {10, 20, 30, 100, 120, 140}});
    assert_equals_int(offer.queries, 2);
  }
}
GST_END_TEST;

static Suite *patchrender_suite() {
  return test::suite_of("patchrender", {[] {
                          TCase *tests = test::subject("general");
                          tcase_add_test(tests, test_modes);
                          tcase_add_test(tests, test_canvases);
                          tcase_add_test(tests, test_frames);
                          tcase_add_test(tests, test_types);
                          tcase_add_test(tests, test_caps);
                          tcase_add_test(tests, test_times);
                          tcase_add_test(tests, test_end_and_flush);
                          tcase_add_test(tests, test_restart);
                          tcase_add_test(tests, test_what_is_refused);
                          tcase_add_test(tests, test_tensors_that_are_too_short);
                          tcase_add_test(tests, test_downstream_refuses);
                          tcase_add_test(tests, test_downstream_stops);
                          tcase_add_test(tests, test_pool);
                          return tests;
                        }()});
}

GST_CHECK_MAIN(patchrender)
