#include "proto/base/arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES (16 * 1024)

struct hs_arena_block {
    struct hs_arena_block *next;
    size_t room;
    alignas(max_align_t) unsigned char data[];
};

void hs_arena_init(struct hs_arena *arena, size_t limit)
{
    *arena = (struct hs_arena){.limit = limit};
}

static void free_blocks(struct hs_arena_block *block)
{
    while (block != NULL) {
        struct hs_arena_block *next = block->next;
        free(block);
        block = next;
    }
}

void hs_arena_fini(struct hs_arena *arena)
{
    free_blocks(arena->blocks);
    hs_arena_init(arena, arena->limit);
}

void hs_arena_reset(struct hs_arena *arena)
{
    arena->over = arena->failed = false;
    if (arena->blocks == NULL)
        return;
    free_blocks(arena->blocks->next);
    arena->blocks->next = NULL;
    arena->total = arena->blocks->room;
    arena->used = 0;
}

static struct hs_arena_block *add_block(struct hs_arena *arena, size_t size)
{
    size_t room = size > BLOCK_BYTES ? size : BLOCK_BYTES;
    if (arena->limit != 0 && room > arena->limit - arena->total)
        room = size; /* the last block may be a small one */
    if (arena->limit != 0 && room > arena->limit - arena->total) {
        arena->over = true;
        return NULL;
    }
    struct hs_arena_block *block = malloc(sizeof *block + room);
    if (block == NULL)
        return NULL;
    block->next = arena->blocks;
    block->room = room;
    arena->blocks = block;
    arena->used = 0;
    arena->total += room;
    return block;
}

void *hs_arena_alloc(struct hs_arena *arena, size_t size)
{
    const size_t align = alignof(max_align_t);
    if (size > SIZE_MAX / 2)
        return NULL;
    size = size == 0 ? align : (size + align - 1) / align * align;
    struct hs_arena_block *block = arena->blocks;
    if (block == NULL || size > block->room - arena->used)
        block = add_block(arena, size);
    arena->failed = arena->failed || block == NULL;
    if (block == NULL)
        return NULL;
    void *at = block->data + arena->used;
    arena->used += size;
    return memset(at, 0, size);
}

void *hs_arena_array(struct hs_arena *arena, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size)
        return NULL;
    return hs_arena_alloc(arena, count * size);
}

struct hs_bytes hs_arena_copy(struct hs_arena *arena, struct hs_bytes bytes)
{
    if (bytes.size == 0)
        return HS_BYTES_NONE;
    void *copy = hs_arena_alloc(arena, bytes.size);
    if (copy == NULL)
        return HS_BYTES_NONE;
    memcpy(copy, bytes.data, bytes.size);
    return HS_BYTES(copy, bytes.size);
}

char *hs_arena_text(struct hs_arena *arena, struct hs_bytes bytes)
{
    char *text = hs_arena_alloc(arena, bytes.size + 1);
    if (text != NULL && bytes.size != 0)
        memcpy(text, bytes.data, bytes.size);
    return text;
}
