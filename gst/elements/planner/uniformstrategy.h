// SPDX-License-Identifier: LGPL-2.1-or-later
// The values of frameplanner's property uniform-strategy.
#pragma once

#include <glib-object.h>

typedef enum { STRATEGY_AUTO, STRATEGY_SEEK, STRATEGY_SKIP, STRATEGY_STREAM } UniformStrategy;

#define CPS_TYPE_UNIFORM_STRATEGY (cps_uniform_strategy_get_type())
GType cps_uniform_strategy_get_type();
