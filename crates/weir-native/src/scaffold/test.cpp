#include "@NAME@.h"

int main() {
    return @NAME@::greeting("world") == "Hello, world!" ? 0 : 1;
}
