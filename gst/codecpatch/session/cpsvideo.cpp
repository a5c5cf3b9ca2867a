// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/codecpatch/cpsvideo.h"

#include "gst/codecpatch/session/sessionerror.h"
#include "gst/codecpatch/session/video.h"
#include "gst/common/uritext.h"

#include <memory>
#include <utility>
#include <vector>

using cps::Opening;
using cps::Owned;
using cps::SessionSource;
using cps::UserData;

_CpsVideo::_CpsVideo(const std::string &called, std::optional<std::string> in_metadata, Find find_source)
    : name(Owned<gchar>(g_utf8_make_valid(called.c_str(), -1)).get()), source(std::move(in_metadata)),
      find(std::move(find_source)) {}

Owned<CpsIndex> _CpsVideo::index() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return Owned<CpsIndex>(index_ ? cps_index_ref(index_.get()) : nullptr);
}

void _CpsVideo::set_index(Owned<CpsIndex> index) {
  const std::lock_guard<std::mutex> lock(mutex_);
  index_.swap(index); // the old one is freed without the lock
}

static CpsVideo *new_video(const std::string &name, const std::optional<std::string> &source, _CpsVideo::Find find) {
  return std::make_unique<_CpsVideo>(name, source, std::move(find)).release();
}

static std::string name_or_default(const gchar *name) {
  return name ? name : "stream";
}

/**
 * cps_video_new_path:
 * @path: a file, in the encoding of file names
 *
 * A pipe is read as cps_video_new_stream() reads a stream without a seek function, so only one session can read it. The
 * file is not opened by this function.
 *
 * Returns: (transfer full): the video
 */
CpsVideo *cps_video_new_path(const gchar *path) {
  g_return_val_if_fail(path, nullptr);
  return new_video(path, path,
                   [file = std::string(path)](const Opening &opening, SessionSource &source, GError **error) {
                     return cps::find_file(file, opening, source, error);
                   });
}

/**
 * cps_video_new_uri:
 * @uri: a URI with a scheme that a GStreamer source element supports: `file:`, `https:`...
 *
 * Returns: (transfer full): the video
 */
CpsVideo *cps_video_new_uri(const gchar *uri) {
  g_return_val_if_fail(uri, nullptr);
  return new_video(cps::without_credentials(uri), std::nullopt,
                   [text = std::string(uri)](const Opening &, SessionSource &source, GError **error) {
                     return cps::find_uri(text, source, error);
                   });
}

/**
 * cps_video_new_bytes:
 * @data: (array length=size): the bytes of a whole file
 * @size: number of bytes
 * @release: (nullable): called once, on any thread, when @data is no longer needed
 * @user_data: passed to @release
 * @name: (nullable): what messages and metadata call it; "stream" with %NULL
 *
 * The bytes are not copied. @release is called when the video and its sessions have been freed. Tensors do not need
 * @data.
 *
 * Returns: (transfer full): the video
 */
CpsVideo *cps_video_new_bytes(gconstpointer data, gsize size, GDestroyNotify release, gpointer user_data,
                              const gchar *name) {
  auto owned = std::make_shared<UserData>(release, user_data);
  g_return_val_if_fail(data || size == 0, nullptr);
  const std::string source_name = name_or_default(name);
  return new_video(source_name, source_name,
                   [data, size, held = std::move(owned)](const Opening &, SessionSource &source, GError **) {
                     cps::find_bytes(data, size, held, source);
                     return true;
                   });
}

/**
 * cps_video_new_stream:
 * @read: the function that reads
 * @seek: (nullable): the function that moves the position; %NULL if the stream cannot seek
 * @release: (nullable): called once, on any thread, when @read and @seek will not be called any more
 * @user_data: passed to @read, @seek and @release
 * @name: (nullable): what messages and metadata call it; "stream" with %NULL
 *
 * The functions are those of cps_session_open_stream(). One session at a time may read them: another one fails with
 * %CPS_SESSION_ERROR_SOURCE until the first has been freed. Each session with a @seek that works begins at the start of
 * the stream. @release is called when the video and its sessions have been freed.
 *
 * Returns: (transfer full): the video
 */
CpsVideo *cps_video_new_stream(CpsReadFunc read, CpsSeekFunc seek, GDestroyNotify release, gpointer user_data,
                               const gchar *name) {
  auto owned = std::make_shared<UserData>(release, user_data);
  g_return_val_if_fail(read, nullptr);
  const std::string source_name = name_or_default(name);
  auto functions = std::make_shared<cps::SharedFunctions>(read, seek, user_data, std::move(owned));
  return new_video(source_name, source_name,
                   [held = std::move(functions)](const Opening &opening, SessionSource &source, GError **error) {
                     return cps::find_shared_functions(held, opening, source, error);
                   });
}

/**
 * cps_video_ref:
 * @video: a #CpsVideo
 *
 * Returns: (transfer full): @video, with another reference
 */
CpsVideo *cps_video_ref(CpsVideo *video) {
  video->references++;
  return video;
}

/**
 * cps_video_unref:
 * @video: (nullable) (transfer full): a #CpsVideo
 *
 * Sessions of the video stay valid.
 */
void cps_video_unref(CpsVideo *video) {
  if (video && --video->references == 0)
    std::unique_ptr<_CpsVideo>(video).reset();
}

/**
 * cps_video_index:
 * @video: a #CpsVideo
 * @options: (nullable) (array zero-terminated=1): as of cps_video_open(); `output` and `background` are not used
 * @error: (out) (optional): a #CpsSessionError on failure
 *
 * Reads the headers of the whole video, without decoding, unless that has been done. Blocks; where that must not be,
 * open a session with the option `output` set to `index`, and wait for its end.
 *
 * Returns: %TRUE if cps_video_get_index() has the index
 */
gboolean cps_video_index(CpsVideo *video, const gchar *const *options, GError **error) {
  g_return_val_if_fail(video, FALSE);
  if (video->index())
    return TRUE;
  std::vector<const gchar *> list;
  for (; options && options[0] && options[1]; options += 2)
    list.insert(list.end(), {options[0], options[1]});
  list.insert(list.end(), {"output", "index", "background", "false", nullptr});
  CpsSession *session = cps_video_open(video, list.data(), error);
  if (session)
    cps_tensors_free(cps_session_next(session, error));
  cps_session_free(session);
  return video->index() != nullptr;
}

/**
 * cps_video_get_index:
 * @video: a #CpsVideo
 *
 * Returns: (transfer full) (nullable): the index, %NULL as long as none is known
 */
CpsIndex *cps_video_get_index(CpsVideo *video) {
  g_return_val_if_fail(video, nullptr);
  return video->index().release();
}

/**
 * cps_video_set_index:
 * @video: a #CpsVideo
 * @index: (transfer none) (nullable): an index of this source, as of cps_index_deserialize(); %NULL for none
 *
 * Sessions that are opened from now on use it. They fail if it is the index of another source.
 */
void cps_video_set_index(CpsVideo *video, CpsIndex *index) {
  g_return_if_fail(video);
  video->set_index(Owned<CpsIndex>(index ? cps_index_ref(index) : nullptr));
}
