#include "node/disk/readers.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

static bool is_same(const struct hs_store_reader *a, const struct hs_store_reader *b)
{
    return a->pid == b->pid && a->thread == b->thread && a->snapshot == b->snapshot;
}

static void describe(struct hs_readers *readers, unsigned env, uint64_t now_ms)
{
    const struct hs_store_reader *reader = &readers->oldest[env];
    char who[32] = "this process";
    if (reader->pid != getpid())
        snprintf(who, sizeof who, "process %d", (int)reader->pid);
    snprintf(readers->text, sizeof readers->text,
             "%s has been reading one snapshot for %" PRIu64 " s: nothing that was freed since can be used again", who,
             (now_ms - readers->since_ms[env]) / 1000);
}

enum hs_err hs_readers_look(struct hs_readers *readers, struct hs_store *store, uint64_t now_ms, bool *is_news)
{
    struct hs_store_reader oldest[HS_STORE_ENVS];
    *is_news = false;
    if (now_ms < readers->look_ms)
        return HS_OK;
    readers->look_ms = now_ms + HS_READERS_LOOK_MS;
    enum hs_err err = hs_store_readers(store, oldest);
    if (err != HS_OK)
        return err;
    bool was_long = readers->is_long;
    readers->is_long = false;
    readers->text[0] = '\0';
    for (unsigned env = 0; env < HS_STORE_ENVS; env++) {
        if (!oldest[env].pins || !is_same(&oldest[env], &readers->oldest[env]))
            readers->since_ms[env] = now_ms; /* a node that nobody writes to reads the same snapshot for hours */
        readers->oldest[env] = oldest[env];
        if (now_ms - readers->since_ms[env] < HS_READER_LONG_MS)
            continue;
        readers->is_long = true;
        describe(readers, env, now_ms);
    }
    *is_news = readers->is_long != was_long;
    return HS_OK;
}
