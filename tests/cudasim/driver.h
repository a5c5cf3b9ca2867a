// SPDX-License-Identifier: LGPL-2.1-or-later
// What the files of the simulated driver share.
#pragma once

#define __CUDA_API_VERSION_INTERNAL // every version of every function is declared, and none renamed
#include <cuda.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#define CPS_SIM_API extern "C" __attribute__((visibility("default")))

// A context. CUDA's headers name these types and leave them to the driver.
struct CUctx_st {
  CUdevice device = 0;
  CUstream default_stream = nullptr; // the NULL stream
  std::atomic<bool> destroyed{false};
};

namespace cps::sim {

using Context = std::shared_ptr<CUctx_st>;

// What callers hold handles of: they may hold them for too long.
template <typename T> class Live {
public:
  T *add(std::shared_ptr<T> object) {
    const std::lock_guard<std::mutex> lock(mutex_);
    T *const handle = object.get();
    objects_[handle] = std::move(object);
    return handle;
  }
  std::shared_ptr<T> find(T *handle) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = objects_.find(handle);
    return found == objects_.end() ? nullptr : found->second;
  }
  std::shared_ptr<T> remove(T *handle) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = objects_.find(handle);
    if (found == objects_.end())
      return nullptr;
    std::shared_ptr<T> object = std::move(found->second);
    objects_.erase(found);
    return object;
  }
  std::vector<std::shared_ptr<T>> all() {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::vector<std::shared_ptr<T>> list;
    for (const auto &entry : objects_)
      list.push_back(entry.second);
    return list;
  }

private:
  std::mutex mutex_;
  std::map<T *, std::shared_ptr<T>> objects_;
};

// driver.cpp

// A number from the environment.
unsigned long long setting(const char *name, unsigned long long otherwise);

// The caller broke a rule of CUDA's: says so, and aborts where the simulation is strict.
CUresult violation(const char *call, const char *sentence, CUresult result = CUDA_ERROR_INVALID_VALUE);

bool device_lost();
CUresult initialised();
int device_count();
unsigned schedule_seed();

// The calling thread's context, for what needs the device.
CUresult current(Context &context);

// memory.cpp

// Does device memory of the context's device, or memory of the host, lie there as a whole?
CUresult check_device(const Context &context, const char *call, CUdeviceptr at, size_t bytes);
CUresult check_host(const char *call, const void *at, size_t bytes);
bool is_device_memory(CUdeviceptr at);
void free_memory_of(const CUctx_st *context);

// stream.cpp

// Does `work` later, behind what the stream already has to do. `context` is the current one.
CUresult enqueue(const Context &context, const char *call, CUstream handle, std::function<void()> work);

// Waits for all that the context's streams have to do; without `independent` for those that CUDA's synchronous calls
// wait for.
void drain(const CUctx_st *context, bool independent);

CUstream new_stream(const Context &context, bool independent);
void destroy_streams(const CUctx_st *context);

} // namespace cps::sim
