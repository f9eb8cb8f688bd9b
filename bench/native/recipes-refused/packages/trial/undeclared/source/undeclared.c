#include <zlib.h>

const char *undeclared(void) { return zlibVersion(); }
