// SPDX-License-Identifier: LGPL-2.1-or-later
#include "kernels/render.h"

#include "kernels/arith.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace cps {

namespace {

// The legend below a heat map, in rows: a bar of all colours, then the lowest and the highest score.
constexpr int kLegendHeight = 20, kBarTop = 2, kBarHeight = 8, kTextTop = 12;
constexpr Color kLegendColor = {0, 0, 0, 255}, kTextColor = {255, 255, 255, 255};

// Digits of 5x7 pixels, a row a byte, the leftmost pixel in bit 4.
struct Glyph {
  char character;
  uint8_t rows[7];
};
constexpr int kGlyphWidth = 5, kGlyphHeight = 7, kGlyphStep = 6;
constexpr Glyph kGlyphs[] = {
    {'0', {14, 17, 19, 21, 25, 17, 14}}, {'1', {4, 12, 4, 4, 4, 4, 14}},    {'2', {14, 17, 1, 2, 4, 8, 31}},
    {'3', {31, 2, 4, 2, 1, 17, 14}},     {'4', {2, 6, 10, 18, 31, 2, 2}},   {'5', {31, 16, 30, 1, 1, 17, 14}},
    {'6', {6, 8, 16, 30, 17, 17, 14}},   {'7', {31, 1, 2, 4, 8, 8, 8}},     {'8', {14, 17, 17, 14, 17, 17, 14}},
    {'9', {14, 17, 17, 15, 1, 2, 12}},   {'.', {0, 0, 0, 0, 0, 12, 12}},    {'-', {0, 0, 0, 31, 0, 0, 0}},
    {'+', {0, 4, 4, 31, 4, 4, 0}},       {'e', {0, 0, 14, 17, 31, 16, 14}},
};

void set_pixel(uint8_t *pixel, const Color &color) {
  pixel[0] = color.red;
  pixel[1] = color.green;
  pixel[2] = color.blue;
  pixel[3] = color.alpha;
}

void fill(uint8_t *rgba, ptrdiff_t stride, Size size, const Color &color) {
  for (int y = 0; y < size.height; ++y)
    for (int x = 0; x < size.width; ++x)
      set_pixel(rgba + y * stride + 4 * static_cast<ptrdiff_t>(x), color);
}

// The inverses of float_to_half() and float_to_bfloat16() for values of these types, exactly.
float half_to_float(uint16_t value) {
  const uint32_t sign = (value & 0x8000u) << 16, bits = (value & 0x7fffu) << 13;
  // The product with 2^112 changes the exponent bias, also of subnormal values.
  const uint32_t finite = float_bits(float_from_bits(bits) * float_from_bits(239u << 23));
  return float_from_bits(((value & 0x7c00u) == 0x7c00u ? bits | 0x7f800000u : finite) | sign);
}

float bfloat16_to_float(uint16_t value) {
  return float_from_bits(static_cast<uint32_t>(value) << 16);
}

// Rounded half to even; NaN is 0.
uint8_t to_byte(double value) {
  return static_cast<uint8_t>(value > 0 ? std::lrint(std::min(value, 255.0)) : 0);
}

// Draws one patch. `convert`: a value and its channel to a byte.
template <typename Value, typename Convert>
void draw_values(const Value *first, const PatchPixels &pixels, uint8_t *rgba, ptrdiff_t stride,
                 const Convert &convert) {
  for (int y = 0; y < pixels.size.height; ++y) {
    uint8_t *out = rgba + y * stride;
    for (int x = 0; x < pixels.size.width; ++x, out += 4) {
      const Value *in = first + y * pixels.strides.row + x * pixels.strides.column;
      for (int channel = 0; channel < 3; ++channel)
        out[channel] = convert(in[channel * pixels.strides.channel], channel);
      out[3] = 255;
    }
  }
}

// `decode`: a value to a float.
template <typename Value, typename Decode>
void draw_scaled(const Value *first, const PatchPixels &pixels, uint8_t *rgba, ptrdiff_t stride, const Decode &decode) {
  const InverseScaling &by = pixels.scaling;
  draw_values(first, pixels, rgba, stride, [&](Value value, int channel) {
    return to_byte((double{decode(value)} * by.std[channel] + by.mean[channel]) / by.scale);
  });
}

void draw_patch(const PatchPixels &pixels, int64_t first_value, uint8_t *rgba, ptrdiff_t stride) {
  const auto *const bytes = static_cast<const uint8_t *>(pixels.values) + first_value;
  const auto *const words = static_cast<const uint16_t *>(pixels.values) + first_value;
  switch (pixels.type) {
  case PixelType::U8:
    if (pixels.scaling.is_identity())
      return draw_values(bytes, pixels, rgba, stride, [](uint8_t value, int) { return value; });
    return draw_scaled(bytes, pixels, rgba, stride, [](uint8_t value) { return static_cast<float>(value); });
  case PixelType::F16:
    return draw_scaled(words, pixels, rgba, stride, half_to_float);
  case PixelType::BF16:
    return draw_scaled(words, pixels, rgba, stride, bfloat16_to_float);
  case PixelType::F32:
    return draw_scaled(static_cast<const float *>(pixels.values) + first_value, pixels, rgba, stride,
                       [](float value) { return value; });
  }
}

// Scales the colours to `percent`, rounded half up.
void dim(uint8_t *rgba, ptrdiff_t stride, Size size, int percent) {
  for (int y = 0; y < size.height; ++y)
    for (int x = 0; x < size.width; ++x)
      for (int channel = 0; channel < 3; ++channel) {
        uint8_t &value = rgba[y * stride + 4 * static_cast<ptrdiff_t>(x) + channel];
        value = static_cast<uint8_t>((value * percent + 50) / 100);
      }
}

std::string text_of(float score) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, score, std::chars_format::general, 4).ptr};
}

int text_width(const std::string &text) {
  return static_cast<int>(text.size()) * kGlyphStep - 1;
}

// Draws into rows of `width` pixels; what lies outside of them is left out.
void draw_text(const std::string &text, int left, int width, uint8_t *rgba, ptrdiff_t stride) {
  for (const char character : text) {
    for (const Glyph &glyph : kGlyphs)
      for (int y = 0; glyph.character == character && y < kGlyphHeight; ++y)
        for (int x = 0; x < kGlyphWidth; ++x)
          if ((glyph.rows[y] >> (kGlyphWidth - 1 - x) & 1) != 0 && left + x >= 0 && left + x < width)
            set_pixel(rgba + y * stride + 4 * static_cast<ptrdiff_t>(left + x), kTextColor);
    left += kGlyphStep;
  }
}

} // namespace

bool InverseScaling::is_identity() const {
  return scale == 1 && std::all_of(mean, mean + 3, [](double m) { return m == 0; }) &&
         std::all_of(std, std + 3, [](double s) { return s == 1; });
}

// Five colours of viridis (matplotlib), which also readers with colour blindness order by brightness, and between them
// linear.
Color heat_color(int level) {
  constexpr int kColors[5][3] = {{68, 1, 84}, {59, 82, 139}, {33, 145, 140}, {94, 201, 98}, {253, 231, 37}};
  const int part = std::min(4 * level / 255, 3), rest = 4 * level - 255 * part;
  const auto mix = [&](int channel) {
    return static_cast<uint8_t>((kColors[part][channel] * (255 - rest) + kColors[part + 1][channel] * rest + 127) /
                                255);
  };
  return {mix(0), mix(1), mix(2), 255};
}

ClipPictures::ClipPictures(const PatchPixels &pixels, std::vector<PlacedPatch> patches, PictureLayout layout,
                           const PictureStyle &style)
    : pixels_(pixels), patches_(std::move(patches)), layout_(std::move(layout)), style_(style),
      selected_(layout_.shown.size()) {
  bool any = false;
  for (size_t i = 0; i < patches_.size(); ++i) {
    selected_[static_cast<size_t>(patches_[i].position)].push_back(static_cast<int>(i));
    const float score = patches_[i].score;
    if (!std::isfinite(score))
      continue;
    lowest_ = any ? std::min(lowest_, score) : score;
    highest_ = any ? std::max(highest_, score) : score;
    any = true;
  }
}

int ClipPictures::count() const {
  if (style_.mode != PictureMode::Mosaic)
    return static_cast<int>(layout_.shown.size());
  const int64_t per_sheet = int64_t{layout_.sheet.width} * layout_.sheet.height;
  return static_cast<int>(std::max<int64_t>((static_cast<int64_t>(patches_.size()) + per_sheet - 1) / per_sheet, 1));
}

Size ClipPictures::size() const {
  const Size &patches = style_.mode == PictureMode::Mosaic ? layout_.sheet : layout_.grid;
  return {patches.width * pixels_.size.width,
          patches.height * pixels_.size.height + (style_.mode == PictureMode::Scores ? kLegendHeight : 0)};
}

int ClipPictures::position(int index) const {
  if (style_.mode != PictureMode::Mosaic)
    return index;
  const size_t first = first_on_sheet(index);
  return first < patches_.size() ? patches_[first].position : 0;
}

size_t ClipPictures::first_on_sheet(int index) const {
  return static_cast<size_t>(index) * static_cast<size_t>(layout_.sheet.width) *
         static_cast<size_t>(layout_.sheet.height);
}

void ClipPictures::draw(int index, uint8_t *rgba, ptrdiff_t stride) const {
  fill(rgba, stride, size(), style_.background);
  if (style_.mode == PictureMode::Mosaic)
    draw_sheet(index, rgba, stride);
  else
    draw_frame(index, rgba, stride);
  if (style_.mode == PictureMode::Scores)
    draw_legend(rgba + stride * layout_.grid.height * pixels_.size.height, stride);
}

void ClipPictures::draw_sheet(int index, uint8_t *rgba, ptrdiff_t stride) const {
  const auto columns = static_cast<size_t>(layout_.sheet.width);
  const size_t first = first_on_sheet(index), end = std::min(first_on_sheet(index + 1), patches_.size());
  for (size_t i = first; i < end; ++i) {
    const auto row = static_cast<ptrdiff_t>((i - first) / columns), column = static_cast<ptrdiff_t>(i % columns);
    draw_patch(pixels_, patches_[i].first_value,
               rgba + row * pixels_.size.height * stride + 4 * column * pixels_.size.width, stride);
  }
}

// For each place of the grid, the patch that was selected there last, up to this position; -1 if there is none.
std::vector<int> ClipPictures::last_selected(int index) const {
  std::vector<int> last(static_cast<size_t>(layout_.grid.width) * static_cast<size_t>(layout_.grid.height), -1);
  for (int position = 0; position <= index; ++position)
    for (const int patch : selected_[static_cast<size_t>(layout_.shown[static_cast<size_t>(position)])])
      last[static_cast<size_t>(patches_[static_cast<size_t>(patch)].place)] = patch;
  return last;
}

void ClipPictures::draw_frame(int index, uint8_t *rgba, ptrdiff_t stride) const {
  const std::vector<int> last = last_selected(index);
  const int shown = layout_.shown[static_cast<size_t>(index)];
  for (size_t place = 0; place < last.size(); ++place) {
    if (last[place] < 0)
      continue;
    const PlacedPatch &patch = patches_[static_cast<size_t>(last[place])];
    const auto columns = static_cast<size_t>(layout_.grid.width);
    const auto row = static_cast<ptrdiff_t>(place / columns), column = static_cast<ptrdiff_t>(place % columns);
    uint8_t *out = rgba + row * pixels_.size.height * stride + 4 * column * pixels_.size.width;
    const bool now = patch.position == shown;
    if (now && style_.mode == PictureMode::Scores) {
      fill(out, stride, pixels_.size, heat_color(level(patch.score)));
    } else if (now || style_.mode == PictureMode::Hold) {
      draw_patch(pixels_, patch.first_value, out, stride);
    } else if (style_.dim > 0) {
      draw_patch(pixels_, patch.first_value, out, stride);
      dim(out, stride, pixels_.size, style_.dim);
    }
  }
}

// From 0 for the lowest score to 255 for the highest, rounded half to even; 255 if all are equal.
int ClipPictures::level(float score) const {
  const double range = double{highest_} - lowest_;
  return range > 0 ? to_byte((double{score} - lowest_) / range * 255) : 255;
}

void ClipPictures::draw_legend(uint8_t *rgba, ptrdiff_t stride) const {
  const int width = size().width;
  fill(rgba, stride, {width, kLegendHeight}, kLegendColor);
  for (int x = 0; x < width; ++x)
    fill(rgba + kBarTop * stride + 4 * static_cast<ptrdiff_t>(x), stride, {1, kBarHeight},
         heat_color(x * 255 / std::max(width - 1, 1)));
  if (patches_.empty())
    return;
  const std::string low = text_of(lowest_), high = text_of(highest_);
  draw_text(low, 1, width, rgba + kTextTop * stride, stride);
  const int left = width - 1 - text_width(high);
  if (left > text_width(low) + kGlyphStep) // otherwise the numbers would touch
    draw_text(high, left, width, rgba + kTextTop * stride, stride);
}

} // namespace cps
