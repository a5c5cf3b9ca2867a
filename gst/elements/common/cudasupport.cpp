// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/common/stagecontext.h"

namespace cps {

bool cuda_available() {
  return cuda::installed();
}

StageContext::StageContext(GstElement *element) : state_(new State{element, {}}) {}
StageContext::~StageContext() = default;
void StageContext::set_context(GstContext *context) {
  state_->context().set_context(state_->element, context);
}
bool StageContext::answer(GstQuery *query) {
  return GST_QUERY_TYPE(query) == GST_QUERY_CONTEXT && state_->context().answer(state_->element, query);
}
void StageContext::release() {
  state_->shared.release();
}

bool gpu_works(int device_id, std::string &why_not) {
  cuda::Error error;
  if (!cuda::primary_context(device_id, error)) {
    why_not = error.text;
    return false;
  }
  const Owned<GstElementFactory> upload(gst_element_factory_find("cudaupload"));
  if (!upload)
    why_not = "there is no element cudaupload: GStreamer's plugin nvcodec is not installed, or the driver lacks NVDEC "
              "and NVENC, without which it has no elements";
  return upload != nullptr;
}

void give_primary_context(GstElement *element, int device_id) {
  cuda::Error error;
  const Owned<GstCudaContext> primary = cuda::primary_context(device_id, error);
  if (!primary)
    return;
  const Owned<GstContext> context(gst_context_new_cuda_context(primary.get()));
  gst_element_set_context(element, context.get());
}

} // namespace cps
