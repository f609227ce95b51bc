/* Makes the n-th write-side call on a store's files fail, as a dying or full disk would.
 * LD_PRELOADed by the tests; FAULT_CALL is the call to count (write, sync, truncate or any),
 * FAULT_AT the number of the first call that fails, FAULT_COUNT how many fail from there,
 * FAULT_ERRNO the error number. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static long seen;

static int ours(int descriptor) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return strstr(path, "/context.db") != NULL;
}

static int fails(int descriptor, const char *call) {
    const char *wanted = getenv("FAULT_CALL"), *at = getenv("FAULT_AT");
    if (!wanted || !at || !ours(descriptor)) return 0;
    if (strcmp(wanted, "any") && strcmp(wanted, call)) return 0;
    long from = atol(at), number = ++seen;
    if (number < from || number >= from + atol(getenv("FAULT_COUNT"))) return 0;
    errno = atoi(getenv("FAULT_ERRNO"));
    return 1;
}

ssize_t pwrite64(int descriptor, const void *data, size_t count, off64_t offset) {
    static ssize_t (*real)(int, const void *, size_t, off64_t);
    if (!real) real = dlsym(RTLD_NEXT, "pwrite64");
    return fails(descriptor, "write") ? -1 : real(descriptor, data, count, offset);
}

ssize_t pwrite(int descriptor, const void *data, size_t count, off_t offset) {
    static ssize_t (*real)(int, const void *, size_t, off_t);
    if (!real) real = dlsym(RTLD_NEXT, "pwrite");
    return fails(descriptor, "write") ? -1 : real(descriptor, data, count, offset);
}

int fsync(int descriptor) {
    static int (*real)(int);
    if (!real) real = dlsym(RTLD_NEXT, "fsync");
    return fails(descriptor, "sync") ? -1 : real(descriptor);
}

int ftruncate64(int descriptor, off64_t length) {
    static int (*real)(int, off64_t);
    if (!real) real = dlsym(RTLD_NEXT, "ftruncate64");
    return fails(descriptor, "truncate") ? -1 : real(descriptor, length);
}
