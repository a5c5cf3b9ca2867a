// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/cuda/context.h"

#include <map>

#define GST_CAT_DEFAULT cps::cuda::debug_category()

namespace cps::cuda {

namespace {

using ContextRef = Owned<GstCudaContext>;

ContextRef ref(GstCudaContext *context) {
  return ContextRef(context ? GST_CUDA_CONTEXT_CAST(gst_object_ref(context)) : nullptr);
}

std::string devices_text(int devices) {
  return devices == 1 ? "there is only GPU 0" : "there are only GPUs 0 to " + std::to_string(devices - 1);
}

} // namespace

Owned<GstCudaContext> primary_context(int device_id, Error &error) {
  const Driver *cuda = driver();
  if (!cuda) {
    error = no_driver();
    return nullptr;
  }
  if (device_id < 0 || device_id >= cuda->devices) {
    error.text = "cuda-device-id is " + std::to_string(device_id) + ", but " + devices_text(cuda->devices);
    return nullptr;
  }

  // Never freed, because the driver may be unloaded before the last destructors of the process run.
  static std::mutex mutex;
  static auto &contexts = *std::make_unique<std::map<int, GstCudaContext *>>().release();
  const std::lock_guard<std::mutex> lock(mutex);
  if (const auto known = contexts.find(device_id); known != contexts.end())
    return ref(known->second);

  CUdevice device = 0;
  CUcontext primary = nullptr;
  CUresult result = CuDeviceGet(&device, device_id);
  if (result == CUDA_SUCCESS)
    result = cuda->primary_context_retain(&primary, device);
  if (result != CUDA_SUCCESS) {
    error = error_of(result, "opening GPU " + std::to_string(device_id));
    return nullptr;
  }
  GstCudaContext *context = gst_cuda_context_new_wrapped(primary, device);
  if (!context) {
    cuda->primary_context_release(device);
    error.text = "GStreamer does not take the context of GPU " + std::to_string(device_id);
    return nullptr;
  }
  GST_OBJECT_FLAG_SET(context, GST_OBJECT_FLAG_MAY_BE_LEAKED);
  contexts.emplace(device_id, context);
  return ref(context);
}

bool ElementContext::accepts(GstCudaContext *context) const {
  return device_id_ < 0 || device_id_of(context) == device_id_;
}

void ElementContext::set_device_id(int device_id) {
  ContextRef old;
  const std::lock_guard<std::mutex> lock(mutex_);
  device_id_ = device_id;
  if (context_ && !accepts(context_.get()))
    old = std::move(context_);
}

Owned<GstCudaContext> ElementContext::current() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return ref(context_.get());
}

Owned<GstCudaContext> ElementContext::ensure(GstElement *element, Error &error) {
  if (ContextRef known = current())
    return known;
  if (!driver()) {
    error = no_driver();
    return nullptr;
  }

  // Set by the application or a bin before we needed a context, or before release().
  if (GstContext *given = gst_element_get_context(element, GST_CUDA_CONTEXT_TYPE)) {
    set_context(element, given);
    gst_context_unref(given);
  }
  if (!current())
    gst_element_post_message(element, gst_message_new_need_context(GST_OBJECT_CAST(element), GST_CUDA_CONTEXT_TYPE));
  if (ContextRef found = current())
    return found;

  int device_id = 0;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    device_id = device_id_ < 0 ? 0 : device_id_;
  }
  const ContextRef primary = primary_context(device_id, error);
  if (!primary)
    return nullptr;
  GST_DEBUG_OBJECT(element, "takes the primary context of device %d", device_id);
  GstContext *shared = gst_context_new_cuda_context(primary.get());
  take(element, shared); // unless another thread was faster
  gst_element_post_message(element, gst_message_new_have_context(GST_OBJECT_CAST(element), shared));
  ContextRef found = current();
  if (!found)
    error.text = "cuda-device-id was changed";
  return found;
}

void ElementContext::take(GstElement *element, GstContext *context) {
  gst_element_set_context(element, context); // GstElement's own copy
  set_context(element, context);             // no effect if the call above has already called this
}

void ElementContext::set_context(GstElement *element, GstContext *context) {
  const std::lock_guard<std::mutex> lock(mutex_);
  GstCudaContext *taken = context_.release();
  gst_cuda_handle_set_context(element, context, device_id_, &taken);
  context_.reset(taken);
}

bool ElementContext::answer(GstElement *element, GstQuery *query) {
  const gchar *type = nullptr;
  if (GST_QUERY_TYPE(query) != GST_QUERY_CONTEXT || !gst_query_parse_context_type(query, &type) ||
      g_strcmp0(type, GST_CUDA_CONTEXT_TYPE) != 0)
    return false;
  Error ignored;
  const ContextRef context = ensure(element, ignored);
  return gst_cuda_handle_context_query(element, query, context.get());
}

bool ElementContext::adopt(GstCudaContext *context, Error &error) {
  ContextRef old;
  const std::lock_guard<std::mutex> lock(mutex_);
  if (context_.get() == context)
    return true;
  if (!accepts(context)) {
    error.text = "cuda-device-id is " + std::to_string(device_id_) + ", but the frames are on GPU " +
                 std::to_string(device_id_of(context)) +
                 ": set cuda-device-id to that, or to -1 for wherever the frames are";
    return false;
  }
  GST_DEBUG("context %p -> %p, that of the frames, on device %d", static_cast<void *>(context_.get()),
            static_cast<void *>(context), device_id_of(context));
  old = std::move(context_);
  context_ = ref(context);
  return true;
}

void ElementContext::release() {
  ContextRef old;
  const std::lock_guard<std::mutex> lock(mutex_);
  old = std::move(context_);
}

} // namespace cps::cuda
