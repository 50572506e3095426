#include "node/admin/userfile.h"

#include "node/log/log.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct admin_userfile {
    pthread_mutex_t lock;
    char path[PATH_MAX];
    struct stat seen;   /* all zero: it was not there */
    struct stat unread; /* of what could not be read, and was told of */
    struct hs_users users;
};

/* False: it cannot be said. */
static bool look(const char *path, struct stat *status)
{
    if (stat(path, status) == 0)
        return true;
    *status = (struct stat){0};
    return errno == ENOENT;
}

/* The file is replaced whole, so another content is another inode or another time of change. */
static bool same(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_size == b->st_size && a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
           a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* Once for each content. */
static void tell_unread(struct admin_userfile *file, const struct stat *status, enum hs_err err,
                        const struct hs_why *why)
{
    if (same(status, &file->unread))
        return;
    file->unread = *status;
    HS_LOG(ADMIN_USERS_UNREAD, HS_PROSE("text", why->text[0] != '\0' ? why->text : hs_err_text(err)));
}

enum hs_err admin_userfile_new(const char *dir, struct admin_userfile **made)
{
    struct hs_why why = {0};
    struct admin_userfile *file = calloc(1, sizeof *file);
    if (file == NULL)
        return HS_ENOMEM;
    int size = snprintf(file->path, sizeof file->path, "%s/users", dir);
    if (size < 0 || (size_t)size >= sizeof file->path) {
        free(file);
        return HS_ETOOBIG;
    }
    pthread_mutex_init(&file->lock, NULL);
    (void)look(file->path, &file->seen); /* if it cannot be said, it is another the next time */
    enum hs_err err = hs_users_load(file->path, &file->users, &why);
    if (err != HS_OK) {
        tell_unread(file, &file->seen, err, &why);
        file->users.count = 0;
        file->seen = (struct stat){0};
    }
    *made = file;
    return HS_OK;
}

void admin_userfile_free(struct admin_userfile *file)
{
    if (file == NULL)
        return;
    pthread_mutex_destroy(&file->lock);
    sodium_memzero(file, sizeof *file);
    free(file);
}

bool admin_userfile_follow(struct admin_userfile *file, struct hs_users *users)
{
    struct stat now;
    struct hs_why why = {0};
    if (!look(file->path, &now) || same(&now, &file->seen)) /* only this caller's thread changes it */
        return false;
    enum hs_err err = hs_users_load(file->path, users, &why);
    if (err != HS_OK) { /* it is tried again: somebody may mend it, or have just made it, as root */
        tell_unread(file, &now, err, &why);
        return false;
    }
    file->seen = now;
    pthread_mutex_lock(&file->lock);
    file->users = *users;
    pthread_mutex_unlock(&file->lock);
    HS_LOG(ADMIN_USERS_READ, HS_NUMBER("users", users->count));
    return true;
}

bool admin_userfile_find(struct admin_userfile *file, const char *name, struct hs_user *user)
{
    pthread_mutex_lock(&file->lock);
    const struct hs_user *found = hs_users_find(&file->users, name);
    if (found != NULL)
        *user = *found;
    pthread_mutex_unlock(&file->lock);
    return found != NULL;
}

size_t admin_userfile_count(struct admin_userfile *file)
{
    pthread_mutex_lock(&file->lock);
    size_t count = file->users.count;
    pthread_mutex_unlock(&file->lock);
    return count;
}
