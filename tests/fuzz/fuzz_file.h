/* fuzz_file.h -- an input as a file that is memory. */
#ifndef HS_TESTS_FUZZ_FILE_H
#define HS_TESTS_FUZZ_FILE_H

#include "tests/fuzz/fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

/* Open for reading from its begin; the caller closes it.  /proc/self/fd/N names it until then. */
static inline int fuzz_file(struct hs_bytes bytes)
{
    int fd = memfd_create("input", MFD_CLOEXEC);
    FUZZ_CHECK(fd >= 0);
    FUZZ_CHECK(bytes.size == 0 || write(fd, bytes.data, bytes.size) == (ssize_t)bytes.size);
    FUZZ_CHECK(lseek(fd, 0, SEEK_SET) == 0);
    return fd;
}

#endif
