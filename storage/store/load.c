/* load.c -- a store made of the rows of a dump, in a directory of its own. */
#include "storage/store/inside.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES 4096
#define MARK       "restoring" /* a load is under way, or was cut short: what lies beside it is its own */

struct hs_load {
    char dir[PATH_BYTES - 256];
    int lock_fd;
    bool moved;
    uint64_t store_id;
    struct hs_log_load *log;
};

static enum hs_err draw(uint64_t *store_id)
{
    while (*store_id == 0) {
        if (getrandom(store_id, sizeof *store_id, 0) != (ssize_t)sizeof *store_id)
            return HS_EIO;
    }
    return HS_OK;
}

/* ---- what lies there ---- */

static void path_in(const struct hs_load *load, const char *name, char path[static PATH_BYTES])
{
    snprintf(path, PATH_BYTES, "%.*s/%.250s", (int)sizeof load->dir, load->dir, name);
}

static bool is_there(const struct hs_load *load, const char *name)
{
    char path[PATH_BYTES];
    path_in(load, name, path);
    return access(path, F_OK) == 0;
}

/* What a load leaves alone: its lock, what was moved aside before, backups, and what belongs to the file system. */
static bool stays(const char *name)
{
    static const char *const NAMES[] = {".", "..", "lock", "replaced", "backups", "lost+found"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        if (strcmp(name, NAMES[i]) == 0)
            return true;
    }
    return false;
}

static enum hs_err cannot(const char *what, const char *path, struct hs_why *why)
{
    return hs_fail(hs_err_from_errno(errno), why, "cannot %s %s: %s", what, path, strerror(errno));
}

static enum hs_err move_one(const struct hs_load *load, const char *aside, const char *name, struct hs_why *why)
{
    char from[PATH_BYTES], to[2 * PATH_BYTES];
    path_in(load, name, from);
    snprintf(to, sizeof to, "%s/%s/%s", load->dir, aside, name);
    return rename(from, to) == 0 ? HS_OK : cannot("move aside", from, why);
}

/* The first name that does not stay; "" if there is none. */
static enum hs_err find_one(const struct hs_load *load, char name[static 256], struct hs_why *why)
{
    name[0] = '\0';
    DIR *dir = opendir(load->dir);
    if (dir == NULL)
        return cannot("look into", load->dir, why);
    for (struct dirent *entry = readdir(dir); entry != NULL && name[0] == '\0'; entry = readdir(dir)) {
        if (!stays(entry->d_name))
            snprintf(name, 256, "%s", entry->d_name);
    }
    closedir(dir);
    return HS_OK;
}

static enum hs_err make_aside(const struct hs_load *load, const char *aside, struct hs_why *why)
{
    char path[PATH_BYTES];
    for (const char *slash = strchr(aside, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        snprintf(path, sizeof path, "%s/%.*s", load->dir, (int)(slash - aside), aside);
        if (mkdir(path, 0700) != 0 && errno != EEXIST)
            return cannot("make the directory", path, why);
    }
    path_in(load, aside, path);
    return mkdir(path, 0700) == 0 ? HS_OK : cannot("make the directory", path, why);
}

static enum hs_err move_all(struct hs_load *load, const char *aside, struct hs_why *why)
{
    char name[256];
    enum hs_err err = make_aside(load, aside, why);
    if (err == HS_OK)
        err = find_one(load, name, why);
    while (err == HS_OK && name[0] != '\0') {
        load->moved = true;
        err = move_one(load, aside, name, why);
        if (err == HS_OK)
            err = find_one(load, name, why);
    }
    return err;
}

static enum hs_err make_place(struct hs_load *load, const char *aside, struct hs_why *why)
{
    char name[256], mark[PATH_BYTES];
    bool cut_short = is_there(load, MARK) && !is_there(load, "log/data.mdb");
    enum hs_err err = cut_short ? HS_OK : find_one(load, name, why);
    if (err == HS_OK && !cut_short && name[0] != '\0') {
        if (aside == NULL)
            return hs_fail(HS_EEXISTS, why, "%s is not empty: there is %s", load->dir, name);
        err = move_all(load, aside, why);
    }
    if (err != HS_OK)
        return err;
    path_in(load, MARK, mark);
    int fd = open(mark, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return cannot("write", mark, why);
    close(fd);
    return HS_OK;
}

/* ---- the load ---- */

static enum hs_err begin(struct hs_load *load, const struct hs_load_options *options, struct hs_why *why)
{
    char path[PATH_BYTES];
    if ((size_t)snprintf(load->dir, sizeof load->dir, "%s", options->dir) >= sizeof load->dir)
        return hs_fail(HS_EINVAL, why, "the path %.64s... is too long: choose a shorter one", options->dir);
    enum hs_err err = store_prepare_dir(load->dir, true, why);
    if (err == HS_OK)
        err = store_lock_dir(load->dir, &load->lock_fd, why);
    if (err == HS_OK)
        err = make_place(load, options->aside, why);
    if (err == HS_OK)
        err = draw(&load->store_id);
    if (err != HS_OK)
        return err;
    path_in(load, "log", path);
    return hs_log_load_begin(path, store_map_bytes(options->map_bytes), load->store_id, &load->log, why);
}

enum hs_err hs_load_begin(const struct hs_load_options *options, struct hs_load **out, struct hs_why *why)
{
    *out = NULL;
    struct hs_load *load = calloc(1, sizeof *load);
    if (load == NULL)
        return hs_fail(HS_ENOMEM, why, "no memory to make a store in %s", options->dir);
    load->lock_fd = -1;
    enum hs_err err = begin(load, options, why);
    if (err != HS_OK) {
        hs_load_abort(load);
        return err;
    }
    *out = load;
    return HS_OK;
}

enum hs_err hs_load_row(struct hs_load *load, const char *table, struct hs_bytes key, struct hs_bytes value)
{
    return hs_log_load_row(load->log, table, key, value);
}

uint64_t hs_load_store_id(const struct hs_load *load)
{
    return load->store_id;
}

bool hs_load_moved(const struct hs_load *load)
{
    return load->moved;
}

enum hs_err hs_load_end(struct hs_load *load, struct hs_why *why)
{
    char mark[PATH_BYTES];
    enum hs_err err = hs_log_load_end(load->log, why);
    load->log = NULL;
    path_in(load, MARK, mark);
    if (err == HS_OK)
        unlink(mark); /* where it stays, it says nothing beside a log */
    hs_load_abort(load);
    return err;
}

void hs_load_abort(struct hs_load *load)
{
    if (load == NULL)
        return;
    hs_log_load_abort(load->log);
    if (load->lock_fd >= 0)
        close(load->lock_fd);
    free(load);
}
