// LD_PRELOAD: the wall clock runs CLOCK_SHIFT seconds ahead, so that what waits an hour happens in the next cycle.
//   cc -O2 -shared -fPIC -o clock.so clock.c -ldl
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

int clock_gettime(clockid_t clock, struct timespec *out) {
    static int (*real)(clockid_t, struct timespec *);
    static long shift;
    if (!real) {
        const char *said = getenv("CLOCK_SHIFT");
        shift = said ? atol(said) : 0;
        real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    }
    int result = real(clock, out);
    if (result == 0 && clock == CLOCK_REALTIME) out->tv_sec += shift;
    return result;
}
