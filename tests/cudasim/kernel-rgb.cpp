#include "kernels/rgb.cu"
