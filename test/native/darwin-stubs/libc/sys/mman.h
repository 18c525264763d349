#ifndef STUB_MMAN_H
#define STUB_MMAN_H
#include <stddef.h>
int mlock(const void *, size_t);
#endif
