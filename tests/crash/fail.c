// LD_PRELOAD: a disk that is full, or fails, at the n-th operation below a folder.
//
//   cc -O2 -shared -fPIC -o fail.so fail.c -ldl -lpthread
//   LD_PRELOAD=./fail.so FAIL_DIR=/abs/folder FAIL_AT=17 FAIL_ERRNO=28 PROGRAM …
//
//   FAIL_OPS=wsrntomd   which operations count: write, fsync, rename, unlink, ftruncate/fallocate, open that creates,
//                       mkdir, sync_file_range (n: unlink and rmdir; d: sync_file_range). Without it: wsr
//   FAIL_ERRNO          28 ENOSPC, 5 EIO
//   FAIL_FOR=2000       from the n-th on every operation fails for so many milliseconds; 0 (without it): the n-th alone
//   FAIL_SHORT=1        the n-th write writes half of what it should instead, as a disk does that becomes full there
//   FAIL_COUNT=/file    the number of operations counted is written there at the end, to know how large n can be
//
// A failed fsync loses nothing by itself here; the kernel's dropping of dirty pages after it is not modelled.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static const char *folder, *operations = "wsr", *count_file;
static size_t folder_length;
static long nth, lasts, counted;
static int error_number = ENOSPC, half, failed;
static struct timespec began;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

__attribute__((constructor)) static void begin(void) {
    const char *at = getenv("FAIL_AT"), *number = getenv("FAIL_ERRNO"), *time = getenv("FAIL_FOR");
    const char *ops = getenv("FAIL_OPS"), *short_write = getenv("FAIL_SHORT");
    folder = getenv("FAIL_DIR");
    folder_length = folder ? strlen(folder) : 0;
    nth = at ? atol(at) : 0;
    if (number) error_number = atoi(number);
    if (time) lasts = atol(time);
    if (ops) operations = ops;
    half = short_write && *short_write == '1';
    count_file = getenv("FAIL_COUNT");
}

__attribute__((destructor)) static void end(void) {
    FILE *out = count_file ? fopen(count_file, "w") : NULL;
    if (!out) return;
    fprintf(out, "%ld\n", counted);
    fclose(out);
}

static int below(const char *path) {
    return !strncmp(path, folder, folder_length) && (!path[folder_length] || path[folder_length] == '/');
}

static int below_fd(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n <= 0) return 0;
    path[n] = 0;
    return below(path);
}

// Counts one operation of a kind; true where it is to fail.
static int fails(char kind) {
    if (!strchr(operations, kind)) return 0;
    pthread_mutex_lock(&lock);
    int now = ++counted == nth;
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    if (now) {
        failed = 1;
        began = time;
    } else if (failed && lasts) {
        now = (time.tv_sec - began.tv_sec) * 1000 + (time.tv_nsec - began.tv_nsec) / 1000000 < lasts;
    }
    pthread_mutex_unlock(&lock);
    return now;
}

static int fails_fd(char kind, int fd) {
    int before = errno, now = folder && below_fd(fd) && fails(kind);
    errno = now ? error_number : before;
    return now;
}

static int fails_path(char kind, const char *path) {
    int before = errno, now = folder && below(path) && fails(kind);
    errno = now ? error_number : before;
    return now;
}

ssize_t write(int fd, const void *data, size_t length) {
    if (fd > 2 && fails_fd('w', fd)) {
        if (half && length > 1) return NEXT(write)(fd, data, length / 2);
        return -1;
    }
    return NEXT(write)(fd, data, length);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    return fd > 2 && fails_fd('w', fd) ? -1 : NEXT(writev)(fd, parts, count);
}

#define PWRITE(name)                                                             \
    ssize_t name(int fd, const void *data, size_t length, off64_t at) {          \
        if (fails_fd('w', fd)) {                                                 \
            if (half && length > 1) return NEXT(name)(fd, data, length / 2, at); \
            return -1;                                                           \
        }                                                                        \
        return NEXT(name)(fd, data, length, at);                                 \
    }
PWRITE(pwrite)
PWRITE(pwrite64)

int fsync(int fd) { return fails_fd('s', fd) ? -1 : NEXT(fsync)(fd); }
int fdatasync(int fd) { return fails_fd('s', fd) ? -1 : NEXT(fdatasync)(fd); }
int sync_file_range(int fd, off64_t at, off64_t length, unsigned flags) {
    return fails_fd('d', fd) ? -1 : NEXT(sync_file_range)(fd, at, length, flags);
}
int rename(const char *from, const char *to) { return fails_path('r', to) ? -1 : NEXT(rename)(from, to); }
int unlink(const char *path) { return fails_path('n', path) ? -1 : NEXT(unlink)(path); }
int rmdir(const char *path) { return fails_path('n', path) ? -1 : NEXT(rmdir)(path); }
int mkdir(const char *path, mode_t mode) { return fails_path('m', path) ? -1 : NEXT(mkdir)(path, mode); }
int ftruncate(int fd, off_t length) { return fails_fd('t', fd) ? -1 : NEXT(ftruncate)(fd, length); }
int ftruncate64(int fd, off64_t length) { return fails_fd('t', fd) ? -1 : NEXT(ftruncate64)(fd, length); }
int fallocate64(int fd, int mode, off64_t at, off64_t length) {
    return fails_fd('t', fd) ? -1 : NEXT(fallocate64)(fd, mode, at, length);
}

#define OPEN(name)                                                    \
    int name(const char *path, int flags, ...) {                      \
        va_list rest;                                                 \
        va_start(rest, flags);                                        \
        mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;     \
        va_end(rest);                                                 \
        if (flags & O_CREAT && fails_path('o', path)) return -1;      \
        return NEXT(name)(path, flags, mode);                         \
    }
OPEN(open)
OPEN(open64)
