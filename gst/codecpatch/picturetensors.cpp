// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/codecpatch/picturetensors.h"

#include "gst/codecpatch/pixeltype.h"
#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>

namespace cps {

namespace {

constexpr int64_t kMaxSide = G_MAXUINT16; // of a picture, in pixels

// Numbers separated by anything else, as in a JSON array.
template <typename Number> std::vector<Number> numbers_of(const std::string &text) {
  std::vector<Number> numbers;
  const gchar *at = text.c_str();
  while (*(at += strcspn(at, "+-.0123456789"))) {
    gchar *end = nullptr;
    if constexpr (std::is_integral_v<Number>)
      numbers.push_back(g_ascii_strtoll(at, &end, 10));
    else
      numbers.push_back(g_ascii_strtod(at, &end));
    at = end > at ? end : at + 1;
  }
  return numbers;
}

// Each function returns false with a problem.
class TensorReader {
public:
  TensorReader(const LentTensors &tensors, const ClipTexts &metadata, PictureMode mode)
      : tensors_(tensors), metadata_(metadata), mode_(mode), needs_scores_(mode == PictureMode::Scores) {}

  bool run(PictureTensors &out, PictureProblem &problem) { return read(out, problem) && check_size(out, problem); }

private:
  static bool refuse(PictureProblem &problem, std::string text, CpsSessionError code = CPS_SESSION_ERROR_FAILED) {
    problem = {code, std::move(text)};
    return false;
  }

  bool read(PictureTensors &out, PictureProblem &problem) {
    if (tensors_.count("patches") != 0)
      return read_patches(out, problem);
    if (tensors_.count("canvases") != 0)
      return read_canvases(out, problem);
    if (tensors_.count("frames") != 0)
      return read_frames(out, problem);
    return refuse(problem, "There is no tensor \"patches\", \"canvases\" or \"frames\" to draw.");
  }

  bool check_size(const PictureTensors &clip, PictureProblem &problem) const {
    const Size &patches = mode_ == PictureMode::Mosaic ? clip.layout.sheet : clip.layout.grid;
    const int64_t width = int64_t{patches.width} * clip.pixels.size.width,
                  height = int64_t{patches.height} * clip.pixels.size.height;
    return (width <= kMaxSide && height <= kMaxSide) ||
           refuse(problem,
                  "A picture would have " + std::to_string(width) + "x" + std::to_string(height) +
                      " pixels; its sides can have " + std::to_string(kMaxSide) + ".",
                  CPS_SESSION_ERROR_OPTION);
  }

  // A tensor of this type and shape, in which -1 stands for any size. Returns nullptr with a problem.
  const LentTensor *find(const char *name, std::optional<CpsDtype> dtype, const std::vector<int64_t> &dims,
                         PictureProblem &problem) const {
    const auto found = tensors_.find(name);
    const bool fits = found != tensors_.end() && (!dtype || found->second.dtype == *dtype) &&
                      std::equal(dims.begin(), dims.end(), found->second.dims.begin(), found->second.dims.end(),
                                 [](int64_t wanted, int64_t is) { return wanted == is || (wanted < 0 && is >= 0); });
    if (fits && (found->second.data || std::count(found->second.dims.begin(), found->second.dims.end(), 0) > 0))
      return &found->second;
    std::string shape;
    for (const int64_t dim : dims)
      shape += (shape.empty() ? "" : ", ") + (dim < 0 ? std::string("any") : std::to_string(dim));
    refuse(problem, std::string("There is no tensor \"") + name + "\" of shape [" + shape + "]" +
                        (dtype ? std::string(" and type ") + cps_dtype_get_name(*dtype) : "") + ".");
    return nullptr;
  }

  int64_t whole_number(const char *key) const {
    const auto found = metadata_.find(key);
    const auto numbers = found != metadata_.end() ? numbers_of<int64_t>(found->second) : std::vector<int64_t>();
    return numbers.size() == 1 ? numbers[0] : -1;
  }

  // Leaves `out` as it is if there is no such entry, or if its list is empty.
  bool read_channels(const char *key, double *out, PictureProblem &problem) const {
    const auto found = metadata_.find(key);
    const auto numbers = found != metadata_.end() ? numbers_of<double>(found->second) : std::vector<double>();
    if (numbers.empty())
      return true;
    if (numbers.size() != 1 && numbers.size() != 3)
      return refuse(problem, std::string("The metadata \"") + key + "\" is not one number, or three.");
    for (size_t i = 0; i < 3; ++i)
      out[i] = numbers[numbers.size() == 1 ? 0 : i];
    return true;
  }

  bool read_scaling(InverseScaling &out, PictureProblem &problem) const {
    double scale[3] = {1, 1, 1};
    if (!read_channels("scale", scale, problem) || !read_channels("mean", out.mean, problem) ||
        !read_channels("std", out.std, problem))
      return false;
    out.scale = scale[0];
    return out.scale != 0 || refuse(problem, "The patches cannot be drawn, because scale=0 has made all pixels equal.",
                                    CPS_SESSION_ERROR_OPTION);
  }

  bool read_sequence(PictureProblem &problem) {
    const auto found = metadata_.find("sampled_frame_ids");
    if (found != metadata_.end())
      ids_ = numbers_of<int64_t>(found->second);
    return !ids_.empty() || refuse(problem, "The metadata has no sampled_frame_ids.");
  }

  bool read_grid(PictureProblem &problem) {
    rows_ = whole_number("grid_height");
    columns_ = whole_number("grid_width");
    return (rows_ > 0 && columns_ > 0 && rows_ <= kMaxSide && columns_ <= kMaxSide) ||
           refuse(problem, "The metadata has no grid_height and grid_width of at least 1.");
  }

  bool check_place(const char *tensor, int64_t index, int64_t row, int64_t column, PictureProblem &problem) const {
    return (row >= 0 && row < rows_ && column >= 0 && column < columns_) ||
           refuse(problem, "Row " + std::to_string(index) + " of " + tensor + " names a place outside of the grid of " +
                               std::to_string(rows_) + " rows and " + std::to_string(columns_) + " columns.");
  }

  // The scores of `count` patches. Nullptr if they are not needed, or with a problem.
  bool read_scores(int64_t count, const float *&scores, PictureProblem &problem) const {
    const LentTensor *tensor = needs_scores_ ? find("meta_scores", CPS_DTYPE_F32, {count}, problem) : nullptr;
    scores = tensor ? static_cast<const float *>(tensor->data) : nullptr;
    return !needs_scores_ || tensor;
  }

  PlacedPatch placed(int64_t first_value, int64_t position, int64_t row, int64_t column, const float *score) const {
    return {first_value, static_cast<int>(position), static_cast<int>(row * columns_ + column), score ? *score : 0};
  }

  void set_grid(PictureTensors &out) const { out.layout.grid = {static_cast<int>(columns_), static_cast<int>(rows_)}; }

  // As square as possible.
  static void set_sheet(PictureTensors &out, int64_t count) {
    int64_t columns = std::max<int64_t>(static_cast<int64_t>(std::ceil(std::sqrt(static_cast<double>(count)))), 1);
    out.layout.sheet = {static_cast<int>(columns),
                        static_cast<int>(std::max<int64_t>((count + columns - 1) / columns, 1))};
  }

  bool read_patches(PictureTensors &out, PictureProblem &problem) {
    const LentTensor *patches = find("patches", std::nullopt, {-1, 3, -1, -1}, problem);
    if (!patches)
      return false;
    const auto type = pixel_type(patches->dtype);
    const int64_t count = patches->dims[0], side = patches->dims[2];
    if (!type || side != patches->dims[3] || side < 1 || side > kMaxSide || count > G_MAXINT)
      return refuse(problem, "The tensor \"patches\" is not of square patches of type U8, F16, BF16 or F32.");
    const LentTensor *fields = find("meta_fields", CPS_DTYPE_I64, {count, 6}, problem);
    const float *scores = nullptr;
    if (!fields || !read_scores(count, scores, problem) || !read_sequence(problem) || !read_grid(problem) ||
        !read_scaling(out.pixels.scaling, problem))
      return false;
    const PatchLayout layout = {OutputLayout::Patches, {}, static_cast<int>(side)};
    for (int64_t i = 0; i < count; ++i) {
      const int64_t *field = static_cast<const int64_t *>(fields->data) + 6 * i;
      const int64_t position = field[0], row = field[4], column = field[5];
      if (position < 0 || position >= static_cast<int64_t>(ids_.size()))
        return refuse(problem, "Row " + std::to_string(i) + " of meta_fields names position " +
                                   std::to_string(position) + " of " + std::to_string(ids_.size()) + ".");
      if (!check_place("meta_fields", i, row, column, problem))
        return false;
      out.patches.push_back(placed(layout.first_value(i), position, row, column, scores ? scores + i : nullptr));
    }
    for (size_t position = 0; position < ids_.size(); ++position)
      out.layout.shown.push_back(static_cast<int>(position));
    set_grid(out);
    set_sheet(out, count);
    out.pixels.values = patches->data;
    out.pixels.type = *type;
    out.pixels.size = {layout.patch, layout.patch};
    out.pixels.strides = layout.strides();
    return true;
  }

  bool read_canvases(PictureTensors &out, PictureProblem &problem) {
    const LentTensor *canvases = find("canvases", CPS_DTYPE_U8, {-1, -1, -1, 3}, problem);
    if (!canvases || !read_sequence(problem) || !read_grid(problem))
      return false;
    const int64_t side = canvases->dims[1] / rows_, count = canvases->dims[0] * rows_ * columns_;
    if (side < 1 || canvases->dims[1] != rows_ * side || canvases->dims[2] != columns_ * side || side > kMaxSide ||
        count > G_MAXINT)
      return refuse(problem, "The size of the canvases is not that of the grid.");
    const LentTensor *positions = find("patch_positions", CPS_DTYPE_I64, {count, 3}, problem);
    const float *scores = nullptr;
    if (!positions || !read_scores(count, scores, problem))
      return false;
    std::map<int64_t, int> first; // position of each frame
    for (const int64_t id : ids_)
      out.layout.shown.push_back(first.emplace(id, static_cast<int>(out.layout.shown.size())).first->second);
    set_grid(out);
    out.layout.sheet = out.layout.grid;
    const PatchLayout layout = {OutputLayout::Canvas, out.layout.grid, static_cast<int>(side)};
    for (int64_t i = 0; i < count; ++i) {
      const int64_t *field = static_cast<const int64_t *>(positions->data) + 3 * i;
      const auto frame = first.find(field[0]);
      if (frame == first.end())
        return refuse(problem, "Row " + std::to_string(i) + " of patch_positions names frame " +
                                   std::to_string(field[0]) + ", which was not sampled.");
      if (!check_place("patch_positions", i, field[1], field[2], problem))
        return false;
      out.patches.push_back(
          placed(layout.first_value(i), frame->second, field[1], field[2], scores ? scores + i : nullptr));
    }
    out.pixels.values = canvases->data;
    out.pixels.type = PixelType::U8;
    out.pixels.size = {layout.patch, layout.patch};
    out.pixels.strides = layout.strides();
    return true;
  }

  // A whole frame is one patch of a grid of one place.
  bool read_frames(PictureTensors &out, PictureProblem &problem) {
    if (needs_scores_)
      return refuse(problem, "Whole frames have no scores to draw: choose another mode.", CPS_SESSION_ERROR_OPTION);
    const LentTensor *frames = find("frames", CPS_DTYPE_U8, {-1, -1, -1, 3}, problem);
    if (!frames)
      return false;
    const int64_t count = frames->dims[0], height = frames->dims[1], width = frames->dims[2];
    if (count > G_MAXINT || height < 1 || width < 1 || height > kMaxSide || width > kMaxSide)
      return refuse(problem, "The tensor \"frames\" is too large to be drawn, or empty.");
    rows_ = columns_ = 1;
    for (int64_t i = 0; i < count; ++i) {
      out.patches.push_back(placed(i * height * width * 3, i, 0, 0, nullptr));
      out.layout.shown.push_back(static_cast<int>(i));
    }
    set_grid(out);
    set_sheet(out, count);
    out.pixels.values = frames->data;
    out.pixels.type = PixelType::U8;
    out.pixels.size = {static_cast<int>(width), static_cast<int>(height)};
    out.pixels.strides = {1, 3 * width, 3};
    return true;
  }

  const LentTensors &tensors_;
  const ClipTexts &metadata_;
  const PictureMode mode_;
  const bool needs_scores_;
  std::vector<int64_t> ids_;
  int64_t rows_ = 0, columns_ = 0;
};

} // namespace

bool read_picture_tensors(const LentTensors &tensors, const ClipTexts &metadata, PictureMode mode, PictureTensors &out,
                          PictureProblem &problem) {
  return TensorReader(tensors, metadata, mode).run(out, problem);
}

} // namespace cps
