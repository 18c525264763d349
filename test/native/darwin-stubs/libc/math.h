#ifndef STUB_MATH_H
#define STUB_MATH_H
#define NAN __builtin_nanf("0x7fc00000")
double floor(double);
#endif
