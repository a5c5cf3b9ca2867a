/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

#if defined(_WIN32)
#define CPS_API extern
#else
#define CPS_API __attribute__((visibility("default"))) extern
#endif
