// SPDX-License-Identifier: LGPL-2.1-or-later
// What the element does between two pads; tests/pipelines has it in real pipelines.
#include "tests/bitstream/h264writer.h"
#include "tests/common/harness.h"
#include "tests/common/text.h"

#include <gst/codecpatch/codecpatch.h>

#include <condition_variable>
#include <mutex>

using test::Harness;
using test::Owned;

namespace {

constexpr const char *kH264 = "video/x-h264, stream-format=byte-stream, alignment=au, framerate=25/1";

Owned<GstCaps> caps(const char *text = kH264) {
  return Owned<GstCaps>(gst_caps_from_string(text));
}

// An input that answers queries and seeks, and a sampler's answer downstream.
class Planner : public Harness {
public:
  explicit Planner(test::Properties properties = {}) : Harness("frameplanner", properties) {
    on_query = [this](GstQuery *query) { return answer(query); };
    g_object_set_data(G_OBJECT(get()->srcpad), "planner", this);
    gst_pad_set_event_function(get()->srcpad, [](GstPad *pad, GstObject *, GstEvent *event) -> gboolean {
      const Owned<GstEvent> owned(event);
      auto *self = static_cast<Planner *>(g_object_get_data(G_OBJECT(pad), "planner"));
      return GST_EVENT_TYPE(event) != GST_EVENT_SEEK || self->seek(event);
    });
    gst_pad_add_probe(
        get()->sinkpad, GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM,
        [](GstPad *, GstPadProbeInfo *info, gpointer self) {
          GstQuery *query = GST_PAD_PROBE_INFO_QUERY(info);
          const GstStructure *options = static_cast<Planner *>(self)->request.get();
          if (!options || !cps_query_is_plan_request(query))
            return GST_PAD_PROBE_OK;
          cps_query_set_plan_request(query, options);
          return GST_PAD_PROBE_HANDLED;
        },
        this, nullptr);
  }

  bool live = false, limited = false, seekable = true, seeks = true;
  Owned<GstStructure> request{gst_structure_new("options", "sequence-length", G_TYPE_UINT, 3u, "on-error", G_TYPE_INT,
                                                0, nullptr)}; // null: no sampler

  // Ends a reading, upon which the planner may seek.
  void end() {
    const std::lock_guard<std::mutex> lock(streaming_);
    event(gst_event_new_eos()); // the flush may overtake its result
  }

  // The planner has sought back, and wants the stream once more.
  void wait_for_seek() {
    std::unique_lock<std::mutex> lock(mutex_);
    sought_.wait(lock, [this] { return sought_to_ >= 0; });
    assert_equals_int64(sought_to_, 0);
    sought_to_ = -1;
  }

  Owned<CpsPlan> pull_plan() const {
    const Owned<GstEvent> event = pull_event(GST_EVENT_CUSTOM_DOWNSTREAM_STICKY);
    CpsPlan *plan = event ? cps_event_parse_plan(event.get()) : nullptr;
    return Owned<CpsPlan>(plan ? cps_plan_ref(plan) : nullptr);
  }

private:
  bool answer(GstQuery *query) const {
    switch (GST_QUERY_TYPE(query)) {
    case GST_QUERY_LATENCY:
      gst_query_set_latency(query, live, 0, GST_CLOCK_TIME_NONE);
      return true;
    case GST_QUERY_SCHEDULING:
      gst_query_set_scheduling(query, limited ? GST_SCHEDULING_FLAG_BANDWIDTH_LIMITED : GST_SCHEDULING_FLAG_SEEKABLE, 1,
                               -1, 0);
      gst_query_add_scheduling_mode(query, GST_PAD_MODE_PUSH);
      return true;
    case GST_QUERY_SEEKING:
      gst_query_set_seeking(query, GST_FORMAT_TIME, seekable, 0, -1);
      return true;
    default:
      return false;
    }
  }

  bool seek(GstEvent *event) {
    GstSeekFlags flags;
    gint64 start = -1;
    gst_event_parse_seek(event, nullptr, nullptr, &flags, nullptr, &start, nullptr, nullptr);
    if (!seeks)
      return false;
    fail_unless(flags & GST_SEEK_FLAG_FLUSH);
    gst_pad_push_event(get()->srcpad, gst_event_new_flush_start());
    { const std::lock_guard<std::mutex> idle(streaming_); } // as demuxers wait for their thread
    gst_pad_push_event(get()->srcpad, gst_event_new_flush_stop(TRUE));
    const std::lock_guard<std::mutex> lock(mutex_);
    sought_to_ = start;
    sought_.notify_all();
    return true;
  }

  std::mutex streaming_;
  std::mutex mutex_;
  std::condition_variable sought_;
  gint64 sought_to_ = -1;
};

// Access units of five pictures: 0 2 1 4 3 of the display order, the first an IDR picture. Time stamps say the same.
constexpr guint64 kDisplay[] = {0, 2, 1, 4, 3};

std::vector<Owned<GstBuffer>> access_units() {
  const H264Stream stream;
  std::vector<Owned<GstBuffer>> units;
  unsigned frame_num = 0;
  for (size_t i = 0; i < 5; ++i) {
    H264Picture picture;
    picture.luma = static_cast<uint8_t>(20 * i + 1);
    picture.idr = i == 0;
    picture.reference = i == 0 || i == 1 || i == 3;
    picture.frame_num = frame_num;
    picture.lsb = static_cast<int>(2 * kDisplay[i]);
    frame_num += picture.reference ? 1 : 0;
    Bytes bytes;
    if (i == 0)
      bytes = stream.parameter_sets();
    const Bytes nal = picture.nal(stream);
    bytes.insert(bytes.end(), nal.begin(), nal.end());
    GstBuffer *buffer = gst_buffer_new_memdup(bytes.data(), bytes.size());
    GST_BUFFER_PTS(buffer) = kDisplay[i] * 40 * GST_MSECOND;
    GST_BUFFER_DTS(buffer) = i * 40 * GST_MSECOND;
    units.emplace_back(buffer);
  }
  return units;
}

void push_units(const Harness &planner) {
  for (Owned<GstBuffer> &unit : access_units())
    assert_equals_string(gst_flow_get_name(planner.push(std::move(unit))), "ok");
}

// The first reading, up to the segment that the second begins with.
void play_once(Planner &planner) {
  planner.start(caps().get());
  push_units(planner);
  fail_unless(planner.pull() == nullptr); // swallowed
  planner.end();
  planner.wait_for_seek();
  GstSegment whole;
  gst_segment_init(&whole, GST_FORMAT_TIME);
  planner.event(gst_event_new_segment(&whole));
}

// Both readings of the stream.
void play(Planner &planner) {
  play_once(planner);
  auto units = access_units();
  for (size_t i = 0; i < units.size(); ++i) // nothing that is wanted follows the fourth
    assert_equals_string(gst_flow_get_name(planner.push(std::move(units[i]))), i < 4 ? "ok" : "eos");
  planner.end();
}

// `kept`: the places in decode order of the units that came out.
void check_stamps(const std::vector<Owned<GstBuffer>> &units, const std::vector<size_t> &kept) {
  assert_equals_int(units.size(), kept.size());
  for (size_t u = 0; u < kept.size(); ++u) {
    const size_t i = kept[u];
    const CpsFrameMeta *meta = cps_buffer_get_frame_meta(units[u].get());
    fail_unless(meta != nullptr);
    assert_equals_uint64(meta->frame_id, kDisplay[i]);
    assert_equals_uint64(meta->total, 5);
    assert_equals_uint64(meta->pts, kDisplay[i] * 40 * GST_MSECOND);
    assert_equals_int((meta->flags & CPS_FRAME_FLAG_RANDOM_ACCESS) != 0, i == 0);
    assert_equals_int((meta->flags & CPS_FRAME_FLAG_WANTED) != 0, kDisplay[i] % 2 == 0); // 0, 2, 4
    assert_equals_int(meta->seq_len, 0);
  }
}

} // namespace

// Caps

GST_START_TEST(test_caps_pass) {
  for (const char *text :
       {kH264, "video/x-h264, stream-format=avc, alignment=au, width=64",
        "video/x-h265, stream-format=byte-stream, alignment=au", "video/x-h265, stream-format=hvc1, alignment=au"}) {
    Planner planner;
    planner.live = true;
    planner.start(caps(text).get());
    Owned<GstBuffer> unit(gst_buffer_new_allocate(nullptr, 8, nullptr));
    fail_unless(planner.push(std::move(unit)) == GST_FLOW_OK, "%s", text);
    const Owned<GstCaps> seen(gst_pad_get_current_caps(planner.get()->sinkpad));
    fail_unless(gst_caps_is_equal(seen.get(), caps(text).get()));
  }
}
GST_END_TEST;

GST_START_TEST(test_caps_refused) {
  for (const char *text : {"audio/mpeg", "video/x-h264, stream-format=byte-stream, alignment=nal",
                           "video/x-h264, stream-format=avc, alignment=nal"}) {
    Planner planner;
    fail_if(gst_pad_peer_query_accept_caps(planner.get()->srcpad, caps(text).get()));
    planner.start(caps(text).get());
    Owned<GstBuffer> unit(gst_buffer_new_allocate(nullptr, 8, nullptr));
    fail_unless(planner.push(std::move(unit)) == GST_FLOW_NOT_NEGOTIATED, "%s", text);
  }
}
GST_END_TEST;

// Inputs that cannot be read twice

GST_START_TEST(test_passes_what_cannot_be_indexed) {
  const struct {
    bool live, limited, seekable;
    const char *reason;
  } rows[] = {{true, false, true, "live"}, {false, true, true, "slow to seek"}, {false, false, false, "cannot seek"}};
  for (const auto &row : rows) {
    Planner planner;
    planner.live = row.live;
    planner.limited = row.limited;
    planner.seekable = row.seekable;
    planner.start(caps().get());
    const auto units = access_units();
    for (const auto &unit : units) {
      fail_unless(planner.push(Owned<GstBuffer>(gst_buffer_ref(unit.get()))) == GST_FLOW_OK);
      fail_unless(planner.pull() == unit); // the very buffer
      fail_unless(cps_buffer_get_frame_meta(unit.get()) == nullptr);
    }
    const std::string warning = planner.warning();
    fail_unless(test::contains(warning, row.reason) && test::contains(warning, "estimated"), "%s", warning.c_str());
    planner.check_quiet(); // once

    const Owned<CpsPlan> plan = planner.pull_plan();
    fail_unless(plan != nullptr);
    assert_equals_int(plan->n_frames, 0);
    fail_unless(gst_structure_has_field(plan->options, "uniform-strategy"));
    fail_unless(planner.pull_plan() == nullptr);
    fail_unless(planner.event(gst_event_new_eos()));
    fail_unless(planner.pull_event(GST_EVENT_EOS) != nullptr);
  }
}
GST_END_TEST;

GST_START_TEST(test_no_sampler) {
  Planner planner;
  planner.live = true;
  planner.request.reset();
  planner.start(caps().get());
  push_units(planner);
  assert_equals_int(planner.pull_all().size(), 5);
  fail_unless(planner.pull_plan() == nullptr);
}
GST_END_TEST;

GST_START_TEST(test_passing_events) {
  Planner planner;
  planner.live = true;
  std::string order;
  gst_pad_add_probe(
      planner.get()->sinkpad,
      static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM | GST_PAD_PROBE_TYPE_BUFFER),
      [](GstPad *, GstPadProbeInfo *info, gpointer out) {
        *static_cast<std::string *>(out) +=
            GST_IS_EVENT(info->data) ? std::string(GST_EVENT_TYPE_NAME(info->data)) + " " : "buffer ";
        return GST_PAD_PROBE_OK;
      },
      &order, nullptr);
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  segment.start = segment.time = 7;
  planner.start(caps().get(), &segment);
  planner.push(std::move(access_units()[0]));
  planner.event(gst_event_new_eos());
  assert_text(order, "stream-start caps segment custom-downstream-sticky buffer eos ");
  const Owned<GstEvent> event = planner.pull_event(GST_EVENT_SEGMENT);
  const GstSegment *sent = nullptr;
  gst_event_parse_segment(event.get(), &sent);
  assert_equals_uint64(sent->start, 7);
}
GST_END_TEST;

GST_START_TEST(test_passing_flush) {
  Planner planner;
  planner.seekable = false;
  planner.start(caps().get());
  push_units(planner);
  assert_equals_int(planner.pull_all().size(), 5);
  planner.flush();
  push_units(planner);
  assert_equals_int(planner.pull_all().size(), 5);
  fail_unless(planner.pull_plan() != nullptr);
  fail_unless(planner.pull_plan() != nullptr); // a flush has made the sampler forget the first
}
GST_END_TEST;

GST_START_TEST(test_states) {
  Planner planner;
  planner.seekable = false;
  for (const GstState state : {GST_STATE_READY, GST_STATE_NULL, GST_STATE_READY}) {
    planner.start(caps().get());
    push_units(planner);
    assert_equals_int(planner.pull_all().size(), 5);
    fail_unless(test::contains(planner.warning(), "cannot seek"));
    planner.check_quiet();
    planner.restart(state);
  }
}
GST_END_TEST;

// Two readings

GST_START_TEST(test_stamps) {
  Planner planner({{"uniform-strategy", "stream"}});
  play(planner);
  planner.check_quiet();
  check_stamps(planner.pull_all(), {0, 1, 2, 3});

  const Owned<CpsPlan> plan = planner.pull_plan();
  fail_unless(plan != nullptr);
  assert_equals_uint64(plan->total, 5);
  assert_equals_int(plan->n_frames, 3);
  for (guint i = 0; i < 3; ++i) {
    assert_equals_uint64(plan->frames[i].frame_id, 2 * i);
    assert_equals_uint64(plan->frames[i].pts, 80 * i * GST_MSECOND);
    assert_equals_int(plan->frames[i].random_access, i == 0);
  }
  assert_equals_float(plan->fps, 25.0);
  assert_equals_uint64(plan->duration, 200 * GST_MSECOND);
  fail_unless(planner.pull_event(GST_EVENT_EOS) != nullptr);
}
GST_END_TEST;

// Downstream sees one stream: one start, one segment, one end, and no flush.
GST_START_TEST(test_hides_the_first_reading) {
  Planner planner({{"uniform-strategy", "stream"}});
  std::string order;
  gst_pad_add_probe(
      planner.get()->sinkpad,
      static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM | GST_PAD_PROBE_TYPE_EVENT_FLUSH |
                                   GST_PAD_PROBE_TYPE_BUFFER),
      [](GstPad *, GstPadProbeInfo *info, gpointer out) {
        *static_cast<std::string *>(out) +=
            GST_IS_EVENT(info->data) ? std::string(GST_EVENT_TYPE_NAME(info->data)) + " " : "buffer ";
        return GST_PAD_PROBE_OK;
      },
      &order, nullptr);
  play(planner);
  assert_text(order, "stream-start caps segment custom-downstream-sticky buffer buffer buffer buffer eos ");
}
GST_END_TEST;

// Caps in mid-stream that no parser takes.
GST_START_TEST(test_caps_become_nonsense) {
  Planner planner;
  const Owned<GstCaps> nonsense = caps("video/x-h264, stream-format=avc, alignment=au, codec_data=(buffer)01");
  const auto push_all = [&] {
    push_units(planner);
    planner.event(gst_event_new_caps(nonsense.get()));
    for (Owned<GstBuffer> &unit : access_units())
      planner.push(std::move(unit));
    planner.end();
  };
  planner.start(caps().get());
  push_all();
  planner.wait_for_seek();
  planner.start(caps().get());
  push_all();
  fail_unless(planner.pull_event(GST_EVENT_EOS) != nullptr);
}
GST_END_TEST;

// Parsers put parameter sets before what a seek went to, where the stream has none: they go to the decoder though
// that unit does not.
GST_START_TEST(test_headers_of_the_second_reading) {
  Planner planner;
  play_once(planner);
  H264Stream other;
  other.dpb_size = 5;
  const Bytes sets = other.parameter_sets();
  auto units = access_units();
  GstBuffer *dropped = units[2].release();
  units[2].reset(gst_buffer_append(gst_buffer_new_memdup(sets.data(), sets.size()), gst_buffer_ref(dropped)));
  gst_buffer_copy_into(units[2].get(), dropped, GST_BUFFER_COPY_TIMESTAMPS, 0, -1);
  gst_buffer_unref(dropped);
  for (size_t i = 0; i < 4; ++i)
    planner.push(std::move(units[i]));
  const auto kept = planner.pull_all();
  check_stamps(kept, {0, 1, 3});
  fail_unless(gst_buffer_memcmp(kept[2].get(), 0, &sets[1], sets.size() - 1) == 0); // with a short start code
}
GST_END_TEST;

// A parser may come out with the segment of before a seek before that of the seek.
GST_START_TEST(test_segment_without_anything) {
  Planner planner({{"uniform-strategy", "stream"}});
  planner.request.reset();
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  segment.start = segment.time = 7;
  planner.start(caps().get(), &segment);
  segment.start = segment.time = 0;
  planner.event(gst_event_new_segment(&segment));
  push_units(planner);
  planner.end();
  planner.wait_for_seek();
  planner.event(gst_event_new_segment(&segment));
  push_units(planner);
  const Owned<GstEvent> event = planner.pull_event(GST_EVENT_SEGMENT);
  const GstSegment *sent = nullptr;
  gst_event_parse_segment(event.get(), &sent);
  assert_equals_uint64(sent->start, 0);
  fail_unless(planner.pull_event(GST_EVENT_SEGMENT) == nullptr);
}
GST_END_TEST;

// Only what the wanted frames depend on, where nothing else is asked for.
GST_START_TEST(test_drops) {
  for (const char *strategy : {"auto", "skip", "seek"}) {
    Planner planner({{"uniform-strategy", strategy}});
    play(planner);
    check_stamps(planner.pull_all(), {0, 1, 3}); // the third is no reference picture
    fail_unless(planner.pull_event(GST_EVENT_EOS) != nullptr);
  }
}
GST_END_TEST;

GST_START_TEST(test_stamps_after_a_restart) {
  Planner planner({{"uniform-strategy", "stream"}});
  for (const GstState state : {GST_STATE_READY, GST_STATE_NULL}) {
    play(planner);
    check_stamps(planner.pull_all(), {0, 1, 2, 3});
    planner.restart(state);
  }
  planner.check_quiet();
}
GST_END_TEST;

GST_START_TEST(test_seek_fails) {
  Planner planner;
  planner.seeks = false;
  planner.start(caps().get());
  push_units(planner);
  planner.end();
  GstMessage *message = gst_bus_timed_pop_filtered(planner.bus(), GST_CLOCK_TIME_NONE, GST_MESSAGE_ERROR);
  GError *error = nullptr;
  gst_message_parse_error(message, &error, nullptr);
  fail_unless(g_error_matches(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SEEK));
  fail_unless(strstr(error->message, "cannot be read a second time") != nullptr, "%s", error->message);
  g_error_free(error);
  gst_message_unref(message);
}
GST_END_TEST;

GST_START_TEST(test_no_picture) {
  Planner planner;
  planner.start(caps().get());
  Owned<GstBuffer> rubbish(gst_buffer_new_allocate(nullptr, 16, nullptr));
  gst_buffer_memset(rubbish.get(), 0, 0, 16);
  fail_unless(planner.push(std::move(rubbish)) == GST_FLOW_OK);
  planner.event(gst_event_new_eos());
  planner.check_error("no picture");
}
GST_END_TEST;

// What the sampler asks for is checked against the index.
GST_START_TEST(test_plan_that_cannot_be) {
  Planner planner;
  planner.request.reset(
      gst_structure_new("options", "sequence-length", G_TYPE_UINT, 0u, "on-error", G_TYPE_INT, 0, nullptr));
  play_once(planner);
  fail_unless(planner.push(std::move(access_units()[0])) == GST_FLOW_ERROR);
  planner.check_error("sequence-length");
}
GST_END_TEST;

// A sampler that is another's may answer with less than ours, or with something else.
GST_START_TEST(test_samplers_of_others) {
  {
    Planner planner({{"uniform-strategy", "stream"}});
    planner.request.reset(gst_structure_new("options", "sequence-length", G_TYPE_UINT, 3u, nullptr));
    play(planner);
    planner.check_quiet();
    check_stamps(planner.pull_all(), {0, 1, 2, 3});
  }
  GValue ids = G_VALUE_INIT, id = G_VALUE_INIT;
  g_value_init(&ids, GST_TYPE_ARRAY);
  g_value_init(&id, G_TYPE_STRING);
  g_value_set_string(&id, "2");
  gst_value_array_append_value(&ids, &id);
  Planner planner;
  planner.request.reset(
      gst_structure_new("options", "sequence-length", G_TYPE_UINT, 3u, "on-error", G_TYPE_STRING, "fail", nullptr));
  gst_structure_take_value(planner.request.get(), "frame-ids", &ids);
  g_value_unset(&id);
  play_once(planner);
  fail_unless(planner.push(std::move(access_units()[0])) == GST_FLOW_ERROR);
  planner.check_error("frame-ids");
}
GST_END_TEST;

// Seeks of the application

static guint32 seek(const Planner &planner) {
  GstEvent *event = gst_event_new_seek(1.0, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH, GST_SEEK_TYPE_SET, 0,
                                       GST_SEEK_TYPE_SET, static_cast<gint64>(120 * GST_MSECOND));
  const guint32 seqnum = gst_event_get_seqnum(event);
  fail_unless(gst_harness_push_upstream_event(planner.get(), event));
  return seqnum;
}

static void push_section(const Planner &planner) {
  GstSegment section;
  gst_segment_init(&section, GST_FORMAT_TIME);
  section.stop = 120 * GST_MSECOND;
  planner.event(gst_event_new_segment(&section)); // its number is none of the application's
}

// Whatever number upstream gives its segment.
GST_START_TEST(test_events_have_the_number_of_the_seek) {
  Planner planner;
  play(planner);
  while (planner.pull_event(GST_EVENT_SEGMENT) || planner.pull_event(GST_EVENT_EOS)) {
  }
  const guint32 seqnum = seek(planner);
  planner.wait_for_seek();
  push_section(planner);
  for (Owned<GstBuffer> &unit : access_units())
    planner.push(std::move(unit));
  planner.end();
  for (const GstEventType type : {GST_EVENT_SEGMENT, GST_EVENT_EOS}) {
    const Owned<GstEvent> event = planner.pull_event(type);
    fail_unless(event != nullptr, "no %s", gst_event_type_get_name(type));
    fail_unless(gst_event_get_seqnum(event.get()) == seqnum, "%s", gst_event_type_get_name(type));
  }
}
GST_END_TEST;

// The demuxer went behind the last entry point: read from the start, once.
GST_START_TEST(test_seek_behind_everything) {
  Planner planner({{"uniform-strategy", "stream"}});
  play(planner);
  planner.pull_all();
  while (planner.pull_event(GST_EVENT_EOS)) {
  }
  seek(planner);
  planner.wait_for_seek();
  push_section(planner);
  planner.end();
  planner.wait_for_seek();
  fail_unless(planner.pull_event(GST_EVENT_EOS) == nullptr);
  push_section(planner);
  for (Owned<GstBuffer> &unit : access_units())
    planner.push(std::move(unit));
  assert_equals_int(planner.pull_all().size(), 3); // display 0, 2, 1 of the section
  planner.end();
  fail_unless(planner.pull_event(GST_EVENT_EOS) != nullptr);
}
GST_END_TEST;

static Suite *frameplanner_suite() {
  Suite *suite = suite_create("frameplanner");
  TCase *tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_set_timeout(tests, test::kWatchdogSeconds);
  tcase_add_test(tests, test_caps_become_nonsense);
  tcase_add_test(tests, test_headers_of_the_second_reading);
  tcase_add_test(tests, test_segment_without_anything);
  tcase_add_test(tests, test_events_have_the_number_of_the_seek);
  tcase_add_test(tests, test_seek_behind_everything);
  tcase_add_test(tests, test_caps_pass);
  tcase_add_test(tests, test_caps_refused);
  tcase_add_test(tests, test_passes_what_cannot_be_indexed);
  tcase_add_test(tests, test_no_sampler);
  tcase_add_test(tests, test_passing_events);
  tcase_add_test(tests, test_passing_flush);
  tcase_add_test(tests, test_states);
  tcase_add_test(tests, test_stamps);
  tcase_add_test(tests, test_hides_the_first_reading);
  tcase_add_test(tests, test_drops);
  tcase_add_test(tests, test_stamps_after_a_restart);
  tcase_add_test(tests, test_seek_fails);
  tcase_add_test(tests, test_no_picture);
  tcase_add_test(tests, test_plan_that_cannot_be);
  tcase_add_test(tests, test_samplers_of_others);
  return suite;
}

GST_CHECK_MAIN(frameplanner)
