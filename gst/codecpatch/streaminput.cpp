// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/codecpatch/streaminput.h"

#include <cstdio>

struct _CpsStreamInput {
  GInputStream parent;

  // Constant
  CpsReadFunc read;
  CpsSeekFunc seek; // nullptr: cannot
  GDestroyNotify release;
  gpointer user_data;

  GMutex mutex; // held while the application is called, which sees one call at a time
  goffset position;
};

static void cps_stream_input_seekable_init(GSeekableIface *seekable);

G_DEFINE_FINAL_TYPE_WITH_CODE(CpsStreamInput, cps_stream_input, G_TYPE_INPUT_STREAM,
                              G_IMPLEMENT_INTERFACE(G_TYPE_SEEKABLE, cps_stream_input_seekable_init))

namespace {

class Lock {
public:
  explicit Lock(GMutex *mutex) : mutex_(mutex) { g_mutex_lock(mutex); }
  ~Lock() { g_mutex_unlock(mutex_); }
  Lock(const Lock &) = delete;
  Lock &operator=(const Lock &) = delete;

private:
  GMutex *mutex_;
};

} // namespace

static gssize stream_input_read(GInputStream *stream, void *data, gsize size, GCancellable *cancellable,
                                GError **error) {
  auto *self = CPS_STREAM_INPUT(stream);
  const Lock lock(&self->mutex);
  if (g_cancellable_set_error_if_cancelled(cancellable, error))
    return -1;
  const gssize count = self->read(self->user_data, data, size);
  if (count < 0 || static_cast<gsize>(count) > size) {
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "reading %" G_GSIZE_FORMAT " bytes gave %" G_GSSIZE_FORMAT, size,
                count);
    return -1;
  }
  self->position += count;
  return count;
}

static goffset stream_input_tell(GSeekable *seekable) {
  auto *self = CPS_STREAM_INPUT(seekable);
  const Lock lock(&self->mutex);
  return self->position;
}

static gboolean stream_input_can_seek(GSeekable *seekable) {
  return CPS_STREAM_INPUT(seekable)->seek != nullptr;
}

static gboolean stream_input_seek(GSeekable *seekable, goffset offset, GSeekType type, GCancellable *cancellable,
                                  GError **error) {
  auto *self = CPS_STREAM_INPUT(seekable);
  const Lock lock(&self->mutex);
  if (g_cancellable_set_error_if_cancelled(cancellable, error))
    return FALSE;
  if (!self->seek) {
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED, "the stream does not seek");
    return FALSE;
  }
  const bool from_end = type == G_SEEK_END;
  if (type == G_SEEK_CUR)
    offset += self->position;
  const goffset reached = self->seek(self->user_data, offset, from_end ? SEEK_END : SEEK_SET);
  if (reached < 0 || (!from_end && reached != offset)) {
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED,
                "seeking to %" G_GOFFSET_FORMAT " from the %s gave %" G_GOFFSET_FORMAT, offset,
                from_end ? "end" : "beginning", reached);
    return FALSE;
  }
  self->position = reached;
  return TRUE;
}

static gboolean stream_input_can_truncate(GSeekable *) {
  return FALSE;
}

static gboolean stream_input_truncate(GSeekable *, goffset, GCancellable *, GError **error) {
  g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED, "the stream is only read");
  return FALSE;
}

static void stream_input_finalize(GObject *object) {
  auto *self = CPS_STREAM_INPUT(object);
  if (self->release)
    self->release(self->user_data);
  g_mutex_clear(&self->mutex);
  G_OBJECT_CLASS(cps_stream_input_parent_class)->finalize(object);
}

static void cps_stream_input_seekable_init(GSeekableIface *seekable) {
  seekable->tell = stream_input_tell;
  seekable->can_seek = stream_input_can_seek;
  seekable->seek = stream_input_seek;
  seekable->can_truncate = stream_input_can_truncate;
  seekable->truncate_fn = stream_input_truncate;
}

static void cps_stream_input_init(CpsStreamInput *self) {
  g_mutex_init(&self->mutex);
}

static void cps_stream_input_class_init(CpsStreamInputClass *klass) {
  G_OBJECT_CLASS(klass)->finalize = stream_input_finalize;
  G_INPUT_STREAM_CLASS(klass)->read_fn = stream_input_read;
}

GInputStream *cps_stream_input_new(CpsReadFunc read, CpsSeekFunc seek, GDestroyNotify release, gpointer user_data) {
  auto *self = static_cast<CpsStreamInput *>(g_object_new(CPS_TYPE_STREAM_INPUT, nullptr));
  self->read = read;
  self->release = release;
  self->user_data = user_data;
  // Wrappers of all kinds of streams always have a function; a pipe's fails.
  if (seek && seek(user_data, 0, SEEK_SET) == 0)
    self->seek = seek;
  return G_INPUT_STREAM(self);
}
