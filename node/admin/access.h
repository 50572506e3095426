/* access.h -- what a request says of itself, taken apart: cookies, Host, Origin, passwords in headers.  Pure: hostile
 * bytes come in here (tests/fuzz/admin_fuzz.c). */
#ifndef HS_ADMIN_ACCESS_H
#define HS_ADMIN_ACCESS_H

#include "node/users/users.h"

#include <stdbool.h>
#include <stdint.h>

/* "127.0.0.1:7480", "[::1]:7480": an address in digits and a port. */
struct admin_listen {
    char host[64]; /* without brackets */
    uint16_t port; /* 0: any that is free */
    bool v6, loopback;
};
enum hs_err admin_listen_parse(const char *text, struct admin_listen *listen); /* HS_EADDRESS */

/* The value of cookie @name in a Cookie header; false: it is not there, twice, or does not fit. */
bool admin_cookie(const char *header, const char *name, char *value, size_t room);

/* A browser that was made to believe that a foreign name leads here still names it.  Right are addresses in digits,
 * localhost, and @names. */
bool admin_host_right(const char *host, char *const *names, size_t name_count);
/* Is @origin ("https://host:port") where @host itself leads? */
bool admin_origin_right(const char *origin, const char *host, bool tls);

/* "Basic ...": false: it is none. */
struct admin_basic {
    char name[HS_USER_NAME_BYTES];
    char password[HS_USER_PASSWORD_BYTES_MAX + 1];
};
bool admin_basic(const char *header, struct admin_basic *basic);

/* Does a comma-separated list of an Accept-Encoding header take gzip? */
bool admin_takes_gzip(const char *header);
/* Does If-None-Match name this tag? */
bool admin_tag_matches(const char *header, const char *tag);

/* Are the texts equal?  In constant time for equal lengths. */
bool admin_same(const char *a, const char *b);

#endif
