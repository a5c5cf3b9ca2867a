// SPDX-License-Identifier: LGPL-2.1-or-later
// Clips of 1080p that cost an encoder bits and a decoder time as filmed ones do: texture with edges under a camera that
// pans by fractions of a pixel, things that move before it, and the noise of a sensor.
#pragma once

#include "tests/benchmarks/common.h"

#include <gst/app/gstappsrc.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <random>

namespace bench {

constexpr int kWidth = 1920, kHeight = 1080, kRate = 30;

class Scene {
public:
  Scene() : random_(1) {
    for (size_t p = 0; p < textures_.size(); p++)
      textures_[p] = make_texture(p == 0 ? kLuma : kChroma);
    for (auto &noise : noise_)
      noise = static_cast<int8_t>(static_cast<int>(random_() % 7) + static_cast<int>(random_() % 7) - 6) / 2;
  }

  static constexpr size_t kBytes = size_t{kWidth} * kHeight * 3 / 2;

  // I420.
  void draw(int number, uint8_t *pixels) {
    for (size_t p = 0; p < textures_.size(); p++) {
      const Size size = p == 0 ? kLuma : kChroma;
      const double scale = p == 0 ? 1 : 0.5;
      const auto at = [&](double middle, double reach, double speed) {
        return scale * (middle + reach * std::sin(speed * number));
      };
      copy(textures_[p], at(kMargin, kMargin - 8, 0.011), at(kMargin / 2.0, kMargin / 2.0 - 8, 0.007), size, pixels,
           size.width);
      for (int thing = 0; thing < kThings; thing++) {
        const auto x = static_cast<int>(at(820 + 30 * thing, 700 - 20 * thing, 0.013 + 0.004 * thing)) & ~1;
        const auto y = static_cast<int>(at(420, 380, 0.017 - 0.003 * thing)) & ~1;
        const auto side = static_cast<int>(scale * (96 + 32 * thing));
        // What it shows moves with it: it is cut out of the texture at a place of its own.
        copy(textures_[p], scale * 240 * thing, scale * 90 * thing, {side, side}, pixels + y * size.width + x,
             size.width);
      }
      pixels += size.width * size.height;
    }
    add_noise(pixels - kBytes);
  }

private:
  struct Size {
    int width, height;
  };
  static constexpr Size kLuma = {kWidth, kHeight}, kChroma = {kWidth / 2, kHeight / 2};
  static constexpr int kMargin = 256; // to pan in
  static constexpr int kThings = 6;
  static constexpr int kPhases = 4; // of a pixel

  // The same picture, further left by 0, 1, 2 and 3 quarters of a pixel.
  struct Texture {
    int stride;
    std::array<std::vector<uint8_t>, kPhases> phases;
  };

  // Noise of several sizes, the larger the stronger, with blocks of other brightness for edges.
  Texture make_texture(Size size) {
    const int stride = size.width + 2 * kMargin, height = size.height + kMargin;
    std::vector<double> sum(static_cast<size_t>(stride) * static_cast<size_t>(height), 110);
    for (int cell = 256; cell >= 2; cell /= 2)
      add_octave(sum, stride, height, cell, 3.0 * std::sqrt(cell));
    for (int block = 0; block < 300; block++) {
      const int x = pick(stride - 130), y = pick(height - 130), w = 8 + pick(120), h = 8 + pick(120);
      const double brighter = pick(90) - 45;
      for (int j = y; j < y + h; j++)
        for (int i = x; i < x + w; i++)
          sum[static_cast<size_t>(j * stride + i)] += brighter;
    }
    Texture texture = {stride, {}};
    for (int phase = 0; phase < kPhases; phase++) {
      auto &pixels = texture.phases[static_cast<size_t>(phase)];
      pixels.resize(sum.size());
      for (size_t i = 0; i < sum.size(); i++) {
        const double next = sum[std::min(i + 1, sum.size() - 1)];
        pixels[i] = static_cast<uint8_t>(std::clamp(sum[i] + (next - sum[i]) * phase / kPhases, 20.0, 230.0));
      }
    }
    return texture;
  }

  int pick(int below) { return static_cast<int>(random_() % static_cast<unsigned>(below)); }

  void add_octave(std::vector<double> &sum, int stride, int height, int cell, double strength) {
    const int across = stride / cell + 2, down = height / cell + 2;
    std::vector<double> corners(static_cast<size_t>(across) * static_cast<size_t>(down));
    for (double &corner : corners)
      corner = strength * (pick(2001) - 1000) / 1000;
    for (int y = 0; y < height; y++)
      for (int x = 0; x < stride; x++) {
        const double *corner = &corners[static_cast<size_t>(y / cell * across + x / cell)];
        const double right = static_cast<double>(x % cell) / cell, under = static_cast<double>(y % cell) / cell;
        sum[static_cast<size_t>(y * stride + x)] += (corner[0] * (1 - right) + corner[1] * right) * (1 - under) +
                                                    (corner[across] * (1 - right) + corner[across + 1] * right) * under;
      }
  }

  static void copy(const Texture &from, double x, double y, Size size, uint8_t *to, int stride) {
    const int quarters = static_cast<int>(x * kPhases);
    const uint8_t *pixels = from.phases[static_cast<size_t>(quarters % kPhases)].data() +
                            static_cast<int>(y) * from.stride + quarters / kPhases;
    for (int row = 0; row < size.height; row++)
      std::copy_n(pixels + row * from.stride, size.width, to + row * stride);
  }

  // On luma only. What the rows get is the same noise from another place, for that costs next to nothing.
  void add_noise(uint8_t *pixels) {
    for (int y = 0; y < kHeight; y++) {
      const int8_t *noise = &noise_[random_() % (noise_.size() - kWidth)];
      for (int x = 0; x < kWidth; x++)
        pixels[y * kWidth + x] = static_cast<uint8_t>(pixels[y * kWidth + x] + noise[x]);
    }
  }

  std::minstd_rand random_; // gives the same on every machine
  std::array<Texture, 3> textures_;
  std::array<int8_t, 1 << 16> noise_;
};

// Runs a line whose appsrc `in` gets what `next` gives for 0 .. count - 1.
template <typename Next> void feed(const std::string &line, const GstCaps *caps, size_t count, Next next) {
  const Owned<GstElement> pipeline = make_line(line);
  const Owned<GstElement> in = element_of(pipeline.get(), "in");
  auto *source = GST_APP_SRC(in.get());
  g_object_set(source, "format", GST_FORMAT_TIME, "block", TRUE, "max-bytes", guint64{32 << 20}, nullptr);
  gst_app_src_set_caps(source, caps);
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  for (size_t i = 0; i < count; i++)
    if (gst_app_src_push_buffer(source, Owned<GstBuffer>(next(i)).release()) != GST_FLOW_OK)
      break; // the bus tells why
  gst_app_src_end_of_stream(source);
  finish(pipeline.get());
}

inline GstClockTime time_of(size_t frame) {
  return gst_util_uint64_scale(frame, GST_SECOND, kRate);
}

// H.264 in MP4; `options` are those of x264enc.
inline void make_clip(const std::string &path, size_t frames, const std::string &options) {
  Scene scene;
  const Owned<GstCaps> caps(gst_caps_new_simple("video/x-raw", "format", G_TYPE_STRING, "I420", "width", G_TYPE_INT,
                                                kWidth, "height", G_TYPE_INT, kHeight, "framerate", GST_TYPE_FRACTION,
                                                kRate, 1, "pixel-aspect-ratio", GST_TYPE_FRACTION, 1, 1, nullptr));
  feed("appsrc name=in ! x264enc speed-preset=veryfast bitrate=5000 " + options +
           " ! h264parse ! mp4mux ! filesink location=\"" + path + "\"",
       caps.get(), frames, [&scene](size_t number) {
         std::vector<uint8_t> pixels(Scene::kBytes);
         scene.draw(static_cast<int>(number), pixels.data());
         GstBuffer *buffer = gst_buffer_new_allocate(nullptr, pixels.size(), nullptr);
         gst_buffer_fill(buffer, 0, pixels.data(), pixels.size());
         GST_BUFFER_PTS(buffer) = time_of(number);
         GST_BUFFER_DURATION(buffer) = time_of(number + 1) - time_of(number);
         return buffer;
       });
}

// A stream's access units as they pass a pad.
struct Units {
  Owned<GstCaps> caps;
  std::vector<Owned<GstBuffer>> buffers;
};

// Those that pass `pad` of the element `at` while `line` runs.
inline Units collect(const std::string &line, const char *at, const char *pad_name) {
  Units units;
  const Owned<GstElement> pipeline = make_line(line);
  const Owned<GstPad> pad = pad_of(pipeline.get(), at, pad_name);
  gst_pad_add_probe(
      pad.get(), GST_PAD_PROBE_TYPE_BUFFER,
      [](GstPad *here, GstPadProbeInfo *info, gpointer data) {
        auto *to = static_cast<Units *>(data);
        if (!to->caps)
          to->caps.reset(gst_pad_get_current_caps(here));
        to->buffers.emplace_back(gst_buffer_ref(GST_PAD_PROBE_INFO_BUFFER(info)));
        return GST_PAD_PROBE_OK;
      },
      &units, nullptr);
  play(pipeline.get());
  return units;
}

inline Units all_units(const std::string &file) {
  return collect("filesrc location=\"" + file + "\" ! qtdemux ! h264parse name=parser ! fakesink", "parser", "src");
}

// Writes the clip's access units `times` times in a row. Its groups of pictures have to be closed.
inline void repeat_clip(const std::string &path, const std::string &clip, size_t times) {
  const Units units = all_units(clip);
  const size_t count = units.buffers.size();
  std::vector<size_t> shown(count), rank(count);
  for (size_t i = 0; i < count; i++)
    shown[i] = i;
  std::sort(shown.begin(), shown.end(), [&units](size_t a, size_t b) {
    return GST_BUFFER_PTS(units.buffers[a].get()) < GST_BUFFER_PTS(units.buffers[b].get());
  });
  size_t delay = 0; // no frame may be shown before it is decoded
  for (size_t i = 0; i < count; i++) {
    rank[shown[i]] = i;
    delay = std::max(delay, shown[i] > i ? shown[i] - i : 0);
  }
  feed("appsrc name=in ! h264parse ! mp4mux ! filesink location=\"" + path + "\"", units.caps.get(), times * count,
       [&](size_t i) {
         GstBuffer *buffer = gst_buffer_copy(units.buffers[i % count].get()); // which shares what is coded
         GST_BUFFER_DTS(buffer) = time_of(i);
         GST_BUFFER_PTS(buffer) = time_of(i - i % count + rank[i % count] + delay);
         GST_BUFFER_DURATION(buffer) = time_of(i + 1) - time_of(i);
         return buffer;
       });
}

} // namespace bench
