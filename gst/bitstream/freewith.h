#pragma once

namespace cps {

// Deleter for the C library's objects.
template <auto free_function> struct FreeWith {
  template <typename T> void operator()(T *object) const { free_function(object); }
};

} // namespace cps
