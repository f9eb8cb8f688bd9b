#include "greeting.h"

const char *greeting(void) {
#ifdef LOUD
    return "HELLO";
#else
    return "hello";
#endif
}
