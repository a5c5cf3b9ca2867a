// SPDX-License-Identifier: LGPL-2.1-or-later
#include "kernels/energy.h"
#include "kernels/geometry.h"
#include "tests/common/frames.h"
#include "tests/common/harness.h"
#include "tests/common/text.h"

#include <gst/codecpatch/codecpatch.h>

using test::Format;
using test::Harness;
using test::Owned;
using test::Region;

namespace {

using Map = std::vector<float>;

Map map_of(GstBuffer *frame) {
  const CpsEnergyMeta *meta = cps_buffer_get_energy_meta(frame);
  fail_unless(meta != nullptr);
  assert_equals_int(gst_buffer_get_n_meta(frame, CPS_ENERGY_META_API_TYPE), 1);
  Map map(gst_buffer_get_size(meta->map) / sizeof(float));
  assert_equals_uint64(map.size(), static_cast<guint64>(meta->width) * meta->height);
  assert_equals_int(gst_buffer_n_memory(meta->map), 1);
  gst_buffer_extract(meta->map, 0, map.data(), map.size() * sizeof(float));
  return map;
}

bool is_zero(const Map &map) {
  return std::all_of(map.begin(), map.end(), [](float value) { return value == 0.0f; });
}

// The kernel on the same pixels, one map a picture.
std::vector<Map> expected_maps(std::vector<reference::Picture> &pictures, const cps::EnergyOptions &options = {}) {
  cps::EnergyMaps energy(pictures[0].view(), options);
  std::vector<Map> maps;
  for (size_t i = 0; i < pictures.size(); ++i) {
    maps.emplace_back(static_cast<size_t>(energy.map_size().width * energy.map_size().height));
    energy.next(pictures[i].view(), i == 0, maps.back().data());
  }
  return maps;
}

std::vector<guint8> bytes_of(GstBuffer *buffer) {
  std::vector<guint8> bytes(gst_buffer_get_size(buffer));
  gst_buffer_extract(buffer, 0, bytes.data(), bytes.size());
  return bytes;
}

// Pushes a frame and returns what came out of it.
Owned<GstBuffer> pass(const Harness &energy, Owned<GstBuffer> frame) {
  fail_unless(energy.push(std::move(frame)) == GST_FLOW_OK);
  Owned<GstBuffer> out = energy.pull();
  fail_unless(out != nullptr);
  return out;
}

Owned<GstBuffer> noise_frame(const GstVideoInfo &info, unsigned seed) {
  return test::frame_of(
      test::noise_picture(GST_VIDEO_INFO_NAME(&info), GST_VIDEO_INFO_WIDTH(&info), GST_VIDEO_INFO_HEIGHT(&info), seed),
      info);
}

// Memory with room around the picture and between the planes, told by a GstVideoMeta.
Owned<GstBuffer> padded_buffer(const GstVideoInfo &info) {
  GstVideoInfo padded = info;
  GstVideoAlignment alignment;
  gst_video_alignment_reset(&alignment);
  alignment.padding_left = 8;
  alignment.padding_top = 6;
  alignment.padding_right = 10;
  alignment.padding_bottom = 4;
  fail_unless(gst_video_info_align(&padded, &alignment));
  fail_unless(padded.stride[0] != info.stride[0] && padded.offset[0] != 0);
  Owned<GstBuffer> buffer = test::noise_buffer(padded.size, 5);
  gst_buffer_add_video_meta_full(buffer.get(), GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_INFO_FORMAT(&info),
                                 static_cast<guint>(info.width), static_cast<guint>(info.height),
                                 GST_VIDEO_INFO_N_PLANES(&info), padded.offset, padded.stride);
  return buffer;
}

// Three frames of noise in `region` of frames of width x height.
void check_format(const Format &format, int width, int height, const Region &region, bool padded) {
  const bool cropped = region.width != width || region.height != height;
  const GstVideoInfo info = test::video_info(format.name, width, height);
  Harness energy("patchenergy");
  energy.start(test::video_caps(info).get());
  std::vector<reference::Picture> pictures;
  for (unsigned i = 0; i < 3; ++i)
    pictures.push_back(test::noise_picture(format, region, 10 + i));
  const std::vector<Map> expected = expected_maps(pictures);
  for (size_t i = 0; i < pictures.size(); ++i) {
    Owned<GstBuffer> frame = padded ? padded_buffer(info) : test::noise_buffer(info.size);
    test::write_picture(frame.get(), info, pictures[i], region.x, region.y);
    if (cropped)
      test::add_crop(frame.get(), region);
    const auto before = bytes_of(frame.get());
    GstMemory *memory = gst_buffer_peek_memory(frame.get(), 0);
    const auto out = pass(energy, test::sampled(std::move(frame), i, static_cast<guint>(i), 3));
    fail_unless(gst_buffer_peek_memory(out.get(), 0) == memory, "%s: pixels were copied", format.name);
    fail_unless(bytes_of(out.get()) == before, "%s: pixels were changed", format.name);
    fail_unless(map_of(out.get()) == expected[i], "%s %dx%d+%d+%d: frame %zu", format.name, region.width, region.height,
                region.x, region.y, i);
    fail_unless(is_zero(expected[i]) == (i == 0));

    const CpsEnergyMeta *meta = cps_buffer_get_energy_meta(out.get());
    const cps::Size small = cps::small_size({region.width, region.height});
    assert_equals_int(meta->width, small.width);
    assert_equals_int(meta->height, small.height);
    assert_equals_int(meta->frame_width, region.width);
    assert_equals_int(meta->frame_height, region.height);
    assert_equals_float(meta->percentile, 95.0);
    assert_text(g_quark_to_string(meta->mode), "motion-residual");
  }
  energy.check_quiet();
}

void check_error(const char *part, const GstVideoInfo &info, Owned<GstBuffer> frame) {
  Harness energy("patchenergy");
  energy.start(test::video_caps(info).get());
  fail_unless(energy.push(std::move(frame)) == GST_FLOW_ERROR);
  energy.check_error(part);
  fail_unless(energy.pull() == nullptr);
}

} // namespace

// The table of formats of these tests is the element's.
GST_START_TEST(test_formats) {
  const Owned<GstElement> element = test::make_element("patchenergy");
  for (const char *name : {"sink", "src"}) {
    const Owned<GstCaps> caps(gst_pad_template_get_caps(gst_element_get_pad_template(element.get(), name)));
    const GValue *list = gst_structure_get_value(gst_caps_get_structure(caps.get(), 0), "format");
    assert_equals_int(gst_value_list_get_size(list), G_N_ELEMENTS(test::kFormats));
    for (guint i = 0; i < gst_value_list_get_size(list); ++i)
      test::format_named(g_value_get_string(gst_value_list_get_value(list, i)));
  }
}
GST_END_TEST;

GST_START_TEST(test_maps) {
  for (const Format &format : test::known_formats()) {
    check_format(format, 132, 128, {0, 0, 132, 128}, false);
    check_format(format, 67, 49, {0, 0, 67, 49}, false);
    check_format(format, 5, 3, {0, 0, 5, 3}, false);
  }
}
GST_END_TEST;

GST_START_TEST(test_strides_and_offsets) {
  for (const Format &format : test::known_formats()) {
    check_format(format, 132, 128, {0, 0, 132, 128}, true);
    check_format(format, 67, 49, {0, 0, 67, 49}, true);
  }
}
GST_END_TEST;

GST_START_TEST(test_crops) {
  for (const Format &format : test::known_formats()) {
    check_format(format, 80, 60, {4, 6, 64, 48}, false);
    check_format(format, 80, 60, {5, 7, 61, 47}, false); // odd
    check_format(format, 81, 61, {80, 0, 1, 61}, false); // the edge
    check_format(format, 80, 60, {5, 7, 61, 47}, true);
  }
}
GST_END_TEST;

// Frames that are stored otherwise than they are shown.
GST_START_TEST(test_orientations) {
  for (const Format &format : test::known_formats())
    for (const test::Shown &shown : test::kShown)
      for (const Region &region : {Region{0, 0, 67, 49}, Region{0, 0, 132, 128}, Region{5, 7, 61, 47}}) {
        const bool cropped = region.x > 0;
        const GstVideoInfo info =
            test::video_info(format.name, cropped ? 81 : region.width, cropped ? 60 : region.height);
        std::vector<reference::Picture> stored, seen;
        for (unsigned i = 0; i < 2; ++i) {
          stored.push_back(test::noise_picture(format, {0, 0, info.width, info.height}, 10 + i));
          seen.push_back(test::shown(stored[i], region, shown.turn));
        }
        const std::vector<Map> expected = expected_maps(seen);
        const Harness energy("patchenergy");
        energy.start(test::video_caps(info).get());
        for (size_t i = 0; i < stored.size(); ++i) {
          Owned<GstBuffer> frame = test::sampled(test::frame_of(stored[i], info), i, static_cast<guint>(i), 2);
          cps_buffer_get_frame_meta(frame.get())->orientation = shown.orientation;
          if (cropped)
            test::add_crop(frame.get(), region);
          const auto out = pass(energy, std::move(frame));
          fail_unless(map_of(out.get()) == expected[i], "%s, orientation %d: frame %zu", format.name, shown.orientation,
                      i);
          const CpsEnergyMeta *meta = cps_buffer_get_energy_meta(out.get());
          assert_equals_int(meta->frame_width, seen[i].layout().width);
          assert_equals_int(meta->frame_height, seen[i].layout().height);
          assert_equals_int(meta->orientation, shown.orientation);
        }
        energy.check_quiet();
      }
}
GST_END_TEST;

// Maps are never made between frames that are shown differently.
GST_START_TEST(test_orientation_changes) {
  const GstVideoInfo info = test::video_info("I420", 64, 64);
  const Harness energy("patchenergy");
  energy.start(test::video_caps(info).get());
  for (const CpsOrientation orientation : {CPS_ORIENTATION_IDENTITY, CPS_ORIENTATION_180, CPS_ORIENTATION_90R}) {
    for (guint i = 0; i < 2; ++i) {
      Owned<GstBuffer> frame = noise_frame(info, i);
      cps_buffer_add_frame_meta(frame.get(), i, 0, 0, CPS_FRAME_FLAG_NONE)->orientation = orientation;
      fail_unless(is_zero(map_of(pass(energy, std::move(frame)).get())) == (i == 0));
    }
  }
  energy.check_quiet();
}
GST_END_TEST;

GST_START_TEST(test_percentile) {
  const struct {
    const char *text;
    double value;
  } rows[] = {{"50", 50}, {"100", 100}, {"150", 100}, {"1", 1}, {"0", 1}, {"-7", 1}};
  for (const auto &[text, value] : rows) {
    Harness energy("patchenergy", {{"energy-pct", text}});
    const GstVideoInfo info = test::video_info("GRAY8", 64, 48);
    energy.start(test::video_caps(info).get());
    std::vector<reference::Picture> pictures = {test::noise_picture("GRAY8", 64, 48, 1),
                                                test::noise_picture("GRAY8", 64, 48, 2)};
    const std::vector<Map> expected = expected_maps(pictures, {cps::EnergyMode::MotionResidual, value});
    for (guint i = 0; i < 2; ++i) {
      const auto out = pass(energy, test::sampled(test::frame_of(pictures[i], info), i, i, 2));
      fail_unless(map_of(out.get()) == expected[i]);
      assert_equals_float(cps_buffer_get_energy_meta(out.get())->percentile, value);
    }
  }
}
GST_END_TEST;

GST_START_TEST(test_frame_difference) {
  for (const char *format : {"GRAY8", "I420", "P010_10LE", "RGB"}) {
    Harness energy("patchenergy", {{"energy-mode", "frame-difference"}});
    const GstVideoInfo info = test::video_info(format, 64, 48);
    energy.start(test::video_caps(info).get());
    std::vector<reference::Picture> pictures = {test::noise_picture(format, 64, 48, 1),
                                                test::noise_picture(format, 64, 48, 2)};
    const std::vector<Map> expected = expected_maps(pictures, {cps::EnergyMode::FrameDifference, 0});
    for (guint i = 0; i < 2; ++i) {
      const auto out = pass(energy, test::sampled(test::frame_of(pictures[i], info), i, i, 2));
      fail_unless(map_of(out.get()) == expected[i]);
      const CpsEnergyMeta *meta = cps_buffer_get_energy_meta(out.get());
      assert_text(g_quark_to_string(meta->mode), "frame-difference");
      assert_equals_float(meta->percentile, 0.0);
    }
  }
}
GST_END_TEST;

// A repeat is a still picture: compared with itself, though it need not be read again. All repeats of a frame have one
// map.
GST_START_TEST(test_repeats) {
  const GstVideoInfo info = test::video_info("I420", 64, 48);
  Harness energy("patchenergy");
  energy.start(test::video_caps(info).get());
  std::vector<reference::Picture> pictures;
  for (const unsigned seed : {1, 1, 2, 2, 2, 1})
    pictures.push_back(test::noise_picture("I420", 64, 48, seed));
  const std::vector<Map> expected = expected_maps(pictures);
  const guint64 ids[] = {0, 0, 5, 5, 5, 0};
  std::vector<Owned<GstBuffer>> frames;
  for (guint i = 0; i < 6; ++i) {
    frames.push_back(pass(energy, test::sampled(test::frame_of(pictures[i], info), ids[i], i, 6)));
    fail_unless(map_of(frames[i].get()) == expected[i], "frame %u", i);
  }
  for (guint i = 1; i < 6; ++i)
    fail_unless((cps_buffer_get_energy_meta(frames[i].get())->map ==
                 cps_buffer_get_energy_meta(frames[i - 1].get())->map) == (i == 4),
                "frame %u", i);
}
GST_END_TEST;

// A sequence that begins with the frame that the one before it ended with, and repeats it.
GST_START_TEST(test_repeats_of_another_sequence) {
  const GstVideoInfo info = test::video_info("I420", 64, 48);
  Harness energy("patchenergy");
  energy.start(test::video_caps(info).get());
  std::vector<reference::Picture> pictures = {test::noise_picture("I420", 64, 48, 1),
                                              test::noise_picture("I420", 64, 48, 2)};
  const auto still = [](const reference::Picture &picture) {
    std::vector<reference::Picture> twice = {picture, picture};
    return expected_maps(twice)[1];
  };
  for (guint clip = 0; clip < 2; ++clip)
    for (guint i = 0; i < 3; ++i) {
      const auto out =
          pass(energy, test::sampled(test::frame_of(pictures[clip], info), 7, i, 3, CPS_FRAME_FLAG_NONE, clip));
      fail_unless(i == 0 ? is_zero(map_of(out.get())) : map_of(out.get()) == still(pictures[clip]), "clip %u, frame %u",
                  clip, i);
    }
}
GST_END_TEST;

// What stands in for a missing frame is compared like any other, and so is the frame itself should it come late.
GST_START_TEST(test_substitutes) {
  const GstVideoInfo info = test::video_info("I420", 64, 48);
  Harness energy("patchenergy");
  energy.start(test::video_caps(info).get());
  std::vector<reference::Picture> pictures;
  for (const unsigned seed : {1, 2, 2, 2, 3})
    pictures.push_back(test::noise_picture("I420", 64, 48, seed));
  const std::vector<Map> expected = expected_maps(pictures);
  const guint64 ids[] = {0, 1, 2, 2, 2};
  for (guint i = 0; i < 5; ++i) {
    Owned<GstBuffer> frame = test::sampled(test::frame_of(pictures[i], info), ids[i], i, 5);
    if (i == 2 || i == 3)
      cps_buffer_get_frame_meta(frame.get())->status = CPS_FRAME_STATUS_SUBSTITUTED;
    fail_unless(map_of(pass(energy, std::move(frame)).get()) == expected[i], "frame %u", i);
  }
}
GST_END_TEST;

// A damaged frame is itself: it is not read again where it is repeated.
GST_START_TEST(test_repeats_of_a_damaged_frame) {
  const GstVideoInfo info = test::video_info("I420", 64, 48);
  Harness energy("patchenergy");
  energy.start(test::video_caps(info).get());
  std::vector<reference::Picture> pictures;
  for (const unsigned seed : {1, 2, 2})
    pictures.push_back(test::noise_picture("I420", 64, 48, seed));
  const std::vector<Map> expected = expected_maps(pictures);
  for (guint i = 0; i < 3; ++i) {
    const bool repeat = i == 2;
    Owned<GstBuffer> frame =
        test::sampled(repeat ? noise_frame(info, 9) : test::frame_of(pictures[i], info), i == 0 ? 0 : 1, i, 3);
    if (i > 0)
      cps_buffer_get_frame_meta(frame.get())->status = CPS_FRAME_STATUS_DAMAGED;
    fail_unless(map_of(pass(energy, std::move(frame)).get()) == expected[i], "frame %u", i);
  }
}
GST_END_TEST;

GST_START_TEST(test_sequences_start_with_zeros) {
  const GstVideoInfo info = test::video_info("I420", 64, 48);
  Harness energy("patchenergy");
  energy.start(test::video_caps(info).get());
  for (guint clip = 0; clip < 3; ++clip)
    for (guint i = 0; i < 3; ++i) {
      const auto out = pass(energy, test::sampled(noise_frame(info, 3 * clip + i), i, i, 3, CPS_FRAME_FLAG_NONE, clip));
      fail_unless(is_zero(map_of(out.get())) == (i == 0));
    }
}
GST_END_TEST;

// Without a sampler each frame follows the one before.
GST_START_TEST(test_frames_of_no_sequence) {
  const GstVideoInfo info = test::video_info("I420", 64, 48);
  Harness energy("patchenergy");
  energy.start(test::video_caps(info).get());
  std::vector<reference::Picture> pictures;
  for (unsigned i = 0; i < 4; ++i)
    pictures.push_back(test::noise_picture("I420", 64, 48, i));
  const std::vector<Map> expected = expected_maps(pictures);
  for (unsigned i = 0; i < 4; ++i) {
    Owned<GstBuffer> frame = test::frame_of(pictures[i], info);
    if (i % 2)
      frame = test::stamped(std::move(frame), 0, 10); // a planner's stamp alone
    fail_unless(map_of(pass(energy, std::move(frame)).get()) == expected[i]);
  }
}
GST_END_TEST;

GST_START_TEST(test_frames_of_others) {
  const GstVideoInfo info = test::video_info("I420", 64, 48);
  Harness energy("patchenergy");
  energy.start(test::video_caps(info).get());
  const Owned<GstBuffer> mine = test::sampled(noise_frame(info, 1), 3, 0, 2);
  const auto before = bytes_of(mine.get());
  const auto out = pass(energy, Owned<GstBuffer>(gst_buffer_ref(mine.get())));
  fail_unless(out != mine);
  fail_unless(cps_buffer_get_energy_meta(mine.get()) == nullptr);
  fail_unless(cps_buffer_get_energy_meta(out.get()) != nullptr);
  assert_equals_uint64(cps_buffer_get_frame_meta(out.get())->frame_id, 3);
  fail_unless(gst_buffer_peek_memory(out.get(), 0) == gst_buffer_peek_memory(mine.get(), 0));
  fail_unless(bytes_of(mine.get()) == before);
}
GST_END_TEST;

// Memory that may only be read will do.
GST_START_TEST(test_read_only_memory) {
  const GstVideoInfo info = test::video_info("GRAY8", 64, 48);
  static guint8 pixels[64 * 48];
  Harness energy("patchenergy");
  energy.start(test::video_caps(info).get());
  GstBuffer *frame =
      gst_buffer_new_wrapped_full(GST_MEMORY_FLAG_READONLY, pixels, sizeof pixels, 0, sizeof pixels, nullptr, nullptr);
  const auto out = pass(energy, Owned<GstBuffer>(frame));
  GstMapInfo map;
  fail_unless(gst_buffer_map(out.get(), &map, GST_MAP_READ));
  fail_unless(map.data == pixels);
  gst_buffer_unmap(out.get(), &map);
}
GST_END_TEST;

// Earlier maps stay as they are, however many frames are held downstream.
GST_START_TEST(test_maps_are_not_reused_while_held) {
  const GstVideoInfo info = test::video_info("GRAY8", 64, 48);
  Harness energy("patchenergy");
  energy.start(test::video_caps(info).get());
  std::vector<reference::Picture> pictures;
  for (unsigned i = 0; i < 8; ++i)
    pictures.push_back(test::noise_picture("GRAY8", 64, 48, i));
  const std::vector<Map> expected = expected_maps(pictures);
  std::vector<Owned<GstBuffer>> held;
  for (guint i = 0; i < 8; ++i)
    held.push_back(pass(energy, test::sampled(test::frame_of(pictures[i], info), i, i, 8)));
  energy.restart(GST_STATE_NULL);
  for (guint i = 0; i < 8; ++i)
    fail_unless(map_of(held[i].get()) == expected[i]);
}
GST_END_TEST;

GST_START_TEST(test_crop_out_of_range) {
  const GstVideoInfo info = test::video_info("I420", 64, 48);
  for (const Region &region : {Region{1, 0, 64, 48}, Region{0, 1, 64, 48}, Region{0, 0, 65, 48}, Region{64, 0, 1, 1},
                               Region{0, 0, 0, 48}, Region{-2, 0, 4, 4}}) {
    Owned<GstBuffer> frame = noise_frame(info, 1);
    test::add_crop(frame.get(), region);
    check_error("crop", info, std::move(frame));
  }
}
GST_END_TEST;

GST_START_TEST(test_buffer_too_small) {
  const GstVideoInfo info = test::video_info("I420", 64, 48);
  check_error("smaller than its caps", info, test::noise_buffer(info.size - 1));
  check_error("smaller than its caps", info, Owned<GstBuffer>(gst_buffer_new()));
}
GST_END_TEST;

GST_START_TEST(test_caps_change) {
  Harness energy("patchenergy");
  struct {
    const char *format;
    int width, height;
  } const steps[] = {
      {"I420", 64, 48}, {"I420", 128, 136}, {"NV12", 128, 136}, {"GRAY16_LE", 128, 136}, {"I420", 64, 48}};
  for (const auto &step : steps) {
    const GstVideoInfo info = test::video_info(step.format, step.width, step.height);
    const Owned<GstCaps> caps = test::video_caps(info);
    energy.start(caps.get());
    std::vector<reference::Picture> pictures = {test::noise_picture(step.format, step.width, step.height, 1),
                                                test::noise_picture(step.format, step.width, step.height, 2)};
    const std::vector<Map> expected = expected_maps(pictures);
    for (guint i = 0; i < 2; ++i) // no position tells that a sequence starts: the old picture must be forgotten
      fail_unless(map_of(pass(energy, test::frame_of(pictures[i], info)).get()) == expected[i]);
    const Owned<GstCaps> out(gst_pad_get_current_caps(energy.get()->sinkpad));
    fail_unless(gst_caps_is_equal(out.get(), caps.get()));
  }
}
GST_END_TEST;

// Other colours of the same layout leave the sequence whole.
GST_START_TEST(test_colorimetry_change) {
  Harness energy("patchenergy");
  GstVideoInfo info = test::video_info("I420", 64, 48, "bt601");
  energy.start(test::video_caps(info).get());
  std::vector<reference::Picture> pictures = {test::noise_picture("I420", 64, 48, 1),
                                              test::noise_picture("I420", 64, 48, 2)};
  pass(energy, test::frame_of(pictures[0], info));
  info = test::video_info("I420", 64, 48, "bt709");
  fail_unless(energy.event(gst_event_new_caps(test::video_caps(info).get())));
  fail_unless(map_of(pass(energy, test::frame_of(pictures[1], info)).get()) == expected_maps(pictures)[1]);
}
GST_END_TEST;

GST_START_TEST(test_refuses_other_caps) {
  for (const char *text : {"video/x-raw, format=v210, width=64, height=48, framerate=25/1",
                           "video/x-raw(memory:Other), format=I420, width=64, height=48, framerate=25/1"}) {
    Harness energy("patchenergy");
    const Owned<GstCaps> caps(gst_caps_from_string(text));
    energy.start(caps.get());
    fail_unless(energy.push(test::noise_buffer(64 * 48 * 2)) == GST_FLOW_NOT_NEGOTIATED);
  }
}
GST_END_TEST;

GST_START_TEST(test_flush) {
  const GstVideoInfo info = test::video_info("I420", 64, 48);
  Harness energy("patchenergy");
  energy.start(test::video_caps(info).get());
  pass(energy, noise_frame(info, 1));
  fail_if(is_zero(map_of(pass(energy, noise_frame(info, 2)).get())));
  energy.flush();
  fail_unless(is_zero(map_of(pass(energy, noise_frame(info, 3)).get())));
  fail_if(is_zero(map_of(pass(energy, noise_frame(info, 4)).get())));
}
GST_END_TEST;

GST_START_TEST(test_eos) {
  const GstVideoInfo info = test::video_info("I420", 64, 48);
  Harness energy("patchenergy");
  energy.start(test::video_caps(info).get());
  pass(energy, noise_frame(info, 1));
  fail_unless(energy.event(gst_event_new_eos()));
  fail_unless(energy.pull_event(GST_EVENT_EOS) != nullptr);
  energy.check_quiet();
}
GST_END_TEST;

GST_START_TEST(test_states) {
  const GstVideoInfo info = test::video_info("I420", 64, 48);
  Harness energy("patchenergy");
  for (const GstState state : {GST_STATE_READY, GST_STATE_NULL, GST_STATE_READY}) {
    energy.start(test::video_caps(info).get());
    fail_unless(is_zero(map_of(pass(energy, noise_frame(info, 1)).get())));
    fail_if(is_zero(map_of(pass(energy, noise_frame(info, 2)).get())));
    energy.restart(state);
  }
  energy.check_quiet();
}
GST_END_TEST;

// So that decoders need not copy to remove padding.
GST_START_TEST(test_allocation) {
  const GstVideoInfo info = test::video_info("I420", 64, 48);
  const Harness energy("patchenergy");
  const Owned<GstCaps> caps = test::video_caps(info);
  energy.start(caps.get());
  const Owned<GstQuery> query(gst_query_new_allocation(caps.get(), FALSE));
  fail_unless(gst_pad_peer_query(energy.get()->srcpad, query.get()));
  fail_unless(gst_query_find_allocation_meta(query.get(), GST_VIDEO_META_API_TYPE, nullptr));
  fail_unless(gst_query_find_allocation_meta(query.get(), GST_VIDEO_CROP_META_API_TYPE, nullptr));
}
GST_END_TEST;

static Suite *patchenergy_suite() {
  Suite *suite = suite_create("patchenergy");
  TCase *tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_set_timeout(tests, test::kWatchdogSeconds);
  tcase_add_test(tests, test_formats);
  tcase_add_test(tests, test_maps);
  tcase_add_test(tests, test_strides_and_offsets);
  tcase_add_test(tests, test_crops);
  tcase_add_test(tests, test_orientations);
  tcase_add_test(tests, test_orientation_changes);
  tcase_add_test(tests, test_percentile);
  tcase_add_test(tests, test_frame_difference);
  tcase_add_test(tests, test_repeats);
  tcase_add_test(tests, test_repeats_of_another_sequence);
  tcase_add_test(tests, test_substitutes);
  tcase_add_test(tests, test_repeats_of_a_damaged_frame);
  tcase_add_test(tests, test_sequences_start_with_zeros);
  tcase_add_test(tests, test_frames_of_no_sequence);
  tcase_add_test(tests, test_frames_of_others);
  tcase_add_test(tests, test_read_only_memory);
  tcase_add_test(tests, test_maps_are_not_reused_while_held);
  tcase_add_test(tests, test_crop_out_of_range);
  tcase_add_test(tests, test_buffer_too_small);
  tcase_add_test(tests, test_caps_change);
  tcase_add_test(tests, test_colorimetry_change);
  tcase_add_test(tests, test_refuses_other_caps);
  tcase_add_test(tests, test_flush);
  tcase_add_test(tests, test_eos);
  tcase_add_test(tests, test_states);
  tcase_add_test(tests, test_allocation);
  return suite;
}

GST_CHECK_MAIN(patchenergy)
