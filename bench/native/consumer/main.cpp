// Prints which libraries it runs with, as they say of themselves where they do.

#include <curl/curl.h>
#include <png.h>
#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>
#include <zlib.h>

#include <cstdio>

int main() {
    const curl_version_info_data* curl = curl_version_info(CURLVERSION_NOW);
    std::printf("curl %s\n", curl->version);
    std::printf("curl's zlib %s\n", curl->libz_version);
    std::printf("libpng %s\n", png_get_libpng_ver(nullptr));
    std::printf("zlib %s\n", zlibVersion());

    std::printf("%s", fmt::format("spdlog {}.{}.{}\n", SPDLOG_VER_MAJOR, SPDLOG_VER_MINOR, SPDLOG_VER_PATCH).c_str());
    spdlog::info("logging works");
    return 0;
}
