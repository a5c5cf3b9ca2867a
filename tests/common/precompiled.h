// SPDX-License-Identifier: LGPL-2.1-or-later
// The headers that most tests include, compiled once for each folder of tests. None of them is ours, so that a change
// of a header of the tree does not affect the others. ci/full.sh builds without this file, so that a test that lacks an
// include fails there.
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

// Included last, because its macros have the names of functions of the standard library.
#include <gst/check/gstcheck.h>
#endif
