// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/search/textreferences.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

namespace cps {

namespace {

constexpr const char *kMedia = "application/x-cps-reference";
constexpr guint kLooksAt = 512; // bytes

constexpr struct {
  const char *start; // of the text, in lower case
  const char *name;
} kTexts[] = {
    {"[playlist]", "a PLS playlist"},
    {"<asx", "an ASX playlist"},
    {"[reference]", "an ASX playlist"},
    {"asf ", "an ASX playlist"},
    {"ffconcat version", "a list of files to join (ffconcat)"},
    {"<smil", "a SMIL presentation"},
    {"rtsptext", "a redirection (RTSPtext)"},
    {"rtsptextrtsp:", "a redirection (RTSPtext)"},
    {"[desktop entry]", "a desktop file"},
    {"[internetshortcut]", "an internet shortcut"},
    {"#extm3u", "an M3U playlist"},
    {"<playlist", "an XSPF playlist"},
    {"rtsp://", "a list of URIs"},
    {"pnm://", "a list of URIs"},
    {"http://", "a list of URIs"},
    {"https://", "a list of URIs"},
    {"file://", "a list of URIs"},
};

// Removes everything that may precede the first significant word: byte order mark, white space, XML declaration,
// comments.
std::string beginning(const guint8 *data, guint size) {
  std::string text(reinterpret_cast<const char *>(data), size);
  size_t at = text.compare(0, 3, "\xef\xbb\xbf") == 0 ? 3 : 0;
  for (bool more = true; more;) {
    more = false;
    at = std::min(text.find_first_not_of(" \t\r\n", at), text.size());
    for (const auto &[open, close] : {std::pair{"<?", "?>"}, std::pair{"<!", ">"}})
      if (text.compare(at, 2, open) == 0) {
        const size_t end = text.find(close, at);
        at = end == std::string::npos ? text.size() : end + strlen(close);
        more = true;
      }
  }
  for (char &letter : text)
    letter = g_ascii_tolower(letter);
  return text.substr(at);
}

void look(GstTypeFind *find, gpointer) {
  guint size = kLooksAt;
  if (const guint64 length = gst_type_find_get_length(find); length > 0 && length < size)
    size = static_cast<guint>(length);
  const guint8 *data = gst_type_find_peek(find, 0, size);
  if (!data)
    return;
  const std::string text = beginning(data, size);
  for (const auto &one : kTexts)
    if (g_str_has_prefix(text.c_str(), one.start)) {
      // Not more than LIKELY, because other type finders may know more, for example that an M3U playlist is an HLS one.
      gst_type_find_suggest_simple(find, GST_TYPE_FIND_LIKELY, kMedia, "name", G_TYPE_STRING, one.name, nullptr);
      return;
    }
}

} // namespace

gboolean register_text_references(GstPlugin *plugin) {
  const Owned<GstCaps> caps(gst_caps_new_empty_simple(kMedia));
  return gst_type_find_register(plugin, "cps-text-references", GST_RANK_MARGINAL, look, nullptr, caps.get(), nullptr,
                                nullptr);
}

const char *text_reference_name(const GstStructure *media) {
  return gst_structure_has_name(media, kMedia) ? gst_structure_get_string(media, "name") : nullptr;
}

} // namespace cps
