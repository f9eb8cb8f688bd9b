// Names no other library than curl: which zlib curl runs with is for the sysroot to say, not for the system.

#include <curl/curl.h>

#include <cstdio>

int main() {
    std::printf("curl's zlib %s\n", curl_version_info(CURLVERSION_NOW)->libz_version);
    return 0;
}
