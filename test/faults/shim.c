/*
 * Preloaded into a process, makes one of its system calls fail that reach below the folder FAULT_FOLDER: the
 * FAULT_CALL-th of them, from 0, in the way FAULT_KIND: an errno by number, "short" (half of what is to be written is)
 * or "kill" (half is, then SIGKILL). Three kinds let the call go on: "gone" and "replaced", for which somebody deletes
 * the file just before it or puts another one in its place, and "forward" and "backward", which set the clock by two
 * days from there on. Paths with FAULT_SPARED in them, a program's own code, are left alone, and so are
 * the programs that the process starts. FAULT_LOG, a file, gets a line for each of these calls: its
 * number, since threads may write their lines in another order, its name and its path.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static atomic_long calls;
static atomic_char watched[65536];
static atomic_long shift; /* of the clock, in seconds */

static const char *setting(const char *name) {
  const char *value = getenv(name);
  return value == NULL ? "" : value;
}

static int below(const char *path) {
  const char *folder = setting("FAULT_FOLDER");
  char current[4096];
  if (path == NULL || *folder == 0) return 0;
  if (*path != '/') path = getcwd(current, sizeof current) == NULL ? "" : current;
  const char *spared = setting("FAULT_SPARED");
  return strncmp(path, folder, strlen(folder)) == 0 && (*spared == 0 || strstr(path, spared) == NULL);
}

/* A number may have become another file's, or a pipe's, by a way that is not seen here. */
static int is_watched(int fd) {
  struct stat state;
  return fd >= 0 && fd < 65536 && watched[fd] && fstat(fd, &state) == 0 && (S_ISREG(state.st_mode) || S_ISDIR(state.st_mode));
}

static void log_call(long call, const char *name, const char *path) {
  const char *file = setting("FAULT_LOG");
  if (*file == 0) return;
  char line[4300];
  int size = snprintf(line, sizeof line, "%ld %s %s\n", call, name, path);
  int fd = NEXT(open)(file, O_CREAT | O_WRONLY | O_APPEND, 0644);
  if (fd < 0) return;
  if (NEXT(write)(fd, line, size) != size) abort();
  NEXT(close)(fd);
}

/* Whether this call is the one that fails. */
static int is_due(const char *name, const char *path) {
  long call = atomic_fetch_add(&calls, 1);
  log_call(call, name, path);
  const char *chosen = setting("FAULT_CALL");
  return *chosen != 0 && call == atol(chosen);
}

static int is_kind(const char *kind) { return strcmp(setting("FAULT_KIND"), kind) == 0; }

static void die(void) {
  raise(SIGKILL);
  for (;;) pause();
}


/* Deletes a file, or puts another one in its place. */
static void meddle(const char *path) {
  struct stat state;
  if (path == NULL || stat(path, &state) != 0 || !S_ISREG(state.st_mode)) return;
  if (is_kind("gone")) {
    NEXT(unlink)(path);
    return;
  }
  char other[4200];
  snprintf(other, sizeof other, "%s.other", path);
  int fd = NEXT(open)(other, O_CREAT | O_WRONLY | O_TRUNC, 0644);
  if (fd < 0) return;
  if (NEXT(write)(fd, "something else\n", 15) == 15) NEXT(rename)(other, path);
  NEXT(close)(fd);
}

static const char *path_of(int fd, char *to, size_t size) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, to, size - 1);
  to[length < 0 ? 0 : length] = 0;
  return to;
}

/* Whether the fault that is due lets its call go on; what happens beside the call is done. */
static int lets_go_on(const char *path) {
  if (is_kind("forward")) shift = 2 * 86400;
  else if (is_kind("backward")) shift = -2 * 86400;
  else if (is_kind("gone") || is_kind("replaced")) meddle(path);
  else return 0;
  return 1;
}

/* Fails a call that writes nothing: a short one of these is a whole one. */
static int fails(const char *name, const char *path) {
  if (!is_due(name, path) || lets_go_on(path)) return 0;
  if (is_kind("kill")) die();
  if (is_kind("short")) return 0;
  errno = atoi(setting("FAULT_KIND"));
  return 1;
}

__attribute__((constructor)) static void begin(void) { unsetenv("LD_PRELOAD"); }

static int opened(int fd, const char *path) {
  if (fd >= 0 && fd < 65536) watched[fd] = below(path);
  return fd;
}

int close(int fd) {
  if (fd >= 0 && fd < 65536) watched[fd] = 0;
  return NEXT(close)(fd);
}

#define OPEN(name)                                                     \
  int name(const char *path, int flags, ...) {                         \
    mode_t mode = 0;                                                   \
    if (flags & (O_CREAT | O_TMPFILE)) {                               \
      va_list rest;                                                    \
      va_start(rest, flags);                                           \
      mode = va_arg(rest, mode_t);                                     \
      va_end(rest);                                                    \
    }                                                                  \
    if (below(path) && fails(#name, path)) return -1;                  \
    return opened(NEXT(name)(path, flags, mode), path);                \
  }
OPEN(open)
OPEN(open64)

#define WRITE(name, parameters, arguments, half)                       \
  ssize_t name parameters {                                            \
    char path[4096];                                                   \
    if (is_watched(fd) && is_due(#name, path_of(fd, path, sizeof path)) && !lets_go_on(path)) { \
      if (is_kind("kill") || is_kind("short")) {                       \
        ssize_t done = NEXT(name) half;                                \
        if (is_kind("kill")) die();                                    \
        return done;                                                   \
      }                                                                \
      errno = atoi(setting("FAULT_KIND"));                             \
      return -1;                                                       \
    }                                                                  \
    return NEXT(name) arguments;                                       \
  }
WRITE(write, (int fd, const void *data, size_t size), (fd, data, size), (fd, data, (size + 1) / 2))
WRITE(pwrite, (int fd, const void *data, size_t size, off_t at), (fd, data, size, at), (fd, data, (size + 1) / 2, at))
WRITE(pwrite64, (int fd, const void *data, size_t size, off64_t at), (fd, data, size, at), (fd, data, (size + 1) / 2, at))
WRITE(writev, (int fd, const struct iovec *data, int count), (fd, data, count), (fd, data, (count + 1) / 2))
WRITE(read, (int fd, void *data, size_t size), (fd, data, size), (fd, data, (size + 1) / 2))
WRITE(pread, (int fd, void *data, size_t size, off_t at), (fd, data, size, at), (fd, data, (size + 1) / 2, at))
WRITE(pread64, (int fd, void *data, size_t size, off64_t at), (fd, data, size, at), (fd, data, (size + 1) / 2, at))

#define BY_FD(name, parameters, arguments)                             \
  int name parameters {                                                \
    char path[4096];                                                   \
    if (is_watched(fd) && fails(#name, path_of(fd, path, sizeof path))) return -1; \
    return NEXT(name) arguments;                                       \
  }
BY_FD(fsync, (int fd), (fd))
BY_FD(fdatasync, (int fd), (fd))
BY_FD(ftruncate, (int fd, off_t size), (fd, size))
BY_FD(ftruncate64, (int fd, off64_t size), (fd, size))

#define BY_PATH(name, parameters, arguments)                           \
  int name parameters {                                                \
    if (below(path) && fails(#name, path)) return -1;                  \
    return NEXT(name) arguments;                                       \
  }
BY_PATH(rename, (const char *path, const char *to), (path, to))
BY_PATH(unlink, (const char *path), (path))
BY_PATH(rmdir, (const char *path), (path))
BY_PATH(mkdir, (const char *path, mode_t mode), (path, mode))

int clock_gettime(clockid_t clock, struct timespec *to) {
  int result = NEXT(clock_gettime)(clock, to);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) to->tv_sec += shift;
  return result;
}

int gettimeofday(struct timeval *restrict to, void *restrict zone) {
  int result = NEXT(gettimeofday)(to, zone);
  if (result == 0) to->tv_sec += shift;
  return result;
}

time_t time(time_t *to) {
  time_t now = NEXT(time)(NULL) + shift;
  if (to != NULL) *to = now;
  return now;
}
