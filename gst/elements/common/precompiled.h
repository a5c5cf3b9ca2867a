// SPDX-License-Identifier: LGPL-2.1-or-later
// The headers that most elements include, compiled once. None of them is ours. ci/full.sh builds without this file
// (-Db_pch=false), so that a source that lacks an include fails there.
#ifdef __cplusplus
#include <algorithm>
#include <atomic>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gst/gst.h>
#include <gst/pbutils/pbutils.h>
#include <gst/video/video.h>
#endif
