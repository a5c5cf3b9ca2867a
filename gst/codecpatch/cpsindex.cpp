// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/codecpatch/cpsindex.h"

#include "gst/codecpatch/owned.h"

#include <atomic>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

static constexpr const char kMessageName[] = "codecpatch-index";
static constexpr const char kMagic[8] = {'C', 'P', 'S', 'I', 'N', 'D', 'E', 'X'};
static constexpr guint32 kVersion = 1;

struct _CpsIndex {
  std::atomic<int> references{1};
  cps::Owned<GstStructure> info;
  std::vector<GstClockTime> times;
  std::vector<guint8> random_access;
  std::string units;
};

G_DEFINE_BOXED_TYPE(CpsIndex, cps_index, cps_index_ref, cps_index_unref)

namespace {

// What a serialised index begins with. Times, flags, info and units follow.
struct Header {
  char magic[sizeof kMagic];
  guint32 version;
  guint32 n_frames;
  guint64 info_size;
  guint64 units_size;
  guint64 checksum; // of all that follows
};

// FNV-1a over words of 8 bytes. It detects damage, not manipulation.
guint64 checksum_of(const guint8 *data, gsize size) {
  constexpr guint64 kPrime = 0x100000001b3;
  guint64 hash = 0xcbf29ce484222325 ^ size;
  for (; size > 0;) {
    guint64 word = 0;
    const gsize count = MIN(size, sizeof word);
    memcpy(&word, data, count);
    hash = (hash ^ word) * kPrime;
    hash ^= hash >> 29;
    data += count;
    size -= count;
  }
  return hash;
}

} // namespace

/**
 * cps_index_new: (skip)
 * @info: facts about the stream; see cps_index_get_info()
 * @n_frames: the number of frames
 * @times: (array length=n_frames): stream time in ns of each frame, or %GST_CLOCK_TIME_NONE
 * @random_access: (array length=n_frames): 1 where decoding can start at the frame, else 0
 * @units: what the planner knows besides, in a form of its own
 * @units_size: number of bytes at @units
 *
 * For frameplanner. Copies all arguments.
 *
 * Returns: (transfer full): a new index
 */
CpsIndex *cps_index_new(const GstStructure *info, guint n_frames, const GstClockTime *times,
                        const guint8 *random_access, gconstpointer units, gsize units_size) {
  auto index = std::make_unique<_CpsIndex>();
  index->info.reset(gst_structure_copy(info));
  index->times.assign(times, times + n_frames);
  index->random_access.assign(random_access, random_access + n_frames);
  index->units.assign(static_cast<const char *>(units), units_size);
  return index.release(); // owned by its references
}

/**
 * cps_index_ref:
 * @index: a #CpsIndex
 *
 * Returns: (transfer full): @index, with another reference
 */
CpsIndex *cps_index_ref(CpsIndex *index) {
  index->references++;
  return index;
}

/**
 * cps_index_unref:
 * @index: (transfer full): a #CpsIndex
 *
 * Frees it with the last reference.
 */
void cps_index_unref(CpsIndex *index) {
  if (--index->references == 0)
    std::unique_ptr<_CpsIndex>(index).reset();
}

/**
 * cps_index_get_n_frames:
 * @index: a #CpsIndex
 *
 * Returns: the number of frames that a full decode of the stream shows
 */
guint cps_index_get_n_frames(const CpsIndex *index) {
  return static_cast<guint>(index->times.size());
}

/**
 * cps_index_get_times:
 * @index: a #CpsIndex
 *
 * Returns: (transfer none): the stream time in ns of each frame, in display order, or %GST_CLOCK_TIME_NONE; valid as
 *     long as @index
 */
const GstClockTime *cps_index_get_times(const CpsIndex *index) {
  return index->times.data();
}

/**
 * cps_index_get_random_access:
 * @index: a #CpsIndex
 *
 * Returns: (transfer none): for each frame, 1 if decoding can start at it, else 0; valid as long as @index
 */
const guint8 *cps_index_get_random_access(const CpsIndex *index) {
  return index->random_access.data();
}

/**
 * cps_index_get_info:
 * @index: a #CpsIndex
 *
 * The fields, each of which may be absent: `codec` (string: the media type of the caps), `width` and `height` (int:
 * pixels as displayed, after rotation), `rotation` (int: degrees clockwise that pictures are turned by for display),
 * `mirrored` (boolean: they are mirrored as well), `fps` (double: the average frame rate), `duration` (uint64: ns).
 *
 * Returns: (transfer none): facts about the stream; valid as long as @index
 */
const GstStructure *cps_index_get_info(const CpsIndex *index) {
  return index->info.get();
}

/**
 * cps_index_get:
 * @index: a #CpsIndex
 * @name: the name of a field of cps_index_get_info()
 *
 * Returns: (transfer full) (nullable): the value as text, to be freed with cps_free(); %NULL if there is none
 */
gchar *cps_index_get(const CpsIndex *index, const gchar *name) {
  const GValue *value = gst_structure_get_value(index->info.get(), name);
  if (!value)
    return nullptr;
  if (G_VALUE_HOLDS_STRING(value))
    return g_value_dup_string(value);
  if (!G_VALUE_HOLDS_DOUBLE(value))
    return gst_value_serialize(value);
  auto *text = static_cast<gchar *>(g_malloc(G_ASCII_DTOSTR_BUF_SIZE));
  return g_ascii_dtostr(text, G_ASCII_DTOSTR_BUF_SIZE, g_value_get_double(value));
}

/**
 * cps_index_get_units: (skip)
 * @index: a #CpsIndex
 * @size: (out): number of bytes
 *
 * Returns: (transfer none): the bytes that were passed to cps_index_new(); valid as long as @index
 */
gconstpointer cps_index_get_units(const CpsIndex *index, gsize *size) {
  *size = index->units.size();
  return index->units.data();
}

/**
 * cps_index_serialize:
 * @index: a #CpsIndex
 * @size: (out): number of bytes
 *
 * The bytes can be read by the same version of the library on a machine with the same kind of processor.
 *
 * Returns: (transfer full): the index as bytes, to be freed with cps_free()
 */
gpointer cps_index_serialize(const CpsIndex *index, gsize *size) {
  const cps::Owned<gchar> info(gst_structure_to_string(index->info.get()));
  Header header = {};
  memcpy(header.magic, kMagic, sizeof kMagic);
  header.version = kVersion;
  header.n_frames = cps_index_get_n_frames(index);
  header.info_size = strlen(info.get());
  header.units_size = index->units.size();
  const gsize times_size = index->times.size() * sizeof(GstClockTime);
  *size = sizeof header + times_size + index->random_access.size() + header.info_size + header.units_size;
  auto *bytes = static_cast<guint8 *>(g_malloc(*size));
  guint8 *at = bytes + sizeof header;
  const auto add = [&at](const void *data, gsize count) {
    if (count > 0)
      memcpy(at, data, count);
    at += count;
  };
  add(index->times.data(), times_size);
  add(index->random_access.data(), index->random_access.size());
  add(info.get(), header.info_size);
  add(index->units.data(), header.units_size);
  header.checksum = checksum_of(bytes + sizeof header, *size - sizeof header);
  memcpy(bytes, &header, sizeof header);
  return bytes;
}

// Reads the sizes of the parts. Returns false if they are not those of `size` bytes, or of another version.
static bool read_header(const guint8 *bytes, gsize size, Header &header) {
  if (size < sizeof header)
    return false;
  memcpy(&header, bytes, sizeof header);
  const guint64 rest = size - sizeof header, frames = header.n_frames * guint64{sizeof(GstClockTime) + 1};
  return memcmp(header.magic, kMagic, sizeof kMagic) == 0 && header.version == kVersion && frames <= rest &&
         header.info_size <= rest - frames && header.units_size == rest - frames - header.info_size;
}

/**
 * cps_index_deserialize:
 * @data: bytes of cps_index_serialize()
 * @size: number of bytes
 *
 * Initialises GStreamer if nothing else has, as the first session of a process does.
 *
 * Returns: (transfer full) (nullable): the index; %NULL if the bytes are damaged, or those of another version, or if
 *     GStreamer does not start
 */
CpsIndex *cps_index_deserialize(gconstpointer data, gsize size) {
  if (!gst_is_initialized() && !gst_init_check(nullptr, nullptr, nullptr)) // the facts are a GstStructure
    return nullptr;
  const auto *bytes = static_cast<const guint8 *>(data);
  Header header;
  if (!read_header(bytes, size, header) || header.checksum != checksum_of(bytes + sizeof header, size - sizeof header))
    return nullptr;
  std::vector<GstClockTime> times(header.n_frames);
  const guint8 *at = bytes + sizeof header;
  if (!times.empty())
    memcpy(times.data(), at, times.size() * sizeof(GstClockTime));
  at += times.size() * sizeof(GstClockTime);
  const guint8 *random_access = at;
  at += header.n_frames;
  const std::string text(reinterpret_cast<const char *>(at), header.info_size);
  at += header.info_size;
  const cps::Owned<GstStructure> info(gst_structure_from_string(text.c_str(), nullptr));
  return info ? cps_index_new(info.get(), header.n_frames, times.data(), random_access, at, header.units_size)
              : nullptr;
}

/**
 * cps_message_new_index: (skip)
 * @source: the frameplanner
 * @index: (transfer none): its index
 *
 * Returns: (transfer full): the element message `codecpatch-index`, with a field `index` of type #CpsIndex
 */
GstMessage *cps_message_new_index(GstObject *source, CpsIndex *index) {
  return gst_message_new_element(source, gst_structure_new(kMessageName, "index", CPS_TYPE_INDEX, index, nullptr));
}

/**
 * cps_message_parse_index:
 * @message: any message
 *
 * Returns: (transfer full) (nullable): the index that a frameplanner with #frameplanner:index-only has posted; %NULL
 *     for other messages
 */
CpsIndex *cps_message_parse_index(GstMessage *message) {
  CpsIndex *index = nullptr;
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ELEMENT && gst_message_has_name(message, kMessageName))
    gst_structure_get(gst_message_get_structure(message), "index", CPS_TYPE_INDEX, &index, nullptr);
  return index;
}
