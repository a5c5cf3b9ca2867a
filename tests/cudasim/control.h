// SPDX-License-Identifier: LGPL-2.1-or-later
// What tests ask of the simulated driver, beside what CUDA has. Look them up in libcuda.so.1, or link with it.
//
// The environment: CPS_SIM_DEVICES (how many, 1), CPS_SIM_MEMORY (bytes of all devices together, 4 GiB),
// CPS_SIM_DRIVER_VERSION (as CUDA numbers them),
// CPS_SIM_SCHEDULE (a seed, see below, 1), CPS_SIM_STRICT (0: what breaks CUDA's rules is an error and a message, but
// no abort()).
#pragma once

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

void cps_sim_set_memory_limit(size_t bytes); // of all devices together
size_t cps_sim_memory_in_use(void);
size_t cps_sim_pinned_in_use(void);

// Calls since the process began.
unsigned cps_sim_launches(void);
unsigned cps_sim_synchronisations(void); // cuStreamSynchronize
unsigned cps_sim_allocations(void);      // device memory and pinned memory
size_t cps_sim_bytes_to_host(void);      // copied from device memory

// From now on all that needs the device fails, and what was queued is not done. Frees succeed. 0: it is back.
void cps_sim_lose_device(int lost);

// Decides which of several orders that CUDA allows is taken: of blocks, of threads between barriers, of streams.
void cps_sim_set_schedule(unsigned seed);

#ifdef __cplusplus
}
#endif
