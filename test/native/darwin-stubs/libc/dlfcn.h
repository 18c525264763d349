#ifndef STUB_DLFCN_H
#define STUB_DLFCN_H
#define RTLD_LAZY 0x1
#define RTLD_NOLOAD 0x10
void *dlopen(const char *, int);
void *dlsym(void *, const char *);
#endif
