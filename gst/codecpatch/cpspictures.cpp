// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/codecpatch/cpspictures.h"

#include "gst/codecpatch/picturetensors.h"
#include "gst/common/owned.h"

#include <algorithm>
#include <memory>
#include <optional>

using cps::Owned;

namespace {

static_assert(static_cast<int>(cps::PictureMode::Sparse) == CPS_PICTURE_MODE_SPARSE &&
              static_cast<int>(cps::PictureMode::Hold) == CPS_PICTURE_MODE_HOLD &&
              static_cast<int>(cps::PictureMode::Mosaic) == CPS_PICTURE_MODE_MOSAIC &&
              static_cast<int>(cps::PictureMode::Scores) == CPS_PICTURE_MODE_SCORES);

class MappedTensor {
public:
  MappedTensor(const CpsTensor *tensor, GstBuffer *buffer)
      : tensor_(tensor), buffer_(buffer), mapped_(cps_tensor_map(tensor, buffer, &info_, GST_MAP_READ)) {}
  ~MappedTensor() {
    if (mapped_)
      cps_tensor_unmap(tensor_, buffer_, &info_);
  }
  MappedTensor(const MappedTensor &) = delete;
  MappedTensor &operator=(const MappedTensor &) = delete;

  const void *data() const { return mapped_ ? info_.data : nullptr; }

private:
  const CpsTensor *tensor_;
  GstBuffer *buffer_;
  GstMapInfo info_;
  const bool mapped_;
};

std::optional<CpsDtype> dtype_of(const std::string &name) {
  for (const CpsDtype dtype : {CPS_DTYPE_U8, CPS_DTYPE_F16, CPS_DTYPE_BF16, CPS_DTYPE_F32, CPS_DTYPE_I64})
    if (name == cps_dtype_get_name(dtype))
      return dtype;
  return std::nullopt;
}

gboolean set_error(GError **error, CpsSessionError code, const std::string &text) {
  g_set_error_literal(error, CPS_SESSION_ERROR, code, text.c_str());
  return FALSE;
}

} // namespace

struct _CpsPictures {
  cps::PictureStyle style;
  cps::LentTensors tensors;
  cps::ClipTexts metadata;
  Owned<GstBuffer> buffer; // outlives `mapped`
  std::vector<std::unique_ptr<MappedTensor>> mapped;
  std::optional<cps::ClipPictures> drawn; // from cps_pictures_arrange() on
};

/**
 * cps_pictures_new:
 * @mode: what the pictures show
 *
 * Returns: (transfer full): pictures without tensors. Free them with cps_pictures_free().
 */
CpsPictures *cps_pictures_new(CpsPictureMode mode) {
  g_return_val_if_fail(mode >= CPS_PICTURE_MODE_SPARSE && mode <= CPS_PICTURE_MODE_SCORES, nullptr);
  auto pictures = std::make_unique<_CpsPictures>();
  pictures->style.mode = static_cast<cps::PictureMode>(mode);
  cps_pictures_set_background(pictures.get(), CPS_PICTURE_BACKGROUND);
  cps_pictures_set_dim(pictures.get(), CPS_PICTURE_DIM);
  return pictures.release();
}

/**
 * cps_pictures_set_background:
 * @pictures: pictures that have not been arranged
 * @argb: colour of places of which nothing is known, as 0xAARRGGBB
 *
 * Sets the background, which is %CPS_PICTURE_BACKGROUND otherwise.
 */
void cps_pictures_set_background(CpsPictures *pictures, guint argb) {
  g_return_if_fail(pictures && !pictures->drawn);
  const auto byte = [argb](int shift) { return static_cast<uint8_t>(argb >> shift); };
  pictures->style.background = {byte(16), byte(8), byte(0), byte(24)};
}

/**
 * cps_pictures_set_dim:
 * @pictures: pictures that have not been arranged
 * @percent: 0 to 100: how much of their value pixels keep that were selected in an earlier frame, with
 *   %CPS_PICTURE_MODE_SPARSE and %CPS_PICTURE_MODE_SCORES; 0: these places are background
 *
 * Sets the brightness of what was selected earlier, which is %CPS_PICTURE_DIM otherwise.
 */
void cps_pictures_set_dim(CpsPictures *pictures, guint percent) {
  g_return_if_fail(pictures && !pictures->drawn && percent <= 100);
  pictures->style.dim = static_cast<int>(percent);
}

/**
 * cps_pictures_add_tensor:
 * @pictures: pictures that have not been arranged
 * @name: name of the tensor in docs/formats.md; others are not used
 * @dtype: type of its elements: "U8", "F16", "BF16", "F32" or "I64"
 * @dims: (array length=n_dims): its dimensions, outermost first
 * @n_dims: number of dimensions
 * @data: (nullable): the elements in system memory, contiguous in row-major order and aligned to their type; they must
 *   stay valid and unchanged as long as @pictures. %NULL if a dimension is 0
 * @error: (out) (optional): a #CpsSessionError on failure
 *
 * Adds a tensor without a copy.
 *
 * Returns: %FALSE if the type is unknown or a dimension negative
 */
gboolean cps_pictures_add_tensor(CpsPictures *pictures, const gchar *name, const gchar *dtype, const gint64 *dims,
                                 guint n_dims, gconstpointer data, GError **error) {
  g_return_val_if_fail(pictures && !pictures->drawn && name && dtype && (dims || n_dims == 0), FALSE);
  const std::optional<CpsDtype> type = dtype_of(dtype);
  if (!type || std::any_of(dims, dims + n_dims, [](gint64 dim) { return dim < 0; }))
    return set_error(error, CPS_SESSION_ERROR_FAILED,
                     std::string("The tensor \"") + name + "\" has an unknown type or a negative dimension.");
  pictures->tensors[name] = {*type, {dims, dims + n_dims}, data};
  return TRUE;
}

/**
 * cps_pictures_add_metadata:
 * @pictures: pictures that have not been arranged
 * @key: an entry of docs/formats.md; sampled_frame_ids, grid_height, grid_width, scale, mean and std are used
 * @value: its value as text, as cps_clip_foreach_metadata() passes it
 *
 * Adds an entry of the metadata of the clip.
 */
void cps_pictures_add_metadata(CpsPictures *pictures, const gchar *key, const gchar *value) {
  g_return_if_fail(pictures && !pictures->drawn && key && value);
  pictures->metadata[key] = value;
}

/**
 * cps_pictures_add_buffer:
 * @pictures: pictures that have no tensors
 * @buffer: a buffer with a #CpsTensorMeta, of which @pictures keeps a reference
 * @error: (out) (optional): a #CpsSessionError on failure
 *
 * Adds all tensors and the metadata of a buffer. Tensors in CUDA memory are copied to the host.
 *
 * Returns: %FALSE if the buffer has no #CpsTensorMeta or if a tensor cannot be read
 */
gboolean cps_pictures_add_buffer(CpsPictures *pictures, GstBuffer *buffer, GError **error) {
  g_return_val_if_fail(pictures && !pictures->buffer && GST_IS_BUFFER(buffer), FALSE);
  const CpsTensorMeta *meta = cps_buffer_get_tensor_meta(buffer);
  if (!meta)
    return set_error(error, CPS_SESSION_ERROR_FAILED, "The tensors come without a description.");
  pictures->buffer.reset(gst_buffer_ref(buffer));
  cps_clip_foreach_metadata(
      meta->clip,
      [](const gchar *key, const gchar *value, gpointer data) {
        cps_pictures_add_metadata(static_cast<CpsPictures *>(data), key, value);
      },
      pictures);
  for (guint i = 0; i < meta->n_tensors; i++) {
    const CpsTensor &tensor = meta->tensors[i];
    const gchar *name = g_quark_to_string(tensor.id);
    const void *data = nullptr;
    if (cps_tensor_get_size(&tensor) > 0) {
      pictures->mapped.push_back(std::make_unique<MappedTensor>(&tensor, buffer));
      data = pictures->mapped.back()->data();
      if (!data)
        return set_error(error, CPS_SESSION_ERROR_FAILED, std::string("The tensor \"") + name + "\" cannot be read.");
    }
    if (!cps_pictures_add_tensor(pictures, name, cps_dtype_get_name(tensor.dtype), tensor.dims, tensor.n_dims, data,
                                 error))
      return FALSE;
  }
  return TRUE;
}

/**
 * cps_pictures_arrange:
 * @pictures: pictures with all their tensors and metadata
 * @error: (out) (optional): a #CpsSessionError on failure: %CPS_SESSION_ERROR_OPTION if these tensors cannot be drawn
 * in this mode, %CPS_SESSION_ERROR_FAILED if they do not fit together
 *
 * Checks the tensors, and finds the places of all patches. Call it once, before the functions below.
 *
 * Returns: %FALSE on failure
 */
gboolean cps_pictures_arrange(CpsPictures *pictures, GError **error) {
  g_return_val_if_fail(pictures && !pictures->drawn, FALSE);
  cps::PictureTensors clip;
  cps::PictureProblem problem;
  if (!cps::read_picture_tensors(pictures->tensors, pictures->metadata, pictures->style.mode, clip, problem))
    return set_error(error, problem.code, problem.text);
  pictures->drawn.emplace(clip.pixels, std::move(clip.patches), std::move(clip.layout), pictures->style);
  return TRUE;
}

/**
 * cps_pictures_get_count:
 * @pictures: arranged pictures
 *
 * Returns: the number of pictures: that of the sampled frames; with %CPS_PICTURE_MODE_MOSAIC that of the canvases, else
 * 1
 */
guint cps_pictures_get_count(const CpsPictures *pictures) {
  g_return_val_if_fail(pictures && pictures->drawn, 0);
  return static_cast<guint>(pictures->drawn->count());
}

/**
 * cps_pictures_get_width:
 * @pictures: arranged pictures
 *
 * Returns: the width of each picture in pixels
 */
guint cps_pictures_get_width(const CpsPictures *pictures) {
  g_return_val_if_fail(pictures && pictures->drawn, 0);
  return static_cast<guint>(pictures->drawn->size().width);
}

/**
 * cps_pictures_get_height:
 * @pictures: arranged pictures
 *
 * Returns: the height of each picture in pixels
 */
guint cps_pictures_get_height(const CpsPictures *pictures) {
  g_return_val_if_fail(pictures && pictures->drawn, 0);
  return static_cast<guint>(pictures->drawn->size().height);
}

/**
 * cps_pictures_get_position:
 * @pictures: arranged pictures
 * @index: number of a picture
 *
 * Returns: the position in the sequence of the frame that the picture shows; with %CPS_PICTURE_MODE_MOSAIC that of the
 * first patch, 0 if there is none
 */
guint cps_pictures_get_position(const CpsPictures *pictures, guint index) {
  g_return_val_if_fail(pictures && pictures->drawn && index < cps_pictures_get_count(pictures), 0);
  return static_cast<guint>(pictures->drawn->position(static_cast<int>(index)));
}

/**
 * cps_pictures_draw:
 * @pictures: arranged pictures
 * @index: number of a picture
 * @rgba: (out caller-allocates): height * @stride bytes
 * @stride: bytes from a row to the next, at least 4 * width
 *
 * Draws a picture: rows from the top, four bytes per pixel: red, green, blue and alpha, which is not premultiplied.
 */
void cps_pictures_draw(const CpsPictures *pictures, guint index, gpointer rgba, gsize stride) {
  g_return_if_fail(pictures && pictures->drawn && index < cps_pictures_get_count(pictures) && rgba);
  g_return_if_fail(stride / 4 >= cps_pictures_get_width(pictures));
  pictures->drawn->draw(static_cast<int>(index), static_cast<uint8_t *>(rgba), static_cast<ptrdiff_t>(stride));
}

/**
 * cps_pictures_free:
 * @pictures: (nullable) (transfer full): pictures
 *
 * Frees pictures, and their reference to a buffer. Does nothing with %NULL.
 */
void cps_pictures_free(CpsPictures *pictures) {
  std::unique_ptr<_CpsPictures>(pictures).reset();
}
