// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/codecpatch/cpssafetensors.h"

#include "gst/codecpatch/cpstensormeta.h"
#include "gst/codecpatch/json.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <fcntl.h>
#include <string>
#include <unistd.h>
#include <vector>

namespace {

// Largest elements first keeps every tensor aligned to its element size without gaps, which the format forbids.
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

// A file that is there under its name only once it is whole: written beside it, renamed by commit(), gone otherwise.
class AtomicFile {
public:
  explicit AtomicFile(std::string path) : path_(std::move(path)) {}
  ~AtomicFile() {
    if (fd_ >= 0)
      close(fd_);
    if (!temporary_.empty())
      unlink(temporary_.c_str());
  }
  AtomicFile(const AtomicFile &) = delete;
  AtomicFile &operator=(const AtomicFile &) = delete;

  bool create() {
    static std::atomic<unsigned> counter{0};
    const std::string folder = path_.substr(0, path_.find_last_of('/') + 1); // npos + 1 is 0
    do {
      temporary_ = folder + ".codecpatch-" + std::to_string(getpid()) + "-" + std::to_string(counter++) + ".part";
      fd_ = open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    } while (fd_ < 0 && errno == EEXIST); // left behind by a process that was killed
    if (fd_ < 0)
      temporary_.clear();
    return fd_ >= 0;
  }

  // NOLINTNEXTLINE(readability-make-member-function-const): it changes the file
  bool write(const void *data, size_t size) {
    const auto *at = static_cast<const char *>(data);
    while (size > 0) {
      const ssize_t done = ::write(fd_, at, size);
      if (done < 0 && errno == EINTR)
        continue;
      if (done < 0)
        return false;
      at += done;
      size -= static_cast<size_t>(done);
    }
    return true;
  }

  bool commit() {
    const int fd = fd_;
    fd_ = -1;
    if (close(fd) != 0 || rename(temporary_.c_str(), path_.c_str()) != 0)
      return false;
    temporary_.clear();
    return true;
  }

private:
  std::string path_, temporary_;
  int fd_ = -1;
};

gboolean fail(GError **error, const gchar *path, GstResourceError code) {
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
 * cps_buffer_save_safetensors:
 * @buffer: a buffer with a #CpsTensorMeta
 * @path: name of the file
 * @error: (out) (optional): a #GstResourceError where it fails
 *
 * Writes the tensors and the clip's metadata as a safetensors file. The file appears under its name, replacing one that
 * is there, only when it is complete; a failure leaves nothing behind. Blocks while writing; does not wait for the
 * disk.
 *
 * Returns: %TRUE on success.
 */
gboolean cps_buffer_save_safetensors(GstBuffer *buffer, const gchar *path, GError **error) {
  g_return_val_if_fail(GST_IS_BUFFER(buffer), FALSE);
  g_return_val_if_fail(path, FALSE);
  const CpsTensorMeta *meta = cps_buffer_get_tensor_meta(buffer);
  g_return_val_if_fail(meta, FALSE);

  const std::vector<const CpsTensor *> order = file_order(meta);
  const std::string header = file_header(meta, order);
  AtomicFile file(path);
  if (!file.create())
    return fail(error, path, GST_RESOURCE_ERROR_OPEN_WRITE);
  if (!file.write(header.data(), header.size()))
    return fail(error, path, GST_RESOURCE_ERROR_WRITE);
  for (const CpsTensor *tensor : order)
    if (!write_tensor(file, buffer, tensor))
      return fail(error, path, GST_RESOURCE_ERROR_WRITE);
  if (!file.commit())
    return fail(error, path, GST_RESOURCE_ERROR_WRITE);
  return TRUE;
}
