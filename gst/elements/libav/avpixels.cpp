// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/libav/avpixels.h"

#include <algorithm>
#include <array>
#include <iterator>

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
}

namespace cps {

namespace {

struct SameFormat {
  AVPixelFormat libav;
  GstVideoFormat gst;
};

// Formats with the same layout, plane by plane. If several hold the converted picture equally well, the first is used.
constexpr SameFormat kFormats[] = {
    {AV_PIX_FMT_YUV420P, GST_VIDEO_FORMAT_I420},
    {AV_PIX_FMT_YUV422P, GST_VIDEO_FORMAT_Y42B},
    {AV_PIX_FMT_YUV444P, GST_VIDEO_FORMAT_Y444},
    {AV_PIX_FMT_YUVJ420P, GST_VIDEO_FORMAT_I420},
    {AV_PIX_FMT_YUVJ422P, GST_VIDEO_FORMAT_Y42B},
    {AV_PIX_FMT_YUVJ444P, GST_VIDEO_FORMAT_Y444},
    {AV_PIX_FMT_YUV411P, GST_VIDEO_FORMAT_Y41B},
    {AV_PIX_FMT_YUV410P, GST_VIDEO_FORMAT_YUV9},
    {AV_PIX_FMT_YUV420P10LE, GST_VIDEO_FORMAT_I420_10LE},
    {AV_PIX_FMT_YUV422P10LE, GST_VIDEO_FORMAT_I422_10LE},
    {AV_PIX_FMT_YUV444P10LE, GST_VIDEO_FORMAT_Y444_10LE},
    {AV_PIX_FMT_YUV420P12LE, GST_VIDEO_FORMAT_I420_12LE},
    {AV_PIX_FMT_YUV422P12LE, GST_VIDEO_FORMAT_I422_12LE},
    {AV_PIX_FMT_YUV444P12LE, GST_VIDEO_FORMAT_Y444_12LE},
    {AV_PIX_FMT_YUV444P16LE, GST_VIDEO_FORMAT_Y444_16LE},
    {AV_PIX_FMT_NV12, GST_VIDEO_FORMAT_NV12},
    {AV_PIX_FMT_YUYV422, GST_VIDEO_FORMAT_YUY2},
    {AV_PIX_FMT_UYVY422, GST_VIDEO_FORMAT_UYVY},
    {AV_PIX_FMT_GRAY8, GST_VIDEO_FORMAT_GRAY8},
    {AV_PIX_FMT_GRAY16LE, GST_VIDEO_FORMAT_GRAY16_LE},
    {AV_PIX_FMT_RGB24, GST_VIDEO_FORMAT_RGB},
    {AV_PIX_FMT_BGR24, GST_VIDEO_FORMAT_BGR},
    {AV_PIX_FMT_RGB0, GST_VIDEO_FORMAT_RGBx},
    {AV_PIX_FMT_BGR0, GST_VIDEO_FORMAT_BGRx},
    {AV_PIX_FMT_0RGB, GST_VIDEO_FORMAT_xRGB},
    {AV_PIX_FMT_0BGR, GST_VIDEO_FORMAT_xBGR},
    {AV_PIX_FMT_RGBA, GST_VIDEO_FORMAT_RGBA},
    {AV_PIX_FMT_BGRA, GST_VIDEO_FORMAT_BGRA},
    {AV_PIX_FMT_ARGB, GST_VIDEO_FORMAT_ARGB},
    {AV_PIX_FMT_ABGR, GST_VIDEO_FORMAT_ABGR},
    {AV_PIX_FMT_GBRP, GST_VIDEO_FORMAT_GBR},
    {AV_PIX_FMT_GBRP10LE, GST_VIDEO_FORMAT_GBR_10LE},
    {AV_PIX_FMT_GBRP12LE, GST_VIDEO_FORMAT_GBR_12LE},
    {AV_PIX_FMT_RGBA64LE, GST_VIDEO_FORMAT_RGBA64_LE},
};

const SameFormat *same_format(AVPixelFormat format) {
  const auto *end = std::end(kFormats);
  const auto *found =
      std::find_if(std::begin(kFormats), end, [format](const SameFormat &one) { return one.libav == format; });
  return found == end ? nullptr : found;
}

const SameFormat *nearest_format(AVPixelFormat format) {
  if (const SameFormat *same = same_format(format))
    return same;
  std::array<AVPixelFormat, std::size(kFormats) + 1> list{};
  std::transform(std::begin(kFormats), std::end(kFormats), list.begin(),
                 [](const SameFormat &one) { return one.libav; });
  list.back() = AV_PIX_FMT_NONE;
  return same_format(avcodec_find_best_pix_fmt_of_list(list.data(), format, 0, nullptr)); // alpha is not read
}

} // namespace

bool is_full_range(const AVFrame *picture) {
  switch (picture->format) {
  case AV_PIX_FMT_YUVJ420P:
  case AV_PIX_FMT_YUVJ422P:
  case AV_PIX_FMT_YUVJ444P:
  case AV_PIX_FMT_YUVJ440P:
  case AV_PIX_FMT_YUVJ411P:
    return true;
  default:
    return picture->color_range == AVCOL_RANGE_JPEG;
  }
}

void AvPixels::FreeScaler::operator()(SwsContext *scaler) const {
  sws_freeContext(scaler);
}

bool AvPixels::are_of(const AVFrame *picture) const {
  return from_ == picture->format && width_ == picture->width && height_ == picture->height &&
         full_range_ == is_full_range(picture);
}

const char *AvPixels::name() const {
  return av_get_pix_fmt_name(static_cast<AVPixelFormat>(from_));
}

bool AvPixels::set_up(const AVFrame *picture) {
  const auto from = static_cast<AVPixelFormat>(picture->format);
  const SameFormat *to = nearest_format(from);
  if (!to)
    return false;
  from_ = from;
  to_ = to->libav;
  width_ = picture->width;
  height_ = picture->height;
  full_range_ = is_full_range(picture);
  format_ = to->gst;
  scaler_.reset();
  if (from_ == to_)
    return true;
  scaler_.reset(sws_getContext(width_, height_, from, width_, height_, to->libav,
                               SWS_BILINEAR | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT, nullptr, nullptr, nullptr));
  if (!scaler_)
    return false;
  // Keeps the range of the input.
  const int *matrix = sws_getCoefficients(picture->colorspace);
  constexpr int kOne = 1 << 16;
  sws_setColorspaceDetails(scaler_.get(), matrix, full_range_, matrix, full_range_, 0, kOne, kOne);
  return true;
}

void AvPixels::copy(const AVFrame *picture, GstVideoFrame &frame) const {
  std::array<uint8_t *, 4> planes{};
  std::array<int, 4> strides{};
  for (guint i = 0; i < GST_VIDEO_FRAME_N_PLANES(&frame); i++) {
    planes[i] = static_cast<uint8_t *>(GST_VIDEO_FRAME_PLANE_DATA(&frame, i));
    strides[i] = GST_VIDEO_FRAME_PLANE_STRIDE(&frame, i);
  }
  if (scaler_)
    sws_scale(scaler_.get(), picture->data, picture->linesize, 0, height_, planes.data(), strides.data());
  else
    av_image_copy(planes.data(), strides.data(), const_cast<const uint8_t **>(picture->data), picture->linesize,
                  static_cast<AVPixelFormat>(from_), width_, height_);
}

} // namespace cps
