#include "node/admin/inside.h"

#include <string.h>

const struct admin_page *admin_page_find(const char *path)
{
    if (strcmp(path, "/") == 0)
        path = "/index.html";
    for (size_t i = 0; i < ADMIN_PAGE_COUNT; i++) {
        if (strcmp(ADMIN_PAGES[i].path, path) == 0)
            return &ADMIN_PAGES[i];
    }
    return NULL;
}
