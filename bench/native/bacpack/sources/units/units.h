#ifndef UNITS_H
#define UNITS_H

#ifdef __cplusplus
extern "C" {
#endif

double units_inches(double millimetres);

#ifdef __cplusplus
}
#endif

#endif
