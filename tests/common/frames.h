// SPDX-License-Identifier: LGPL-2.1-or-later
// Raw frames with known samples, as GStreamer's buffers and as the pictures of the slow reference.
#pragma once

#include "gst/codecpatch/cpsframemeta.h"
#include "gst/codecpatch/owned.h"
#include "tests/kernels/reference.h"

#include <gst/check/gstcheck.h>
#include <gst/video/video.h>

#include <random>
#include <vector>

namespace test {

using cps::Owned;

// The layout of the raw formats, independent of GStreamer's tables.
struct Format {
  const char *name;
  cps::ColorModel model;
  int bits, shift, sub_x, sub_y;
};

constexpr Format kFormats[] = {
    {"I420", cps::ColorModel::Yuv, 8, 0, 2, 2},          {"YV12", cps::ColorModel::Yuv, 8, 0, 2, 2},
    {"NV12", cps::ColorModel::Yuv, 8, 0, 2, 2},          {"NV21", cps::ColorModel::Yuv, 8, 0, 2, 2},
    {"Y42B", cps::ColorModel::Yuv, 8, 0, 2, 1},          {"Y444", cps::ColorModel::Yuv, 8, 0, 1, 1},
    {"I420_10LE", cps::ColorModel::Yuv, 10, 0, 2, 2},    {"P010_10LE", cps::ColorModel::Yuv, 10, 6, 2, 2},
    {"GRAY8", cps::ColorModel::Gray, 8, 0, 1, 1},        {"GRAY16_LE", cps::ColorModel::Gray, 16, 0, 1, 1},
    {"RGB", cps::ColorModel::Rgb, 8, 0, 1, 1},           {"BGR", cps::ColorModel::Rgb, 8, 0, 1, 1},
    {"RGBx", cps::ColorModel::Rgb, 8, 0, 1, 1},          {"BGRx", cps::ColorModel::Rgb, 8, 0, 1, 1},
    {"RGBA", cps::ColorModel::Rgb, 8, 0, 1, 1},          {"BGRA", cps::ColorModel::Rgb, 8, 0, 1, 1},
    {"NV16", cps::ColorModel::Yuv, 8, 0, 2, 1},          {"NV24", cps::ColorModel::Yuv, 8, 0, 1, 1},
    {"Y41B", cps::ColorModel::Yuv, 8, 0, 4, 1},          {"YUY2", cps::ColorModel::Yuv, 8, 0, 2, 1},
    {"UYVY", cps::ColorModel::Yuv, 8, 0, 2, 1},          {"AYUV", cps::ColorModel::Yuv, 8, 0, 1, 1},
    {"I422_10LE", cps::ColorModel::Yuv, 10, 0, 2, 1},    {"Y444_10LE", cps::ColorModel::Yuv, 10, 0, 1, 1},
    {"I420_12LE", cps::ColorModel::Yuv, 12, 0, 2, 2},    {"I422_12LE", cps::ColorModel::Yuv, 12, 0, 2, 1},
    {"Y444_12LE", cps::ColorModel::Yuv, 12, 0, 1, 1},    {"P012_LE", cps::ColorModel::Yuv, 12, 4, 2, 2},
    {"P016_LE", cps::ColorModel::Yuv, 16, 0, 2, 2},      {"GBR", cps::ColorModel::Rgb, 8, 0, 1, 1},
    {"xRGB", cps::ColorModel::Rgb, 8, 0, 1, 1},          {"xBGR", cps::ColorModel::Rgb, 8, 0, 1, 1},
    {"ARGB", cps::ColorModel::Rgb, 8, 0, 1, 1},          {"ABGR", cps::ColorModel::Rgb, 8, 0, 1, 1},
    {"Y444_16LE", cps::ColorModel::Yuv, 16, 0, 1, 1},    {"NV61", cps::ColorModel::Yuv, 8, 0, 2, 1},
    {"YUV9", cps::ColorModel::Yuv, 8, 0, 4, 4},          {"YVU9", cps::ColorModel::Yuv, 8, 0, 4, 4},
    {"v308", cps::ColorModel::Yuv, 8, 0, 1, 1},          {"IYU2", cps::ColorModel::Yuv, 8, 0, 1, 1},
    {"VUYA", cps::ColorModel::Yuv, 8, 0, 1, 1},          {"v216", cps::ColorModel::Yuv, 16, 0, 2, 1},
    {"A420", cps::ColorModel::Yuv, 8, 0, 2, 2},          {"AV12", cps::ColorModel::Yuv, 8, 0, 2, 2},
    {"A420_10LE", cps::ColorModel::Yuv, 10, 0, 2, 2},    {"A422_10LE", cps::ColorModel::Yuv, 10, 0, 2, 1},
    {"A444_10LE", cps::ColorModel::Yuv, 10, 0, 1, 1},    {"A422", cps::ColorModel::Yuv, 8, 0, 2, 1},
    {"A444", cps::ColorModel::Yuv, 8, 0, 1, 1},          {"A420_12LE", cps::ColorModel::Yuv, 12, 0, 2, 2},
    {"A422_12LE", cps::ColorModel::Yuv, 12, 0, 2, 1},    {"A444_12LE", cps::ColorModel::Yuv, 12, 0, 1, 1},
    {"A420_16LE", cps::ColorModel::Yuv, 16, 0, 2, 2},    {"A422_16LE", cps::ColorModel::Yuv, 16, 0, 2, 1},
    {"A444_16LE", cps::ColorModel::Yuv, 16, 0, 1, 1},    {"RGBP", cps::ColorModel::Rgb, 8, 0, 1, 1},
    {"BGRP", cps::ColorModel::Rgb, 8, 0, 1, 1},          {"GBR_10LE", cps::ColorModel::Rgb, 10, 0, 1, 1},
    {"GBR_12LE", cps::ColorModel::Rgb, 12, 0, 1, 1},     {"GBR_16LE", cps::ColorModel::Rgb, 16, 0, 1, 1},
    {"GBRA", cps::ColorModel::Rgb, 8, 0, 1, 1},          {"GBRA_10LE", cps::ColorModel::Rgb, 10, 0, 1, 1},
    {"GBRA_12LE", cps::ColorModel::Rgb, 12, 0, 1, 1},    {"RBGA", cps::ColorModel::Rgb, 8, 0, 1, 1},
    {"ARGB64_LE", cps::ColorModel::Rgb, 16, 0, 1, 1},    {"RGBA64_LE", cps::ColorModel::Rgb, 16, 0, 1, 1},
    {"BGRA64_LE", cps::ColorModel::Rgb, 16, 0, 1, 1},    {"ABGR64_LE", cps::ColorModel::Rgb, 16, 0, 1, 1},
    {"GRAY10_LE16", cps::ColorModel::Gray, 10, 0, 1, 1}, {"YVYU", cps::ColorModel::Yuv, 8, 0, 2, 1},
    {"ARGB64", cps::ColorModel::Rgb, 16, 0, 1, 1},       {"AYUV64", cps::ColorModel::Yuv, 16, 0, 1, 1},
};

// The formats that this GStreamer knows.
inline std::vector<Format> known_formats() {
  std::vector<Format> known;
  for (const Format &format : kFormats)
    if (gst_video_format_from_string(format.name) != GST_VIDEO_FORMAT_UNKNOWN)
      known.push_back(format);
  return known;
}

inline const Format &format_named(const char *name) {
  for (const Format &format : kFormats)
    if (g_str_equal(format.name, name))
      return format;
  ck_abort_msg("no format %s", name);
}

inline GstVideoInfo video_info(const char *format, int width, int height, const char *colorimetry = nullptr) {
  GstVideoInfo info;
  fail_unless(gst_video_info_set_format(&info, gst_video_format_from_string(format), static_cast<guint>(width),
                                        static_cast<guint>(height)));
  info.fps_n = 25;
  info.fps_d = 1;
  if (colorimetry)
    fail_unless(gst_video_colorimetry_from_string(&info.colorimetry, colorimetry));
  return info;
}

inline Owned<GstCaps> video_caps(const GstVideoInfo &info) {
  return Owned<GstCaps>(gst_video_info_to_caps(const_cast<GstVideoInfo *>(&info)));
}

// The visible part of a frame, in pixels.
struct Region {
  int x = 0, y = 0, width = 0, height = 0;
};

inline void add_crop(GstBuffer *buffer, const Region &region) {
  GstVideoCropMeta *crop = gst_buffer_add_video_crop_meta(buffer);
  crop->x = static_cast<guint>(region.x);
  crop->y = static_cast<guint>(region.y);
  crop->width = static_cast<guint>(region.width);
  crop->height = static_cast<guint>(region.height);
}

// The orientations in which a frame may be displayed.
struct Shown {
  CpsOrientation orientation;
  cps::Orientation turn;
};

constexpr Shown kShown[] = {
    {CPS_ORIENTATION_IDENTITY, {false, false, false}}, {CPS_ORIENTATION_90R, {true, true, false}},
    {CPS_ORIENTATION_180, {false, true, true}},        {CPS_ORIENTATION_90L, {true, false, true}},
    {CPS_ORIENTATION_HORIZ, {false, true, false}},     {CPS_ORIENTATION_VERT, {false, false, true}},
    {CPS_ORIENTATION_UL_LR, {true, false, false}},     {CPS_ORIENTATION_UR_LL, {true, true, true}},
};

// The displayed part of the picture of a whole frame whose crop meta is `region`.
inline reference::Picture shown(const reference::Picture &picture, const Region &region, const cps::Orientation &turn) {
  const cps::Size size = {picture.layout().width, picture.layout().height};
  return cropped(turned(picture, turn), turned({region.x, region.y, region.width, region.height}, size, turn));
}

// A picture of noise that fills `region` of a frame of the format.
inline reference::Picture noise_picture(const Format &format, const Region &region, unsigned seed) {
  reference::Layout layout;
  layout.model = format.model;
  layout.width = region.width;
  layout.height = region.height;
  layout.bits = format.bits;
  layout.sub_x = format.sub_x;
  layout.sub_y = format.sub_y;
  layout.phase_x = region.x % format.sub_x;
  layout.phase_y = region.y % format.sub_y;
  return reference::noise(layout, seed);
}

inline reference::Picture noise_picture(const char *format, int width, int height, unsigned seed) {
  return noise_picture(format_named(format), {0, 0, width, height}, seed);
}

// Writes `picture` into the buffer with its top left pixel at (x, y); `info` describes the memory's layout.
inline void write_picture(GstBuffer *buffer, const GstVideoInfo &info, const reference::Picture &picture, int x = 0,
                          int y = 0) {
  const Format &format = format_named(GST_VIDEO_INFO_NAME(&info));
  GstVideoFrame frame;
  fail_unless(gst_video_frame_map(&frame, const_cast<GstVideoInfo *>(&info), buffer, GST_MAP_WRITE));
  for (int p = 0; p < picture.planes(); ++p) {
    const bool chroma = format.model == cps::ColorModel::Yuv && p > 0;
    const int left = x / (chroma ? format.sub_x : 1), top = y / (chroma ? format.sub_y : 1);
    // U and V alternate in the words of P010 and similar formats; some releases of GStreamer place V one byte after U.
    const bool second_word = p == 2 && g_str_has_prefix(format.name, "P01");
    const int offset = second_word ? 2 : GST_VIDEO_FRAME_COMP_POFFSET(&frame, p);
    for (int row = 0; row < picture.plane_height(p); ++row)
      for (int column = 0; column < picture.plane_width(p); ++column) {
        guint8 *sample =
            static_cast<guint8 *>(GST_VIDEO_FRAME_PLANE_DATA(&frame, GST_VIDEO_FRAME_COMP_PLANE(&frame, p))) + offset +
            (top + row) * GST_VIDEO_FRAME_COMP_STRIDE(&frame, p) +
            (left + column) * GST_VIDEO_FRAME_COMP_PSTRIDE(&frame, p);
        const int value = picture.at(p, column, row) << format.shift;
        *sample = static_cast<guint8>(value);
        if (format.bits > 8)
          sample[1] = static_cast<guint8>(value >> 8);
      }
  }
  gst_video_frame_unmap(&frame);
}

inline Owned<GstBuffer> noise_buffer(gsize size, unsigned seed = 0) {
  std::mt19937 random(seed);
  Owned<GstBuffer> buffer(gst_buffer_new_allocate(nullptr, size, nullptr));
  GstMapInfo map;
  fail_unless(gst_buffer_map(buffer.get(), &map, GST_MAP_WRITE));
  for (gsize i = 0; i < map.size; ++i)
    map.data[i] = static_cast<guint8>(random());
  gst_buffer_unmap(buffer.get(), &map);
  return buffer;
}

inline Owned<GstBuffer> frame_of(const reference::Picture &picture, const GstVideoInfo &info) {
  Owned<GstBuffer> buffer = noise_buffer(info.size);
  write_picture(buffer.get(), info, picture);
  return buffer;
}

// Presentation time of a frame at 25 frames a second.
inline GstClockTime time_of(guint64 frame) {
  return frame * 40 * GST_MSECOND;
}

// Adds the identity that the planner would add.
inline Owned<GstBuffer> stamped(Owned<GstBuffer> buffer, guint64 frame_id, guint64 total,
                                CpsFrameFlags flags = CPS_FRAME_FLAG_NONE) {
  cps_buffer_add_frame_meta(buffer.get(), frame_id, total, time_of(frame_id), flags);
  return buffer;
}

// Adds the identity that the sampler would add.
inline Owned<GstBuffer> sampled(Owned<GstBuffer> buffer, guint64 frame_id, guint position, guint length,
                                CpsFrameFlags flags = CPS_FRAME_FLAG_NONE, guint clip_index = 0) {
  CpsFrameMeta *meta = cps_buffer_add_frame_meta(buffer.get(), frame_id, 100, time_of(frame_id), flags);
  meta->clip_index = clip_index;
  meta->seq_pos = position;
  meta->seq_len = length;
  return buffer;
}

} // namespace test
