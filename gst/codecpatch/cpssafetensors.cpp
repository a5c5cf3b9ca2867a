// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/codecpatch/cpssafetensors.h"

#include "gst/codecpatch/atomicfile.h"
#include "gst/codecpatch/cpstensormeta.h"
#include "gst/codecpatch/json.h"

#include <algorithm>
#include <cerrno>
#include <string>
#include <vector>

using cps::AtomicFile;

namespace {

// Tensors with the largest elements come first: this aligns every tensor to its element size without gaps, because the
// format forbids gaps.
std::vector<const CpsTensor *> file_order(const CpsTensorMeta *meta) {
  std::vector<const CpsTensor *> order;
  for (guint i = 0; i < meta->n_tensors; i++)
    order.push_back(&meta->tensors[i]);
  std::stable_sort(order.begin(), order.end(), [](const CpsTensor *a, const CpsTensor *b) {
    return cps_dtype_get_size(a->dtype) > cps_dtype_get_size(b->dtype);
  });
  return order;
}

// The length word and the JSON header, padded so that the data starts at a multiple of 8.
std::string file_header(const CpsTensorMeta *meta, const std::vector<const CpsTensor *> &order) {
  std::string json = "{\"__metadata__\":{";
  cps_clip_foreach_metadata(
      meta->clip,
      [](const gchar *key, const gchar *value, gpointer data) {
        auto &out = *static_cast<std::string *>(data);
        out += (out.back() == '{' ? "" : ",") + cps::json_string(key) + ":" + cps::json_string(value);
      },
      &json);
  json += "}";
  gsize offset = 0;
  for (const CpsTensor *t : order) {
    json += "," + cps::json_string(g_quark_to_string(t->id)) + ":{\"dtype\":\"" + cps_dtype_get_name(t->dtype) +
            "\",\"shape\":[";
    for (guint d = 0; d < t->n_dims; d++)
      json += (d ? "," : "") + std::to_string(t->dims[d]);
    const gsize end = offset + cps_tensor_get_size(t);
    json += "],\"data_offsets\":[" + std::to_string(offset) + "," + std::to_string(end) + "]}";
    offset = end;
  }
  json += "}";
  json.resize((json.size() + 7) / 8 * 8, ' ');

  std::string length(8, '\0');
  GST_WRITE_UINT64_LE(length.data(), json.size());
  return length + json;
}

gboolean set_file_error(GError **error, const gchar *path, GstResourceError code) {
  const int reason = errno;
  if (reason == ENOSPC || reason == EDQUOT)
    code = GST_RESOURCE_ERROR_NO_SPACE_LEFT;
  g_set_error(error, GST_RESOURCE_ERROR, code, "Could not write \"%s\": %s.", path, g_strerror(reason));
  return FALSE;
}

bool write_tensor(AtomicFile &file, GstBuffer *buffer, const CpsTensor *tensor) {
  if (cps_tensor_get_size(tensor) == 0)
    return true;
  GstMapInfo info;
  if (!cps_tensor_map(tensor, buffer, &info, GST_MAP_READ)) {
    errno = EFAULT;
    return false;
  }
  const bool written = file.write(info.data, cps_tensor_get_size(tensor));
  const int reason = errno;
  cps_tensor_unmap(tensor, buffer, &info);
  errno = reason;
  return written;
}

} // namespace

/**
 * cps_safetensors_check_path:
 * @path: name of a file
 * @error: (out) (optional): a #GstResourceError if the file may not be written
 *
 * Checks, before there is data to write, if a file may be written under this name: the name must be free or name a
 * regular file. A device, a folder, a named pipe, a socket or a symbolic link is not replaced; links are not followed.
 *
 * Returns: %TRUE if a file may be written.
 */
gboolean cps_safetensors_check_path(const gchar *path, GError **error) {
  g_return_val_if_fail(path, FALSE);
  const char *obstacle = cps::in_the_way(path);
  if (!obstacle)
    return TRUE;
  g_set_error(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_WRITE,
              "Could not write \"%s\": it is %s, and only a regular file is replaced.", path, obstacle);
  return FALSE;
}

/**
 * cps_buffer_save_safetensors:
 * @buffer: a buffer with a #CpsTensorMeta
 * @path: name of the file
 * @error: (out) (optional): a #GstResourceError on failure
 *
 * Calls cps_buffer_save_safetensors_full() without flags.
 *
 * Returns: %TRUE on success.
 */
gboolean cps_buffer_save_safetensors(GstBuffer *buffer, const gchar *path, GError **error) {
  return cps_buffer_save_safetensors_full(buffer, path, CPS_SAVE_FLAG_NONE, error);
}

/**
 * cps_buffer_save_safetensors_full:
 * @buffer: a buffer with a #CpsTensorMeta
 * @path: name of the file
 * @flags: how to write it
 * @error: (out) (optional): a #GstResourceError on failure
 *
 * Writes the tensors and the clip's metadata as a safetensors file. The file appears under its name, replacing an
 * existing regular file, only when it is complete; a failure leaves no file. Paths that cps_safetensors_check_path()
 * refuses are not replaced. Blocks while writing, and with %CPS_SAVE_FLAG_FSYNC until the data is on the disk.
 *
 * When a process first writes into a folder, it removes temporary files that killed writers have left there: files
 * named `.codecpatch-*.part` that were made on this machine since it booted and that no process has locked.
 *
 * Returns: %TRUE on success.
 */
gboolean cps_buffer_save_safetensors_full(GstBuffer *buffer, const gchar *path, CpsSaveFlags flags, GError **error) {
  g_return_val_if_fail(GST_IS_BUFFER(buffer), FALSE);
  g_return_val_if_fail(path, FALSE);
  const CpsTensorMeta *meta = cps_buffer_get_tensor_meta(buffer);
  g_return_val_if_fail(meta, FALSE);

  if (!cps_safetensors_check_path(path, error))
    return FALSE;
  const std::vector<const CpsTensor *> order = file_order(meta);
  const std::string header = file_header(meta, order);
  AtomicFile file(path);
  if (!file.create())
    return set_file_error(error, path, GST_RESOURCE_ERROR_OPEN_WRITE);
  if (!file.write(header.data(), header.size()))
    return set_file_error(error, path, GST_RESOURCE_ERROR_WRITE);
  for (const CpsTensor *tensor : order)
    if (!write_tensor(file, buffer, tensor))
      return set_file_error(error, path, GST_RESOURCE_ERROR_WRITE);
  if (!file.commit(flags & CPS_SAVE_FLAG_FSYNC))
    return set_file_error(error, path, GST_RESOURCE_ERROR_WRITE);
  return TRUE;
}
