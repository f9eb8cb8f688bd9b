#include <iostream>

#include "@NAME@.h"

int main() {
    std::cout << @NAME@::greeting("world") << '\n';
}
