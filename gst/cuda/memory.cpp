// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/cuda/memory.h"

#include "gst/common/owned.h"
#include "gst/cuda/driver.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <vector>

#define GST_CAT_DEFAULT cps::cuda::debug_category()

using cps::Owned;
using cps::cuda::CurrentContext;

namespace {

constexpr gsize kAlignment = 256;              // guaranteed by the driver
constexpr gsize kKeptBytes = gsize{256} << 20; // of unused blocks

// An allocation of the driver.
struct Block {
  CUdeviceptr data = 0;
  gsize bytes = 0;
  void *staging = nullptr; // pinned, of the same size; allocated by the first map to system memory
};

struct LinearMemory {
  GstMemory parent = {};
  Block block;

  std::mutex mutex;
  int host_maps = 0, host_writers = 0; // current maps
  int device_maps = 0, device_writers = 0;
};

LinearMemory *linear(GstMemory *memory) {
  return reinterpret_cast<LinearMemory *>(memory);
}

void free_block(const Block &block) {
  // If the driver has failed, freeing fails too; the memory is already lost.
  const CUresult freed = CuMemFree(block.data);
  if (freed != CUDA_SUCCESS)
    GST_DEBUG("freeing device memory failed: %d", static_cast<int>(freed));
  if (block.staging)
    CuMemFreeHost(block.staging);
}

// Internals of the allocator. Thread-safe.
class Blocks {
public:
  explicit Blocks(GstCudaContext *context) : context_(GST_CUDA_CONTEXT_CAST(gst_object_ref(context))) {}
  ~Blocks() {
    const CurrentContext current(context_.get());
    if (!current.pushed()) // the driver's context is destroyed, and everything in it
      return;
    drop_kept();
    if (stream_)
      CuStreamDestroy(stream_);
  }
  Blocks(const Blocks &) = delete;
  Blocks &operator=(const Blocks &) = delete;

  GstCudaContext *context() const { return context_.get(); }

  CUresult take(gsize bytes, Block &block);
  void give(const Block &block);

  // Copy synchronously. The context must be current.
  CUresult read_back(const Block &from);
  CUresult write_back(const Block &to, gsize offset, gsize bytes);
  CUresult copy(CUdeviceptr to, CUdeviceptr from, gsize bytes);

private:
  void drop_kept();
  CUresult stream(CUstream &stream);
  static CUresult wait(CUresult copied, CUstream stream) {
    return copied == CUDA_SUCCESS ? CuStreamSynchronize(stream) : copied;
  }

  Owned<GstCudaContext> context_;
  std::mutex mutex_;
  std::vector<Block> kept_; // oldest first
  gsize kept_bytes_ = 0;
  CUstream stream_ = nullptr;
};

CUresult Blocks::take(gsize bytes, Block &block) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    // The newest block of this size, because it is the most likely one to be in a cache.
    const auto found =
        std::find_if(kept_.rbegin(), kept_.rend(), [bytes](const Block &kept) { return kept.bytes == bytes; });
    if (found != kept_.rend()) {
      block = *found;
      kept_bytes_ -= block.bytes;
      kept_.erase(std::next(found).base());
      return CUDA_SUCCESS;
    }
  }
  const CurrentContext current(context());
  if (!current.pushed())
    return CUDA_ERROR_INVALID_CONTEXT;
  block = Block{0, bytes, nullptr};
  CUresult result = CuMemAlloc(&block.data, static_cast<unsigned>(bytes));
  if (result == CUDA_ERROR_OUT_OF_MEMORY) {
    drop_kept();
    result = CuMemAlloc(&block.data, static_cast<unsigned>(bytes));
  }
  return result;
}

void Blocks::give(const Block &block) {
  std::vector<Block> surplus;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const bool keeps = block.bytes <= kKeptBytes;
    while (keeps && kept_bytes_ + block.bytes > kKeptBytes) {
      surplus.push_back(kept_.front());
      kept_bytes_ -= kept_.front().bytes;
      kept_.erase(kept_.begin());
    }
    (keeps ? kept_ : surplus).push_back(block);
    kept_bytes_ += keeps ? block.bytes : 0;
  }
  if (surplus.empty())
    return;
  const CurrentContext current(context());
  for (const Block &old : surplus)
    if (current.pushed())
      free_block(old);
}

void Blocks::drop_kept() {
  std::vector<Block> dropped;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    dropped.swap(kept_);
    kept_bytes_ = 0;
  }
  for (const Block &block : dropped)
    free_block(block);
}

CUresult Blocks::stream(CUstream &stream) {
  const std::lock_guard<std::mutex> lock(mutex_);
  CUresult result = CUDA_SUCCESS;
  if (!stream_)
    result = CuStreamCreate(&stream_, CU_STREAM_NON_BLOCKING);
  stream = stream_;
  return result;
}

CUresult Blocks::read_back(const Block &from) {
  CUstream ours = nullptr;
  const CUresult result = stream(ours);
  return result == CUDA_SUCCESS ? wait(cps::cuda::copy_to_host(from.staging, from.data, from.bytes, ours), ours)
                                : result;
}

CUresult Blocks::write_back(const Block &to, gsize offset, gsize bytes) {
  CUstream ours = nullptr;
  const CUresult result = stream(ours);
  const char *from = static_cast<const char *>(to.staging) + offset;
  return result == CUDA_SUCCESS ? wait(cps::cuda::copy_to_device(to.data + offset, from, bytes, ours), ours) : result;
}

CUresult Blocks::copy(CUdeviceptr to, CUdeviceptr from, gsize bytes) {
  CUstream ours = nullptr;
  const CUresult result = stream(ours);
  return result == CUDA_SUCCESS ? wait(cps::cuda::copy_on_device(to, from, bytes, ours), ours) : result;
}

// Logs the reason of a failed map or copy, because their results do not carry one.
bool succeeded(CUresult result, const char *doing, gsize bytes) {
  if (result != CUDA_SUCCESS)
    cps::cuda::error_of(result, std::string(doing) + " " + cps::cuda::bytes_text(bytes));
  return result == CUDA_SUCCESS;
}

} // namespace

struct CpsCudaAllocator {
  GstAllocator parent;
};
struct CpsCudaAllocatorClass {
  GstAllocatorClass parent_class;
};
struct CpsCudaAllocatorPrivate {
  std::unique_ptr<Blocks> blocks;
};

static GType cps_cuda_allocator_get_type();
G_DEFINE_FINAL_TYPE_WITH_PRIVATE(CpsCudaAllocator, cps_cuda_allocator, GST_TYPE_ALLOCATOR)

static CpsCudaAllocatorPrivate &state_of(gpointer self) {
  return *static_cast<CpsCudaAllocatorPrivate *>(
      cps_cuda_allocator_get_instance_private(static_cast<CpsCudaAllocator *>(self)));
}

static Blocks &blocks_of(gpointer allocator) {
  return *state_of(allocator).blocks;
}

// Allocation

// Allocates `size` bytes between `prefix` and `padding`.
static GstMemory *new_memory(GstAllocator *allocator, gsize size, const GstAllocationParams &params, CUresult *result) {
  constexpr gsize most = cps::cuda::kMostLinearBytes;
  const gsize room = params.prefix + size + params.padding;
  if (std::max({size, params.prefix, params.padding, room}) >
      most) { // each of them, because the sum may have overflowed
    *result = CUDA_ERROR_OUT_OF_MEMORY;
    return nullptr;
  }
  // An empty memory needs an address, too.
  const gsize bytes = (std::max<gsize>(room, 1) + kAlignment - 1) / kAlignment * kAlignment;
  Block block;
  *result = blocks_of(allocator).take(bytes, block);
  if (*result != CUDA_SUCCESS)
    return nullptr;
  auto memory = std::make_unique<LinearMemory>();
  memory->block = block;
  GstMemory *parent = &memory.release()->parent;
  // Sub-memories are copied, because there is no mem_share.
  gst_memory_init(parent, static_cast<GstMemoryFlags>(params.flags | GST_MEMORY_FLAG_NO_SHARE), allocator, nullptr,
                  room, kAlignment - 1, params.prefix, size);
  return parent;
}

static GstMemory *cuda_allocator_alloc(GstAllocator *allocator, gsize size, GstAllocationParams *params) {
  if (params->align > kAlignment - 1) {
    GST_WARNING_OBJECT(allocator, "no memory with an alignment of %" G_GSIZE_FORMAT " bytes", params->align + 1);
    return nullptr;
  }
  CUresult result = CUDA_SUCCESS;
  GstMemory *memory = new_memory(allocator, size, *params, &result);
  succeeded(result, "allocating", size);
  return memory;
}

static void cuda_allocator_free(GstAllocator *allocator, GstMemory *memory) {
  const std::unique_ptr<LinearMemory> owned(linear(memory));
  blocks_of(allocator).give(owned->block);
}

// Use

static bool stage(Blocks &blocks, LinearMemory &memory) {
  Block &block = memory.block;
  const CurrentContext current(blocks.context());
  if (!current.pushed())
    return false;
  if (!block.staging &&
      !succeeded(CuMemAllocHost(&block.staging, static_cast<unsigned>(block.bytes)), "pinning", block.bytes)) {
    block.staging = nullptr;
    return false;
  }
  return succeeded(blocks.read_back(block), "reading back", block.bytes);
}

// GST_MAP_CUDA is outside of the range of the enumeration: converting it to GstMapFlags is undefined behaviour.
static unsigned flags_of(const GstMapInfo *info) {
  unsigned flags = 0;
  static_assert(sizeof flags == sizeof info->flags);
  memcpy(&flags, &info->flags, sizeof flags);
  return flags;
}

// Writers read back first, too, because bytes that they do not write must keep their values.
static gpointer linear_map(GstMemory *memory, GstMapInfo *info, gsize) {
  LinearMemory &self = *linear(memory);
  const unsigned flags = flags_of(info);
  const bool writes = flags & GST_MAP_WRITE;
  const std::lock_guard<std::mutex> lock(self.mutex);
  if (flags & GST_MAP_CUDA) {
    if (self.host_writers > 0 || (writes && self.host_maps > 0)) {
      GST_WARNING("%p is mapped in system memory", static_cast<void *>(memory));
      return nullptr;
    }
    self.device_maps++;
    self.device_writers += writes;
    return reinterpret_cast<gpointer>(self.block.data);
  }
  if (self.device_writers > 0 || (writes && self.device_maps > 0)) {
    GST_WARNING("%p is mapped in device memory", static_cast<void *>(memory));
    return nullptr;
  }
  if (self.host_maps == 0 && !stage(blocks_of(memory->allocator), self))
    return nullptr;
  self.host_maps++;
  self.host_writers += writes;
  return self.block.staging;
}

static void linear_unmap(GstMemory *memory, GstMapInfo *info) {
  LinearMemory &self = *linear(memory);
  const unsigned flags = flags_of(info);
  const bool writes = flags & GST_MAP_WRITE;
  const std::lock_guard<std::mutex> lock(self.mutex);
  if (flags & GST_MAP_CUDA) {
    self.device_maps--;
    self.device_writers -= writes;
    return;
  }
  self.host_maps--;
  self.host_writers -= writes;
  if (!writes)
    return;
  Blocks &blocks = blocks_of(memory->allocator);
  const CurrentContext current(blocks.context());
  const auto offset = static_cast<gsize>(info->data - static_cast<guint8 *>(self.block.staging));
  succeeded(blocks.write_back(self.block, offset, info->maxsize), "writing back", info->maxsize);
}

static GstMemory *linear_copy(GstMemory *memory, gssize offset, gssize size) {
  const gsize first = memory->offset + static_cast<gsize>(offset);
  const gsize bytes = size >= 0 ? static_cast<gsize>(size) : memory->size - static_cast<gsize>(offset);
  GstAllocator *allocator = memory->allocator;
  Blocks &blocks = blocks_of(allocator);
  CUresult result = CUDA_SUCCESS;
  Owned<GstMemory> copy(cps::cuda::linear_memory_new(allocator, bytes, &result));
  if (copy) {
    const CurrentContext current(blocks.context());
    result = blocks.copy(linear(copy.get())->block.data, linear(memory)->block.data + first, bytes);
  }
  return succeeded(result, "copying", bytes) ? copy.release() : nullptr;
}

// The object

enum { PROP_CUDA_DEVICE_ID = 1, PROP_PRIMARY_CONTEXT };

static void cuda_allocator_get_property(GObject *object, guint id, GValue *value, GParamSpec *spec) {
  GstCudaContext *context = blocks_of(object).context();
  switch (id) {
  case PROP_CUDA_DEVICE_ID:
    g_value_set_int(value, cps::cuda::device_id_of(context));
    break;
  case PROP_PRIMARY_CONTEXT:
    g_value_set_boolean(value, cps::cuda::is_primary(context));
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

static void cuda_allocator_finalize(GObject *object) {
  state_of(object).~CpsCudaAllocatorPrivate();
  G_OBJECT_CLASS(cps_cuda_allocator_parent_class)->finalize(object);
}

static void cps_cuda_allocator_init(CpsCudaAllocator *self) {
  new (&state_of(self)) CpsCudaAllocatorPrivate;
  GstAllocator *allocator = &self->parent;
  allocator->mem_type = CPS_CUDA_MEMORY_TYPE;
  allocator->mem_map_full = linear_map;
  allocator->mem_unmap_full = linear_unmap;
  allocator->mem_copy = linear_copy;
  // The allocator is always passed to gst_allocator_alloc(). This flag prevents registering it as an allocator of
  // system memory.
  GST_OBJECT_FLAG_SET(allocator, GST_ALLOCATOR_FLAG_CUSTOM_ALLOC);
}

static void cps_cuda_allocator_class_init(CpsCudaAllocatorClass *klass) {
  auto *object_class = G_OBJECT_CLASS(klass);
  object_class->get_property = cuda_allocator_get_property;
  object_class->finalize = cuda_allocator_finalize;
  g_object_class_install_property(
      object_class, PROP_CUDA_DEVICE_ID,
      g_param_spec_int("cuda-device-id", "CUDA device", "Which device the memory is on", 0, G_MAXINT, 0,
                       static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)));
  g_object_class_install_property(
      object_class, PROP_PRIMARY_CONTEXT,
      g_param_spec_boolean("primary-context", "Primary context",
                           "Whether the memory is in the device's primary context, which others can reach it from",
                           TRUE, static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)));
  auto *allocator_class = GST_ALLOCATOR_CLASS(klass);
  allocator_class->alloc = cuda_allocator_alloc;
  allocator_class->free = cuda_allocator_free;
}

namespace cps::cuda {

GstAllocator *linear_allocator_of(GstCudaContext *context) {
  static const GQuark quark = g_quark_from_static_string("codecpatch-cuda-allocator");
  static std::mutex mutex;
  const std::lock_guard<std::mutex> lock(mutex);
  // Weak, because the allocator holds the context.
  auto *shared = static_cast<GWeakRef *>(g_object_get_qdata(G_OBJECT(context), quark));
  if (!shared) {
    shared = g_new0(GWeakRef, 1);
    g_weak_ref_init(shared, nullptr);
    g_object_set_qdata_full(G_OBJECT(context), quark, shared, [](gpointer weak) {
      g_weak_ref_clear(static_cast<GWeakRef *>(weak));
      g_free(weak);
    });
  }
  if (gpointer known = g_weak_ref_get(shared))
    return GST_ALLOCATOR(known);
  GstAllocator *allocator = GST_ALLOCATOR(g_object_new(cps_cuda_allocator_get_type(), nullptr));
  gst_object_ref_sink(allocator);
  state_of(allocator).blocks = std::make_unique<Blocks>(context);
  g_weak_ref_set(shared, allocator);
  return allocator;
}

GstMemory *linear_memory_new(GstAllocator *allocator, size_t bytes, CUresult *result) {
  GstAllocationParams params;
  gst_allocation_params_init(&params);
  return new_memory(allocator, bytes, params, result);
}

bool is_linear_memory(GstMemory *memory) {
  return G_TYPE_CHECK_INSTANCE_TYPE(memory->allocator, cps_cuda_allocator_get_type());
}

} // namespace cps::cuda
