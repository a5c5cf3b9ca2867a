// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/codecpatch/session/streaminput.h"

#include <cstdio>
#include <new>
#include <utility>

struct _CpsStreamInput {
  GInputStream parent;

  // Constant after stream_input_rewind()
  cps::StreamFunctions functions; // seek is nullptr if it does not work
  cps::StreamFailed failed;

  gint stopped; // atomic
  GMutex mutex; // held while a function of the application is called, so that calls do not overlap
  goffset position;
  bool broken; // a function has failed; no function is called again
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

static gint all_forgotten; // atomic

static void set_stream_error(CpsStreamInput *self, GError **error, const std::string &sentence) {
  g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_FAILED, sentence.c_str());
  if (!std::exchange(self->broken, true))
    self->failed(sentence);
}

// Sets the error and returns true if the session or GStreamer has stopped the stream.
static bool is_stopped(CpsStreamInput *self, GCancellable *cancellable, GError **error) {
  if (g_cancellable_set_error_if_cancelled(cancellable, error))
    return true;
  if (!g_atomic_int_get(&self->stopped) && !cps::stream_functions_forgotten())
    return false;
  g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_CANCELLED, "the session is closed");
  return true;
}

static gssize stream_input_read(GInputStream *stream, void *data, gsize size, GCancellable *cancellable,
                                GError **error) {
  auto *self = CPS_STREAM_INPUT(stream);
  const Lock lock(&self->mutex);
  if (is_stopped(self, cancellable, error))
    return -1;
  if (self->broken)
    return 0; // no error, because typefind retries and giostreamsrc of GStreamer 1.22 leaks each error
  const gssize count = self->functions.read(self->functions.user_data, data, size);
  if (is_stopped(self, cancellable, error))
    return -1;
  if (count < 0 || static_cast<gsize>(count) > size) {
    set_stream_error(self, error,
                     count == -1 ? "The stream could not be read."
                                 : "Reading " + std::to_string(size) + " bytes of the stream gave " +
                                       std::to_string(count) + ".");
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
  return CPS_STREAM_INPUT(seekable)->functions.seek != nullptr;
}

static gboolean stream_input_seek(GSeekable *seekable, goffset offset, GSeekType type, GCancellable *cancellable,
                                  GError **error) {
  auto *self = CPS_STREAM_INPUT(seekable);
  const Lock lock(&self->mutex);
  if (is_stopped(self, cancellable, error))
    return FALSE;
  if (!self->functions.seek) {
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED, "the stream does not seek");
    return FALSE;
  }
  if (self->broken) {
    set_stream_error(self, error, "The stream is broken.");
    return FALSE;
  }
  const bool from_end = type == G_SEEK_END;
  if (type == G_SEEK_CUR)
    offset += self->position;
  const goffset reached = self->functions.seek(self->functions.user_data, offset, from_end ? SEEK_END : SEEK_SET);
  if (reached < 0 || (!from_end && reached != offset)) {
    set_stream_error(self, error,
                     "Seeking to " + std::to_string(offset) + " from the " + (from_end ? "end" : "beginning") +
                         " of the stream gave " + std::to_string(reached) + ".");
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
  if (self->functions.release && !cps::stream_functions_forgotten())
    self->functions.release(self->functions.user_data);
  using cps::StreamFailed;
  self->failed.~StreamFailed();
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
  new (&self->failed) cps::StreamFailed();
}

static void cps_stream_input_class_init(CpsStreamInputClass *klass) {
  G_OBJECT_CLASS(klass)->finalize = stream_input_finalize;
  G_INPUT_STREAM_CLASS(klass)->read_fn = stream_input_read;
}

GInputStream *cps::stream_input_new(const StreamFunctions &functions, StreamFailed failed) {
  auto *self = static_cast<CpsStreamInput *>(g_object_new(CPS_TYPE_STREAM_INPUT, nullptr));
  self->functions = functions;
  self->failed = std::move(failed);
  return G_INPUT_STREAM(self);
}

void cps::stream_input_rewind(GInputStream *stream) {
  auto *self = CPS_STREAM_INPUT(stream);
  const Lock lock(&self->mutex);
  // Wrappers of streams always pass a seek function; that of a pipe fails.
  const bool seeks = self->functions.seek && !is_stopped(self, nullptr, nullptr) &&
                     self->functions.seek(self->functions.user_data, 0, SEEK_SET) == 0;
  if (!seeks)
    self->functions.seek = nullptr;
}

void cps::stream_input_stop(GInputStream *stream) {
  auto *self = CPS_STREAM_INPUT(stream);
  g_atomic_int_set(&self->stopped, TRUE);
  if (self->functions.interrupt)
    self->functions.interrupt(self->functions.user_data);
}

void cps::forget_stream_functions() {
  g_atomic_int_set(&all_forgotten, TRUE);
}

bool cps::stream_functions_forgotten() {
  return g_atomic_int_get(&all_forgotten);
}
