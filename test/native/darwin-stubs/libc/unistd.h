#ifndef STUB_UNISTD_H
#define STUB_UNISTD_H
#define _SC_NPROCESSORS_ONLN 58
long sysconf(int);
#endif
