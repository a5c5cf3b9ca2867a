// SPDX-License-Identifier: LGPL-2.1-or-later
// What uniformdecodebin and patchstreambin put out: the same as the elements one by one, with their properties.
#include "tests/pipelines/bins.h"

#include "tests/common/text.h"
#include "tests/pipelines/sections.h"

#include <algorithm>
#include <array>

namespace {

using namespace pipes;

constexpr int kFrames = 30;

std::string make(const std::string &path, const std::string &coding, int width = kClipWidth, int height = kClipHeight) {
  write_frames("appsrc name=in ! " + coding + " ! filesink location=" + path, kFrames, width, height);
  return path;
}

std::string file_from(const std::string &start, const TempDir &folder) {
  const std::string location = folder.file("out.safetensors");
  const Outcome outcome = run(start + " ! tensormetasink location=" + location);
  fail_unless(outcome.eos && outcome.warnings.empty(), "%s: %s%s", start.c_str(), outcome.error.c_str(),
              outcome.warnings.empty() ? "" : outcome.warnings[0].c_str());
  return read_file(location);
}

// With all that the files say of the tensors.
void check_same(const std::string &path, const std::string &reading, const std::string &decoder) {
  if (!have_elements({decoder.c_str()}))
    return;
  const TempDir folder;
  const std::string options = "k-keep=64 patch-size=16 output-dtype=f32";
  const std::string expected =
      file_from("filesrc location=" + path + " ! " + reading + " ! frameplanner ! " + decoder +
                    " ! uniformsampler sequence-length=6 apply-rotation=true ! patchenergy ! patchselect " + options,
                folder);
  const std::string actual = file_from(bin_of("patchstreambin", path, "sequence-length=6 " + options), folder);
  fail_unless(actual == expected, "%s: not what %s gives", path.c_str(), reading.c_str());
}

struct Kind {
  const char *coding, *reading, *decoder;
  int width = kClipWidth, height = kClipHeight;
};
const std::string kB = kH264B, k265 = kH265;

bool made_here(const std::string &coding) {
  const std::string encoder = coding.substr(0, coding.find(' '));
  return have_elements({encoder.c_str()});
}

std::vector<GParamSpec *> specs_of(GType type) {
  guint count = 0;
  GParamSpec **list = g_object_class_list_properties(static_cast<GObjectClass *>(g_type_class_ref(type)), &count);
  std::vector<GParamSpec *> specs(list, list + count);
  g_free(list);
  return specs;
}

GType type_of(const char *factory) {
  const Owned<GstElement> element(GST_ELEMENT(gst_object_ref_sink(gst_element_factory_make(factory, nullptr))));
  return G_OBJECT_TYPE(element.get());
}

// The limits of a number, as text; "" of others.
std::string range_of(GParamSpec *spec) {
#define RANGE(TYPE)                                                                                                    \
  if (G_IS_PARAM_SPEC_##TYPE(spec))                                                                                    \
  return std::to_string(G_PARAM_SPEC_##TYPE(spec)->minimum) + " to " +                                                 \
         std::to_string(G_PARAM_SPEC_##TYPE(spec)->maximum)
  RANGE(INT);
  RANGE(UINT);
  RANGE(INT64);
  RANGE(UINT64);
  RANGE(DOUBLE);
#undef RANGE
  if (GST_IS_PARAM_SPEC_FRACTION(spec)) {
    const GstParamSpecFraction *f = GST_PARAM_SPEC_FRACTION(spec);
    return std::to_string(f->min_num) + "/" + std::to_string(f->min_den) + " to " + std::to_string(f->max_num) + "/" +
           std::to_string(f->max_den);
  }
  if (GST_IS_PARAM_SPEC_ARRAY_LIST(spec))
    return "of " + range_of(GST_PARAM_SPEC_ARRAY_LIST(spec)->element_spec);
  return "";
}

std::string text_of(const GValue *value) {
  const Owned<gchar> text(gst_value_serialize(value));
  return text ? text.get() : "";
}

std::string value_of(GstElement *element, GParamSpec *spec) {
  GValue value = G_VALUE_INIT;
  g_value_init(&value, spec->value_type);
  g_object_get_property(G_OBJECT(element), spec->name, &value);
  std::string text = text_of(&value);
  g_value_unset(&value);
  return text;
}

void check_spec(GParamSpec *actual, GParamSpec *expected) {
  const char *name = expected->name;
  fail_unless(actual->value_type == expected->value_type && G_PARAM_SPEC_TYPE(actual) == G_PARAM_SPEC_TYPE(expected),
              "%s: another type", name);
  fail_unless(actual->flags == expected->flags, "%s: other flags", name);
  fail_unless(text_of(g_param_spec_get_default_value(actual)) == text_of(g_param_spec_get_default_value(expected)),
              "%s: another default", name);
  fail_unless(range_of(actual) == range_of(expected), "%s: %s", name, range_of(actual).c_str());
  fail_unless_equals_string(g_param_spec_get_blurb(actual), g_param_spec_get_blurb(expected));
  fail_unless_equals_string(g_param_spec_get_nick(actual), g_param_spec_get_nick(expected));
}

// One that is not the default.
std::string other_value(GParamSpec *spec) {
  const std::string normal = text_of(g_param_spec_get_default_value(spec));
  if (G_IS_PARAM_SPEC_ENUM(spec)) {
    const GEnumClass *values = G_PARAM_SPEC_ENUM(spec)->enum_class;
    return values->n_values > 1 ? values->values[values->n_values - 1].value_nick : normal;
  }
  if (G_IS_PARAM_SPEC_BOOLEAN(spec))
    return normal == "true" ? "false" : "true";
  if (GST_IS_PARAM_SPEC_FRACTION(spec))
    return "5/2";
  if (GST_IS_PARAM_SPEC_ARRAY_LIST(spec))
    return G_IS_PARAM_SPEC_INT(GST_PARAM_SPEC_ARRAY_LIST(spec)->element_spec) ? "<1,2,3>" : "<1.0,2.0,3.0>";
  return "7";
}

// Has the bin a property of its own for it?
bool is_of_the_bin(const GParamSpec *spec) {
  return g_str_equal(spec->name, "cuda-device-id") || g_str_equal(spec->name, "apply-rotation");
}

void check_properties(const char *bin_factory, const std::vector<const char *> &inner) {
  const Owned<GstElement> bin(GST_ELEMENT(gst_object_ref_sink(gst_element_factory_make(bin_factory, nullptr))));
  GObjectClass *klass = G_OBJECT_GET_CLASS(bin.get());
  size_t forwarded = 0;
  for (const char *factory : inner) {
    const GType type = type_of(factory);
    const Owned<GstElement> element = child_of(bin.get(), factory);
    fail_unless(element != nullptr, "no %s", factory);
    for (GParamSpec *spec : specs_of(type)) {
      if (spec->owner_type != type || is_of_the_bin(spec))
        continue;
      forwarded++;
      GParamSpec *own = g_object_class_find_property(klass, spec->name);
      fail_unless(own != nullptr, "%s has no %s", bin_factory, spec->name);
      check_spec(own, spec);
      if (spec->value_type == CPS_TYPE_INDEX) // has no text; tests/pipelines/index.cpp sets it
        continue;
      const std::string normal = value_of(element.get(), spec), other = other_value(spec);
      fail_unless(value_of(bin.get(), own) == normal, "%s", spec->name);
      set_text(bin.get(), spec->name, other);
      const std::string set = value_of(element.get(), spec);
      fail_unless(set != normal, "%s is not set", spec->name);
      fail_unless(value_of(bin.get(), own) == set, "%s", spec->name);
      set_text(element.get(), spec->name, normal);
      fail_unless(value_of(bin.get(), own) == normal, "%s", spec->name);
    }
  }
  fail_if(g_object_class_find_property(klass, "cuda-device-id"));
  // Nothing else but what both bins have of their own.
  size_t of_class = 0;
  for (const GParamSpec *spec : specs_of(G_OBJECT_TYPE(bin.get())))
    of_class += spec->owner_type == G_OBJECT_TYPE(bin.get());
  assert_equals_uint64(of_class, forwarded);
}

// Two tracks of video: numbered frames, then others of twice the size.
void encode_two(const std::string &path, const std::string &muxer) {
  write_frames("appsrc name=in ! " + std::string(kH264) + " ! h264parse ! queue ! m.video_0 " + muxer +
                   " name=m ! filesink location=" + path +
                   " videotestsrc num-buffers=30 ! video/x-raw,width=320,height=192,framerate=25/1 ! " + kH264 +
                   " ! h264parse ! queue ! m.video_1",
               kFrames);
}

guint width_of(const Outcome &outcome) {
  return outcome.only_clip().clip->source_width;
}

} // namespace

GST_START_TEST(test_as_by_hand) {
  const std::string ts = kB + " ! h264parse ! mpegtsmux";
  const std::string mp4 = kB + " ! h264parse ! mp4mux", mkv = kB + " ! h264parse ! matroskamux",
                    avi = "x264enc bframes=0 ! h264parse ! avimux",
                    raw = kB + " ! video/x-h264,stream-format=byte-stream", hevc = k265 + " ! h265parse ! mp4mux";
  const Kind kinds[] = {
      {mp4.c_str(), "qtdemux ! h264parse", "avdec_h264"},
      {mkv.c_str(), "matroskademux ! h264parse", "avdec_h264"},
      {ts.c_str(), "tsdemux ! h264parse", "avdec_h264", kLarge, kLarge},
      {avi.c_str(), "avidemux ! h264parse", "avdec_h264"},
      {raw.c_str(), "h264parse", "avdec_h264"},
      {hevc.c_str(), "qtdemux ! h265parse", "avdec_h265"},
      {"vp8enc deadline=1 ! webmmux", "matroskademux", "avdec_vp8"},
      {"vp9enc deadline=1 cpu-used=8 ! webmmux", "matroskademux ! vp9parse", "vp9dec"},
      {"av1enc cpu-used=8 usage-profile=realtime ! av1parse ! matroskamux", "matroskademux ! av1parse", "av1dec"},
      {"jpegenc ! avimux", "avidemux ! jpegparse", "avdec_mjpeg"},
      {"avenc_mpeg4 ! avimux", "avidemux ! mpeg4videoparse", "avdec_mpeg4"},
  };
  const TempDir folder;
  for (const Kind &kind : kinds)
    if (made_here(kind.coding))
      check_same(make(folder.file("clip"), kind.coding, kind.width, kind.height), kind.reading, kind.decoder);
}
GST_END_TEST;

// Ranking by replenishment leaves out patchenergy, and may change from stream to stream.
GST_START_TEST(test_ranking) {
  const TempDir folder;
  const std::string path = make(folder.file("clip"), kB + " ! h264parse ! mp4mux", kClipWidth, kClipHeight);
  const auto by_hand = [&](const std::string &select) {
    return run("filesrc location=" + path +
               " ! qtdemux ! h264parse ! frameplanner ! avdec_h264 ! uniformsampler sequence-length=6 ! " + select +
               " k-keep=64 ! tensormetasink name=sink");
  };
  const Outcome energy = by_hand("patchenergy ! patchselect"), replay = by_hand("patchselect ranking=replenishment");
  fail_if(energy.only_clip().fields == replay.only_clip().fields);
  Line line(bin_of("patchstreambin", path, "sequence-length=6 k-keep=64") + " ! tensormetasink name=sink");
  const Owned<GstElement> bin = line.get("bin");
  for (int round = 0; round < 4; round++) {
    set_text(bin.get(), "ranking", round % 2 ? "replenishment" : "energy");
    const Outcome outcome = line.run();
    const Tensors &clip = outcome.only_clip(), &expected = (round % 2 ? replay : energy).only_clip();
    fail_unless(clip.fields == expected.fields && clip.scores == expected.scores && clip.pixels == expected.pixels,
                "round %d", round);
    line.reach(GST_STATE_READY);
  }
}
GST_END_TEST;

// Sound beside the video is not linked, so frames are found exactly.
GST_START_TEST(test_beside_sound) {
  if (!have_elements({"avenc_aac"}))
    return;
  const TempDir folder;
  for (const auto &[muxer, demuxer] : {std::pair("mp4mux", "qtdemux"), std::pair("matroskamux", "matroskademux")}) {
    const std::string path = folder.file(muxer);
    encode_with_audio(path, kFrames, muxer);
    check_same(path, std::string(demuxer) + " ! h264parse", "avdec_h264");
    Line line(patches_of(path));
    line.run().only_clip();
    const Owned<GstElement> bin = line.get("bin"), parsebin = child_of(bin.get(), "parsebin");
    const cps::ObjectLock lock(parsebin.get());
    fail_unless_equals_int(parsebin->numsrcpads, 2);
    int linked = 0;
    for (const GList *item = parsebin->srcpads; item; item = item->next)
      linked += gst_pad_is_linked(GST_PAD(item->data));
    fail_unless_equals_int(linked, 1);
  }
}
GST_END_TEST;

// Nothing to decode, but pictures to count.
GST_START_TEST(test_raw_video) {
  const TempDir folder;
  const std::string path = make(folder.file("clip.y4m"), "y4menc");
  const std::string rest = "uniformsampler sequence-length=6 ! patchenergy ! patchselect k-keep=64 ! "
                           "tensormetasink name=sink";
  const Outcome expected = run("filesrc location=" + path + " ! y4mdec ! frameplanner ! " + rest);
  Line line(patches_of(path));
  const Outcome outcome = line.run();
  fail_unless(outcome.warnings.empty());
  fail_unless(outcome.only_clip().pixels == expected.only_clip().pixels);
  fail_unless(outcome.only_clip().fields == expected.only_clip().fields);
  const Owned<GstElement> bin = line.get("bin");
  assert_text(text_property(bin.get(), "resolved-decode-backend"), "cpu");
  assert_text(text_property(bin.get(), "resolved-decoder"), "");
}
GST_END_TEST;

GST_START_TEST(test_properties) {
  check_properties("patchstreambin", {"frameplanner", "uniformsampler", "patchenergy", "patchselect"});
  check_properties("uniformdecodebin", {"frameplanner", "uniformsampler"});
}
GST_END_TEST;

// They do what they do on the elements.
GST_START_TEST(test_options) {
  const TempDir folder;
  const std::string path = make(folder.file("clip.mp4"), kB + " ! h264parse ! mp4mux");
  const Outcome outcome = run(patches_of(path, "frame-ids=<3,9> patch-size=16 k-keep=20 output-dtype=u8"));
  const Tensors &clip = outcome.only_clip();
  fail_unless(clip.frame_ids() == std::vector<uint64_t>({3, 9}));
  fail_unless(clip.count() == 20 && clip.patches.dims[3] == 16 && clip.patches.dtype == CPS_DTYPE_U8);

  for (const char *strategy : {"skip", "stream"}) {
    Line line(frames_of(path, std::string("stop=400000000 uniform-strategy=") + strategy));
    Frames frames;
    frames.watch(line, "sink", "sink");
    fail_unless(line.run().eos);
    check_clip(strategy, frames.all(), spread(count_up(0, 10), 6), kFrames);
  }
}
GST_END_TEST;

GST_START_TEST(test_video_tracks) {
  const TempDir folder;
  for (const char *muxer : {"mp4mux", "matroskamux"}) {
    const std::string path = folder.file(muxer);
    encode_two(path, muxer);
    assert_equals_uint64(width_of(run(patches_of(path))), 320);
    assert_equals_uint64(width_of(run(patches_of(path, "video-track=-1"))), 320);
    assert_equals_uint64(width_of(run(patches_of(path, "video-track=0"))), kClipWidth);
    const Outcome other = run(patches_of(path, "video-track=1"));
    assert_equals_uint64(width_of(other), 320);
    fail_unless(other.warnings.empty(), "%s", other.warnings[0].c_str());
    const Outcome none = run(patches_of(path, "video-track=2"));
    fail_unless(none.domain == GST_RESOURCE_ERROR && none.error.find("video-track is 2") != std::string::npos, "%s",
                none.error.c_str());
  }
}
GST_END_TEST;

// The one that the file calls its default, though it is the smaller one.
GST_START_TEST(test_default_track) {
  const Owned<gchar> ffmpeg(g_find_program_in_path("ffmpeg"));
  if (!ffmpeg) {
    g_print("skipped: no ffmpeg\n");
    return;
  }
  const TempDir folder;
  const std::string both = folder.file("both.mkv"), path = folder.file("clip.mkv");
  encode_two(both, "matroskamux");
  for (const int chosen : {0, 1}) {
    const std::string disposition[] = {chosen == 0 ? "default" : "0", chosen == 1 ? "default" : "0"};
    const gchar *command[] = {"ffmpeg",
                              "-v",
                              "error",
                              "-y",
                              "-i",
                              both.c_str(),
                              "-map",
                              "0",
                              "-c",
                              "copy",
                              "-disposition:v:0",
                              disposition[0].c_str(),
                              "-disposition:v:1",
                              disposition[1].c_str(),
                              path.c_str(),
                              nullptr};
    gint status = -1;
    fail_unless(g_spawn_sync(nullptr, const_cast<gchar **>(command), nullptr, G_SPAWN_SEARCH_PATH, nullptr, nullptr,
                             nullptr, nullptr, &status, nullptr) &&
                g_spawn_check_wait_status(status, nullptr));
    assert_equals_uint64(width_of(run(patches_of(path))), chosen == 0 ? kClipWidth : 320);
  }
}
GST_END_TEST;

// The rank of a decoder, as long as this lives.
class Rank {
public:
  Rank(const char *factory, guint rank) : feature_(GST_PLUGIN_FEATURE(gst_element_factory_find(factory))) {
    if (!feature_)
      return;
    old_ = gst_plugin_feature_get_rank(feature_.get());
    gst_plugin_feature_set_rank(feature_.get(), rank);
  }
  ~Rank() {
    if (feature_)
      gst_plugin_feature_set_rank(feature_.get(), old_);
  }
  Rank(const Rank &) = delete;
  Rank &operator=(const Rank &) = delete;

private:
  Owned<GstPluginFeature> feature_;
  guint old_ = 0;
};

// Some decoders go before their rank, but what the user says of ranks goes before that.
GST_START_TEST(test_ranks_by_hand) {
  const std::string coding = "vp8enc deadline=1 ! webmmux";
  if (!made_here(coding) || !have_elements({"vp8dec", "avdec_vp8"}))
    return;
  const TempDir folder;
  const std::string path = make(folder.file("clip"), coding);
  const auto check = [&path](const char *decoder) {
    Line line(frames_of(path, ""));
    line.reach(GST_STATE_PAUSED);
    assert_text(text_property(line.get("bin").get(), "resolved-decoder"), decoder);
    fail_unless(line.run().eos);
  };
  check("avdec_vp8");
  {
    const Rank above("vp8dec", GST_RANK_PRIMARY + 10);
    check("vp8dec");
  }
  {
    const Rank none("avdec_vp8", GST_RANK_NONE);
    check("vp8dec");
  }
}
GST_END_TEST;

GST_START_TEST(test_threads) {
  const TempDir folder;
  const struct {
    std::string coding;
    const char *decoder, *property, *threads, *expected;
  } rows[] = {{kB + " ! h264parse ! mp4mux", "avdec_h264", "max-threads", "3", "3"},
              {kB + " ! h264parse ! mp4mux", "avdec_h264", "max-threads", "0", "0"},
              {"vp9enc deadline=1 cpu-used=8 ! webmmux", "vp9dec", "threads", "5", "5"},
              {"vp9enc deadline=1 cpu-used=8 ! webmmux", "vp9dec", "threads", "1000", "16"},
              {"theoraenc ! oggmux", "theoradec", nullptr, "3", nullptr}};
  for (const auto &row : rows) {
    if (!made_here(row.coding) || !have_elements({row.decoder}))
      continue;
    const std::string path = make(folder.file("clip"), row.coding);
    Line line(frames_of(path, std::string("decode-threads=") + row.threads));
    line.reach(GST_STATE_PAUSED);
    const Owned<GstElement> bin = line.get("bin"), decoder = child_of(bin.get(), row.decoder);
    fail_unless(decoder != nullptr, "no %s", row.decoder);
    assert_text(text_property(bin.get(), "resolved-decoder"), row.decoder);
    if (row.property)
      assert_text(
          value_of(decoder.get(), g_object_class_find_property(G_OBJECT_GET_CLASS(decoder.get()), row.property)),
          row.expected);
    fail_unless(line.run().eos);
  }
}
GST_END_TEST;

GST_START_TEST(test_thread_types) {
  const TempDir folder;
  const std::string path = make(folder.file("clip.mp4"), kB + " ! h264parse ! mp4mux");
  std::vector<std::string> one;
  for (const auto &[type, flags] : {std::pair("auto", 0U), std::pair("frame", 1U), std::pair("slice", 2U)}) {
    Line line(frames_of(path, std::string("decode-thread-type=") + type));
    Pixels pixels(line);
    fail_unless(line.run().eos);
    const Owned<GstElement> bin = line.get("bin"), decoder = child_of(bin.get(), "avdec_h264");
    guint actual = 99;
    g_object_get(decoder.get(), "thread-type", &actual, nullptr);
    assert_equals_uint64(actual, flags);
    const std::vector<std::string> frames = pixels.take();
    one = one.empty() ? frames : one;
    fail_unless(frames == one && frames.size() == 6, "%s", type);
  }
}
GST_END_TEST;

GST_START_TEST(test_resolved) {
  const TempDir folder;
  const std::string path = make(folder.file("clip.mp4"), kB + " ! h264parse ! mp4mux");
  Line line(patches_of(path));
  const Owned<GstElement> bin = line.get("bin");
  const std::vector<std::pair<const char *, const char *>> expected = {
      {"resolved-decode-backend", "cpu"}, {"resolved-process-backend", "cpu"}, {"resolved-decoder", "avdec_h264"}};
  std::vector<std::pair<std::string, std::string>> notified; // from the streaming thread, read when that has ended
  for (const auto &[name, value] : expected) {
    assert_text(text_property(bin.get(), name), "");
    const auto note = [](GstElement *element, GParamSpec *spec, gpointer all) {
      static_cast<decltype(notified) *>(all)->emplace_back(spec->name, text_property(element, spec->name));
    };
    g_signal_connect(bin.get(), (std::string("notify::") + name).c_str(), G_CALLBACK(+note), &notified);
  }
  line.run().only_clip();
  line.reach(GST_STATE_READY);
  for (const auto &[name, value] : expected) {
    assert_text(text_property(bin.get(), name), value);
    const std::pair<std::string, std::string> last(name, value), forgotten(name, "");
    fail_unless(std::count(notified.begin(), notified.end(), last) == 1, "%s", name);
    fail_unless(std::count(notified.begin(), notified.end(), forgotten) == 1, "%s", name);
  }
}
GST_END_TEST;

// A flushing seek begins a new clip of the section, whatever the container.
GST_START_TEST(test_seeks) {
  const Container &container = kContainers[__i__];
  const TempDir folder;
  const std::string path = folder.file("clip");
  encode(path, kH264B, container.muxer, kCount, container.width, container.height);
  Line line(bin_of("patchstreambin", path, "sequence-length=4 k-keep=16") + " ! tensormetasink name=sink");
  const Outcome whole = line.run();
  const GstClockTime offset = whole.only_clip().clip->frames[0].pts; // streams in MPEG-TS begin at any time
  fail_unless(whole.warnings.empty(), "%s", whole.warnings[0].c_str());
  guint clip_index = 0;
  constexpr GstClockTime kHalf = GST_SECOND / 2;
  for (const Section &section : {Section{2 * kHalf, 4 * kHalf}, Section{0, kHalf}, Section{3 * kHalf, 6 * kHalf}}) {
    fail_unless(gst_element_send_event(line.pipeline(), seek_event(section).release()));
    const Outcome outcome = line.finish();
    const std::vector<uint64_t> ids = outcome.only_clip().frame_ids();
    const std::vector<int> numbers(ids.begin(), ids.end());
    check_numbers(container.muxer, numbers, section.frames_like(numbers, offset));
    assert_equals_uint64(outcome.only_clip().clip->clip_index, ++clip_index);
    fail_if(outcome.warned_of("estimate"));
  }
}
GST_END_TEST;

// Turned as videoflip turns them, and left as they are where that is asked for.
GST_START_TEST(test_rotation) {
  if (!have_elements({"videoflip"}))
    return;
  const std::pair<const char *, std::array<int, 4>> turns[] = {{"rotate-90", {0, 1, -1, 0}},
                                                               {"rotate-180", {-1, 0, 0, -1}},
                                                               {"rotate-270", {0, -1, 1, 0}},
                                                               {"rotate-0", {1, 0, 0, 1}}};
  const TempDir folder;
  const std::string path = folder.file("clip.mp4");
  const std::string kHalfChroma = "Y42B";
  for (const std::string &format : {std::string("I420"), kHalfChroma})
    for (const auto &[orientation, matrix] : turns) {
      const std::string what = format + " " + orientation;
      make(path, "videoconvert ! video/x-raw,format=" + format + " ! " + kB + " ! h264parse ! mp4mux");
      turn(path, matrix);
      const std::string by_hand =
          "filesrc location=" + path +
          " ! qtdemux ! h264parse ! frameplanner ! avdec_h264 ! uniformsampler sequence-length=6 ! ";
      Line turned(by_hand + "videoconvert ! videoflip video-direction=auto ! fakesink name=sink sync=false");
      Line plain(by_hand + "fakesink name=sink sync=false");
      Line bin(frames_of(path)), left(frames_of(path, "apply-rotation=false"));
      std::vector<std::vector<std::string>> frames;
      for (Line *line : {&turned, &plain, &bin, &left}) {
        Pixels pixels(*line);
        const Outcome outcome = line->run();
        fail_unless(outcome.eos && outcome.warnings.empty(), "%s: %s", what.c_str(), outcome.error.c_str());
        frames.push_back(pixels.take());
        fail_unless(frames.back().size() == 6, "%s", what.c_str());
      }
      const bool upright = g_str_equal(orientation, "rotate-0");
      fail_unless((frames[0] == frames[1]) == (upright && format != kHalfChroma), "%s: the clip is no test",
                  what.c_str());
      fail_unless(frames[2] == frames[upright ? 1 : 0], "%s: %s", what.c_str(), frames[2][0].c_str());
      fail_unless(frames[3] == frames[1], "%s: turned all the same", what.c_str());
    }
}
GST_END_TEST;

static Suite *bins_suite() {
  Suite *suite = suite_create("pipelines-bins");
  TCase *tests = make_tests(suite);
  tcase_add_test(tests, test_as_by_hand);
  tcase_add_test(tests, test_ranking);
  tcase_add_test(tests, test_beside_sound);
  tcase_add_test(tests, test_raw_video);
  tcase_add_test(tests, test_properties);
  tcase_add_test(tests, test_options);
  tcase_add_test(tests, test_video_tracks);
  tcase_add_test(tests, test_default_track);
  tcase_add_test(tests, test_ranks_by_hand);
  tcase_add_test(tests, test_threads);
  tcase_add_test(tests, test_thread_types);
  tcase_add_test(tests, test_resolved);
  tcase_add_loop_test(tests, test_seeks, 0, G_N_ELEMENTS(kContainers));
  tcase_add_test(tests, test_rotation);
  return suite;
}

GST_CHECK_MAIN(bins)
