// SPDX-License-Identifier: LGPL-2.1-or-later
// Indices in files: cps_index_save() and cps_index_load().
#include "gst/codecpatch/atomicfile.h"
#include "gst/codecpatch/cpsindex.h"
#include "gst/codecpatch/descriptor.h"
#include "gst/common/owned.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

using cps::Descriptor;
using cps::Owned;

namespace {

constexpr char kMagic[8] = {'C', 'P', 'S', 'I', 'D', 'X', 'F', '1'};
constexpr gsize kSample = 1 << 16; // bytes at each end of the source that the stamp covers

// What a file begins with; a serialised index follows. Tells whether the source is still the same.
struct Stamp {
  char magic[sizeof kMagic];
  guint64 size;
  gint64 modified; // ns
  guint8 digest[32];
};

bool read_fully(int file, void *to, gsize size, goffset at) {
  auto *bytes = static_cast<char *>(to);
  while (size > 0) {
    const gssize count = pread(file, bytes, size, at);
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      return false;
    bytes += count;
    at += count;
    size -= static_cast<gsize>(count);
  }
  return true;
}

// Nothing, with errno set, if the source cannot be read or is not a regular file.
std::optional<Stamp> stamp_of(const char *source) {
  const Descriptor file(open(source, O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (file.get() < 0 || fstat(file.get(), &status) != 0)
    return std::nullopt;
  if (!S_ISREG(status.st_mode)) {
    errno = EINVAL;
    return std::nullopt;
  }
  Stamp stamp = {};
  memcpy(stamp.magic, kMagic, sizeof kMagic);
  stamp.size = static_cast<guint64>(status.st_size);
  stamp.modified = gint64{status.st_mtim.tv_sec} * 1000000000 + status.st_mtim.tv_nsec;
  std::string ends(2 * MIN(stamp.size, kSample), '\0');
  const gsize half = ends.size() / 2;
  if (!read_fully(file.get(), ends.data(), half, 0) ||
      !read_fully(file.get(), ends.data() + half, half, status.st_size - static_cast<goffset>(half))) {
    errno = errno ? errno : EIO;
    return std::nullopt;
  }
  GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
  g_checksum_update(sum, reinterpret_cast<const guchar *>(ends.data()), static_cast<gssize>(ends.size()));
  gsize digest_size = sizeof stamp.digest;
  g_checksum_get_digest(sum, stamp.digest, &digest_size);
  g_checksum_free(sum);
  return stamp;
}

bool fail(GError **error, const char *file) {
  const int problem = errno;
  g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(problem), "%s: %s.", file, g_strerror(problem));
  return false;
}

} // namespace

/**
 * cps_index_save:
 * @index: a #CpsIndex
 * @file: the file to write, in the encoding of file names; an existing one is replaced
 * @source: the file that @index was made of
 * @error: (out) (optional): a #GFileError on failure
 *
 * The file appears when it is whole. It holds size, time of modification and a digest of both ends of @source besides.
 *
 * Returns: %TRUE if the file has been written
 */
gboolean cps_index_save(const CpsIndex *index, const gchar *file, const gchar *source, GError **error) {
  const std::optional<Stamp> stamp = stamp_of(source);
  if (!stamp)
    return fail(error, source);
  gsize size = 0;
  const Owned<gchar> bytes(static_cast<gchar *>(cps_index_serialize(index, &size)));
  cps::AtomicFile written(file);
  return (written.create() && written.write(&*stamp, sizeof *stamp) && written.write(bytes.get(), size) &&
          written.commit(false)) ||
         fail(error, file);
}

/**
 * cps_index_load:
 * @file: a file of cps_index_save()
 * @source: the file that the index is to be used for
 * @error: (out) (optional): a #GFileError on failure
 *
 * Fails with %G_FILE_ERROR_INVAL if @source has changed since, or if the file is damaged or of another version.
 *
 * Returns: (transfer full) (nullable): the index, %NULL on failure
 */
CpsIndex *cps_index_load(const gchar *file, const gchar *source, GError **error) {
  gchar *contents = nullptr;
  gsize size = 0;
  if (!g_file_get_contents(file, &contents, &size, error))
    return nullptr;
  const Owned<gchar> owned(contents);
  const std::optional<Stamp> stamp = stamp_of(source);
  if (!stamp) {
    fail(error, source);
    return nullptr;
  }
  const bool fits = size >= sizeof *stamp && memcmp(contents, &*stamp, sizeof *stamp) == 0;
  CpsIndex *index = fits ? cps_index_deserialize(contents + sizeof *stamp, size - sizeof *stamp) : nullptr;
  if (!index)
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "%s: it is not an index of %s as it is now.", file, source);
  return index;
}
