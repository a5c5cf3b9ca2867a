#include "kernels/frame.cu"
