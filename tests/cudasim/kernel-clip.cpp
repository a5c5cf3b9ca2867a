#include "kernels/clip.cu"
