/*
 * A medium that forgets: preloaded into a node, it keeps a second copy of the data folder that
 * holds only what was synced. After a kill the test puts that copy in place of the folder, as if
 * the power had failed.
 *
 * In scope: writes, lengths, names and syncs of regular files below SHIM_ROOT. A file's content
 * and length reach the copy when it is synced; its name when its folder is synced. Out of scope: mmap,
 * O_DIRECT, io_uring (nothing here uses them); sync_file_range, which promises nothing.
 *
 * SHIM_ROOT    the folder, absolute
 * SHIM_MEDIUM  where the copy lies: files/<identity>, tree/<relative path>
 * SHIM_CONTROL a folder: while it holds a file `lie`, syncs report success and do nothing; while
 *              it holds `eio`, syncs of segments fail
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define FDS 4096
#define RANGES 8192

struct range {
  uint64_t file;
  off_t from, to;
};

static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static char root[PATH_MAX], medium[PATH_MAX], control[PATH_MAX];
static int watching;
/* 0 unknown, 1 ours, 2 not ours. */
static unsigned char known[FDS];
static struct range ranges[RANGES];
static size_t range_count;

static ssize_t (*real_pwrite64)(int, const void *, size_t, off_t);
static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_writev)(int, const struct iovec *, int);
static ssize_t (*real_pwritev64)(int, const struct iovec *, int, off_t);
static int (*real_close)(int);

static void fail(const char *what) {
  /* A medium that cannot keep its promise must not pretend. */
  fprintf(stderr, "drop_unsynced: %s: %s\n", what, strerror(errno));
  abort();
}

static void copy_range(int from_fd, int to_fd, off_t from, off_t to) {
  static char buffer[1 << 16];
  while (from < to) {
    size_t want = (size_t)(to - from) < sizeof buffer ? (size_t)(to - from) : sizeof buffer;
    ssize_t got = pread(from_fd, buffer, want, from);
    if (got < 0) fail("read");
    if (got == 0) return;
    if (real_pwrite64(to_fd, buffer, (size_t)got, from) != got) fail("copy");
    from += got;
  }
}

/* Inode numbers are used again soon; together with the time of birth they name one file. */
static uint64_t identity(int folder, const char *path) {
  struct statx st;
  int flags = AT_SYMLINK_NOFOLLOW | (*path ? 0 : AT_EMPTY_PATH);
  if (statx(folder, path, flags, STATX_BASIC_STATS | STATX_BTIME, &st)) fail("statx");
  uint64_t born = (uint64_t)st.stx_btime.tv_sec * 1000000000u + st.stx_btime.tv_nsec;
  return st.stx_ino * 0x9E3779B97F4A7C15u ^ born;
}

static int medium_file(uint64_t file, char *path, size_t size) {
  snprintf(path, size, "%s/files/%llx", medium, (unsigned long long)file);
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) fail("medium");
  return fd;
}

/* Brings the synced copy of a file up to date; `whole` also where nothing was noted. */
static void keep_file(int fd, int whole) {
  struct stat st;
  char path[PATH_MAX + 32];
  if (fstat(fd, &st) || !S_ISREG(st.st_mode)) return;
  uint64_t file = identity(fd, "");
  int to = medium_file(file, path, sizeof path);
  if (ftruncate(to, st.st_size)) fail("length");
  if (whole) copy_range(fd, to, 0, st.st_size);
  size_t left = 0;
  for (size_t i = 0; i < range_count; i++) {
    if (ranges[i].file != file) {
      ranges[left++] = ranges[i];
    } else if (!whole) {
      copy_range(fd, to, ranges[i].from, ranges[i].to);
    }
  }
  range_count = left;
  real_close(to);
}

static void make_folders(char *path) {
  for (char *at = path + 1; *at; at++) {
    if (*at != '/') continue;
    *at = 0;
    mkdir(path, 0700);
    *at = '/';
  }
  mkdir(path, 0700);
}

/* Makes the names in a folder the names on the medium. Files that were never synced are empty. */
static void keep_names(const char *folder, int contents) {
  char there[2 * PATH_MAX], from[2 * PATH_MAX], to[3 * PATH_MAX], file[PATH_MAX + 32];
  snprintf(there, sizeof there, "%s/tree%s", medium, folder + strlen(root));
  make_folders(there);
  DIR *old = opendir(there);
  for (struct dirent *e; old && (e = readdir(old));) {
    struct stat st;
    snprintf(from, sizeof from, "%s/%s", folder, e->d_name);
    snprintf(to, sizeof to, "%s/%s", there, e->d_name);
    if (lstat(from, &st) && lstat(to, &st) == 0 && S_ISREG(st.st_mode)) unlink(to);
  }
  if (old) closedir(old);
  DIR *now = opendir(folder);
  for (struct dirent *e; now && (e = readdir(now));) {
    struct stat st;
    if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..")) continue;
    snprintf(from, sizeof from, "%s/%s", folder, e->d_name);
    snprintf(to, sizeof to, "%s/%s", there, e->d_name);
    if (lstat(from, &st)) continue;
    if (S_ISDIR(st.st_mode)) {
      mkdir(to, 0700);
      if (contents) keep_names(from, 1);
    } else if (S_ISREG(st.st_mode)) {
      if (contents) {
        int fd = open(from, O_RDONLY | O_CLOEXEC);
        if (fd < 0) continue;
        keep_file(fd, 1);
        real_close(fd);
      }
      struct stat kept, named;
      int fd = medium_file(identity(AT_FDCWD, from), file, sizeof file);
      int same = !fstat(fd, &kept) && !lstat(to, &named) && kept.st_ino == named.st_ino;
      real_close(fd);
      if (same) continue;
      /* A kill between the two leaves the old name or the new one. */
      snprintf(from, sizeof from, "%s/name", medium);
      unlink(from);
      if (link(file, from) || rename(from, to)) fail("name");
    }
  }
  if (now) closedir(now);
}

__attribute__((constructor)) static void begin(void) {
  real_pwrite64 = dlsym(RTLD_NEXT, "pwrite64");
  real_write = dlsym(RTLD_NEXT, "write");
  real_writev = dlsym(RTLD_NEXT, "writev");
  real_pwritev64 = dlsym(RTLD_NEXT, "pwritev64");
  real_close = dlsym(RTLD_NEXT, "close");
  const char *r = getenv("SHIM_ROOT"), *m = getenv("SHIM_MEDIUM"), *c = getenv("SHIM_CONTROL");
  if (!r || !m || !c) return;
  if (!realpath(r, root)) return;
  snprintf(medium, sizeof medium, "%s", m);
  snprintf(control, sizeof control, "%s", c);
  struct stat st;
  char tree[PATH_MAX + 16], files[PATH_MAX + 16];
  snprintf(tree, sizeof tree, "%s/tree", medium);
  snprintf(files, sizeof files, "%s/files", medium);
  if (stat(tree, &st)) {
    /* What lies there before the first start has been there for long. */
    make_folders(files);
    keep_names(root, 1);
  }
  watching = 1;
}

/* Whether a descriptor is a file or folder below the root. */
static int ours(int fd) {
  if (!watching || fd < 0) return 0;
  if (fd < FDS && known[fd]) return known[fd] == 1;
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, path, sizeof path - 1);
  size_t m = strlen(root);
  int is = 0;
  if (n > 0) {
    path[n] = 0;
    is = strncmp(path, root, m) == 0 && (path[m] == '/' || path[m] == 0);
  }
  if (fd < FDS) known[fd] = is ? 1 : 2;
  return is;
}

static void note(int fd, off_t from, off_t to) {
  uint64_t file = identity(fd, "");
  for (size_t i = 0; i < range_count; i++) {
    struct range *r = &ranges[i];
    if (r->file == file && from <= r->to && to >= r->from) {
      if (from < r->from) r->from = from;
      if (to > r->to) r->to = to;
      return;
    }
  }
  if (range_count == RANGES) {
    /* Too many pieces: fewer, wider ones would do, but nothing here comes near. */
    errno = ENOSPC;
    fail("ranges");
  }
  ranges[range_count++] = (struct range){file, from, to};
}

static int is_set(const char *what) {
  char path[PATH_MAX + 16];
  struct stat st;
  snprintf(path, sizeof path, "%s/%s", control, what);
  return stat(path, &st) == 0;
}

static int is_segment(int fd) {
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, path, sizeof path - 1);
  return n > 4 && strncmp(path + n - 4, ".seg", 4) == 0;
}

static int synced(int fd) {
  if (is_set("eio") && is_segment(fd)) {
    errno = EIO;
    return -1;
  }
  if (is_set("lie")) return 0;
  struct stat st;
  if (fstat(fd, &st)) return -1;
  if (S_ISDIR(st.st_mode)) {
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n < 0) return -1;
    path[n] = 0;
    keep_names(path, 0);
  } else {
    keep_file(fd, 0);
  }
  return 0;
}

ssize_t pwrite64(int fd, const void *bytes, size_t n, off_t at) {
  pthread_mutex_lock(&lock);
  int mine = ours(fd);
  ssize_t got = real_pwrite64(fd, bytes, n, at);
  if (mine && got > 0) note(fd, at, at + got);
  pthread_mutex_unlock(&lock);
  return got;
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at) { return pwrite64(fd, bytes, n, at); }

ssize_t pwritev64(int fd, const struct iovec *v, int count, off_t at) {
  pthread_mutex_lock(&lock);
  int mine = ours(fd);
  ssize_t got = real_pwritev64(fd, v, count, at);
  if (mine && got > 0) note(fd, at, at + got);
  pthread_mutex_unlock(&lock);
  return got;
}

ssize_t pwritev(int fd, const struct iovec *v, int count, off_t at) {
  return pwritev64(fd, v, count, at);
}

static void note_behind(int fd, ssize_t got) {
  off_t end = lseek(fd, 0, SEEK_CUR);
  if (got > 0 && end >= got) note(fd, end - got, end);
}

ssize_t write(int fd, const void *bytes, size_t n) {
  if (!real_write) real_write = dlsym(RTLD_NEXT, "write");
  pthread_mutex_lock(&lock);
  int mine = ours(fd);
  if (!mine) pthread_mutex_unlock(&lock);
  ssize_t got = real_write(fd, bytes, n);
  if (mine) {
    note_behind(fd, got);
    pthread_mutex_unlock(&lock);
  }
  return got;
}

ssize_t writev(int fd, const struct iovec *v, int count) {
  pthread_mutex_lock(&lock);
  int mine = ours(fd);
  if (!mine) pthread_mutex_unlock(&lock);
  ssize_t got = real_writev(fd, v, count);
  if (mine) {
    note_behind(fd, got);
    pthread_mutex_unlock(&lock);
  }
  return got;
}

static int sync_call(int fd, const char *name) {
  pthread_mutex_lock(&lock);
  int mine = ours(fd);
  int result = mine ? synced(fd) : 0;
  int error = errno;
  pthread_mutex_unlock(&lock);
  if (!mine) {
    int (*real)(int) = dlsym(RTLD_NEXT, name);
    return real(fd);
  }
  errno = error;
  return result;
}

int fsync(int fd) { return sync_call(fd, "fsync"); }

int fdatasync(int fd) { return sync_call(fd, "fdatasync"); }

int sync_file_range(int fd, off_t from, off_t n, unsigned flags) {
  (void)fd, (void)from, (void)n, (void)flags;
  return 0;
}

int close(int fd) {
  if (!real_close) real_close = dlsym(RTLD_NEXT, "close");
  if (fd >= 0 && fd < FDS) {
    pthread_mutex_lock(&lock);
    known[fd] = 0;
    pthread_mutex_unlock(&lock);
  }
  return real_close(fd);
}
