/* Every address under which something is answered is one row; files of the page are in node/admin/page, and the stream
 * of events is http.c's own. */
#include "node/admin/handlers.h"
#include "node/admin/inside.h"

#include <string.h>

const struct admin_route ADMIN_ROUTES[] = {
    {"GET", "/healthz", HS_USER_NOBODY, ADMIN_MEMORY, admin_get_health},
    {"GET", "/metrics", HS_USER_VIEWER, ADMIN_MEMORY, admin_get_metrics},
    {"GET", "/api/model", HS_USER_VIEWER, ADMIN_MEMORY, admin_get_model},
    {"GET", "/api/node/?", HS_USER_VIEWER, ADMIN_MEMORY, admin_get_node},
    {"GET", "/api/overview", HS_USER_VIEWER, ADMIN_MEMORY, admin_get_overview},
    {"GET", "/api/samples", HS_USER_VIEWER, ADMIN_MEMORY, admin_get_samples},
    {"GET", "/api/session", HS_USER_NOBODY, ADMIN_MEMORY, admin_get_session},
    {"POST", "/api/login", HS_USER_NOBODY, ADMIN_PASSWORD, admin_post_login},
    {"GET", "/api/conflicts", HS_USER_VIEWER, ADMIN_NODE, admin_get_conflicts},
    {"POST", "/api/conflict/look", HS_USER_VIEWER, ADMIN_NODE, admin_post_look}, /* ids of records stay out of URLs */
    {"POST", "/api/conflict", HS_USER_OPERATOR, ADMIN_NODE, admin_post_conflict},
    {"POST", "/api/parked", HS_USER_OPERATOR, ADMIN_NODE, admin_post_parked},
    {"GET", "/api/books", HS_USER_VIEWER, ADMIN_NODE, admin_get_books},
    {"GET", "/api/overdue", HS_USER_VIEWER, ADMIN_NODE, admin_get_overdue},
    {"GET", "/api/audit", HS_USER_VIEWER, ADMIN_NODE, admin_get_audit},
    {"GET", "/api/registry", HS_USER_VIEWER, ADMIN_NODE, admin_get_registry},
    {"POST", "/api/registry/enroll", HS_USER_ADMINISTRATOR, ADMIN_NODE, admin_post_enroll},
    {"POST", "/api/registry/scope", HS_USER_ADMINISTRATOR, ADMIN_NODE, admin_post_scope},
    {"POST", "/api/registry/revoke", HS_USER_ADMINISTRATOR, ADMIN_NODE, admin_post_revoke},
    {"POST", "/api/logout", HS_USER_VIEWER, ADMIN_MEMORY, admin_post_logout},
};
const size_t ADMIN_ROUTE_COUNT = sizeof ADMIN_ROUTES / sizeof *ADMIN_ROUTES;

const struct admin_route ADMIN_EVENTS_ROUTE = {"GET", ADMIN_EVENTS_PATH, HS_USER_VIEWER, ADMIN_MEMORY, NULL};

/* The next part of a path, its end cut off; NULL: there is no more. */
static char *next_part(char **at)
{
    if (**at != '/')
        return NULL;
    char *part = *at + 1;
    *at = part + strcspn(part, "/");
    return part;
}

/* An id may be an address, with slashes: at the end it is all that is left. */
static bool is_last(const char *pattern)
{
    return strcmp(pattern, "?") == 0;
}

/* @path is cut up only where it fits. */
static bool fits(const char *pattern, const char *path, struct admin_match *match)
{
    size_t count = 0;
    memcpy(match->parts, path, strlen(path) + 1);
    for (char *at = match->parts; *pattern == '/';) {
        const char *wanted = pattern + 1;
        size_t size = strcspn(wanted, "/");
        char *part = next_part(&at);
        if (part == NULL)
            return false;
        size_t part_size = (size_t)(at - part);
        if (size == 1 && wanted[0] == '?') {
            if (part_size == 0 || count == ADMIN_ARGS_MAX)
                return false;
            match->args[count++] = part;
            if (is_last(wanted))
                return true;
        } else if (part_size != size || memcmp(part, wanted, size) != 0) {
            return false;
        }
        pattern = wanted + size;
        if (*pattern == '\0')
            return *at == '\0';
    }
    return false;
}

/* Each argument ends before the next part; the last one with the path. */
static void cut(struct admin_match *match)
{
    size_t size = strlen(match->route->pattern);
    bool to_end = size > 0 && is_last(match->route->pattern + size - 1);
    for (size_t i = 0; i < ADMIN_ARGS_MAX && match->args[i] != NULL; i++) {
        bool last = i + 1 == ADMIN_ARGS_MAX || match->args[i + 1] == NULL;
        if (!last || !to_end)
            match->parts[(size_t)(match->args[i] - match->parts) + strcspn(match->args[i], "/")] = '\0';
    }
}

void admin_match(const struct admin_route *routes, size_t count, const char *method, const char *path,
                 struct admin_match *match)
{
    *match = (struct admin_match){.route = NULL};
    if (strlen(path) > ADMIN_PATH_BYTES_MAX)
        return;
    for (size_t i = 0; i < count && match->route == NULL; i++) {
        memset(match->args, 0, sizeof match->args);
        if (!fits(routes[i].pattern, path, match))
            continue;
        match->allow = routes[i].method;
        if (strcmp(routes[i].method, method) == 0)
            match->route = &routes[i];
    }
    if (match->route != NULL) {
        match->allow = NULL;
        cut(match);
    }
}
