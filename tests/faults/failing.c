/* A library to be preloaded: the n-th call of a kind that touches the disk fails, once, as a disk fails.
 *
 *   FAILING=NAME:N[:ERRNO]    NAME: write, pwrite, fsync, rename, close, ftruncate; N from 1; ERRNO: 5 (EIO) if not given
 *
 * Only descriptors of regular files count, so that messages to a terminal or a pipe arrive. FAILING_LOG: a file that gets one byte
 * when the call has failed.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static atomic_long calls;

/* Whether this call is the one. file < 0: of a name. */
static int fails(const char *name, int file)
{
    static const char *wanted;
    struct stat about;
    if (!wanted)
        wanted = getenv("FAILING") ? getenv("FAILING") : "";
    size_t length = strlen(name);
    if (strncmp(wanted, name, length) != 0 || wanted[length] != ':')
        return 0;
    if (file >= 0 && (fstat(file, &about) != 0 || !S_ISREG(about.st_mode)))
        return 0;
    char *rest;
    long n = strtol(wanted + length + 1, &rest, 10);
    if (atomic_fetch_add(&calls, 1) + 1 != n)
        return 0;
    const char *log = getenv("FAILING_LOG");
    int mark = log ? open(log, O_WRONLY | O_CREAT, 0666) : -1;
    if (mark >= 0) {
        ssize_t (*real)(int, const void *, size_t) =
            (ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
        real(mark, "1", 1);
    }
    errno = *rest == ':' ? atoi(rest + 1) : EIO;
    return 1;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int file, const void *bytes, size_t size)
{
    return fails("write", file) ? -1 : REAL(write)(file, bytes, size);
}

ssize_t pwrite(int file, const void *bytes, size_t size, off_t at)
{
    return fails("pwrite", file) ? -1 : REAL(pwrite)(file, bytes, size, at);
}

ssize_t pwrite64(int file, const void *bytes, size_t size, off64_t at)
{
    return fails("pwrite", file) ? -1 : REAL(pwrite64)(file, bytes, size, at);
}

int fsync(int file)
{
    return fails("fsync", file) ? -1 : REAL(fsync)(file);
}

int fdatasync(int file)
{
    return fails("fsync", file) ? -1 : REAL(fdatasync)(file);
}

int ftruncate(int file, off_t size)
{
    return fails("ftruncate", file) ? -1 : REAL(ftruncate)(file, size);
}

int ftruncate64(int file, off64_t size)
{
    return fails("ftruncate", file) ? -1 : REAL(ftruncate64)(file, size);
}

int rename(const char *from, const char *to)
{
    return fails("rename", -1) ? -1 : REAL(rename)(from, to);
}

/* A close that fails has closed, as on Linux. */
int close(int file)
{
    int failing = fails("close", file), reason = errno;
    int code = REAL(close)(file);
    if (failing)
        errno = reason;
    return failing ? -1 : code;
}
