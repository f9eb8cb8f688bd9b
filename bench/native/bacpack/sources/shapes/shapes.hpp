#pragma once

namespace shapes {
double square_in_inches(double millimetres);
}
