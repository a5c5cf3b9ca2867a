// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/cuda/driver.h"

#include <gmodule.h>

#include <algorithm>
#include <optional>
#include <unistd.h>

#define GST_CAT_DEFAULT cps::cuda::debug_category()

namespace cps::cuda {

GstDebugCategory *debug_category() {
  static GstDebugCategory *const category = _gst_debug_category_new("codecpatchcuda", 0, "codecpatch on CUDA devices");
  return category;
}

namespace {

template <typename Function> bool look_up(GModule *module, const char *name, Function &function) {
  gpointer symbol = nullptr;
  if (!g_module_symbol(module, name, &symbol) || !symbol) {
    GST_WARNING("the CUDA driver has no %s: %s", name, g_module_error());
    return false;
  }
  function = reinterpret_cast<Function>(symbol);
  return true;
}

// Machine code and PTX need a driver of the toolkit's major version or later.
bool is_recent() {
  int version = 0;
  const bool recent = CuDriverGetVersion(&version) == CUDA_SUCCESS && version / 1000 >= CUDA_VERSION / 1000;
  if (!recent)
    GST_WARNING("the CUDA driver is for CUDA %d.%d; codecpatch was built with %d.%d and needs a newer driver",
                version / 1000, version % 1000 / 10, CUDA_VERSION / 1000, CUDA_VERSION % 1000 / 10);
  return recent;
}

bool can_run_kernels(int id) {
  constexpr int kOldest = 75; // as in kernels/meson.build
  CUdevice device = 0;
  int major = 0, minor = 0;
  return CuDeviceGet(&device, id) == CUDA_SUCCESS &&
         CuDeviceGetAttribute(&major, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, device) == CUDA_SUCCESS &&
         CuDeviceGetAttribute(&minor, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, device) == CUDA_SUCCESS &&
         10 * major + minor >= kOldest;
}

std::optional<Driver> load() {
  if (!installed())
    return std::nullopt;
  Driver driver;
  const CUresult initialised = CuInit(0);
  if (initialised != CUDA_SUCCESS || CuDeviceGetCount(&driver.devices) != CUDA_SUCCESS || driver.devices < 1) {
    GST_INFO("no CUDA device (cuInit: %d, %d devices)", static_cast<int>(initialised), driver.devices);
    return std::nullopt;
  }
  bool some = false;
  for (int id = 0; id < driver.devices; id++)
    some = some || can_run_kernels(id);
  if (!some) {
    GST_WARNING("no CUDA device has compute capability 7.5 or later");
    return std::nullopt;
  }
  // libgstcuda has already opened this library. Never closed, because the driver does not support unloading.
  GModule *module = g_module_open("libcuda.so.1", static_cast<GModuleFlags>(G_MODULE_BIND_LAZY | G_MODULE_BIND_LOCAL));
  if (!module) {
    GST_WARNING("%s", g_module_error());
    return std::nullopt;
  }
  if (!look_up(module, "cuDevicePrimaryCtxRetain", driver.primary_context_retain) ||
      !look_up(module, "cuDevicePrimaryCtxRelease_v2", driver.primary_context_release) ||
      !look_up(module, "cuDevicePrimaryCtxGetState", driver.primary_context_state) ||
      !look_up(module, "cuMemsetD8Async", driver.memset_async))
    return std::nullopt;
  gst_cuda_memory_init_once();
  GST_INFO("%d CUDA devices", driver.devices);
  return driver;
}

// The kernels do not run on this device.
bool is_image_error(CUresult result) {
  return result == CUDA_ERROR_NO_BINARY_FOR_GPU || result == CUDA_ERROR_INVALID_IMAGE ||
         result == CUDA_ERROR_INVALID_PTX || result == CUDA_ERROR_UNSUPPORTED_PTX_VERSION ||
         result == CUDA_ERROR_JIT_COMPILER_NOT_FOUND;
}

// A pitch must be below 2 GiB, even for a single row.
constexpr size_t kLongestRow = size_t{1} << 30;

// libgstcuda 1.22 does not load the functions for one-dimensional copies, so this copies rows of a two-dimensional one.
CUresult copy_rows(CUDA_MEMCPY2D row, size_t bytes, CUstream stream) {
  row.Height = 1;
  while (bytes > 0) {
    row.WidthInBytes = std::min(bytes, kLongestRow);
    row.srcPitch = row.dstPitch = row.WidthInBytes;
    const CUresult result = CuMemcpy2DAsync(&row, stream);
    if (result != CUDA_SUCCESS)
      return result;
    bytes -= row.WidthInBytes;
    row.srcDevice += row.WidthInBytes;
    row.dstDevice += row.WidthInBytes;
    if (row.srcHost)
      row.srcHost = static_cast<const char *>(row.srcHost) + row.WidthInBytes;
    if (row.dstHost)
      row.dstHost = static_cast<char *>(row.dstHost) + row.WidthInBytes;
  }
  return CUDA_SUCCESS;
}

} // namespace

bool installed() {
  static const bool usable = gst_cuda_load_library() && is_recent();
  return usable;
}

// A process's driver, and the process, because CUDA does not work after a fork.
struct Loaded {
  std::optional<Driver> driver = load();
  pid_t process = getpid();
};

static const Loaded &loaded() {
  static const Loaded once;
  return once;
}

const Driver *driver() {
  const Loaded &known = loaded();
  return known.driver && known.process == getpid() ? &*known.driver : nullptr;
}

Error no_driver() {
  Error error;
  error.text = loaded().driver ? "CUDA cannot be used in the child of a process that has used it: start new processes "
                                 "instead of forking (in Python: multiprocessing_context=\"spawn\")"
                               : "There is no CUDA driver as new as codecpatch's CUDA toolkit, or no GPU of compute "
                                 "capability 7.5 or later";
  return error;
}

std::string bytes_text(size_t bytes) {
  constexpr size_t million = 1000000;
  return bytes < million ? std::to_string(bytes) + " bytes"
                         : std::to_string(bytes / million + (bytes % million >= million / 2)) + " MB";
}

Error error_of(CUresult result, const std::string &doing) {
  const char *name = nullptr, *meaning = nullptr;
  CuGetErrorName(result, &name);
  CuGetErrorString(result, &meaning);
  const std::string known = name ? name : "CUDA error " + std::to_string(static_cast<int>(result));
  Error error;
  if (result == CUDA_ERROR_OUT_OF_MEMORY) {
    error.out_of_memory = true;
    error.text = "The GPU has no memory left (" + known + " while " + doing +
                 "): sample fewer frames, use a smaller target size, or end what else uses this GPU";
  } else if (is_image_error(result)) {
    error.text = "The GPU cannot run codecpatch's kernels (" + known + " while " + doing +
                 "): it needs compute capability 7.5 or later, and a driver as new as the CUDA toolkit that codecpatch "
                 "was built with";
  } else {
    error.text = "The GPU failed (" + known + (meaning ? std::string(": ") + meaning : "") + "; while " + doing + ")";
  }
  GST_WARNING("%s", error.text.c_str());
  return error;
}

int device_id_of(GstCudaContext *context) {
  // The property is int in some versions and unsigned in others. Only a GValue makes GObject convert it.
  GValue id = G_VALUE_INIT;
  g_value_init(&id, G_TYPE_INT);
  g_object_get_property(G_OBJECT(context), "cuda-device-id", &id);
  return g_value_get_int(&id);
}

bool is_primary(GstCudaContext *context) {
  const Driver *cuda = driver();
  CUdevice device = 0;
  CUcontext primary = nullptr;
  unsigned flags = 0;
  int active = 0; // if inactive, retaining the context would create it
  if (!cuda || CuDeviceGet(&device, device_id_of(context)) != CUDA_SUCCESS ||
      cuda->primary_context_state(device, &flags, &active) != CUDA_SUCCESS || !active ||
      cuda->primary_context_retain(&primary, device) != CUDA_SUCCESS)
    return false;
  cuda->primary_context_release(device);
  return gst_cuda_context_get_handle(context) == primary;
}

CurrentContext::CurrentContext(GstCudaContext *context) : pushed_(gst_cuda_context_push(context)) {}

CurrentContext::~CurrentContext() {
  if (pushed_)
    gst_cuda_context_pop(nullptr);
}

CUresult copy_to_device(CUdeviceptr to, const void *from, size_t bytes, CUstream stream) {
  CUDA_MEMCPY2D row = {};
  row.srcMemoryType = CU_MEMORYTYPE_HOST;
  row.srcHost = from;
  row.dstMemoryType = CU_MEMORYTYPE_DEVICE;
  row.dstDevice = to;
  return copy_rows(row, bytes, stream);
}

CUresult copy_to_host(void *to, CUdeviceptr from, size_t bytes, CUstream stream) {
  CUDA_MEMCPY2D row = {};
  row.srcMemoryType = CU_MEMORYTYPE_DEVICE;
  row.srcDevice = from;
  row.dstMemoryType = CU_MEMORYTYPE_HOST;
  row.dstHost = to;
  return copy_rows(row, bytes, stream);
}

CUresult copy_on_device(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream stream) {
  CUDA_MEMCPY2D row = {};
  row.srcMemoryType = CU_MEMORYTYPE_DEVICE;
  row.srcDevice = from;
  row.dstMemoryType = CU_MEMORYTYPE_DEVICE;
  row.dstDevice = to;
  return copy_rows(row, bytes, stream);
}

} // namespace cps::cuda
