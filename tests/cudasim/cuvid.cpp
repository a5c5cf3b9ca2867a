// SPDX-License-Identifier: LGPL-2.1-or-later
// NVIDIA's video decoder without a decoder: GStreamer's nvcodec plugin has no elements at all without this library.
// None of these is called with success, and so none reads its arguments.
#define CPS_CUVID_FUNCTION(name)                                                                                       \
  extern "C" __attribute__((visibility("default"))) int name();                                                        \
  int name() {                                                                                                         \
    return 801;                                                                                                        \
  } // CUDA_ERROR_NOT_SUPPORTED

CPS_CUVID_FUNCTION(cuvidCtxLockCreate)
CPS_CUVID_FUNCTION(cuvidCtxLockDestroy)
CPS_CUVID_FUNCTION(cuvidCtxLock)
CPS_CUVID_FUNCTION(cuvidCtxUnlock)
CPS_CUVID_FUNCTION(cuvidCreateDecoder)
CPS_CUVID_FUNCTION(cuvidDestroyDecoder)
CPS_CUVID_FUNCTION(cuvidDecodePicture)
CPS_CUVID_FUNCTION(cuvidCreateVideoParser)
CPS_CUVID_FUNCTION(cuvidParseVideoData)
CPS_CUVID_FUNCTION(cuvidDestroyVideoParser)
CPS_CUVID_FUNCTION(cuvidMapVideoFrame64)
CPS_CUVID_FUNCTION(cuvidUnmapVideoFrame64)
CPS_CUVID_FUNCTION(cuvidGetDecoderCaps)
