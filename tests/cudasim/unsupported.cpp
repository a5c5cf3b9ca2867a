// SPDX-License-Identifier: LGPL-2.1-or-later
// What GStreamer looks for and a device without graphics has not got.
#include "tests/cudasim/driver.h"

CPS_SIM_API CUresult cuCtxEnablePeerAccess(CUcontext, unsigned) {
  return CUDA_ERROR_NOT_SUPPORTED;
}
CPS_SIM_API CUresult cuCtxDisablePeerAccess(CUcontext) {
  return CUDA_ERROR_NOT_SUPPORTED;
}
CPS_SIM_API CUresult cuTexObjectCreate(CUtexObject *, const CUDA_RESOURCE_DESC *, const CUDA_TEXTURE_DESC *,
                                       const CUDA_RESOURCE_VIEW_DESC *) {
  return CUDA_ERROR_NOT_SUPPORTED;
}
CPS_SIM_API CUresult cuTexObjectDestroy(CUtexObject) {
  return CUDA_ERROR_NOT_SUPPORTED;
}
CPS_SIM_API CUresult cuGraphicsMapResources(unsigned, CUgraphicsResource *, CUstream) {
  return CUDA_ERROR_NOT_SUPPORTED;
}
CPS_SIM_API CUresult cuGraphicsUnmapResources(unsigned, CUgraphicsResource *, CUstream) {
  return CUDA_ERROR_NOT_SUPPORTED;
}
CPS_SIM_API CUresult cuGraphicsUnregisterResource(CUgraphicsResource) {
  return CUDA_ERROR_NOT_SUPPORTED;
}
CPS_SIM_API CUresult cuGraphicsResourceSetMapFlags_v2(CUgraphicsResource, unsigned) {
  return CUDA_ERROR_NOT_SUPPORTED;
}
CPS_SIM_API CUresult cuGraphicsSubResourceGetMappedArray(CUarray *, CUgraphicsResource, unsigned, unsigned) {
  return CUDA_ERROR_NOT_SUPPORTED;
}
CPS_SIM_API CUresult cuGraphicsResourceGetMappedPointer_v2(CUdeviceptr *, size_t *, CUgraphicsResource) {
  return CUDA_ERROR_NOT_SUPPORTED;
}

// Of cudaGL.h, with OpenGL's types spelled out: its headers need not be there.
CPS_SIM_API CUresult cuGraphicsGLRegisterImage(CUgraphicsResource *, unsigned, unsigned, unsigned) {
  return CUDA_ERROR_NOT_SUPPORTED;
}
CPS_SIM_API CUresult cuGraphicsGLRegisterBuffer(CUgraphicsResource *, unsigned, unsigned) {
  return CUDA_ERROR_NOT_SUPPORTED;
}
CPS_SIM_API CUresult cuGLGetDevices_v2(unsigned *, CUdevice *, unsigned, int) {
  return CUDA_ERROR_NOT_SUPPORTED;
}
