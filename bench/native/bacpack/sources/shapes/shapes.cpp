#include "shapes.hpp"

#include <units.h>

double shapes::square_in_inches(double millimetres) {
    const double side = units_inches(millimetres);
    return side * side;
}
