// SPDX-License-Identifier: LGPL-2.1-or-later
// Whole frames of a video as framestack has them, against docs/spec.md#pixels in double, from what the decoder puts
// out.
#include "tests/golden/golden.h"

#include <gst/video/video.h>

namespace {

// One frame's I420 samples.
struct Planes {
  int width = 0, height = 0;
  std::vector<int> samples[3];

  int at(int plane, int x, int y) const {
    const int sub = plane > 0 ? 2 : 1;
    return samples[plane][static_cast<size_t>(y * ((width + sub - 1) / sub) + x)];
  }
};

Planes read_planes(GstPad *pad, GstBuffer *buffer) {
  const pipes::Owned<GstCaps> caps(gst_pad_get_current_caps(pad));
  GstVideoInfo info;
  GstVideoFrame frame;
  fail_unless(gst_video_info_from_caps(&info, caps.get()));
  fail_unless_equals_int(GST_VIDEO_INFO_FORMAT(&info), GST_VIDEO_FORMAT_I420);
  fail_unless(gst_video_frame_map(&frame, &info, buffer, GST_MAP_READ));
  Planes planes;
  planes.width = info.width;
  planes.height = info.height;
  for (int c = 0; c < 3; c++)
    for (int y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT(&frame, c); y++) {
      const guint8 *row = GST_VIDEO_FRAME_COMP_DATA(&frame, c) + y * GST_VIDEO_FRAME_COMP_STRIDE(&frame, c);
      planes.samples[c].insert(planes.samples[c].end(), row, row + GST_VIDEO_FRAME_COMP_WIDTH(&frame, c));
    }
  gst_video_frame_unmap(&frame);
  return planes;
}

double chroma(const Planes &planes, int plane, int x, int y) {
  const int last_x = (planes.width + 1) / 2 - 1, last_y = (planes.height + 1) / 2 - 1;
  const double at_x = std::clamp((x + 0.5) / 2 - 0.5, 0.0, double(last_x)),
               at_y = std::clamp((y + 0.5) / 2 - 0.5, 0.0, double(last_y));
  const int left = static_cast<int>(at_x), top = static_cast<int>(at_y);
  const int right = std::min(left + 1, last_x), bottom = std::min(top + 1, last_y);
  const double dx = at_x - left, dy = at_y - top;
  return (planes.at(plane, left, top) * (1 - dx) + planes.at(plane, right, top) * dx) * (1 - dy) +
         (planes.at(plane, left, bottom) * (1 - dx) + planes.at(plane, right, bottom) * dx) * dy;
}

// The largest error of a frame, in code values, with the matrix that is forced.
double largest_error(const Planes &planes, const uint8_t *rgb) {
  constexpr double kr = 0.2126, kb = 0.0722;
  double error = 0;
  for (int y = 0; y < planes.height; y++)
    for (int x = 0; x < planes.width; x++) {
      const double luma = (planes.at(0, x, y) - 16) / 219.0, u = (chroma(planes, 1, x, y) - 128) / 224,
                   v = (chroma(planes, 2, x, y) - 128) / 224;
      const double r = luma + 2 * (1 - kr) * v, b = luma + 2 * (1 - kb) * u,
                   g = (luma - kr * r - kb * b) / (1 - kr - kb);
      for (const double channel : {r, g, b})
        error = std::max(error, std::fabs(std::clamp(255 * channel, 0.0, 255.0) - *rgb++));
    }
  return error;
}

} // namespace

GST_START_TEST(test_demo) {
  const std::string input = golden::reading(golden::kDemo);
  if (input.empty())
    return;
  pipes::Line line(input + "avdec_h264 ! uniformsampler sequence-length=4 ! framestack name=stack color-matrix=bt709 ! "
                           "tensormetasink name=tensors");
  std::vector<Planes> decoded;
  line.on_buffer("stack", "sink", [&](GstPad *pad, GstBuffer *buffer) { decoded.push_back(read_planes(pad, buffer)); });
  const pipes::Outcome outcome = line.run();
  fail_unless(outcome.eos && !outcome.failed(), "%s", outcome.error.c_str());
  const pipes::Owned<GstElement> sink = line.get("tensors");
  GstSample *pulled = nullptr;
  g_signal_emit_by_name(sink.get(), "try-pull-tensors", guint64{0}, &pulled);
  fail_unless(pulled != nullptr);
  const pipes::Owned<GstSample> sample(pulled);

  GstBuffer *buffer = gst_sample_get_buffer(sample.get());
  const CpsTensor &tensor = cps_buffer_get_tensor_meta(buffer)->tensors[0];
  const std::vector<uint8_t> frames = pipes::tensor_values<uint8_t>(buffer, "frames");
  fail_unless_equals_int(static_cast<int>(decoded.size()), 4);
  const gint64 dims[] = {4, decoded[0].height, decoded[0].width, 3};
  fail_unless(std::equal(dims, dims + 4, tensor.dims));
  double worst = 0;
  for (size_t i = 0; i < 4; i++)
    worst = std::max(worst, largest_error(decoded[i], frames.data() + i * frames.size() / 4));
  g_print("whole frames within %.4f\n", worst);
  fail_unless(worst <= 0.5 + 1e-3 + 1.0 / 64, "a pixel is off by %g", worst); // half a value is rounding
}
GST_END_TEST;

static Suite *frames_suite() {
  Suite *suite = suite_create("golden-frames");
  tcase_add_test(pipes::make_tests(suite), test_demo);
  return suite;
}

GST_CHECK_MAIN(frames)
