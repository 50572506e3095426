#include "node/daemon/hook.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define KILL_MS 1000

static enum hs_err fail(int code, const char *what, struct hs_why *why)
{
    return hs_fail(HS_EIO, why, "%s: %s", what, strerror(code));
}

/* ---- the program ---- */

/* As a file: however slowly it is read, nobody waits, and who does not read it at all breaks no pipe. */
static int document_file(struct hs_bytes document)
{
    int fd = memfd_create("hallsync-alarm", MFD_CLOEXEC);
    if (fd < 0)
        return -1;
    if (write(fd, document.data, document.size) != (ssize_t)document.size || lseek(fd, 0, SEEK_SET) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static int set_files(posix_spawn_file_actions_t *files, int input)
{
    int code = posix_spawn_file_actions_adddup2(files, input, STDIN_FILENO);
    if (code == 0)
        code = posix_spawn_file_actions_addopen(files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    if (code == 0)
        code = posix_spawn_file_actions_adddup2(files, STDOUT_FILENO, STDERR_FILENO);
    if (code == 0)
        code = posix_spawn_file_actions_addclosefrom_np(files, STDERR_FILENO + 1);
    if (code == 0)
        code = posix_spawn_file_actions_addchdir_np(files, "/");
    return code;
}

/* The daemon's threads have signals blocked, and SIGPIPE ignored: no program expects that. */
static int set_signals(posix_spawnattr_t *attributes)
{
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    int code = posix_spawnattr_setsigmask(attributes, &none);
    if (code == 0)
        code = posix_spawnattr_setsigdefault(attributes, &all);
    if (code == 0)
        code = posix_spawnattr_setpgroup(attributes, 0);
    if (code == 0)
        code = posix_spawnattr_setflags(attributes,
                                        POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    return code;
}

static int spawn(pid_t *pid, const char *command, int input)
{
    static char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", lang[] = "LANG=C.UTF-8";
    char *const environment[] = {path, lang, NULL};
    char *const arguments[] = {(char *)(uintptr_t)command, NULL}; /* only read */
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    int code = posix_spawn_file_actions_init(&files);
    if (code != 0)
        return code;
    code = posix_spawnattr_init(&attributes);
    if (code == 0) {
        code = set_files(&files, input);
        if (code == 0)
            code = set_signals(&attributes);
        if (code == 0)
            code = posix_spawn(pid, command, &files, &attributes, arguments, environment);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&files);
    return code;
}

enum hs_err hs_hook_start(struct hs_hook_run *run, const char *command, struct hs_bytes document, uint64_t ends_ms,
                          struct hs_why *why)
{
    int input = document_file(document);
    if (input < 0)
        return fail(errno, "no file for its input", why);
    int code = spawn(&run->pid, command, input);
    close(input);
    if (code != 0) {
        run->pid = 0;
        return fail(code, command, why);
    }
    run->killed = false;
    run->ends_ms = ends_ms;
    run->fd = pidfd_open(run->pid, 0);
    if (run->fd >= 0)
        return HS_OK;
    code = errno;
    hs_hook_kill(run); /* nobody would hear of its end */
    return fail(code, command, why);
}

static enum hs_err judge(const struct hs_hook_run *run, int status, struct hs_why *why)
{
    if (run->killed)
        return hs_fail(HS_EIO, why, "it took too long and was killed");
    if (WIFSIGNALED(status))
        return hs_fail(HS_EIO, why, "it was ended by signal %d", WTERMSIG(status));
    return WEXITSTATUS(status) == 0 ? HS_OK : hs_fail(HS_EIO, why, "its exit status is %d", WEXITSTATUS(status));
}

static void forget(struct hs_hook_run *run)
{
    if (run->fd >= 0)
        close(run->fd);
    *run = (struct hs_hook_run){.fd = -1};
}

enum hs_err hs_hook_look(struct hs_hook_run *run, uint64_t tick_ms, bool *ended, struct hs_why *why)
{
    int status = 0;
    pid_t got = waitpid(run->pid, &status, WNOHANG);
    *ended = got != 0;
    if (*ended) {
        enum hs_err err = got < 0 ? fail(errno, "its end", why) : judge(run, status, why);
        forget(run);
        return err;
    }
    if (tick_ms >= run->ends_ms && !run->killed) {
        kill(-run->pid, SIGKILL);
        run->killed = true;
    }
    return HS_OK;
}

void hs_hook_kill(struct hs_hook_run *run)
{
    if (run->pid == 0)
        return;
    kill(-run->pid, SIGKILL);
    if (run->fd >= 0)
        poll(&(struct pollfd){.fd = run->fd, .events = POLLIN}, 1, KILL_MS);
    waitpid(run->pid, NULL, run->fd >= 0 ? WNOHANG : 0);
    forget(run);
}

/* ---- the file ---- */

static int open_file(const char *path, off_t *size, struct hs_why *why)
{
    struct stat file;
    int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0640);
    if (fd < 0) {
        fail(errno, path, why);
        return -1;
    }
    if (fstat(fd, &file) != 0 || !S_ISREG(file.st_mode)) {
        hs_fail(HS_EIO, why, "%s: it is no file", path); /* a pipe would keep us waiting for its reader */
        close(fd);
        return -1;
    }
    *size = file.st_size;
    return fd;
}

/* Half a line would spoil the next one; so would one that a loss of power has left. */
static enum hs_err write_line(int fd, off_t size, struct hs_bytes line)
{
    char last = '\n';
    if (size > 0 && pread(fd, &last, 1, size - 1) == 1 && last != '\n' && write(fd, "\n", 1) == 1)
        size++;
    ssize_t written = write(fd, line.data, line.size);
    if (written == (ssize_t)line.size)
        return HS_OK;
    int code = written < 0 ? errno : ENOSPC;
    if (written > 0 && ftruncate(fd, size) != 0)
        code = errno;
    errno = code;
    return HS_EIO;
}

enum hs_err hs_hook_append(const char *path, struct hs_bytes line, struct hs_why *why)
{
    char older[4096];
    off_t size;
    int fd = open_file(path, &size, why);
    if (fd >= 0 && size > 0 && (size_t)size + line.size > HS_HOOK_FILE_BYTES_MAX) {
        close(fd);
        snprintf(older, sizeof older, "%s.1", path);
        if (rename(path, older) != 0)
            return fail(errno, older, why);
        fd = open_file(path, &size, why);
    }
    if (fd < 0)
        return HS_EIO;
    enum hs_err err = write_line(fd, size, line);
    if (err != HS_OK)
        fail(errno, path, why);
    close(fd);
    return err;
}
