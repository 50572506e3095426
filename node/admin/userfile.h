/* userfile.h -- the users as the file says now: looked at again when it has changed.  Any thread. */
#ifndef HS_ADMIN_USERFILE_H
#define HS_ADMIN_USERFILE_H

#include "node/users/users.h"

struct admin_userfile;
/* HS_OK also where the file cannot be read, which is told in the log: nobody can log in until it can. */
enum hs_err admin_userfile_new(const char *dir, struct admin_userfile **file);
void admin_userfile_free(struct admin_userfile *file); /* NULL is fine */

/* True: it has changed, and was taken over into *users (the caller's, for comparison). */
bool admin_userfile_follow(struct admin_userfile *file, struct hs_users *users);
/* A copy; false: there is none of this name. */
bool admin_userfile_find(struct admin_userfile *file, const char *name, struct hs_user *user);
size_t admin_userfile_count(struct admin_userfile *file);

#endif
