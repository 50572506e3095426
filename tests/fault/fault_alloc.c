/* Allocations of our own objects. */
#include "tests/fault/fault.h"

#include "proto/base/arena.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REFUSED(function) (fault_due(FAULT_MEMORY, function) && (errno = ENOMEM, true))

/* X(result, name, parameters, arguments): NULL when it fails. */
#define POINTERS(X)                                                                     \
    X(void *, malloc, (size_t size), (size))                                            \
    X(void *, calloc, (size_t count, size_t size), (count, size))                       \
    X(void *, realloc, (void *old, size_t size), (old, size))                           \
    X(void *, reallocarray, (void *old, size_t count, size_t size), (old, count, size)) \
    X(char *, strdup, (const char *text), (text))                                       \
    X(char *, strndup, (const char *text, size_t size), (text, size))

#define WRAP(result, name, parameters, arguments)               \
    result __real_##name parameters;                            \
    result __wrap_##name parameters;                            \
    result __wrap_##name parameters                             \
    {                                                           \
        return REFUSED(#name) ? NULL : __real_##name arguments; \
    }
POINTERS(WRAP)

int __wrap_asprintf(char **text, const char *format, ...) __attribute__((format(printf, 2, 3)));
int __wrap_asprintf(char **text, const char *format, ...)
{
    va_list arguments;
    if (REFUSED("asprintf"))
        return -1;
    va_start(arguments, format);
    int size = vasprintf(text, format, arguments);
    va_end(arguments);
    return size;
}

/* libc's tree takes memory for each new node. */
void *__real_tsearch(const void *key, void **root, int (*compare)(const void *, const void *));
void *__wrap_tsearch(const void *key, void **root, int (*compare)(const void *, const void *));
void *__wrap_tsearch(const void *key, void **root, int (*compare)(const void *, const void *))
{
    return REFUSED("tsearch") ? NULL : __real_tsearch(key, root, compare);
}

/* ---- our own allocators: they ask for memory in large pieces, and any of their calls may be the one that does ---- */

#define WRAP_ARENA(result, none, name, parameters, arguments) \
    result __real_##name parameters;                          \
    result __wrap_##name parameters;                          \
    result __wrap_##name parameters                           \
    {                                                         \
        if (!fault_due(FAULT_MEMORY, #name))                  \
            return __real_##name arguments;                   \
        arena->failed = true;                                 \
        return none;                                          \
    }
WRAP_ARENA(void *, NULL, hs_arena_alloc, (struct hs_arena * arena, size_t size), (arena, size))
WRAP_ARENA(void *, NULL, hs_arena_array, (struct hs_arena * arena, size_t count, size_t size), (arena, count, size))
WRAP_ARENA(struct hs_bytes, HS_BYTES_NONE, hs_arena_copy, (struct hs_arena * arena, struct hs_bytes bytes),
           (arena, bytes))
WRAP_ARENA(char *, NULL, hs_arena_text, (struct hs_arena * arena, struct hs_bytes bytes), (arena, bytes))

static bool buf_fails(struct hs_buf *buf, const char *function)
{
    if (!fault_due(FAULT_MEMORY, function))
        return false;
    if (buf->err == HS_OK)
        buf->err = HS_ENOMEM;
    return true;
}

#define WRAP_BUF(name, parameters, arguments) \
    void __real_##name parameters;            \
    void __wrap_##name parameters;            \
    void __wrap_##name parameters             \
    {                                         \
        if (!buf_fails(buf, #name))           \
            __real_##name arguments;          \
    }
WRAP_BUF(hs_buf_put, (struct hs_buf * buf, const void *data, size_t size), (buf, data, size))
WRAP_BUF(hs_buf_put_bytes, (struct hs_buf * buf, struct hs_bytes bytes), (buf, bytes))
WRAP_BUF(hs_buf_put_u8, (struct hs_buf * buf, uint8_t value), (buf, value))
WRAP_BUF(hs_buf_put_u16, (struct hs_buf * buf, uint16_t value), (buf, value))
WRAP_BUF(hs_buf_put_u32, (struct hs_buf * buf, uint32_t value), (buf, value))
WRAP_BUF(hs_buf_put_u64, (struct hs_buf * buf, uint64_t value), (buf, value))
WRAP_BUF(hs_buf_put_varint, (struct hs_buf * buf, uint64_t value), (buf, value))
WRAP_BUF(hs_buf_put_sized, (struct hs_buf * buf, struct hs_bytes bytes), (buf, bytes))

uint8_t *__real_hs_buf_extend(struct hs_buf *buf, size_t size);
uint8_t *__wrap_hs_buf_extend(struct hs_buf *buf, size_t size);
uint8_t *__wrap_hs_buf_extend(struct hs_buf *buf, size_t size)
{
    return buf_fails(buf, "hs_buf_extend") ? NULL : __real_hs_buf_extend(buf, size);
}

void *__real_sodium_malloc(size_t size);
void *__wrap_sodium_malloc(size_t size);
void *__wrap_sodium_malloc(size_t size)
{
    return REFUSED("sodium_malloc") ? NULL : __real_sodium_malloc(size);
}
