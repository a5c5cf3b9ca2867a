// SPDX-License-Identifier: LGPL-2.1-or-later
// Streams, each with a thread that does what is queued, and events.
#include "tests/cudasim/control.h"
#include "tests/cudasim/driver.h"
#include "tests/cudasim/random.h"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <thread>

using Clock = std::chrono::steady_clock;

struct CUstream_st {
  CUstream_st(const CUctx_st *of_context, bool is_independent, unsigned number)
      : context(of_context), independent(is_independent), number_(number), thread_([this] { run(); }) {}
  ~CUstream_st() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  CUstream_st(const CUstream_st &) = delete;
  CUstream_st &operator=(const CUstream_st &) = delete;

  void add(std::function<void()> work) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      queue_.push_back(std::move(work));
      ++added_;
    }
    changed_.notify_all();
  }

  // Waits for what has been added so far.
  void drain() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this, goal = added_] { return done_ >= goal; });
  }

  const CUctx_st *const context;
  const bool independent; // of the default stream

private:
  void run() {
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (queue_.empty())
        return;
      const std::function<void()> work = std::move(queue_.front());
      queue_.pop_front();
      const uint64_t chance = cps::sim::mixed(cps::sim::schedule_seed() ^ uint64_t{number_} << 32 ^ done_ << 40);
      lock.unlock();
      if (chance % 4 == 0) // late, so that who does not wait for it has not got it
        std::this_thread::sleep_for(std::chrono::microseconds(chance / 4 % 50));
      work();
      lock.lock();
      ++done_;
      changed_.notify_all();
    }
  }

  const unsigned number_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> queue_;
  uint64_t added_ = 0, done_ = 0;
  bool stopping_ = false;
  std::thread thread_; // starts when all else is there
};

struct CUevent_st {
  std::mutex mutex;
  std::condition_variable changed;
  unsigned recorded = 0, reached = 0; // how often
  Clock::time_point time;
};

namespace cps::sim {

namespace {

Live<CUstream_st> &streams() {
  static Live<CUstream_st> &live = *new Live<CUstream_st>;
  return live;
}

Live<CUevent_st> &events() {
  static Live<CUevent_st> &live = *new Live<CUevent_st>;
  return live;
}

std::atomic<unsigned> synchronisations{0}, created{0};

CUresult find(const Context &context, const char *call, CUstream handle, std::shared_ptr<CUstream_st> &stream) {
  if (handle == CU_STREAM_PER_THREAD)
    return CUDA_ERROR_NOT_SUPPORTED;
  stream = streams().find(handle == nullptr || handle == CU_STREAM_LEGACY ? context->default_stream : handle);
  if (!stream)
    return violation(call, "there is no such stream", CUDA_ERROR_INVALID_HANDLE);
  if (stream->context != context.get())
    return violation(call, "the stream is of another context", CUDA_ERROR_INVALID_HANDLE);
  return CUDA_SUCCESS;
}

// The default stream begins when the others are done, and they begin when it is.
void wait_for_the_others(const CUstream_st &stream) {
  if (stream.independent)
    return;
  const bool is_default = stream.context->default_stream == &stream;
  for (const auto &other : streams().all())
    if (other->context == stream.context && !other->independent &&
        (other.get() == stream.context->default_stream) != is_default)
      other->drain();
}

} // namespace

CUresult enqueue(const Context &context, const char *call, CUstream handle, std::function<void()> work) {
  std::shared_ptr<CUstream_st> stream;
  if (const CUresult result = find(context, call, handle, stream))
    return result;
  wait_for_the_others(*stream);
  stream->add([work = std::move(work)] {
    if (!device_lost())
      work();
  });
  return CUDA_SUCCESS;
}

void drain(const CUctx_st *context, bool independent) {
  for (const auto &stream : streams().all())
    if (stream->context == context && (independent || !stream->independent))
      stream->drain();
}

CUstream new_stream(const Context &context, bool independent) {
  return streams().add(std::make_shared<CUstream_st>(context.get(), independent, created++));
}

void destroy_streams(const CUctx_st *context) {
  for (const auto &stream : streams().all())
    if (stream->context == context)
      streams().remove(stream.get());
}

} // namespace cps::sim

using namespace cps::sim;

CPS_SIM_API unsigned cps_sim_synchronisations() {
  return synchronisations;
}

CPS_SIM_API CUresult cuStreamCreate(CUstream *stream, unsigned flags) {
  Context context;
  if (const CUresult result = current(context))
    return result;
  *stream = new_stream(context, flags & CU_STREAM_NON_BLOCKING);
  return CUDA_SUCCESS;
}

CPS_SIM_API CUresult cuStreamDestroy_v2(CUstream stream) {
  if (const CUresult result = initialised())
    return result;
  if (!streams().remove(stream))
    return violation("cuStreamDestroy", "there is no such stream", CUDA_ERROR_INVALID_HANDLE);
  return CUDA_SUCCESS;
}

CPS_SIM_API CUresult cuStreamDestroy(CUstream stream) {
  return cuStreamDestroy_v2(stream);
}

CPS_SIM_API CUresult cuStreamSynchronize(CUstream handle) {
  Context context;
  if (const CUresult result = current(context))
    return result;
  std::shared_ptr<CUstream_st> stream;
  if (const CUresult result = find(context, "cuStreamSynchronize", handle, stream))
    return result;
  ++synchronisations;
  wait_for_the_others(*stream);
  stream->drain();
  return device_lost() ? CUDA_ERROR_LAUNCH_FAILED : CUDA_SUCCESS;
}

CPS_SIM_API CUresult cuEventCreate(CUevent *event, unsigned) {
  Context context;
  if (const CUresult result = current(context))
    return result;
  *event = events().add(std::make_shared<CUevent_st>());
  return CUDA_SUCCESS;
}

CPS_SIM_API CUresult cuEventDestroy_v2(CUevent event) {
  if (!events().remove(event))
    return violation("cuEventDestroy", "there is no such event", CUDA_ERROR_INVALID_HANDLE);
  return CUDA_SUCCESS;
}

CPS_SIM_API CUresult cuEventRecord(CUevent handle, CUstream stream_handle) {
  Context context;
  if (const CUresult result = current(context))
    return result;
  const std::shared_ptr<CUevent_st> event = events().find(handle);
  if (!event)
    return violation("cuEventRecord", "there is no such event", CUDA_ERROR_INVALID_HANDLE);
  std::shared_ptr<CUstream_st> stream;
  if (const CUresult result = find(context, "cuEventRecord", stream_handle, stream))
    return result;
  wait_for_the_others(*stream);
  unsigned number = 0;
  {
    const std::lock_guard<std::mutex> lock(event->mutex);
    number = ++event->recorded;
  }
  stream->add([event, number] { // whether the device is lost or not: somebody may wait
    const std::lock_guard<std::mutex> lock(event->mutex);
    event->reached = number;
    event->time = Clock::now();
    event->changed.notify_all();
  });
  return CUDA_SUCCESS;
}

CPS_SIM_API CUresult cuEventSynchronize(CUevent handle) {
  const std::shared_ptr<CUevent_st> event = events().find(handle);
  if (!event)
    return violation("cuEventSynchronize", "there is no such event", CUDA_ERROR_INVALID_HANDLE);
  std::unique_lock<std::mutex> lock(event->mutex);
  event->changed.wait(lock, [&event] { return event->reached == event->recorded; });
  return device_lost() ? CUDA_ERROR_LAUNCH_FAILED : CUDA_SUCCESS;
}

CPS_SIM_API CUresult cuEventElapsedTime_v2(float *milliseconds, CUevent start_handle, CUevent end_handle) {
  const CUevent handles[2] = {start_handle, end_handle};
  Clock::time_point times[2];
  for (int i = 0; i < 2; ++i) {
    const std::shared_ptr<CUevent_st> event = events().find(handles[i]);
    if (!event)
      return violation("cuEventElapsedTime", "there is no such event", CUDA_ERROR_INVALID_HANDLE);
    const std::lock_guard<std::mutex> lock(event->mutex);
    if (event->recorded == 0)
      return CUDA_ERROR_INVALID_HANDLE;
    if (event->reached != event->recorded)
      return CUDA_ERROR_NOT_READY;
    times[i] = event->time;
  }
  *milliseconds = std::chrono::duration<float, std::milli>(times[1] - times[0]).count();
  return device_lost() ? CUDA_ERROR_LAUNCH_FAILED : CUDA_SUCCESS;
}

CPS_SIM_API CUresult cuEventElapsedTime(float *milliseconds, CUevent start, CUevent end) {
  return cuEventElapsedTime_v2(milliseconds, start, end);
}
