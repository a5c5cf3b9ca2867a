// SPDX-License-Identifier: LGPL-2.1-or-later
// URIs in what people read. Internal.
#pragma once

#include <string>

namespace cps {

// The part between "//" and the path; empty where there is none.
inline std::string uri_authority(const std::string &uri) {
  const size_t start = uri.find("://");
  if (start == std::string::npos)
    return "";
  return uri.substr(start + 3, uri.find_first_of("/?#", start + 3) - start - 3);
}

// Names and passwords are nobody's business in errors and files: scheme://name:password@host is scheme://***@host.
inline std::string without_credentials(const std::string &uri) {
  std::string text = uri;
  if (const size_t at = uri_authority(uri).rfind('@'); at != std::string::npos)
    text.replace(uri.find("://") + 3, at, "***");
  return text;
}

} // namespace cps
