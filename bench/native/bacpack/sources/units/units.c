#include "units.h"

double units_inches(double millimetres) { return millimetres / 25.4; }
