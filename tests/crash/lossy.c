// LD_PRELOAD: a machine that loses power.
//
//   cc -O2 -shared -fPIC -o lossy.so lossy.c -ldl -lpthread
//   LD_PRELOAD=./lossy.so LOSSY_DIR=/abs/disk LOSSY_SHADOW=/abs/shadow PROGRAM …     then SIGKILL it
//
// The tree under LOSSY_DIR is what the running program sees. LOSSY_SHADOW, an equal copy at the start, is what would be
// found after a loss of power. There, names change at once (create, rename, link, remove, mkdir), but what a file holds,
// and how long it is, change only when fsync or fdatasync returns for it: writes and truncations are noted with their
// bytes, in order, and an fsync carries out those that were noted when it was called.
//
//   LOSSY_P=0.5      each 4 KiB block of an unsynced write reaches the shadow at once with this chance (reordering)
//   LOSSY_SEED=7     of that chance
//   LOSSY_SFR=1      sync_file_range carries out what lies within the length that the shadow already has
//
// Not covered: writes through mmap, io_uring, direct system calls. Both folders as absolute paths without links in them.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define BLOCK 4096
#define LONGEST 4352
#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

// A write of `length` bytes at `at`, or (data NULL) a truncation to `at`.
struct note {
    struct note *next;
    off_t at;
    size_t length;
    char *data;
};

// A file with notes that are not carried out yet.
struct file {
    struct file *next;
    dev_t device;
    ino_t inode;
    int shadow;
    struct note *first, **last;
};

static char disk[4096], shadow[4096];
static size_t disk_length;
static int on, ranges;
static double chance;
static uint64_t dice;
static struct file *files[4096];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

__attribute__((constructor)) static void begin(void) {
    const char *from = getenv("LOSSY_DIR"), *to = getenv("LOSSY_SHADOW"), *p = getenv("LOSSY_P");
    const char *seed = getenv("LOSSY_SEED"), *sfr = getenv("LOSSY_SFR");
    if (!from || !to) return;
    snprintf(disk, sizeof disk, "%s", from);
    snprintf(shadow, sizeof shadow, "%s", to);
    disk_length = strlen(disk);
    chance = p ? atof(p) : 0;
    ranges = sfr && *sfr == '1';
    dice = 0x9e3779b97f4a7c15u ^ (seed ? strtoull(seed, NULL, 10) * 0xbf58476d1ce4e5b9u : 0);
    on = 1;
}

static double roll(void) {
    uint64_t z = dice += 0x9e3779b97f4a7c15u;  // splitmix64
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (double)((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
}

// The shadow's name of a path; 0 where it has none.
static int shadow_of(int folder, const char *path, char *out) {
    char whole[LONGEST], link[64];
    if (!on || !path) return 0;
    if (path[0] != '/') {
        char base[4096];
        ssize_t n = -1;
        if (folder == AT_FDCWD) {
            if (getcwd(base, sizeof base)) n = (ssize_t)strlen(base);
        } else {
            snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
            n = readlink(link, base, sizeof base - 1);
        }
        if (n < 0) return 0;
        base[n] = 0;
        if (snprintf(whole, sizeof whole, "%s/%s", base, path) >= (int)sizeof whole) return 0;
        path = whole;
    }
    if (strncmp(path, disk, disk_length) || (path[disk_length] && path[disk_length] != '/')) return 0;
    return snprintf(out, LONGEST, "%s%s", shadow, path + disk_length) < LONGEST;
}

static int shadow_of_open(int fd, char *out) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = on ? readlink(link, path, sizeof path - 1) : -1;
    if (n <= 0) return 0;
    path[n] = 0;
    size_t gone = strlen(" (deleted)");
    if ((size_t)n > gone && !strcmp(path + n - gone, " (deleted)")) return 0;
    return shadow_of(AT_FDCWD, path, out);
}

static struct file **place(dev_t device, ino_t inode) {
    struct file **at = &files[inode % 4096];
    while (*at && ((*at)->inode != inode || (*at)->device != device)) at = &(*at)->next;
    return at;
}

static void drop_notes(struct note *note) {
    while (note) {
        struct note *next = note->next;
        free(note->data);
        free(note);
        note = next;
    }
}

// Its inode number may be given to another file from now on.
static void forget(const struct stat *seen) {
    struct file **at = place(seen->st_dev, seen->st_ino), *file = *at;
    if (!file) return;
    *at = file->next;
    close(file->shadow);
    drop_notes(file->first);
    free(file);
}

// The file behind a descriptor; NULL where it is not a plain file below the folder.
static struct file *file_of(int fd, int make) {
    struct stat seen;
    char path[LONGEST];
    if (fstat(fd, &seen) || !S_ISREG(seen.st_mode)) return NULL;
    struct file **at = place(seen.st_dev, seen.st_ino);
    if (*at || !make || !shadow_of_open(fd, path)) return *at;
    int to = NEXT(open64)(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (to < 0) return NULL;
    struct file *file = calloc(1, sizeof *file);
    if (!file) abort();
    file->device = seen.st_dev;
    file->inode = seen.st_ino;
    file->shadow = to;
    file->last = &file->first;
    return *at = file;
}

static void carry(int to, const char *data, size_t length, off_t at) {
    while (length) {
        ssize_t n = NEXT(pwrite64)(to, data, length, at);
        if (n <= 0) return;
        data += n;
        length -= (size_t)n;
        at += n;
    }
}

static void carry_note(int to, const struct note *note) {
    if (note->data) carry(to, note->data, note->length, note->at);
    else if (NEXT(ftruncate64)(to, note->at)) return;
}

static void add(struct file *file, const char *data, size_t length, off_t at) {
    struct note *note = calloc(1, sizeof *note);
    if (!note) abort();
    note->at = at;
    note->length = length;
    if (data) {
        note->data = malloc(length);
        if (!note->data) abort();
        memcpy(note->data, data, length);
    }
    *file->last = note;
    file->last = &note->next;
    if (!data) {
        if (chance > 0 && roll() < chance) carry_note(file->shadow, note);
        return;
    }
    for (off_t from = at; chance > 0 && from < at + (off_t)length;) {
        off_t to = (from / BLOCK + 1) * BLOCK;
        if (to > at + (off_t)length) to = at + (off_t)length;
        if (roll() < chance) carry(file->shadow, data + (from - at), (size_t)(to - from), from);
        from = to;
    }
}

static void wrote(int fd, const void *data, size_t length, off_t at) {
    if (!on || at < 0) return;
    pthread_mutex_lock(&lock);
    struct file *file = file_of(fd, 1);
    if (file) {
        add(file, data, length, at);
        int flags = fcntl(fd, F_GETFL);
        if (flags & O_DSYNC) carry(file->shadow, data, length, at);
    }
    pthread_mutex_unlock(&lock);
}

static void wrote_all(int fd, const struct iovec *parts, int count, size_t length, off_t at) {
    for (int n = 0; n < count && length; n++) {
        size_t part = parts[n].iov_len < length ? parts[n].iov_len : length;
        wrote(fd, parts[n].iov_base, part, at);
        at += (off_t)part;
        length -= part;
    }
}

static off_t position(int fd) {
    return on && fd > 2 ? lseek(fd, 0, SEEK_CUR) : -1;
}

// --- content ---------------------------------------------------------------------------------------------------------

ssize_t write(int fd, const void *data, size_t length) {
    ssize_t n = NEXT(write)(fd, data, length);
    int error = errno;
    off_t end = n > 0 ? position(fd) : -1;
    if (end >= 0) wrote(fd, data, (size_t)n, end - n);
    errno = error;
    return n;
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    ssize_t n = NEXT(writev)(fd, parts, count);
    int error = errno;
    off_t end = n > 0 ? position(fd) : -1;
    if (end >= 0) wrote_all(fd, parts, count, (size_t)n, end - n);
    errno = error;
    return n;
}

#define PWRITE(name)                                                        \
    ssize_t name(int fd, const void *data, size_t length, off64_t at) {     \
        ssize_t n = NEXT(name)(fd, data, length, at);                       \
        int error = errno;                                                  \
        if (n > 0) wrote(fd, data, (size_t)n, at);                          \
        errno = error;                                                      \
        return n;                                                           \
    }
#define PWRITEV(name)                                                       \
    ssize_t name(int fd, const struct iovec *parts, int count, off64_t at) { \
        ssize_t n = NEXT(name)(fd, parts, count, at);                       \
        int error = errno;                                                  \
        if (n > 0) wrote_all(fd, parts, count, (size_t)n, at);              \
        errno = error;                                                      \
        return n;                                                           \
    }
PWRITE(pwrite)
PWRITE(pwrite64)
PWRITEV(pwritev)
PWRITEV(pwritev64)

static void resized(int fd, off_t length) {
    if (!on) return;
    pthread_mutex_lock(&lock);
    struct file *file = file_of(fd, 1);
    if (file) add(file, NULL, 0, length);
    pthread_mutex_unlock(&lock);
}

#define FTRUNCATE(name)                       \
    int name(int fd, off64_t length) {        \
        int result = NEXT(name)(fd, length);  \
        int error = errno;                    \
        if (!result) resized(fd, length);     \
        errno = error;                        \
        return result;                        \
    }
FTRUNCATE(ftruncate)
FTRUNCATE(ftruncate64)

// Programs fall back to reading and writing.
ssize_t copy_file_range(int in, off64_t *from, int out, off64_t *to, size_t length, unsigned flags) {
    if (!on) return NEXT(copy_file_range)(in, from, out, to, length, flags);
    errno = ENOSYS;
    return -1;
}

ssize_t sendfile64(int out, int in, off64_t *from, size_t length) {
    ssize_t (*real)(int, int, off64_t *, size_t) = dlsym(RTLD_NEXT, "sendfile64");
    if (!on) return real(out, in, from, length);
    errno = ENOSYS;
    return -1;
}

static int fallocated(int fd, int mode, off_t at, off_t length, int result) {
    struct stat seen;
    int error = errno;
    if (!result && !mode && !fstat(fd, &seen) && seen.st_size == at + length) resized(fd, seen.st_size);
    errno = error;
    return result;
}

int fallocate(int fd, int mode, off_t at, off_t length) {
    return fallocated(fd, mode, at, length, NEXT(fallocate)(fd, mode, at, length));
}

int fallocate64(int fd, int mode, off64_t at, off64_t length) {
    return fallocated(fd, mode, at, length, NEXT(fallocate64)(fd, mode, at, length));
}

// --- what makes content last -----------------------------------------------------------------------------------------

// What was noted when the call began is carried out when it has ended well.
static int synced(int fd, int (*real)(int)) {
    struct note *taken = NULL, **end = NULL;
    if (on) {
        pthread_mutex_lock(&lock);
        struct file *file = file_of(fd, 0);
        if (file && file->first) {
            taken = file->first;
            end = file->last;
            file->first = NULL;
            file->last = &file->first;
        }
        pthread_mutex_unlock(&lock);
    }
    int result = real(fd);
    int error = errno;
    if (taken) {
        pthread_mutex_lock(&lock);
        struct file *file = file_of(fd, 0);
        if (file && !result) {
            for (struct note *note = taken; note; note = note->next) carry_note(file->shadow, note);
            drop_notes(taken);
        } else if (file) {
            *end = file->first;
            if (!file->first) file->last = end;
            file->first = taken;
        }
        pthread_mutex_unlock(&lock);
    }
    errno = error;
    return result;
}

int fsync(int fd) { return synced(fd, NEXT(fsync)); }
int fdatasync(int fd) { return synced(fd, NEXT(fdatasync)); }

int sync_file_range(int fd, off64_t at, off64_t length, unsigned flags) {
    int result = NEXT(sync_file_range)(fd, at, length, flags);
    int error = errno;
    if (on && ranges && !result) {
        pthread_mutex_lock(&lock);
        struct file *file = file_of(fd, 0);
        struct stat durable;
        if (file && !fstat(file->shadow, &durable)) {
            off_t end = length ? at + length : durable.st_size;
            if (end > durable.st_size) end = durable.st_size;
            for (struct note *note = file->first; note; note = note->next) {
                off_t from = note->at > at ? note->at : at, to = note->at + (off_t)note->length;
                if (to > end) to = end;
                if (note->data && from < to) carry(file->shadow, note->data + (from - note->at), (size_t)(to - from), from);
            }
        }
        pthread_mutex_unlock(&lock);
    }
    errno = error;
    return result;
}

// --- names -----------------------------------------------------------------------------------------------------------

// After a file was opened: created in the shadow too; a truncation is content, so it is noted.
static int opened(int folder, const char *path, int flags, mode_t mode, int fd) {
    char to[LONGEST];
    int error = errno;
    if (fd >= 0 && on && (flags & (O_CREAT | O_TRUNC)) && (flags & O_TMPFILE) != O_TMPFILE && shadow_of(folder, path, to)) {
        int made = NEXT(open64)(to, O_WRONLY | O_CREAT | O_CLOEXEC, mode ? mode : 0644);
        if (made >= 0) close(made);
        struct stat seen;
        if (flags & O_TRUNC && made >= 0 && !NEXT(stat)(to, &seen) && seen.st_size > 0) resized(fd, 0);
    }
    errno = error;
    return fd;
}

#define MODE(flags)                                        \
    mode_t mode = 0;                                       \
    if ((flags) & (O_CREAT | __O_TMPFILE)) {               \
        va_list rest;                                      \
        va_start(rest, flags);                             \
        mode = va_arg(rest, mode_t);                       \
        va_end(rest);                                      \
    }
#define OPEN(name)                                                                \
    int name(const char *path, int flags, ...) {                                  \
        MODE(flags)                                                               \
        return opened(AT_FDCWD, path, flags, mode, NEXT(name)(path, flags, mode)); \
    }
#define OPENAT(name)                                                                   \
    int name(int folder, const char *path, int flags, ...) {                           \
        MODE(flags)                                                                    \
        return opened(folder, path, flags, mode, NEXT(name)(folder, path, flags, mode)); \
    }
OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)

int creat(const char *path, mode_t mode) { return open(path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return open64(path, O_CREAT | O_WRONLY | O_TRUNC, mode); }

// The file that loses its last name.
static int last_name(int folder, const char *path, struct stat *seen) {
    return on && !fstatat(folder, path, seen, AT_SYMLINK_NOFOLLOW) && S_ISREG(seen->st_mode) && seen->st_nlink == 1;
}

// A change of names and the same in the shadow, with no write in between.
#define BOTH(call, ...)                    \
    pthread_mutex_lock(&lock);             \
    int result = call;                     \
    int error = errno;                     \
    if (!result && on) {                   \
        __VA_ARGS__;                       \
    }                                      \
    pthread_mutex_unlock(&lock);           \
    errno = error;                         \
    return result;

static int removed(int folder, const char *path, int flags) {
    char to[LONGEST];
    struct stat seen;
    int gone = last_name(folder, path, &seen);
    BOTH(NEXT(unlinkat)(folder, path, flags), {
        if (gone) forget(&seen);
        if (shadow_of(folder, path, to)) NEXT(unlinkat)(AT_FDCWD, to, flags);
    })
}

int unlink(const char *path) { return removed(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return removed(AT_FDCWD, path, AT_REMOVEDIR); }
int unlinkat(int folder, const char *path, int flags) { return removed(folder, path, flags); }
int remove(const char *path) {
    int result = unlink(path);
    return result && errno == EISDIR ? rmdir(path) : result;
}

static int made(int folder, const char *path, mode_t mode) {
    char to[LONGEST];
    BOTH(NEXT(mkdirat)(folder, path, mode), {
        if (shadow_of(folder, path, to)) NEXT(mkdirat)(AT_FDCWD, to, mode);
    })
}

int mkdir(const char *path, mode_t mode) { return made(AT_FDCWD, path, mode); }
int mkdirat(int folder, const char *path, mode_t mode) { return made(folder, path, mode); }

static int renamed(int from, const char *old, int into, const char *new, unsigned flags) {
    char was[LONGEST], is[LONGEST];
    struct stat seen;
    int gone = last_name(into, new, &seen);
    BOTH((flags ? NEXT(renameat2)(from, old, into, new, flags) : NEXT(renameat)(from, old, into, new)), {
        if (gone) forget(&seen);
        int inside = shadow_of(from, old, was), stays = shadow_of(into, new, is);
        if (inside && stays) NEXT(renameat)(AT_FDCWD, was, AT_FDCWD, is);
        if (inside != stays) fprintf(stderr, "lossy: a rename across the folder's border is not modelled: %s\n", new);
    })
}

int rename(const char *old, const char *new) { return renamed(AT_FDCWD, old, AT_FDCWD, new, 0); }
int renameat(int from, const char *old, int into, const char *new) { return renamed(from, old, into, new, 0); }
int renameat2(int from, const char *old, int into, const char *new, unsigned flags) {
    return renamed(from, old, into, new, flags);
}

int link(const char *old, const char *new) {
    char was[LONGEST], is[LONGEST];
    BOTH(NEXT(link)(old, new), {
        if (shadow_of(AT_FDCWD, old, was) && shadow_of(AT_FDCWD, new, is)) NEXT(link)(was, is);
    })
}

int symlink(const char *target, const char *new) {
    char is[LONGEST];
    BOTH(NEXT(symlink)(target, new), {
        if (shadow_of(AT_FDCWD, new, is)) NEXT(symlink)(target, is);
    })
}
