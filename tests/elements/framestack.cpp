// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/codecpatch/dlpackabi.h"
#include "tests/common/folder.h"
#include "tests/common/frames.h"
#include "tests/common/harness.h"
#include "tests/common/safetensors.h"
#include "tests/common/tensors.h"
#include "tests/common/text.h"
#include "tests/kernels/wholepicture.h"

#include <gst/codecpatch/codecpatch.h>

#include <map>

using test::Harness;
using test::Owned;
using test::Region;

namespace {

// A sequence of noise.
struct Clip {
  GstVideoInfo info;
  Region region;
  std::vector<reference::Picture> pictures;

  guint length() const { return static_cast<guint>(pictures.size()); }
};

Clip noise_clip(const GstVideoInfo &info, const Region &region, guint length, unsigned seed = 1) {
  Clip clip = {info, region, {}};
  for (guint i = 0; i < length; ++i)
    clip.pictures.push_back(
        test::noise_picture(test::format_named(GST_VIDEO_INFO_NAME(&info)), region, 100 * seed + i));
  return clip;
}

Clip noise_clip(const char *format = "I420", guint length = 3, unsigned seed = 1, const char *colorimetry = "bt709") {
  return noise_clip(test::video_info(format, 38, 26, colorimetry), {0, 0, 38, 26}, length, seed);
}

// Frame `position` of the clip as uniformsampler leaves it.
Owned<GstBuffer> frame(const Clip &clip, guint position, guint clip_index = 0) {
  Owned<GstBuffer> buffer = test::noise_buffer(clip.info.size);
  test::write_picture(buffer.get(), clip.info, clip.pictures[position], clip.region.x, clip.region.y);
  buffer = test::sampled(std::move(buffer), 3 * position + 2, position, clip.length(), CPS_FRAME_FLAG_NONE, clip_index);
  if (clip.region.width != clip.info.width || clip.region.height != clip.info.height)
    test::add_crop(buffer.get(), clip.region);
  return buffer;
}

// Pushes the clip and returns its tensor; nothing comes before the last frame.
Owned<GstBuffer> run(const Harness &stack, const Clip &clip, guint clip_index = 0) {
  for (guint i = 0; i < clip.length(); ++i) {
    fail_unless(stack.pull() == nullptr);
    const GstFlowReturn flow = stack.push(frame(clip, i, clip_index));
    fail_unless(flow == GST_FLOW_OK, "frame %u: %s, %s", i, gst_flow_get_name(flow), stack.error().c_str());
  }
  Owned<GstBuffer> tensors = stack.pull();
  fail_unless(tensors != nullptr && stack.pull() == nullptr);
  stack.check_quiet();
  return tensors;
}

Owned<GstBuffer> run(const Clip &clip, test::Properties properties = {}) {
  const Harness stack("framestack", properties);
  stack.start(test::video_caps(clip.info).get());
  return run(stack, clip);
}

struct Colors {
  double kr, kb;
  bool full_range;
};
constexpr Colors kBt601 = {0.299, 0.114, false}, kBt709 = {0.2126, 0.0722, false}, kBt2020 = {0.2627, 0.0593, false},
                 kFullBt601 = {0.299, 0.114, true}, kFullBt709 = {0.2126, 0.0722, true};

std::vector<guint8> expected_frames(const Clip &clip, const Colors &colors) {
  const cps::ColorModel model = clip.pictures[0].layout().model;
  const cps::ColorTransform color = model == cps::ColorModel::Rgb ? cps::rgb_to_rgb()
                                    : model == cps::ColorModel::Gray
                                        ? cps::gray_to_rgb(colors.full_range)
                                        : cps::yuv_to_rgb(colors.kr, colors.kb, colors.full_range);
  std::vector<guint8> all;
  for (reference::Picture picture : clip.pictures) {
    const std::vector<guint8> one = reference::whole_picture(picture.view(), color);
    all.insert(all.end(), one.begin(), one.end());
  }
  return all;
}

void check_tensor(GstBuffer *tensors, const Clip &clip, const Colors &colors = kBt709) {
  const CpsTensorMeta *meta = cps_buffer_get_tensor_meta(tensors);
  assert_equals_int(meta->n_tensors, 1);
  assert_equals_int(gst_buffer_n_memory(tensors), 1);
  const CpsTensor &frames = meta->tensors[0];
  assert_text(g_quark_to_string(frames.id), "frames");
  assert_equals_int(frames.dtype, CPS_DTYPE_U8);
  assert_equals_int(frames.n_dims, 4);
  const gint64 dims[] = {clip.length(), clip.region.height, clip.region.width, 3};
  for (guint i = 0; i < 4; ++i)
    assert_equals_int64(frames.dims[i], dims[i]);
  fail_unless(test::elements_of<guint8>(tensors, "frames") == expected_frames(clip, colors), "%s: other pixels",
              GST_VIDEO_INFO_NAME(&clip.info));
}

const CpsClip *clip_of(GstBuffer *tensors) {
  return cps_buffer_get_tensor_meta(tensors)->clip;
}

// The error at a frame that `change` has been at, as the first and as the second of a clip.
void check_frame_refused(const std::function<void(GstBuffer *)> &change, const char *part) {
  const Clip clip = noise_clip();
  for (const guint position : {0u, 1u}) {
    const Harness stack("framestack");
    stack.start(test::video_caps(clip.info).get());
    if (position == 1)
      fail_unless(stack.push(frame(clip, 0)) == GST_FLOW_OK);
    Owned<GstBuffer> bad = frame(clip, position);
    change(bad.get());
    fail_unless(stack.push(std::move(bad)) == GST_FLOW_ERROR);
    stack.check_error(part);
    fail_unless(stack.pull() == nullptr);
  }
}

using Metadata = std::map<std::string, std::string>;

Metadata metadata_of(GstBuffer *tensors) {
  Metadata metadata;
  cps_clip_foreach_metadata(
      clip_of(tensors),
      [](const gchar *key, const gchar *value, gpointer out) { (*static_cast<Metadata *>(out))[key] = value; },
      &metadata);
  return metadata;
}

} // namespace

// Values

GST_START_TEST(formats) {
  for (const test::Format &format : test::known_formats()) {
    const bool yuv = format.model == cps::ColorModel::Yuv;
    const Clip clip = noise_clip(format.name, 3, 1, yuv ? "bt709" : "1:4:0:0");
    check_tensor(run(clip).get(), clip, yuv ? kBt709 : kFullBt601);
  }
}
GST_END_TEST

GST_START_TEST(crops) {
  for (const test::Format &format : test::known_formats())
    for (const Region &region :
         {Region{7, 9, 23, 13}, Region{0, 0, 37, 25}, Region{6, 4, 20, 20}, Region{5, 5, 1, 1}}) {
      const Clip clip = noise_clip(test::video_info(format.name, 38, 26, "1:4:0:0"), region, 2);
      const auto tensors = run(clip);
      check_tensor(tensors.get(), clip, kFullBt601);
      assert_equals_int(clip_of(tensors.get())->source_width, region.width);
      assert_equals_int(clip_of(tensors.get())->source_height, region.height);
    }
}
GST_END_TEST

// A region of the clip as it is to be shown.
static Clip turned(Clip stored, const Region &region, const test::Shown &shown) {
  for (reference::Picture &picture : stored.pictures)
    picture = test::shown(picture, region, shown.turn);
  stored.region = {0, 0, stored.pictures[0].layout().width, stored.pictures[0].layout().height};
  return stored;
}

// Frames that are stored otherwise than they are shown.
GST_START_TEST(orientations) {
  for (const test::Format &format : test::known_formats())
    for (const test::Shown &shown : test::kShown)
      for (const Region &region : {Region{0, 0, 37, 25}, Region{7, 9, 23, 13}}) {
        const GstVideoInfo info = test::video_info(format.name, 37, 25, "1:4:0:0");
        const Clip stored = noise_clip(info, {0, 0, 37, 25}, 2);
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
GST_END_TEST

// Some decoders put out whole macroblocks, more than the caps say, and the picture by a crop meta.
GST_START_TEST(crop_of_more_than_the_caps) {
  const Region region = {6, 8, 37, 25};
  for (const char *format : {"I420", "NV12", "RGB", "YUV9", "A420"})
    for (const test::Shown &shown : test::kShown) {
      const GstVideoInfo info = test::video_info(format, 37, 25, "1:4:0:0");
      GstVideoInfo memory = test::video_info(format, 48, 40, "1:4:0:0");
      const Clip stored = noise_clip(memory, {0, 0, 48, 40}, 2);
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
GST_END_TEST

GST_START_TEST(sizes) {
  const int sizes[][2] = {{1, 1}, {2, 1}, {1, 5}, {257, 3}, {640, 360}};
  for (const char *format : {"I420", "NV12", "YUY2", "P010_10LE", "GRAY8", "BGRx"})
    for (const auto &size : sizes) {
      const Clip clip = noise_clip(test::video_info(format, size[0], size[1], "1:4:0:0"), {0, 0, size[0], size[1]}, 2);
      check_tensor(run(clip).get(), clip, kFullBt601);
    }
}
GST_END_TEST

GST_START_TEST(colorimetry_of_the_caps) {
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
    check_tensor(run(stack, clip).get(), clip, row.colors);
  }
}
GST_END_TEST

GST_START_TEST(range_of_grey) {
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
    check_tensor(run(stack, clip).get(), clip, colors);
  }
}
GST_END_TEST

GST_START_TEST(color_matrix) {
  const Clip clip = noise_clip("I420", 2, 1, "bt709");
  check_tensor(run(clip, {{"color-matrix", "bt601"}}).get(), clip, kBt601);
  check_tensor(run(clip, {{"color-matrix", "bt2020"}}).get(), clip, kBt2020);
  check_tensor(run(clip, {{"color-matrix", "auto"}}).get(), clip, kBt709);
  const Clip full = noise_clip("I420", 2, 1, "1:3:0:0"); // the range stays the caps'
  check_tensor(run(full, {{"color-matrix", "bt601"}}).get(), full, kFullBt601);
  const Clip rgb = noise_clip("RGB", 2, 1, "sRGB"); // nothing to convert
  check_tensor(run(rgb, {{"color-matrix", "bt601"}}).get(), rgb);
}
GST_END_TEST

// The same buffer more than once, as samplers repeat frames.
GST_START_TEST(repeats) {
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
GST_END_TEST

// Padding in memory is none of the picture.
GST_START_TEST(strides_and_offsets) {
  const Clip clip = noise_clip("I420", 2);
  GstVideoInfo padded = clip.info;
  GstVideoAlignment alignment;
  gst_video_alignment_reset(&alignment);
  alignment.padding_left = alignment.padding_top = 4;
  alignment.padding_right = alignment.padding_bottom = 6;
  gst_video_info_align(&padded, &alignment);
  const Harness stack("framestack");
  stack.start(test::video_caps(clip.info).get());
  for (guint i = 0; i < 2; ++i) {
    const Owned<GstBuffer> plain = frame(clip, i);
    Owned<GstBuffer> buffer = test::noise_buffer(padded.size);
    gst_buffer_add_video_meta_full(buffer.get(), GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_I420, 38, 26, 3,
                                   padded.offset, padded.stride);
    test::write_picture(buffer.get(), clip.info, clip.pictures[i]);
    gst_buffer_copy_into(buffer.get(), plain.get(), GST_BUFFER_COPY_META, 0, static_cast<gsize>(-1));
    fail_unless(stack.push(std::move(buffer)) == GST_FLOW_OK);
  }
  check_tensor(stack.pull().get(), clip);
}
GST_END_TEST

GST_START_TEST(keeps_no_frames) {
  const Clip clip = noise_clip();
  const Harness stack("framestack");
  stack.start(test::video_caps(clip.info).get());
  for (guint i = 0; i < 3; ++i) {
    const Owned<GstBuffer> mine = frame(clip, i);
    stack.push(Owned<GstBuffer>(gst_buffer_ref(mine.get())));
    ASSERT_MINI_OBJECT_REFCOUNT(mine.get(), "frame", 1);
  }
}
GST_END_TEST

GST_START_TEST(memory_is_aligned) {
  const auto tensors = run(noise_clip("I420", 1));
  GstMapInfo map;
  fail_unless(gst_buffer_map(tensors.get(), &map, GST_MAP_READ));
  assert_equals_uint64(reinterpret_cast<guintptr>(map.data) % 64, 0);
  assert_equals_uint64(map.size, 3 * 38 * 26);
  gst_buffer_unmap(tensors.get(), &map);
}
GST_END_TEST

// Caps and events

GST_START_TEST(caps) {
  const Clip clip = noise_clip();
  const Harness stack("framestack");
  stack.start(test::video_caps(clip.info).get());
  run(stack, clip);
  const Owned<GstCaps> caps(gst_pad_get_current_caps(stack.get()->sinkpad)),
      expected(gst_caps_from_string("other/tensors, format=static, num_tensors=1, framerate=0/1, types=(string)uint8, "
                                    "dimensions=(string)\"3:38:26:3\""));
  fail_unless(gst_caps_is_equal(caps.get(), expected.get()));
  run(stack, noise_clip("I420", 5), 1); // longer
  const Owned<GstCaps> longer(gst_pad_get_current_caps(stack.get()->sinkpad));
  assert_text(gst_structure_get_string(gst_caps_get_structure(longer.get(), 0), "dimensions"), "3:38:26:5");
  const Owned<GstPad> src(gst_element_get_static_pad(stack.element(), "src"));
  const Owned<GstCaps> offered(gst_pad_template_get_caps(GST_PAD_PAD_TEMPLATE(src.get())));
  fail_unless(gst_caps_is_subset(longer.get(), offered.get()));
}
GST_END_TEST

GST_START_TEST(not_negotiated) {
  const Harness stack("framestack");
  const Owned<GstCaps> caps(gst_caps_from_string("video/x-raw, format=v210, width=38, height=26"));
  stack.start(caps.get());
  fail_unless(stack.push(frame(noise_clip(), 0)) == GST_FLOW_NOT_NEGOTIATED);
}
GST_END_TEST

GST_START_TEST(gaps_and_eos) {
  const Clip clip = noise_clip();
  const Harness stack("framestack");
  stack.start(test::video_caps(clip.info).get());
  fail_unless(stack.event(gst_event_new_gap(0, GST_SECOND)));
  run(stack, clip);
  fail_unless(stack.event(gst_event_new_eos()));
  fail_unless(stack.pull_event(GST_EVENT_EOS) != nullptr);
  stack.check_quiet();
}
GST_END_TEST

// Refusals

GST_START_TEST(frames_of_no_sequence) {
  constexpr const char *kHint = "put a uniformsampler before framestack";
  check_frame_refused(
      [](GstBuffer *buffer) { gst_buffer_remove_meta(buffer, &cps_buffer_get_frame_meta(buffer)->meta); }, kHint);
  check_frame_refused([](GstBuffer *buffer) { cps_buffer_get_frame_meta(buffer)->seq_len = 0; }, kHint);
  check_frame_refused([](GstBuffer *buffer) { cps_buffer_get_frame_meta(buffer)->seq_pos = 3; }, kHint);
}
GST_END_TEST

GST_START_TEST(frames_too_small) {
  check_frame_refused(
      [](GstBuffer *buffer) { gst_buffer_set_size(buffer, static_cast<gssize>(gst_buffer_get_size(buffer)) - 1); },
      "memory is smaller");
}
GST_END_TEST

GST_START_TEST(crop_out_of_range) {
  check_frame_refused(
      [](GstBuffer *buffer) {
        GstVideoCropMeta *crop = gst_buffer_add_video_crop_meta(buffer);
        crop->x = 1;
        crop->width = 38;
        crop->height = 26;
      },
      "crop");
}
GST_END_TEST

GST_START_TEST(wrong_position) {
  const Clip clip = noise_clip();
  for (const guint position : {0u, 2u}) {
    const Harness stack("framestack");
    stack.start(test::video_caps(clip.info).get());
    fail_unless(stack.push(frame(clip, 0)) == GST_FLOW_OK);
    fail_unless(stack.push(frame(clip, position)) == GST_FLOW_ERROR);
    stack.check_error("where frame 1 was due");
    stack.event(gst_event_new_eos()); // no second error
    stack.check_quiet();
  }
}
GST_END_TEST

// 3 frames of 38x26 pixels.
GST_START_TEST(memory_limit) {
  const Clip clip = noise_clip();
  for (const auto &[limit, fits] : {std::pair{"8892", true}, std::pair{"8891", false}, std::pair{"0", true}}) {
    const Harness stack("framestack", {{"max-memory", limit}});
    stack.start(test::video_caps(clip.info).get());
    Owned<GstBuffer> first = test::sampled(test::noise_buffer(clip.info.size), 0, 0, 3);
    fail_unless((stack.push(std::move(first)) == GST_FLOW_OK) == fits);
    if (!fits)
      stack.check_error("A clip of 3 frames needs 8892 bytes of memory, more than max-memory, which is 8891");
  }
}
GST_END_TEST

// By default as well: 3 petabytes.
GST_START_TEST(memory_limit_by_default) {
  const Harness stack("framestack");
  stack.start(test::video_caps(test::video_info("GRAY8", 32000, 30000)).get());
  Owned<GstBuffer> small = test::sampled(test::noise_buffer(16), 0, 0, 1u << 20);
  fail_unless(stack.push(std::move(small)) == GST_FLOW_ERROR);
  stack.check_error("max-memory");
}
GST_END_TEST

GST_START_TEST(too_many_frames) {
  const Clip clip = noise_clip(test::video_info("GRAY8", 32000, 30000), {0, 0, 1, 1}, 1);
  const Harness stack("framestack", {{"max-memory", "0"}});
  stack.start(test::video_caps(clip.info).get());
  Owned<GstBuffer> small = test::sampled(test::noise_buffer(16), 0, 0, 1u << 20); // 3 petabytes
  fail_unless(stack.push(std::move(small)) == GST_FLOW_ERROR);
  stack.check_error("not enough memory for 1048576 frames of 32000x30000 pixels");
}
GST_END_TEST

GST_START_TEST(changes_in_a_clip) {
  for (const char *changed : {"format", "size", "colors"}) {
    const Clip clip = noise_clip();
    GstVideoInfo info = clip.info;
    if (g_str_equal(changed, "format"))
      info = test::video_info("NV12", 38, 26, "bt709");
    else if (g_str_equal(changed, "size"))
      info = test::video_info("I420", 40, 26, "bt709");
    else
      info = test::video_info("I420", 38, 26, "bt601");
    const Harness stack("framestack");
    stack.start(test::video_caps(clip.info).get());
    fail_unless(stack.push(frame(clip, 0)) == GST_FLOW_OK);
    stack.event(gst_event_new_caps(test::video_caps(info).get()));
    stack.check_error("in the middle of a clip");
    fail_unless(stack.push(frame(clip, 1)) == GST_FLOW_NOT_NEGOTIATED);
    fail_unless(stack.pull() == nullptr);
  }
}
GST_END_TEST

GST_START_TEST(crop_change_in_a_clip) {
  const GstVideoInfo info = test::video_info("I420", 38, 26);
  for (const Region &region : {Region{0, 0, 36, 26}, Region{1, 0, 37, 26}}) {
    const Clip before = noise_clip(info, {0, 0, 37, 26}, 3), after = noise_clip(info, region, 3);
    const Harness stack("framestack");
    stack.start(test::video_caps(info).get());
    fail_unless(stack.push(frame(before, 0)) == GST_FLOW_OK);
    fail_unless(stack.push(frame(after, 1)) == GST_FLOW_ERROR);
    stack.check_error("The resolution changed from 37x26");
  }
}
GST_END_TEST

GST_START_TEST(orientation_change_in_a_clip) {
  const Clip clip = noise_clip();
  for (const CpsOrientation orientation : {CPS_ORIENTATION_180, CPS_ORIENTATION_90L}) {
    const Harness stack("framestack");
    stack.start(test::video_caps(clip.info).get());
    fail_unless(stack.push(frame(clip, 0)) == GST_FLOW_OK);
    Owned<GstBuffer> other = frame(clip, 1);
    cps_buffer_get_frame_meta(other.get())->orientation = orientation;
    fail_unless(stack.push(std::move(other)) == GST_FLOW_ERROR);
    stack.check_error("rotation of the video changed");
  }
}
GST_END_TEST

GST_START_TEST(cut_short) {
  const Clip clip = noise_clip();
  const Harness stack("framestack");
  stack.start(test::video_caps(clip.info).get());
  fail_unless(stack.push(frame(clip, 0)) == GST_FLOW_OK);
  stack.event(gst_event_new_eos());
  stack.check_error("ended after 1 of the 3 frames");
  fail_unless(stack.pull() == nullptr);
  fail_unless(stack.pull_event(GST_EVENT_EOS) != nullptr);
}
GST_END_TEST

// More than one clip

// Each in memory of its own: what has been handed out stays as it is.
GST_START_TEST(clips_in_a_row) {
  const Harness stack("framestack");
  std::vector<Clip> clips;
  std::vector<Owned<GstBuffer>> results;
  stack.start(test::video_caps(noise_clip().info).get());
  for (guint i = 0; i < 4; ++i) {
    clips.push_back(noise_clip("I420", i % 2 ? 5 : 2, i));
    results.push_back(run(stack, clips.back(), 10 + i));
  }
  for (guint i = 0; i < 4; ++i) {
    check_tensor(results[i].get(), clips[i]);
    assert_equals_int(clip_of(results[i].get())->clip_index, 10 + i);
    assert_equals_uint64(GST_BUFFER_OFFSET(results[i].get()), 10 + i);
  }
}
GST_END_TEST

GST_START_TEST(caps_change_between_clips) {
  const Harness stack("framestack");
  for (const char *format : {"I420", "GRAY8", "RGB", "P010_10LE", "I420"}) {
    const Clip clip = noise_clip(format, 2, 1, "1:4:0:0");
    stack.start(test::video_caps(clip.info).get());
    check_tensor(run(stack, clip).get(), clip, kFullBt601);
  }
  const Clip larger = noise_clip(test::video_info("I420", 100, 40, "bt709"), {0, 0, 100, 40}, 2);
  stack.start(test::video_caps(larger.info).get());
  check_tensor(run(stack, larger).get(), larger);
}
GST_END_TEST

GST_START_TEST(flush_in_a_clip) {
  const Clip cut = noise_clip("I420", 3, 1), whole = noise_clip("I420", 4, 2);
  const Harness stack("framestack");
  stack.start(test::video_caps(cut.info).get());
  fail_unless(stack.push(frame(cut, 0)) == GST_FLOW_OK);
  fail_unless(stack.push(frame(cut, 1)) == GST_FLOW_OK);
  stack.flush();
  check_tensor(run(stack, whole, 1).get(), whole);
  stack.event(gst_event_new_eos());
  stack.check_quiet();
}
GST_END_TEST

GST_START_TEST(states) {
  const Clip clip = noise_clip();
  const Harness stack("framestack");
  for (const GstState state : {GST_STATE_READY, GST_STATE_NULL}) {
    stack.start(test::video_caps(clip.info).get());
    check_tensor(run(stack, clip).get(), clip);
    fail_unless(stack.push(frame(clip, 0)) == GST_FLOW_OK); // amid a clip
    stack.restart(state);
  }
  stack.check_quiet();
}
GST_END_TEST

GST_START_TEST(property_changes_in_a_clip) {
  const Clip clip = noise_clip();
  const Harness stack("framestack");
  stack.start(test::video_caps(clip.info).get());
  fail_unless(stack.push(frame(clip, 0)) == GST_FLOW_OK);
  stack.set("color-matrix", "bt601");
  fail_unless(stack.push(frame(clip, 1)) == GST_FLOW_OK && stack.push(frame(clip, 2)) == GST_FLOW_OK);
  const Owned<GstBuffer> tensors = stack.pull();
  check_tensor(tensors.get(), clip);
  assert_text(metadata_of(tensors.get())["color_matrix"], "auto");
  const Owned<GstBuffer> next = run(stack, clip, 1);
  check_tensor(next.get(), clip, kBt601);
  assert_text(metadata_of(next.get())["color_matrix"], "bt601");
}
GST_END_TEST

// Metadata, and what becomes of a tensor

GST_START_TEST(metadata) {
  const Clip clip = noise_clip();
  Harness stack("framestack");
  stack.on_query = [](GstQuery *query) {
    if (GST_QUERY_TYPE(query) != GST_QUERY_URI)
      return false;
    gst_query_set_uri(query, "file:///videos/a%20b.mp4");
    return true;
  };
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
      {"color_matrix", "auto"},
  };
  const Metadata metadata = metadata_of(tensors.get());
  for (const auto &[key, value] : metadata)
    fail_unless(expected.count(key) == 1 && expected.at(key) == value, "%s: %s", key.c_str(), value.c_str());
  assert_equals_int(metadata.size(), expected.size());
  assert_equals_uint64(GST_BUFFER_PTS(tensors.get()), 80 * GST_MSECOND);
}
GST_END_TEST

GST_START_TEST(file) {
  const test::Folder folder;
  const std::string path = folder.file("clip.safetensors");
  const Clip clip = noise_clip("NV12", 4);
  const Harness stack("framestack"), sink("tensormetasink", {{"location", path.c_str()}}, false);
  stack.start(test::video_caps(clip.info).get());
  Owned<GstBuffer> tensors = run(stack, clip);
  const Owned<GstCaps> caps(gst_pad_get_current_caps(stack.get()->sinkpad));
  sink.start(caps.get());
  fail_unless(sink.push(std::move(tensors)) == GST_FLOW_OK);
  sink.check_quiet();
  const test::Safetensors written = test::read_safetensors(path);
  fail_unless(written.order == std::vector<std::string>{"frames"});
  const test::FileTensor &frames = written.tensors.at("frames");
  assert_text(frames.dtype, "U8");
  fail_unless(frames.shape == std::vector<gint64>({4, 26, 38, 3}));
  const std::vector<guint8> expected = expected_frames(clip, kBt709);
  fail_unless(frames.bytes == std::string(expected.begin(), expected.end()));
  assert_text(written.metadata.at("target_width"), "38");
}
GST_END_TEST

GST_START_TEST(dlpack) {
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
  const std::vector<guint8> expected = expected_frames(clip, kBt709);
  fail_unless(std::equal(expected.begin(), expected.end(), static_cast<const guint8 *>(tensor.data)));
  lent->deleter(lent);
}
GST_END_TEST

static Suite *framestack_suite() {
  Suite *suite = suite_create("framestack");
  TCase *tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_set_timeout(tests, test::kWatchdogSeconds);
  tcase_add_test(tests, formats);
  tcase_add_test(tests, crops);
  tcase_add_test(tests, orientations);
  tcase_add_test(tests, crop_of_more_than_the_caps);
  tcase_add_test(tests, sizes);
  tcase_add_test(tests, colorimetry_of_the_caps);
  tcase_add_test(tests, range_of_grey);
  tcase_add_test(tests, color_matrix);
  tcase_add_test(tests, repeats);
  tcase_add_test(tests, strides_and_offsets);
  tcase_add_test(tests, keeps_no_frames);
  tcase_add_test(tests, memory_is_aligned);
  tcase_add_test(tests, caps);
  tcase_add_test(tests, not_negotiated);
  tcase_add_test(tests, gaps_and_eos);
  tcase_add_test(tests, frames_of_no_sequence);
  tcase_add_test(tests, frames_too_small);
  tcase_add_test(tests, crop_out_of_range);
  tcase_add_test(tests, wrong_position);
  tcase_add_test(tests, memory_limit);
  tcase_add_test(tests, memory_limit_by_default);
  tcase_add_test(tests, too_many_frames);
  tcase_add_test(tests, changes_in_a_clip);
  tcase_add_test(tests, crop_change_in_a_clip);
  tcase_add_test(tests, orientation_change_in_a_clip);
  tcase_add_test(tests, cut_short);
  tcase_add_test(tests, clips_in_a_row);
  tcase_add_test(tests, caps_change_between_clips);
  tcase_add_test(tests, flush_in_a_clip);
  tcase_add_test(tests, states);
  tcase_add_test(tests, property_changes_in_a_clip);
  tcase_add_test(tests, metadata);
  tcase_add_test(tests, file);
  tcase_add_test(tests, dlpack);
  return suite;
}

GST_CHECK_MAIN(framestack)
