#include "@NAME@.h"

namespace @NAME@ {

std::string greeting(const std::string& name) {
    return "Hello, " + name + "!";
}

}
