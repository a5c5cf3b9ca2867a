// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/common/picture.h"

#include <algorithm>
#include <cstring>

namespace cps {

// Sets a number that is not a value of the enumeration to 0 ("unknown"), without evaluating it as an enumerator.
template <typename E> static void clear_if_unheard_of(E &value, E last) {
  static_assert(sizeof(E) == sizeof(int), "as C has it");
  int number;
  std::memcpy(&number, &value, sizeof(E));
  if (number < 0 || number > static_cast<int>(last))
    value = E{};
}

static void clear_what_is_unheard_of(GstVideoColorimetry &colorimetry) {
  clear_if_unheard_of(colorimetry.matrix, GST_VIDEO_COLOR_MATRIX_BT2020);
  clear_if_unheard_of(colorimetry.range, GST_VIDEO_COLOR_RANGE_16_235);
}

bool colorimetry_from_string(GstVideoColorimetry &colorimetry, const gchar *text) {
  if (!gst_video_colorimetry_from_string(&colorimetry, text))
    return false;
  clear_what_is_unheard_of(colorimetry);
  return true;
}

bool video_info_from_caps(GstVideoInfo &info, const GstCaps *caps) {
  if (!gst_video_info_from_caps(&info, caps))
    return false;
  clear_what_is_unheard_of(info.colorimetry);
  const gchar *text = gst_structure_get_string(gst_caps_get_structure(caps, 0), "colorimetry");
  GstVideoColorimetry told;
  if (text && colorimetry_from_string(told, text)) {
    told.matrix = info.colorimetry.matrix;
    info.colorimetry = told;
  }
  return true;
}

bool same_layout(const GstVideoInfo &a, const GstVideoInfo &b) {
  return a.finfo == b.finfo && a.width == b.width && a.height == b.height;
}

GstVideoColorimetry stream_colorimetry(const GstVideoInfo &info) {
  GstVideoInfo defaults;
  gst_video_info_set_format(&defaults, GST_VIDEO_INFO_FORMAT(&info), static_cast<guint>(info.width),
                            static_cast<guint>(info.height));
  GstVideoColorimetry colorimetry = info.colorimetry;
  gdouble kr, kb;
  if (!gst_video_color_matrix_get_Kr_Kb(colorimetry.matrix, &kr, &kb))
    colorimetry.matrix = defaults.colorimetry.matrix;
  if (colorimetry.range != GST_VIDEO_COLOR_RANGE_0_255 && colorimetry.range != GST_VIDEO_COLOR_RANGE_16_235)
    colorimetry.range = defaults.colorimetry.range;
  return colorimetry;
}

bool same_colors(const GstVideoInfo &a, const GstVideoInfo &b) {
  const GstVideoColorimetry ca = stream_colorimetry(a), cb = stream_colorimetry(b);
  return ca.matrix == cb.matrix && ca.range == cb.range;
}

static Orientation kernel_orientation(CpsOrientation orientation) {
  switch (orientation) {
  case CPS_ORIENTATION_IDENTITY:
    break;
  case CPS_ORIENTATION_90R:
    return {true, true, false};
  case CPS_ORIENTATION_180:
    return {false, true, true};
  case CPS_ORIENTATION_90L:
    return {true, false, true};
  case CPS_ORIENTATION_HORIZ:
    return {false, true, false};
  case CPS_ORIENTATION_VERT:
    return {false, false, true};
  case CPS_ORIENTATION_UL_LR:
    return {true, false, false};
  case CPS_ORIENTATION_UR_LL:
    return {true, true, true};
  }
  return {};
}

// The size in memory. Never smaller than the size in the caps, because the frame could not be mapped otherwise.
static Size stored_size(GstBuffer *buffer, const GstVideoInfo &info) {
  Size size = {GST_VIDEO_INFO_WIDTH(&info), GST_VIDEO_INFO_HEIGHT(&info)};
  if (const GstVideoMeta *meta = gst_buffer_get_video_meta(buffer)) {
    size.width = std::max(size.width, static_cast<int>(meta->width));
    size.height = std::max(size.height, static_cast<int>(meta->height));
  }
  return size;
}

bool same_memory(GstBuffer *a, GstBuffer *b) {
  const guint count = gst_buffer_n_memory(a);
  if (gst_buffer_n_memory(b) != count)
    return false;
  for (guint i = 0; i < count; i++)
    if (gst_buffer_peek_memory(a, i) != gst_buffer_peek_memory(b, i))
      return false;
  const GstVideoMeta *of_a = gst_buffer_get_video_meta(a), *of_b = gst_buffer_get_video_meta(b);
  if (!of_a || !of_b)
    return of_a == of_b;
  const guint planes = of_a->n_planes;
  return of_b->n_planes == planes && of_b->format == of_a->format && of_b->width == of_a->width &&
         of_b->height == of_a->height && std::equal(of_a->offset, of_a->offset + planes, of_b->offset) &&
         std::equal(of_a->stride, of_a->stride + planes, of_b->stride);
}

bool crop_of(GstBuffer *buffer, const GstVideoInfo &info, const CpsFrameMeta *frame, ReadRegion &crop) {
  const Size whole = stored_size(buffer, info);
  Rect stored = {0, 0, GST_VIDEO_INFO_WIDTH(&info), GST_VIDEO_INFO_HEIGHT(&info)};
  if (const GstVideoCropMeta *meta = gst_buffer_get_video_crop_meta(buffer)) {
    const guint64 right = guint64{meta->x} + meta->width, bottom = guint64{meta->y} + meta->height;
    if (meta->width == 0 || meta->height == 0 || right > static_cast<guint64>(whole.width) ||
        bottom > static_cast<guint64>(whole.height))
      return false;
    stored = {static_cast<int>(meta->x), static_cast<int>(meta->y), static_cast<int>(meta->width),
              static_cast<int>(meta->height)};
  }
  const CpsOrientation orientation = frame ? frame->orientation : CPS_ORIENTATION_IDENTITY;
  crop = {turned(stored, whole, kernel_orientation(orientation)), orientation, whole};
  return true;
}

static ColorModel color_model(const GstVideoFormatInfo *format) {
  if (GST_VIDEO_FORMAT_INFO_IS_GRAY(format))
    return ColorModel::Gray;
  return GST_VIDEO_FORMAT_INFO_IS_RGB(format) ? ColorModel::Rgb : ColorModel::Yuv;
}

// The layout of a whole stored frame, without pixels.
static PictureView whole_layout(const GstVideoFormatInfo *format, Size size) {
  PictureView view;
  view.model = color_model(format);
  view.size = size;
  const int last = view.planes() - 1;
  view.sub_x = 1 << GST_VIDEO_FORMAT_INFO_W_SUB(format, last);
  view.sub_y = 1 << GST_VIDEO_FORMAT_INFO_H_SUB(format, last);
  for (int c = 0; c < view.planes(); c++) {
    PlaneView &plane = view.plane[c];
    plane.step = GST_VIDEO_FORMAT_INFO_PSTRIDE(format, c);
    plane.bits = static_cast<int>(GST_VIDEO_FORMAT_INFO_DEPTH(format, c));
    plane.shift = static_cast<int>(GST_VIDEO_FORMAT_INFO_SHIFT(format, c));
    plane.width = GST_VIDEO_FORMAT_INFO_SCALE_WIDTH(format, c, view.size.width);
    plane.height = GST_VIDEO_FORMAT_INFO_SCALE_HEIGHT(format, c, view.size.height);
  }
  return view;
}

static PictureView shown(const PictureView &whole, const ReadRegion &crop) {
  return cropped(turned(whole, kernel_orientation(crop.orientation)), crop);
}

PictureView picture_layout(const GstVideoInfo &info, const ReadRegion &crop) {
  return shown(whole_layout(info.finfo, crop.whole), crop);
}

// Bytes from the start of its plane to the first sample of a component. GStreamer gives the offset of the second chroma
// component of P010 and similar formats as 1, which is within the first sample; such an offset counts samples.
static ptrdiff_t component_offset(const GstVideoFormatInfo *format, int c) {
  const int offset = GST_VIDEO_FORMAT_INFO_POFFSET(format, c),
            word = GST_VIDEO_FORMAT_INFO_DEPTH(format, c) > 8 ? 2 : 1;
  return offset % word != 0 ? offset * word : offset;
}

MappedPicture::MappedPicture(GstBuffer *buffer, const GstVideoInfo &info, const ReadRegion &crop, guint flags)
    : mapped_(gst_video_frame_map(
          &frame_, const_cast<GstVideoInfo *>(&info), buffer,
          static_cast<GstMapFlags>(flags | GST_MAP_READ | static_cast<guint>(GST_VIDEO_FRAME_MAP_FLAG_NO_REF)))) {
  if (!mapped_)
    return;
  PictureView whole = whole_layout(info.finfo, crop.whole);
  for (int c = 0; c < whole.planes(); c++) {
    PlaneView &plane = whole.plane[c];
    plane.stride = GST_VIDEO_FRAME_COMP_STRIDE(&frame_, c);
    plane.data =
        static_cast<const uint8_t *>(GST_VIDEO_FRAME_PLANE_DATA(&frame_, GST_VIDEO_FORMAT_INFO_PLANE(info.finfo, c))) +
        component_offset(info.finfo, c);
  }
  view_ = shown(whole, crop);
}

MappedPicture::~MappedPicture() {
  if (mapped_)
    gst_video_frame_unmap(&frame_);
}

} // namespace cps
