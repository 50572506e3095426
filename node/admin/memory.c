/* Memory for jansson. */
#include "node/admin/inside.h"

#include <malloc.h>
#include <sodium.h>
#include <stdlib.h>

static _Thread_local bool lacked;

static void *get(size_t size)
{
    void *memory = malloc(size);
    lacked = lacked || memory == NULL;
    return memory;
}

static void give_back(void *memory)
{
    if (memory != NULL)
        sodium_memzero(memory, malloc_usable_size(memory));
    free(memory);
}

void admin_json_memory(void)
{
    json_set_alloc_funcs(get, give_back);
}

bool admin_json_lacked(void)
{
    bool did = lacked;
    lacked = false;
    return did;
}
