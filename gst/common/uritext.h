// SPDX-License-Identifier: LGPL-2.1-or-later
// URIs in texts for users. Internal.
#pragma once

#include <string>

namespace cps {

// The part between "//" and the path; empty if there is none.
inline std::string uri_authority(const std::string &uri) {
  const size_t start = uri.find("://");
  if (start == std::string::npos)
    return "";
  return uri.substr(start + 3, uri.find_first_of("/?#", start + 3) - start - 3);
}

// Removes user names and passwords, because errors and files must not contain them: scheme://name:password@host becomes
// scheme://***@host.
inline std::string without_credentials(const std::string &uri) {
  std::string text = uri;
  if (const size_t at = uri_authority(uri).rfind('@'); at != std::string::npos)
    text.replace(uri.find("://") + 3, at, "***");
  return text;
}

} // namespace cps
