#include <zlib.h>

const char *with_old_zlib(void) { return zlibVersion(); }
