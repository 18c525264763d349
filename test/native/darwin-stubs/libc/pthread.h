/* The C library of macOS, as far as the addon uses it. Only for compilers whose target is macOS. */
#ifndef STUB_PTHREAD_H
#define STUB_PTHREAD_H
#include <stdint.h>
typedef struct _opaque_pthread_t *pthread_t;
typedef struct {
  long sig;
  char opaque[8];
} pthread_once_t;
#define PTHREAD_ONCE_INIT {0x30B1BCBA, {0}}
int pthread_once(pthread_once_t *, void (*)(void));
pthread_t pthread_self(void);
int pthread_main_np(void);
int pthread_setname_np(const char *);
int pthread_threadid_np(pthread_t, uint64_t *);
unsigned int pthread_mach_thread_np(pthread_t);
#endif
