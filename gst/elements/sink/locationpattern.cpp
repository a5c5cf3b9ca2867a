// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/sink/locationpattern.h"

namespace cps {

bool expand_location(const std::string &pattern, guint index, std::string &name) {
  bool numbered = false;
  name.clear();
  for (size_t i = 0; i < pattern.size(); i++) {
    if (pattern[i] != '%') {
      name += pattern[i];
      continue;
    }
    if (pattern[i + 1] == '%') { // at the end, this is the terminating NUL
      name += pattern[++i];
      continue;
    }
    const bool zeros = pattern[i + 1] == '0';
    const size_t digits = i + 1 + zeros, end = pattern.find_first_not_of("0123456789", digits);
    if (numbered || end == std::string::npos || end - digits > 2 || pattern[end] != 'd')
      return false;
    const size_t width = end > digits ? std::stoul(pattern.substr(digits, end - digits)) : 0;
    const std::string number = std::to_string(index);
    if (number.size() < width)
      name.append(width - number.size(), zeros ? '0' : ' ');
    name += number;
    numbered = true;
    i = end;
  }
  return true;
}

} // namespace cps
