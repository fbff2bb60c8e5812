/* Reads of some files never end: for LD_PRELOAD, to stand in for a disk that hangs.

   While the file that $STUCK_READS names is there, a read does not return if the path of what is
   read matches the pattern in that file. The first such read makes the file $STUCK_READS.met. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void wait_if_stuck(int descriptor) {
    const char *rule = getenv("STUCK_READS");
    char link[64], path[4096] = "", pattern[256] = "", met[4096];
    FILE *file = rule != NULL ? fopen(rule, "re") : NULL;
    if (file == NULL)
        return;
    if (fgets(pattern, sizeof pattern, file) != NULL)
        pattern[strcspn(pattern, "\n")] = 0;
    fclose(file);
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    if (readlink(link, path, sizeof path - 1) < 0 || fnmatch(pattern, path, 0) != 0)
        return;
    snprintf(met, sizeof met, "%s.met", rule);
    close(open(met, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    for (;;)
        pause();
}

ssize_t read(int descriptor, void *buffer, size_t count) {
    static ssize_t (*next)(int, void *, size_t);
    if (next == NULL)
        next = dlsym(RTLD_NEXT, "read");
    wait_if_stuck(descriptor);
    return next(descriptor, buffer, count);
}

ssize_t pread64(int descriptor, void *buffer, size_t count, off64_t offset) {
    static ssize_t (*next)(int, void *, size_t, off64_t);
    if (next == NULL)
        next = dlsym(RTLD_NEXT, "pread64");
    wait_if_stuck(descriptor);
    return next(descriptor, buffer, count, offset);
}
