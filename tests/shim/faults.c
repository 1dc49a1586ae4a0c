/*
 * Faults on demand: preloaded into a node, it counts the calls that change files below some
 * folders, ends the process at a chosen one, makes calls fail or hang, tells of a full disk, and
 * moves the wall clock.
 *
 * In scope: what libc is asked for by name. Out of scope: losing what was not synced
 * (drop_unsynced.c, which may be preloaded behind this one); mmap, O_DIRECT, io_uring.
 *
 * SHIM_FOLDERS  absolute folders, joined by colons
 * SHIM_STATE    a file with the struct below; whoever tests writes there while the node runs
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* What a path is; bits of the masks below. */
enum { SEGMENT = 1, VIEWS = 2, GUARD = 4, AUDIT = 8, OTHER = 16 };

/* Little-endian words of 8 bytes; tests/it/shim.rs has the same places. */
struct state {
  uint64_t calls;        /* 0: counted so far, over all processes with this file */
  uint64_t die_at;       /* 1: the process ends in place of this call; 0 never */
  uint64_t torn;         /* 2: the last write happens by half before the end */
  uint64_t counted;      /* 3: mask of what is counted */
  int64_t clock_ms;      /* 4: added to the wall clock */
  uint64_t free_told;    /* 5: free bytes that statvfs tells, plus one; 0 the truth */
  uint64_t write_errno;  /* 6: writes of all kinds fail with it; 0 they work */
  uint64_t sync_errno;   /* 7: syncs fail with it */
  uint64_t failing;      /* 8: mask of what fails */
  uint64_t died_kind;    /* 9: which call was the last: first eight bytes of its name */
  uint64_t died_class;   /* 10: of what */
  uint64_t failed;       /* 11: calls that were made to fail */
  uint64_t reserve_errno; /* 12: reservations of space fail with it */
  uint64_t hanging;      /* 13: mask of what hangs, until it is taken back */
};

#define FDS 4096
static struct state *state;
static char folders[8][PATH_MAX];
static int folder_count;
/* 0 unknown, else 128 + class. */
static unsigned char known[FDS];

#define REAL(type, name, ...)                                 \
  static type (*real)(__VA_ARGS__);                           \
  if (!real) real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

__attribute__((constructor)) static void begin(void) {
  const char *f = getenv("SHIM_FOLDERS"), *s = getenv("SHIM_STATE");
  if (!f || !s) return;
  char all[8 * PATH_MAX], *save = NULL;
  snprintf(all, sizeof all, "%s", f);
  for (char *one = strtok_r(all, ":", &save); one && folder_count < 8;
       one = strtok_r(NULL, ":", &save)) {
    snprintf(folders[folder_count++], PATH_MAX, "%s", one);
  }
  REAL(int, "open64", const char *, int, ...);
  int fd = real(s, O_RDWR | O_CLOEXEC);
  void *at = fd < 0 ? MAP_FAILED
                    : mmap(NULL, sizeof *state, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (at == MAP_FAILED) {
    fprintf(stderr, "faults: %s: %s\n", s, strerror(errno));
    abort();
  }
  close(fd);
  state = at;
}

static int class_of_path(const char *path) {
  for (int i = 0; i < folder_count; i++) {
    size_t m = strlen(folders[i]);
    if (strncmp(path, folders[i], m) || (path[m] != '/' && path[m])) continue;
    size_t n = strlen(path);
    if (n > 4 && !strcmp(path + n - 4, ".seg")) return SEGMENT;
    if (n >= 8 && !strcmp(path + n - 8, "/journal")) return SEGMENT;
    if (strstr(path + m, "/views")) return VIEWS;
    if (strstr(path + m, "/audit")) return AUDIT;
    if (strstr(path, "/guard")) return GUARD;
    return OTHER;
  }
  return 0;
}

static int class_of_fd(int fd) {
  if (!state || fd < 0) return 0;
  if (fd < FDS && known[fd]) return known[fd] & 127;
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, path, sizeof path - 1);
  if (n < 0) return 0;
  path[n] = 0;
  int class = class_of_path(path);
  if (fd < FDS) known[fd] = (unsigned char)(128 | class);
  return class;
}

static int class_at(int folder, const char *path) {
  if (!state || !path) return 0;
  char whole[2 * PATH_MAX];
  if (path[0] == '/') return class_of_path(path);
  if (folder == AT_FDCWD) {
    if (!getcwd(whole, PATH_MAX)) return 0;
  } else {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
    ssize_t n = readlink(link, whole, PATH_MAX - 1);
    if (n < 0) return 0;
    whole[n] = 0;
  }
  size_t m = strlen(whole);
  snprintf(whole + m, sizeof whole - m, "/%s", path);
  return class_of_path(whole);
}

static void die(const char *kind, int class) {
  char name[8] = {0};
  memcpy(name, kind, strnlen(kind, 8));
  memcpy(&state->died_kind, name, 8);
  state->died_class = (uint64_t)class;
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

/* Counts a call; true when it is the one at which the process ends. */
static int is_last(int class) {
  if (!class || !(state->counted & (uint64_t)class)) return 0;
  uint64_t n = __atomic_add_fetch(&state->calls, 1, __ATOMIC_SEQ_CST);
  /* Also whoever comes behind it, before the kernel has ended all threads. */
  return state->die_at && n >= state->die_at;
}

static int must_fail(int class, uint64_t error) {
  while (class && __atomic_load_n(&state->hanging, __ATOMIC_SEQ_CST) & (uint64_t)class) {
    usleep(10000);
  }
  if (!class || !error || !(state->failing & (uint64_t)class)) return 0;
  __atomic_add_fetch(&state->failed, 1, __ATOMIC_SEQ_CST);
  errno = (int)error;
  return 1;
}

static void step(const char *kind, int class) {
  if (is_last(class)) die(kind, class);
}

/* Writes: the last one may happen by half. */

ssize_t pwrite64(int fd, const void *bytes, size_t n, off_t at) {
  REAL(ssize_t, "pwrite64", int, const void *, size_t, off_t);
  int class = class_of_fd(fd);
  if (is_last(class)) {
    if (state->torn) real(fd, bytes, n / 2, at);
    die("pwrite", class);
  }
  return must_fail(class, class ? state->write_errno : 0) ? -1 : real(fd, bytes, n, at);
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at) { return pwrite64(fd, bytes, n, at); }

ssize_t write(int fd, const void *bytes, size_t n) {
  REAL(ssize_t, "write", int, const void *, size_t);
  int class = class_of_fd(fd);
  if (is_last(class)) {
    if (state->torn) real(fd, bytes, n / 2);
    die("write", class);
  }
  return must_fail(class, class ? state->write_errno : 0) ? -1 : real(fd, bytes, n);
}

ssize_t writev(int fd, const struct iovec *v, int count) {
  REAL(ssize_t, "writev", int, const struct iovec *, int);
  int class = class_of_fd(fd);
  step("writev", class);
  return must_fail(class, class ? state->write_errno : 0) ? -1 : real(fd, v, count);
}

ssize_t pwritev64(int fd, const struct iovec *v, int count, off_t at) {
  REAL(ssize_t, "pwritev64", int, const struct iovec *, int, off_t);
  int class = class_of_fd(fd);
  step("pwritev", class);
  return must_fail(class, class ? state->write_errno : 0) ? -1 : real(fd, v, count, at);
}

ssize_t pwritev(int fd, const struct iovec *v, int count, off_t at) {
  return pwritev64(fd, v, count, at);
}

int fallocate64(int fd, int mode, off_t at, off_t n) {
  REAL(int, "fallocate64", int, int, off_t, off_t);
  int class = class_of_fd(fd);
  step("falloc", class);
  if (class && must_fail(class, state->reserve_errno)) return -1;
  return must_fail(class, class ? state->write_errno : 0) ? -1 : real(fd, mode, at, n);
}

int fallocate(int fd, int mode, off_t at, off_t n) { return fallocate64(fd, mode, at, n); }

int ftruncate64(int fd, off_t n) {
  REAL(int, "ftruncate64", int, off_t);
  int class = class_of_fd(fd);
  step("truncate", class);
  return must_fail(class, class ? state->write_errno : 0) ? -1 : real(fd, n);
}

int ftruncate(int fd, off_t n) { return ftruncate64(fd, n); }

/* Syncs. */

int fsync(int fd) {
  REAL(int, "fsync", int);
  int class = class_of_fd(fd);
  step("fsync", class);
  return must_fail(class, class ? state->sync_errno : 0) ? -1 : real(fd);
}

int fdatasync(int fd) {
  REAL(int, "fdatasync", int);
  int class = class_of_fd(fd);
  step("fdatasyn", class);
  return must_fail(class, class ? state->sync_errno : 0) ? -1 : real(fd);
}

int sync_file_range(int fd, off_t from, off_t n, unsigned flags) {
  REAL(int, "sync_file_range", int, off_t, off_t, unsigned);
  step("syncrang", class_of_fd(fd));
  return real(fd, from, n, flags);
}

/* Names. */

int rename(const char *from, const char *to) {
  REAL(int, "rename", const char *, const char *);
  int class = class_at(AT_FDCWD, to);
  step("rename", class);
  return must_fail(class, class ? state->write_errno : 0) ? -1 : real(from, to);
}

int link(const char *from, const char *to) {
  REAL(int, "link", const char *, const char *);
  int class = class_at(AT_FDCWD, to);
  step("link", class);
  return must_fail(class, class ? state->write_errno : 0) ? -1 : real(from, to);
}

int linkat(int from_at, const char *from, int to_at, const char *to, int flags) {
  REAL(int, "linkat", int, const char *, int, const char *, int);
  int class = class_at(to_at, to);
  step("link", class);
  if (must_fail(class, class ? state->write_errno : 0)) return -1;
  return real(from_at, from, to_at, to, flags);
}

int unlink(const char *path) {
  REAL(int, "unlink", const char *);
  step("unlink", class_at(AT_FDCWD, path));
  return real(path);
}

int unlinkat(int folder, const char *path, int flags) {
  REAL(int, "unlinkat", int, const char *, int);
  step("unlinkat", class_at(folder, path));
  return real(folder, path, flags);
}

int rmdir(const char *path) {
  REAL(int, "rmdir", const char *);
  step("rmdir", class_at(AT_FDCWD, path));
  return real(path);
}

int mkdir(const char *path, mode_t mode) {
  REAL(int, "mkdir", const char *, mode_t);
  int class = class_at(AT_FDCWD, path);
  struct stat st;
  /* Only those that make something. */
  int is_new = class && stat(path, &st);
  if (is_new) step("mkdir", class);
  return is_new && must_fail(class, state->write_errno) ? -1 : real(path, mode);
}

static int before_open(int folder, const char *path, int flags) {
  if (!(flags & O_CREAT) && !(flags & O_TRUNC)) return 0;
  int class = class_at(folder, path);
  struct stat st;
  int is_new = class && fstatat(folder, path, &st, 0);
  if (class && (is_new || (flags & O_TRUNC))) step("create", class);
  return is_new && must_fail(class, state->write_errno) ? -1 : 0;
}

int open64(const char *path, int flags, ...) {
  REAL(int, "open64", const char *, int, ...);
  va_list rest;
  va_start(rest, flags);
  mode_t mode = (flags & O_CREAT) ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  if (before_open(AT_FDCWD, path, flags)) return -1;
  return real(path, flags, mode);
}

int open(const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  mode_t mode = (flags & O_CREAT) ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return open64(path, flags, mode);
}

int openat64(int folder, const char *path, int flags, ...) {
  REAL(int, "openat64", int, const char *, int, ...);
  va_list rest;
  va_start(rest, flags);
  mode_t mode = (flags & O_CREAT) ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  if (before_open(folder, path, flags)) return -1;
  return real(folder, path, flags, mode);
}

int close(int fd) {
  REAL(int, "close", int);
  if (fd >= 0 && fd < FDS) known[fd] = 0;
  return real(fd);
}

/* How full the disk is. */

int statvfs64(const char *path, struct statvfs64 *st) {
  REAL(int, "statvfs64", const char *, struct statvfs64 *);
  int result = real(path, st);
  if (!result && state && state->free_told && class_at(AT_FDCWD, path)) {
    st->f_bavail = st->f_bfree = (state->free_told - 1) / st->f_frsize;
  }
  return result;
}

int statvfs(const char *path, struct statvfs *st) {
  return statvfs64(path, (struct statvfs64 *)st);
}

/* What time it is. */

int clock_gettime(clockid_t clock, struct timespec *at) {
  REAL(int, "clock_gettime", clockid_t, struct timespec *);
  int result = real(clock, at);
  if (!result && state && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
    int64_t ms = state->clock_ms, ns = at->tv_nsec + (ms % 1000) * 1000000;
    at->tv_sec += ms / 1000 + (ns >= 1000000000) - (ns < 0);
    at->tv_nsec = (ns + 1000000000) % 1000000000;
  }
  return result;
}

int gettimeofday(struct timeval *at, void *zone) {
  (void)zone;
  struct timespec now;
  if (clock_gettime(CLOCK_REALTIME, &now)) return -1;
  at->tv_sec = now.tv_sec;
  at->tv_usec = now.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *at) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (at) *at = now.tv_sec;
  return now.tv_sec;
}
