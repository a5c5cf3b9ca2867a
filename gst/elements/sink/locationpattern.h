// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <glib.h>
#include <string>

namespace cps {

// The name of clip `index`: `%d`, `%0Nd` and `%Nd` stand for it, once, and `%%` for a percent sign. False where the
// pattern has anything else.
bool expand_location(const std::string &pattern, guint index, std::string &name);

} // namespace cps
