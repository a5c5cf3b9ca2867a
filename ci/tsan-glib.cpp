// SPDX-License-Identifier: LGPL-2.1-or-later
// Preloaded by ci/sanitize.sh thread: tells ThreadSanitizer of what GLib and GStreamer do to keep threads in order.
// Neither is compiled with it, GMutex and GCond are futexes, and counts of references are atomics that it does not see;
// GRecMutex, GRWLock and threads are those of pthreads, which it knows. Where there is no ThreadSanitizer this does
// nothing.
#include <gst/gst.h>

#include <cstdlib>
#include <dlfcn.h>
#include <malloc.h>

extern "C" {
__attribute__((weak)) void __tsan_acquire(void *address);
__attribute__((weak)) void __tsan_release(void *address);
__attribute__((weak)) void __tsan_write_range_pc(void *address, unsigned long size, void *pc);
}

namespace {

// What follows comes after all that came before a release() in any thread.
void acquire(const volatile void *address) {
  if (__tsan_acquire)
    __tsan_acquire(const_cast<void *>(address));
}

void release(const volatile void *address) {
  if (__tsan_release)
    __tsan_release(const_cast<void *>(address));
}

// Takes off a reference that is not the last one. That is left to who counts them, for it frees: false, and what others
// did before they let go has come before.
bool let_go(gint *count, const void *object) {
  release(object);
  for (gint old = g_atomic_int_get(count); old > 1; old = g_atomic_int_get(count))
    if (g_atomic_int_compare_and_exchange(count, old, old - 1))
      return true;
  acquire(object);
  return false;
}

// A thread pool's function, and what it is called with.
struct Work {
  GFunc function;
  gpointer data;
};

} // namespace

// The function that the one of this name here stands before.
#define REAL(function)                                                                                                 \
  ([] {                                                                                                                \
    static const auto real = reinterpret_cast<decltype(&(function))>(dlsym(RTLD_NEXT, #function));                     \
    return real;                                                                                                       \
  }())

#undef g_once_init_leave // a macro around the function

extern "C" {

void g_mutex_lock(GMutex *mutex) {
  REAL(g_mutex_lock)(mutex);
  acquire(mutex);
}

gboolean g_mutex_trylock(GMutex *mutex) {
  const gboolean locked = REAL(g_mutex_trylock)(mutex);
  if (locked)
    acquire(mutex);
  return locked;
}

void g_mutex_unlock(GMutex *mutex) {
  release(mutex);
  REAL(g_mutex_unlock)(mutex);
}

void g_cond_wait(GCond *cond, GMutex *mutex) {
  release(mutex);
  REAL(g_cond_wait)(cond, mutex);
  acquire(mutex);
}

gboolean g_cond_wait_until(GCond *cond, GMutex *mutex, gint64 end) {
  release(mutex);
  const gboolean signalled = REAL(g_cond_wait_until)(cond, mutex, end);
  acquire(mutex);
  return signalled;
}

// Who enters reads the location, which our code does itself.
void g_once_init_leave(volatile void *location, gsize result) {
  release(location);
  REAL(g_once_init_leave)(location, result);
}

// Work is handed over under a lock within GLib.
GThreadPool *g_thread_pool_new(GFunc function, gpointer data, gint threads, gboolean exclusive, GError **error) {
  const GFunc run = [](gpointer item, gpointer work) {
    acquire(item);
    static_cast<Work *>(work)->function(item, static_cast<Work *>(work)->data);
  };
  auto *work = new Work{function, data}; // for as long as the pool
  return REAL(g_thread_pool_new)(run, work, threads, exclusive, error);
}

gboolean g_thread_pool_push(GThreadPool *pool, gpointer item, GError **error) {
  release(item);
  return REAL(g_thread_pool_push)(pool, item, error);
}

void g_object_unref(gpointer object) {
  if (!let_go(reinterpret_cast<gint *>(&const_cast<guint &>(static_cast<GObject *>(object)->ref_count)), object))
    REAL(g_object_unref)(object);
}

void gst_mini_object_unref(GstMiniObject *object) {
  if (!let_go(&object->refcount, object))
    REAL(gst_mini_object_unref)(object);
}

// Whoever is alone with an object changes it.
gboolean gst_mini_object_is_writable(const GstMiniObject *object) {
  const gboolean writable = REAL(gst_mini_object_is_writable)(object);
  if (writable)
    acquire(object);
  return writable;
}

GstMiniObject *gst_mini_object_make_writable(GstMiniObject *object) {
  GstMiniObject *writable = REAL(gst_mini_object_make_writable)(object);
  acquire(writable);
  return writable;
}

void g_atomic_rc_box_release_full(gpointer box, GDestroyNotify clear) {
  static thread_local GDestroyNotify clear_of_this;
  release(box);
  clear_of_this = clear;
  REAL(g_atomic_rc_box_release_full)
  (box, [](gpointer last) {
    acquire(last);
    clear_of_this(last);
  });
}

} // extern "C"

// With ignore_noninstrumented_modules=1, ThreadSanitizer takes nothing for an access that libraries do, to free() what
// others have written neither. What is deleted is mostly ours.
#define DELETED(memory)                                                                                                \
  if (memory && __tsan_write_range_pc)                                                                                 \
    __tsan_write_range_pc(memory, malloc_usable_size(memory), __builtin_return_address(0));                            \
  std::free(memory)

void operator delete(void *memory) noexcept {
  DELETED(memory);
}
void operator delete(void *memory, size_t) noexcept {
  DELETED(memory);
}
