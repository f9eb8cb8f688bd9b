#pragma once

#include <string>

namespace @NAME@ {

/// A greeting for `name`.
std::string greeting(const std::string& name);

}
