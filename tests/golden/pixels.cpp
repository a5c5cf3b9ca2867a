// SPDX-License-Identifier: LGPL-2.1-or-later
// Patch pixels of every raw format against docs/spec.md#pixels in double, worked out here from the format's code
// values.
#include "gst/elements/common/picture.h"
#include "tests/common/pipeline.h"

#include <algorithm>
#include <cmath>
#include <random>

namespace {

using pipes::Owned;

// A picture as code values, one array a component: Y U V, R G B or Y alone.
struct Picture {
  GstVideoInfo info;
  std::vector<int> codes[3];

  int components() const { return GST_VIDEO_INFO_IS_GRAY(&info) ? 1 : 3; }
  int sub_x(int c) const { return 1 << GST_VIDEO_FORMAT_INFO_W_SUB(info.finfo, c); }
  int sub_y(int c) const { return 1 << GST_VIDEO_FORMAT_INFO_H_SUB(info.finfo, c); }
  int width(int c) const { return (GST_VIDEO_INFO_WIDTH(&info) + sub_x(c) - 1) / sub_x(c); }
  int height(int c) const { return (GST_VIDEO_INFO_HEIGHT(&info) + sub_y(c) - 1) / sub_y(c); }
  int depth() const { return static_cast<int>(GST_VIDEO_FORMAT_INFO_DEPTH(info.finfo, 0)); }
};

Picture random_picture(const GstVideoInfo &info, unsigned seed) {
  Picture picture;
  picture.info = info;
  std::mt19937 random(seed);
  for (int c = 0; c < picture.components(); c++)
    for (int i = picture.width(c) * picture.height(c); i > 0; i--)
      picture.codes[c].push_back(static_cast<int>(random() & ((1u << picture.depth()) - 1)));
  return picture;
}

// Where in its plane a component begins. The format descriptions have the V of P010 and its like in the middle of U.
gsize component_start(const GstVideoFormatInfo *format, int c) {
  const auto offset = static_cast<gsize>(GST_VIDEO_FORMAT_INFO_POFFSET(format, c));
  return GST_VIDEO_FORMAT_INFO_DEPTH(format, c) > 8 && offset == 1 ? 2 : offset;
}

// The picture in memory, noise wherever no code value lies: alpha, padding, the ends of rows.
Owned<GstBuffer> pack(const Picture &picture) {
  GstVideoInfo info = picture.info;
  Owned<GstBuffer> buffer(gst_buffer_new_allocate(nullptr, GST_VIDEO_INFO_SIZE(&info), nullptr));
  GstVideoFrame frame;
  fail_unless(gst_video_frame_map(&frame, &info, buffer.get(), GST_MAP_WRITE));
  std::mt19937 noise(1);
  GstMapInfo map = frame.map[0];
  for (gsize i = 0; i < map.size; i++)
    map.data[i] = static_cast<guint8>(noise());
  for (int c = 0; c < picture.components(); c++)
    for (int y = 0; y < picture.height(c); y++)
      for (int x = 0; x < picture.width(c); x++) {
        const int plane = GST_VIDEO_FORMAT_INFO_PLANE(info.finfo, c);
        guint8 *at = static_cast<guint8 *>(GST_VIDEO_FRAME_PLANE_DATA(&frame, plane)) + component_start(info.finfo, c) +
                     y * GST_VIDEO_FRAME_COMP_STRIDE(&frame, c) + x * GST_VIDEO_FRAME_COMP_PSTRIDE(&frame, c);
        const int code = picture.codes[c][static_cast<size_t>(y * picture.width(c) + x)];
        if (picture.depth() > 8)
          GST_WRITE_UINT16_LE(at, code << GST_VIDEO_FORMAT_INFO_SHIFT(info.finfo, c));
        else
          *at = static_cast<guint8>(code);
      }
  gst_video_frame_unmap(&frame);
  return buffer;
}

// docs/spec.md#pixels, in double.

struct Tap {
  int first, second;
  double rest;
};

Tap tap(int output, int outputs, int full, int sub, int samples) {
  const double luma = (output + 0.5) * full / outputs - 0.5;
  const double at = std::min(std::max((luma + 0.5) / sub - 0.5, 0.0), samples - 1.0);
  const int first = static_cast<int>(at);
  return {first, std::min(first + 1, samples - 1), at - first};
}

// A component at the target pixel (x, y), in code values.
double resized(const Picture &picture, int c, const Tap &x, const Tap &y) {
  const auto at = [&](int column, int row) -> double {
    return picture.codes[c][static_cast<size_t>(row * picture.width(c) + column)];
  };
  const double top = at(x.first, y.first) * (1 - x.rest) + at(x.second, y.first) * x.rest;
  const double bottom = at(x.first, y.second) * (1 - x.rest) + at(x.second, y.second) * x.rest;
  return top * (1 - y.rest) + bottom * y.rest;
}

struct Color {
  double kr, kb;
  bool full_range;
};

void to_rgb(const Picture &picture, const Color &color, const double (&value)[3], double (&rgb)[3]) {
  const double one = 1 << (picture.depth() - 8);
  if (GST_VIDEO_INFO_IS_RGB(&picture.info)) {
    for (int c = 0; c < 3; c++)
      rgb[c] = value[c] / one;
  } else {
    const double black = color.full_range ? 0 : 16 * one, white = (color.full_range ? 255 : 219) * one;
    const double swing = (color.full_range ? 255 : 224) * one;
    const double luma = (value[0] - black) / white;
    const double u = picture.components() > 1 ? (value[1] - 128 * one) / swing : 0.0;
    const double v = picture.components() > 1 ? (value[2] - 128 * one) / swing : 0.0;
    const double r = luma + 2 * (1 - color.kr) * v, b = luma + 2 * (1 - color.kb) * u;
    rgb[0] = 255 * r;
    rgb[1] = 255 * (luma - color.kr * r - color.kb * b) / (1 - color.kr - color.kb);
    if (picture.components() == 1)
      rgb[1] = 255 * luma;
    rgb[2] = 255 * b;
  }
  for (double &channel : rgb)
    channel = std::min(std::max(channel, 0.0), 255.0);
}

// The largest error of all pixels of all patches.
double largest_error(const Picture &picture, const Color &color, const pipes::Tensors &tensors) {
  const int target_width = static_cast<int>(tensors.clip->target_width),
            target_height = static_cast<int>(tensors.clip->target_height);
  const int patch = static_cast<int>(tensors.patches.dims[3]);
  const auto taps = [&](int, int outputs, int full, int sub, int samples) {
    std::vector<Tap> list;
    for (int i = 0; i < outputs; i++)
      list.push_back(tap(i, outputs, full, sub, samples));
    return list;
  };
  std::vector<Tap> x[3], y[3];
  for (int c = 0; c < picture.components(); c++) {
    x[c] = taps(c, target_width, GST_VIDEO_INFO_WIDTH(&picture.info), picture.sub_x(c), picture.width(c));
    y[c] = taps(c, target_height, GST_VIDEO_INFO_HEIGHT(&picture.info), picture.sub_y(c), picture.height(c));
  }
  double error = 0;
  for (size_t i = 0; i < tensors.count(); i++) {
    const std::vector<float> values = tensors.values(i);
    const auto top = static_cast<int>(tensors.field(i, 4)) * patch,
               left = static_cast<int>(tensors.field(i, 5)) * patch;
    for (int row = 0; row < patch; row++)
      for (int column = 0; column < patch; column++) {
        double value[3] = {0, 0, 0}, rgb[3];
        for (int c = 0; c < picture.components(); c++)
          value[c] =
              resized(picture, c, x[c][static_cast<size_t>(left + column)], y[c][static_cast<size_t>(top + row)]);
        to_rgb(picture, color, value, rgb);
        for (int c = 0; c < 3; c++) {
          const auto at = static_cast<size_t>((c * patch + row) * patch + column);
          error = std::max(error, std::fabs(rgb[c] - static_cast<double>(values[at])));
        }
      }
  }
  return error;
}

// One frame through the elements, all of its patches kept.
pipes::Outcome cut_all(const GstVideoInfo &info, Owned<GstBuffer> frame, const std::string &options) {
  pipes::Line line("appsrc name=in ! uniformsampler sequence-length=1 ! patchenergy ! "
                   "patchselect k-keep=2147483647 output-dtype=f32 " +
                   options + " ! tensormetasink name=sink");
  GST_BUFFER_PTS(frame.get()) = 0;
  cps_buffer_add_frame_meta(frame.get(), 0, 1, 0, CPS_FRAME_FLAG_RANDOM_ACCESS);
  std::vector<Owned<GstBuffer>> frames;
  frames.push_back(std::move(frame));
  const Owned<GstCaps> caps(gst_video_info_to_caps(const_cast<GstVideoInfo *>(&info)));
  line.feed(caps.get(), std::move(frames));
  return line.run();
}

std::vector<std::string> all_formats() {
  std::vector<std::string> formats;
  const Owned<GstCaps> caps(gst_caps_from_string(GST_VIDEO_CAPS_MAKE(CPS_VIDEO_FORMATS)));
  const GValue *list = gst_structure_get_value(gst_caps_get_structure(caps.get(), 0), "format");
  for (guint i = 0; i < gst_value_list_get_size(list); i++)
    if (const gchar *name = g_value_get_string(gst_value_list_get_value(list, i));
        gst_video_format_from_string(name) != GST_VIDEO_FORMAT_UNKNOWN) // later releases have more
      formats.emplace_back(name);
  return formats;
}

struct Matrix {
  const char *name;
  GstVideoColorMatrix matrix;
  double kr, kb;
};
constexpr Matrix kMatrices[] = {{"bt601", GST_VIDEO_COLOR_MATRIX_BT601, 0.299, 0.114},
                                {"bt709", GST_VIDEO_COLOR_MATRIX_BT709, 0.2126, 0.0722},
                                {"bt2020", GST_VIDEO_COLOR_MATRIX_BT2020, 0.2627, 0.0593}};

GstVideoInfo info_of(const std::string &format, int width, int height) {
  GstVideoInfo info;
  fail_unless(gst_video_info_set_format(&info, gst_video_format_from_string(format.c_str()), static_cast<guint>(width),
                                        static_cast<guint>(height)));
  info.fps_n = 25;
  info.fps_d = 1;
  return info;
}

// The largest error with the caps' colorimetry.
double caps_error(const std::string &format, int width, int height, const Matrix &matrix, bool full_range,
                  const std::string &options) {
  GstVideoInfo info = info_of(format, width, height);
  if (GST_VIDEO_INFO_IS_YUV(&info))
    info.colorimetry.matrix = matrix.matrix;
  if (!GST_VIDEO_INFO_IS_RGB(&info))
    info.colorimetry.range = full_range ? GST_VIDEO_COLOR_RANGE_0_255 : GST_VIDEO_COLOR_RANGE_16_235;
  const Picture picture = random_picture(info, static_cast<unsigned>(width));
  const pipes::Outcome outcome = cut_all(info, pack(picture), options);
  const double error = largest_error(picture, {matrix.kr, matrix.kb, full_range}, outcome.only_clip());
  fail_unless(error <= 1.0 / 64, "%s %dx%d %s %s: a pixel is off by %g", format.c_str(), width, height, matrix.name,
              full_range ? "full" : "limited", error);
  return error;
}

} // namespace

// Odd, portrait, and smaller than the reduced luma; target sizes above and below the source's.
GST_START_TEST(test_every_format) {
  constexpr int sizes[][2] = {{333, 187}, {90, 301}, {20, 15}, {3, 2}};
  double worst = 0;
  for (const std::string &format : all_formats()) {
    unsigned turn = 0;
    for (const auto &size : sizes)
      for (const bool full_range : {false, true})
        worst = std::max(worst, caps_error(format, size[0], size[1], kMatrices[turn++ % 3], full_range,
                                           "input-size=112 patch-size=7"));
  }
  g_print("pixels of all formats within %.5f\n", worst);
}
GST_END_TEST;

GST_START_TEST(test_full_size) {
  for (const char *format : {"I420", "NV12", "P010_10LE", "YUY2", "RGB"})
    caps_error(format, 1918, 1078, kMatrices[1], false, "");
}
GST_END_TEST;

GST_START_TEST(test_every_matrix) {
  for (const char *format : {"I420", "NV21", "Y444_12LE", "AYUV"})
    for (const Matrix &matrix : kMatrices)
      for (const bool full_range : {false, true})
        caps_error(format, 66, 50, matrix, full_range, "");
}
GST_END_TEST;

// Whatever the caps say, the matrix can be forced; the range stays.
GST_START_TEST(test_forced_matrix) {
  for (const bool full_range : {false, true})
    for (const Matrix &forced : kMatrices) {
      GstVideoInfo info = info_of("I420", 100, 60);
      info.colorimetry.matrix =
          forced.matrix == GST_VIDEO_COLOR_MATRIX_BT709 ? GST_VIDEO_COLOR_MATRIX_BT601 : GST_VIDEO_COLOR_MATRIX_BT709;
      info.colorimetry.range = full_range ? GST_VIDEO_COLOR_RANGE_0_255 : GST_VIDEO_COLOR_RANGE_16_235;
      const Picture picture = random_picture(info, 1);
      const pipes::Outcome outcome = cut_all(info, pack(picture), std::string("color-matrix=") + forced.name);
      const double error = largest_error(picture, {forced.kr, forced.kb, full_range}, outcome.only_clip());
      fail_unless(error <= 1.0 / 64, "%s: a pixel is off by %g", forced.name, error);
    }
}
GST_END_TEST;

// What caps without colorimetry mean follows from the height.
GST_START_TEST(test_unspecified_colorimetry) {
  for (const int height : {576, 720}) {
    GstVideoInfo info = info_of("I420", 128, height);
    info.colorimetry = {};
    const Picture picture = random_picture(info, 2);
    const pipes::Outcome outcome = cut_all(info, pack(picture), "");
    const Matrix &matrix = kMatrices[height > 576];
    const double error = largest_error(picture, {matrix.kr, matrix.kb, false}, outcome.only_clip());
    fail_unless(error <= 1.0 / 64, "height %d: a pixel is off by %g", height, error);
  }
}
GST_END_TEST;

// The order of components by somebody else's word: what videoconvert makes of one colour.
GST_START_TEST(test_one_color) {
  constexpr double rgb[3] = {200, 90, 30};
  for (const std::string &format : all_formats()) {
    const pipes::Outcome outcome = pipes::run(
        "videotestsrc num-buffers=1 pattern=solid-color foreground-color=0xffc85a1e ! video/x-raw,format=RGB,width=64,"
        "height=48 ! videoconvert ! video/x-raw,format=" +
        format +
        " ! uniformsampler sequence-length=1 total-frames=1 ! patchenergy ! patchselect k-keep=3 output-dtype=f32 "
        "! tensormetasink name=sink");
    const pipes::Tensors &clip = outcome.only_clip();
    const bool gray = GST_VIDEO_FORMAT_INFO_IS_GRAY(info_of(format, 64, 48).finfo);
    const std::vector<float> values = clip.values(0);
    for (size_t i = 0; i < values.size(); i++) {
      // Luma is of either matrix: 116 or 109
      const double expected = gray ? 112.5 : rgb[i / (values.size() / 3)];
      const double error = std::fabs(static_cast<double>(values[i]) - expected);
      fail_unless(error < 6, "%s: channel %zu is %g", format.c_str(), i / (values.size() / 3),
                  static_cast<double>(values[i]));
    }
  }
}
GST_END_TEST;

static Suite *pixels_suite() {
  Suite *suite = suite_create("golden-pixels");
  TCase *tests = pipes::make_tests(suite);
  tcase_add_test(tests, test_every_format);
  tcase_add_test(tests, test_full_size);
  tcase_add_test(tests, test_every_matrix);
  tcase_add_test(tests, test_forced_matrix);
  tcase_add_test(tests, test_unspecified_colorimetry);
  tcase_add_test(tests, test_one_color);
  return suite;
}

GST_CHECK_MAIN(pixels)
