// SPDX-License-Identifier: LGPL-2.1-or-later
// The values of framestack's tensor; what it has in common with patchselect is in tensorclip.cpp.
#include "gst/codecpatch/dlpackabi.h"
#include "tests/common/safetensors.h"
#include "tests/common/suite.h"
#include "tests/common/tempdir.h"
#include "tests/common/text.h"
#include "tests/elements/clips.h"
#include "tests/kernels/wholepicture.h"

using namespace clips;

namespace {

Clip noise_clip(const char *format = "I420", guint length = 3, unsigned seed = 1, const char *colorimetry = "bt709") {
  return noise_pictures(test::video_info(format, 38, 26, colorimetry), {0, 0, 38, 26}, length, seed);
}

Owned<GstBuffer> run(const Clip &clip, test::Properties properties = {}) {
  const Harness stack("framestack", properties);
  stack.start(test::video_caps(clip.info).get());
  return clips::run(stack, clip);
}

std::vector<guint8> expected_frames(const Clip &clip, const Colors &colors, const cps::Target &target) {
  const cps::ColorModel model = clip.pictures[0].layout().model;
  const cps::ColorTransform color = model == cps::ColorModel::Rgb ? cps::rgb_to_rgb()
                                    : model == cps::ColorModel::Gray
                                        ? cps::gray_to_rgb(colors.full_range)
                                        : cps::yuv_to_rgb(colors.kr, colors.kb, colors.full_range);
  std::vector<guint8> all;
  for (reference::Picture picture : clip.pictures) {
    const std::vector<guint8> one = reference::whole_picture(picture.view(), color, target);
    all.insert(all.end(), one.begin(), one.end());
  }
  return all;
}

void check_tensor(GstBuffer *tensors, const Clip &clip, const Colors &colors, const cps::Target &target) {
  const CpsTensorMeta *meta = cps_buffer_get_tensor_meta(tensors);
  assert_equals_int(meta->n_tensors, 1);
  assert_equals_int(gst_buffer_n_memory(tensors), 1);
  const CpsTensor &frames = meta->tensors[0];
  assert_text(g_quark_to_string(frames.id), "frames");
  assert_equals_int(frames.dtype, CPS_DTYPE_U8);
  assert_equals_int(frames.n_dims, 4);
  const gint64 dims[] = {clip.length(), target.size.height, target.size.width, 3};
  for (guint i = 0; i < 4; ++i)
    assert_equals_int64(frames.dims[i], dims[i]);
  fail_unless(test::elements_of<guint8>(tensors, "frames") == expected_frames(clip, colors, target), "%s: other pixels",
              GST_VIDEO_INFO_NAME(&clip.info));
}

// At the size of the frames.
void check_tensor(GstBuffer *tensors, const Clip &clip, const Colors &colors = kBt709) {
  check_tensor(tensors, clip, colors, clip.size());
}

} // namespace

GST_START_TEST(test_formats) {
  for (const test::Format &format : test::known_formats()) {
    const bool yuv = format.model == cps::ColorModel::Yuv;
    const Clip clip = noise_clip(format.name, 3, 1, yuv ? "bt709" : "1:4:0:0");
    check_tensor(run(clip).get(), clip, yuv ? kBt709 : kFullBt601);
  }
}
GST_END_TEST;

GST_START_TEST(test_crops) {
  for (const test::Format &format : test::known_formats())
    for (const Region &region :
         {Region{7, 9, 23, 13}, Region{0, 0, 37, 25}, Region{6, 4, 20, 20}, Region{5, 5, 1, 1}}) {
      const Clip clip = noise_pictures(test::video_info(format.name, 38, 26, "1:4:0:0"), region, 2);
      const auto tensors = run(clip);
      check_tensor(tensors.get(), clip, kFullBt601);
      assert_equals_int(clip_of(tensors.get())->source_width, region.width);
      assert_equals_int(clip_of(tensors.get())->source_height, region.height);
    }
}
GST_END_TEST;

// A region of the clip as it is to be shown.
static Clip turned(Clip stored, const Region &region, const test::Shown &shown) {
  for (reference::Picture &picture : stored.pictures)
    picture = test::shown(picture, region, shown.turn);
  stored.region = {0, 0, stored.pictures[0].layout().width, stored.pictures[0].layout().height};
  return stored;
}

// Frames that are stored otherwise than they are shown.
GST_START_TEST(test_orientations) {
  for (const test::Format &format : test::known_formats())
    for (const test::Shown &shown : test::kShown)
      for (const Region &region : {Region{0, 0, 37, 25}, Region{7, 9, 23, 13}}) {
        const GstVideoInfo info = test::video_info(format.name, 37, 25, "1:4:0:0");
        const Clip stored = noise_pictures(info, {0, 0, 37, 25}, 2);
        const Clip seen = turned(stored, region, shown);
        const Harness stack("framestack");
        stack.start(test::video_caps(info).get());
        for (guint i = 0; i < 2; ++i) {
          Owned<GstBuffer> buffer = frame(stored, i);
          cps_buffer_get_frame_meta(buffer.get())->orientation = shown.orientation;
          if (region.x > 0)
            test::add_crop(buffer.get(), region);
          fail_unless(stack.push(std::move(buffer)) == GST_FLOW_OK);
        }
        const Owned<GstBuffer> tensors = stack.pull();
        stack.check_quiet();
        check_tensor(tensors.get(), seen, kFullBt601);
        assert_equals_int(clip_of(tensors.get())->source_width, seen.region.width);
        assert_equals_int(clip_of(tensors.get())->source_height, seen.region.height);
      }
}
GST_END_TEST;

// Some decoders put out whole macroblocks, more than the caps say, and the picture by a crop meta.
GST_START_TEST(test_crop_of_more_than_the_caps) {
  const Region region = {6, 8, 37, 25};
  for (const char *format : {"I420", "NV12", "RGB", "YUV9", "A420"})
    for (const test::Shown &shown : test::kShown) {
      const GstVideoInfo info = test::video_info(format, 37, 25, "1:4:0:0");
      GstVideoInfo memory = test::video_info(format, 48, 40, "1:4:0:0");
      const Clip stored = noise_pictures(memory, {0, 0, 48, 40}, 2);
      const Clip seen = turned(stored, region, shown);
      const Harness stack("framestack");
      stack.start(test::video_caps(info).get());
      for (guint i = 0; i < 2; ++i) {
        Owned<GstBuffer> buffer = frame(stored, i);
        gst_buffer_add_video_meta_full(buffer.get(), GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_INFO_FORMAT(&memory), 48, 40,
                                       GST_VIDEO_INFO_N_PLANES(&memory), memory.offset, memory.stride);
        cps_buffer_get_frame_meta(buffer.get())->orientation = shown.orientation;
        test::add_crop(buffer.get(), region);
        fail_unless(stack.push(std::move(buffer)) == GST_FLOW_OK);
      }
      const Owned<GstBuffer> tensors = stack.pull();
      stack.check_quiet();
      check_tensor(tensors.get(), seen, kFullBt601);
    }
}
GST_END_TEST;

GST_START_TEST(test_sizes) {
  const int sizes[][2] = {{1, 1}, {2, 1}, {1, 5}, {257, 3}, {640, 360}};
  for (const char *format : {"I420", "NV12", "YUY2", "P010_10LE", "GRAY8", "BGRx"})
    for (const auto &size : sizes) {
      const Clip clip =
          noise_pictures(test::video_info(format, size[0], size[1], "1:4:0:0"), {0, 0, size[0], size[1]}, 2);
      check_tensor(run(clip).get(), clip, kFullBt601);
    }
}
GST_END_TEST;

// Frames of 38x26.
GST_START_TEST(test_target_sizes) {
  const struct {
    test::Properties properties;
    cps::Size size;
  } rows[] = {
      {{{"width", "19"}, {"height", "50"}}, {19, 50}},
      {{{"width", "19"}}, {19, 13}},
      {{{"width", "1"}}, {1, 1}},
      {{{"height", "39"}}, {57, 39}},
      {{{"height", "39"}, {"align", "14"}}, {56, 39}},
      {{{"width", "38"}, {"height", "26"}, {"align", "5"}}, {38, 26}}, // as without
      {{{"align", "8"}}, {40, 24}},
      {{{"align", "28"}, {"size-rule", "floor"}}, {28, 28}},
      {{{"max-pixels", "247"}}, {19, 13}},
      {{{"max-pixels", "988"}}, {38, 26}},
      {{{"min-pixels", "3952"}}, {76, 52}},
      {{{"min-pixels", "3952"}, {"align", "14"}}, {70, 56}},
      {{{"min-pixels", "3952"}, {"align", "14"}, {"size-rule", "floor"}}, {84, 56}},
  };
  for (const auto &row : rows)
    for (const auto &[name, resample] :
         {std::pair("bilinear", cps::Resample::Bilinear), std::pair("area", cps::Resample::Area),
          std::pair("bicubic", cps::Resample::Bicubic)})
      for (const char *format : {"I420", "P010_10LE", "GRAY8", "RGB"}) {
        const Clip clip = noise_clip(format, 2, 1, "1:4:0:0");
        const Harness stack("framestack", row.properties);
        stack.set("resample", name);
        stack.start(test::video_caps(clip.info).get());
        const auto tensors = clips::run(stack, clip);
        const bool resized = row.size != clip.size(); // frames of their own size are not resampled
        check_tensor(tensors.get(), clip, kFullBt601, {row.size, resized ? resample : cps::Resample::Bilinear});
        assert_equals_int(clip_of(tensors.get())->target_width, row.size.width);
        assert_equals_int(clip_of(tensors.get())->source_width, 38);
      }
}
GST_END_TEST;

GST_START_TEST(test_too_large_a_target) {
  const Clip clip = noise_clip();
  const Harness stack("framestack", {{"width", "100000"}, {"height", "100000"}, {"max-memory", "0"}});
  stack.start(test::video_caps(clip.info).get());
  fail_unless(stack.push(frame(clip, 0)) == GST_FLOW_ERROR);
  stack.check_error("ask for 100000x100000 pixels");
}
GST_END_TEST;

GST_START_TEST(test_colorimetry_of_the_caps) {
  constexpr Colors kFullBt2020 = {0.2627, 0.0593, true};
  const struct {
    const char *text;
    Colors colors;
  } rows[] = {{"bt601", kBt601},       {"bt709", kBt709},
              {"bt2020", kBt2020},     {"1:4:0:0", kFullBt601},
              {"1:3:0:0", kFullBt709}, {"1:6:0:0", kFullBt2020},
              {"2:0:0:0", kBt601}, // no matrix: by the height
              {"1:0:0:0", kFullBt601}, {"1:0:5:1", kFullBt601},
              {"1:0:0:4", kFullBt601}, {"0:0:5:1", kBt601},
              {"1:1:0:0", kFullBt601}, // that of RGB is no matrix
              {"2:1:0:0", kBt601},     {"1:99:0:0", kFullBt601},
              {"0:3:0:0", kBt709}, // no range
              {"9:3:0:0", kBt709},     {"bt2100-unheard-of", kBt601},
              {"1:4", kBt601}};
  for (const auto &row : rows) {
    const Clip clip = noise_clip("I420", 2);
    const Harness stack("framestack");
    const Owned<GstCaps> caps = test::video_caps(clip.info);
    gst_caps_set_simple(caps.get(), "colorimetry", G_TYPE_STRING, row.text, nullptr);
    stack.start(caps.get());
    check_tensor(clips::run(stack, clip).get(), clip, row.colors);
  }
}
GST_END_TEST;

GST_START_TEST(test_range_of_grey) {
  const std::pair<const char *, Colors> rows[] = {{"2:0:0:0", kBt601},
                                                  {"1:0:0:0", kFullBt601},
                                                  {"2:1:0:0", kBt601},
                                                  {"1:1:0:0", kFullBt601},
                                                  {"0:0:0:1", kFullBt601}};
  for (const auto &[text, colors] : rows) {
    const Clip clip = noise_clip("GRAY8", 2);
    const Harness stack("framestack");
    const Owned<GstCaps> caps = test::video_caps(clip.info);
    gst_caps_set_simple(caps.get(), "colorimetry", G_TYPE_STRING, text, nullptr);
    stack.start(caps.get());
    check_tensor(clips::run(stack, clip).get(), clip, colors);
  }
}
GST_END_TEST;

GST_START_TEST(test_color_matrix) {
  const Clip clip = noise_clip("I420", 2, 1, "bt709");
  check_tensor(run(clip, {{"color-matrix", "bt601"}}).get(), clip, kBt601);
  check_tensor(run(clip, {{"color-matrix", "bt2020"}}).get(), clip, kBt2020);
  check_tensor(run(clip, {{"color-matrix", "auto"}}).get(), clip, kBt709);
  const Clip full = noise_clip("I420", 2, 1, "1:3:0:0"); // the range stays the caps'
  check_tensor(run(full, {{"color-matrix", "bt601"}}).get(), full, kFullBt601);
  const Clip rgb = noise_clip("RGB", 2, 1, "sRGB"); // nothing to convert
  check_tensor(run(rgb, {{"color-matrix", "bt601"}}).get(), rgb);
}
GST_END_TEST;

// The same buffer more than once, as samplers repeat frames.
GST_START_TEST(test_repeats) {
  Clip clip = noise_clip("NV12", 1);
  const Owned<GstBuffer> source = frame(clip, 0);
  clip.pictures.resize(4, clip.pictures[0]);
  const Harness stack("framestack");
  stack.start(test::video_caps(clip.info).get());
  for (guint i = 0; i < 4; ++i) {
    Owned<GstBuffer> copy(gst_buffer_copy(source.get()));
    CpsFrameMeta *meta = cps_buffer_get_frame_meta(copy.get());
    meta->seq_pos = i;
    meta->seq_len = 4;
    fail_unless(stack.push(std::move(copy)) == GST_FLOW_OK);
  }
  check_tensor(stack.pull().get(), clip);
}
GST_END_TEST;

// The tensor

GST_START_TEST(test_memory_is_aligned) {
  const auto tensors = run(noise_clip("I420", 1));
  GstMapInfo map;
  fail_unless(gst_buffer_map(tensors.get(), &map, GST_MAP_READ));
  assert_equals_uint64(reinterpret_cast<guintptr>(map.data) % 64, 0);
  assert_equals_uint64(map.size, 3 * 38 * 26);
  gst_buffer_unmap(tensors.get(), &map);
}
GST_END_TEST;

GST_START_TEST(test_caps) {
  const Clip clip = noise_clip();
  const Harness stack("framestack");
  stack.start(test::video_caps(clip.info).get());
  clips::run(stack, clip);
  const Owned<GstCaps> caps(gst_pad_get_current_caps(stack.get()->sinkpad)),
      expected(gst_caps_from_string("other/tensors, format=static, num_tensors=1, framerate=0/1, types=(string)uint8, "
                                    "dimensions=(string)\"3:38:26:3\""));
  fail_unless(gst_caps_is_equal(caps.get(), expected.get()));
  clips::run(stack, noise_clip("I420", 5), 1); // longer
  const Owned<GstCaps> longer(gst_pad_get_current_caps(stack.get()->sinkpad));
  assert_text(gst_structure_get_string(gst_caps_get_structure(longer.get(), 0), "dimensions"), "3:38:26:5");
  const Owned<GstPad> src(gst_element_get_static_pad(stack.element(), "src"));
  const Owned<GstCaps> offered(gst_pad_template_get_caps(GST_PAD_PAD_TEMPLATE(src.get())));
  fail_unless(gst_caps_is_subset(longer.get(), offered.get()));
}
GST_END_TEST;

GST_START_TEST(test_too_many_frames) {
  const Clip clip = noise_pictures(test::video_info("GRAY8", 32000, 30000), {0, 0, 1, 1}, 1);
  const Harness stack("framestack", {{"max-memory", "0"}});
  stack.start(test::video_caps(clip.info).get());
  Owned<GstBuffer> small = test::sampled(test::noise_buffer(16), 0, 0, 1u << 20); // 3 petabytes
  fail_unless(stack.push(std::move(small)) == GST_FLOW_ERROR);
  stack.check_error("not enough memory for 1048576 frames of 32000x30000 pixels");
}
GST_END_TEST;

GST_START_TEST(test_metadata) {
  const Clip clip = noise_clip();
  Harness stack("framestack");
  stack.on_query = with_uri("file:///videos/a%20b.mp4");
  stack.start(test::video_caps(clip.info).get());
  CpsPlan *plan = cps_plan_new(3);
  plan->fps = 23.5;
  plan->duration = 1500 * GST_MSECOND;
  gst_structure_set(plan->options, "sequence-length", G_TYPE_UINT, 3u, nullptr);
  fail_unless(stack.event(cps_event_new_plan(plan)));
  for (guint i = 0; i < 3; ++i) {
    Owned<GstBuffer> buffer = frame(clip, i, 6);
    cps_buffer_get_frame_meta(buffer.get())->status = static_cast<CpsFrameStatus>(2 - i);
    fail_unless(stack.push(std::move(buffer)) == GST_FLOW_OK);
  }
  const Owned<GstBuffer> tensors = stack.pull();
  const Metadata expected = {
      {"sampled_frame_ids", "[2, 5, 8]"},
      {"pts_ns", "[80000000, 200000000, 320000000]"},
      {"is_i", "[true, false, false]"},
      {"frame_status", "[\"missing\", \"substituted\", \"ok\"]"},
      {"stream_frames", "100"},
      {"fps", "23.5"},
      {"duration_sec", "1.5"},
      {"source", "/videos/a b.mp4"},
      {"source_width", "38"},
      {"source_height", "26"},
      {"target_width", "38"},
      {"target_height", "26"},
      {"grid_height", "0"},
      {"grid_width", "0"},
      {"clip_index", "6"},
      {"spec_version", "1"},
      {"sequence_length", "3"},
      {"width", "0"},
      {"height", "0"},
      {"min_pixels", "0"},
      {"max_pixels", "0"},
      {"align", "1"},
      {"size_rule", "round"},
      {"resample", "bilinear"},
      {"color_matrix", "auto"},
  };
  check_metadata(tensors.get(), expected);
  assert_equals_uint64(GST_BUFFER_PTS(tensors.get()), 80 * GST_MSECOND);
}
GST_END_TEST;

GST_START_TEST(test_file) {
  const test::TempDir folder;
  const std::string path = folder.file("clip.safetensors");
  const Clip clip = noise_clip("NV12", 4);
  const Harness stack("framestack"), sink("tensormetasink", {{"location", path.c_str()}}, false);
  stack.start(test::video_caps(clip.info).get());
  Owned<GstBuffer> tensors = clips::run(stack, clip);
  const Owned<GstCaps> caps(gst_pad_get_current_caps(stack.get()->sinkpad));
  sink.start(caps.get());
  fail_unless(sink.push(std::move(tensors)) == GST_FLOW_OK);
  sink.check_quiet();
  const test::Safetensors written = test::read_safetensors(path);
  fail_unless(written.order == std::vector<std::string>{"frames"});
  const test::FileTensor &frames = written.tensors.at("frames");
  assert_text(frames.dtype, "U8");
  fail_unless(frames.shape == std::vector<gint64>({4, 26, 38, 3}));
  const std::vector<guint8> expected = expected_frames(clip, kBt709, clip.size());
  fail_unless(frames.bytes == std::string(expected.begin(), expected.end()));
  assert_text(written.metadata.at("target_width"), "38");
}
GST_END_TEST;

GST_START_TEST(test_dlpack) {
  const Clip clip = noise_clip("NV12", 2);
  Owned<GstBuffer> tensors = run(clip);
  GError *error = nullptr;
  DLManagedTensor *lent = cps_tensor_meta_to_dlpack(tensors.get(), "frames", &error);
  fail_unless(lent != nullptr, "%s", error ? error->message : "");
  tensors.reset();
  const DLTensor &tensor = lent->dl_tensor;
  assert_equals_int(tensor.ndim, 4);
  const int64_t shape[] = {2, 26, 38, 3};
  fail_unless(std::equal(shape, shape + 4, tensor.shape));
  fail_unless(tensor.dtype.code == kDLUInt && tensor.dtype.bits == 8 && tensor.dtype.lanes == 1);
  const std::vector<guint8> expected = expected_frames(clip, kBt709, clip.size());
  fail_unless(std::equal(expected.begin(), expected.end(), static_cast<const guint8 *>(tensor.data)));
  lent->deleter(lent);
}
GST_END_TEST;

static Suite *framestack_suite() {
  TCase *tests = test::subject("general");
  tcase_add_test(tests, test_formats);
  tcase_add_test(tests, test_crops);
  tcase_add_test(tests, test_orientations);
  tcase_add_test(tests, test_crop_of_more_than_the_caps);
  tcase_add_test(tests, test_sizes);
  tcase_add_test(tests, test_colorimetry_of_the_caps);
  tcase_add_test(tests, test_range_of_grey);
  tcase_add_test(tests, test_target_sizes);
  tcase_add_test(tests, test_too_large_a_target);
  tcase_add_test(tests, test_color_matrix);
  tcase_add_test(tests, test_repeats);
  tcase_add_test(tests, test_memory_is_aligned);
  tcase_add_test(tests, test_caps);
  tcase_add_test(tests, test_too_many_frames);
  tcase_add_test(tests, test_metadata);
  tcase_add_test(tests, test_file);
  tcase_add_test(tests, test_dlpack);
  return test::suite_of("framestack", {tests});
}

GST_CHECK_MAIN(framestack)
