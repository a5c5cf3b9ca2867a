// SPDX-License-Identifier: LGPL-2.1-or-later
// What most tests include, compiled once for each folder of tests. None of it is ours: a header of the tree that
// changes does not touch the others, and ci/full.sh builds without this file, so that a test that forgets an include
// fails there.
#ifdef __cplusplus
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <filesystem>
#include <fstream>
#include <functional>
#include <initializer_list>
#include <limits>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <numeric>
#include <optional>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

// Last, for its macros are called as parts of the standard library are.
#include <gst/check/gstcheck.h>
#endif
