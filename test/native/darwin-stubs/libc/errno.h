#ifndef STUB_ERRNO_H
#define STUB_ERRNO_H
int *__error(void);
#define errno (*__error())
#define EPERM 1
#define ENOMEM 12
#define EINVAL 22
#define EAGAIN 35
#define EALREADY 37
#endif
