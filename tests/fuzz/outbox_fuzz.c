/* outbox_fuzz.c -- the file of an outbox, whole or rotten: it is opened, or told apart from another file; what was read
 * is read again the same, and it is written on.
 *
 * Input: u8 raw (odd: the rest is the file as it is), else rows, of which each gets its check: u8 type, u8 size, body;
 * type 0 stands for bytes that are no row. */
#include "node/client/outbox_file.h"
#include "tests/fuzz/fuzz.h"

#include <errno.h>
#include <sodium.h>
#include <unistd.h>

#define CHECK_BYTES 16

static const uint8_t ID[HS_BOX_ID_BYTES] = "an outbox's id.";

static void put_check(struct hs_buf *file, size_t from)
{
    uint8_t check[CHECK_BYTES];
    FUZZ_CHECK(crypto_generichash(check, sizeof check, file->data + from, file->size - from, ID, sizeof ID) == 0);
    hs_buf_put(file, check, sizeof check);
}

static void put_header(struct hs_buf *file)
{
    static const uint8_t zeros[14];
    hs_buf_put(file, "hallsync outbox 1\n", 18);
    hs_buf_put(file, zeros, sizeof zeros);
    hs_buf_put(file, ID, sizeof ID);
    put_check(file, 0);
}

static void put_row(struct hs_buf *file, uint8_t type, struct hs_bytes body)
{
    size_t from = file->size;
    if (type == 0) {
        hs_buf_put_bytes(file, body);
        return;
    }
    hs_buf_put(file, "hsob", 4);
    hs_buf_put_u8(file, type);
    hs_buf_put_u32(file, (uint32_t)body.size);
    hs_buf_put_bytes(file, body);
    put_check(file, from);
}

static void make_file(struct hs_bytes input, struct hs_buf *file)
{
    struct hs_cur in = hs_cur_of(input);
    if (fuzz_u8(&in) % 2 != 0) {
        hs_buf_put_bytes(file, fuzz_rest(&in));
        return;
    }
    put_header(file);
    while (in.left > 0) {
        uint8_t type = fuzz_u8(&in) % 6;
        put_row(file, type, fuzz_bytes(&in, fuzz_u8(&in)));
    }
}

static void check_box(const struct hs_box *box)
{
    size_t bytes = 0;
    for (size_t i = 0; i < box->count; i++) {
        bytes += box->entries[i].size;
        FUZZ_CHECK(i == 0 || box->entries[i - 1].number < box->entries[i].number);
        FUZZ_CHECK(box->entries[i].number < box->next_number);
        FUZZ_CHECK(hs_box_find(box, box->entries[i].id) < box->count);
    }
    FUZZ_CHECK(bytes == box->bytes);
}

static void open_twice(const char *path)
{
    struct hs_box box, again;
    if (hs_box_open(&box, path) != 0) {
        FUZZ_CHECK(errno == EPROTO);
        return;
    }
    check_box(&box);
    size_t count = box.count;
    uint64_t commit = box.told.commit;
    int added = hs_box_add(&box, 1, ID, ID, sizeof ID);
    FUZZ_CHECK(added == 0);
    hs_box_close(&box);
    FUZZ_CHECK(hs_box_open(&again, path) == 0);
    check_box(&again);
    FUZZ_CHECK(again.count == count + 1 && again.told.commit == commit);
    FUZZ_CHECK(hs_box_done(&again, again.count - 1) == 0);
    hs_box_close(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char path[64];
    struct hs_buf file = {0};
    FUZZ_CHECK(sodium_init() >= 0);
    snprintf(path, sizeof path, "/dev/shm/hallsync-fuzz-outbox.%ld", (long)getpid());
    make_file(HS_BYTES(data, size), &file);
    FILE *out = fopen(path, "wb");
    FUZZ_CHECK(out != NULL && fwrite(file.size > 0 ? file.data : ID, 1, file.size, out) == file.size);
    FUZZ_CHECK(fclose(out) == 0);
    open_twice(path);
    unlink(path);
    hs_buf_fini(&file);
    return 0;
}

static void put_seed_row(struct hs_buf *seed, uint8_t type, uint64_t number, size_t size)
{
    hs_buf_put_u8(seed, type);
    hs_buf_put_u8(seed, (uint8_t)size);
    hs_buf_put_u64(seed, number);
    for (size_t i = 8; i < size; i++)
        hs_buf_put_u8(seed, (uint8_t)number);
}

void fuzz_seeds(fuzz_put put)
{
    struct hs_buf rows = {0}, raw = {0};
    hs_buf_put_u8(&rows, 0);
    for (uint8_t i = 1; i <= 4; i++)
        put_seed_row(&rows, 1, i, 60);
    put_seed_row(&rows, 2, 2, 32);
    put_seed_row(&rows, 0, 9, 20);
    put_seed_row(&rows, 3, 1, 8);
    put_seed_row(&rows, 4, 7, 24);
    put("rows", hs_buf_bytes(&rows));
    hs_buf_put_u8(&raw, 1);
    make_file(hs_buf_bytes(&rows), &raw);
    put("raw", hs_buf_bytes(&raw));
    put("empty", HS_BYTES("\1", 1));
    hs_buf_reset(&rows);
    hs_buf_put_u8(&rows, 0);
    put_seed_row(&rows, 1, UINT64_MAX - 1, 60);
    put("last-number", hs_buf_bytes(&rows)); /* the one added to it was lost once */
    hs_buf_fini(&rows);
    hs_buf_fini(&raw);
}
