#include <zlib.h>

const char *with_new_zlib(void) { return zlibVersion(); }
