#include "kernels/energy.cu"
