#include "tests/power/expect.h"

#include <stdlib.h>
#include <string.h>

#define KIND_CUSTOMER 1

enum { EDIT_SENT, EDIT_ACKED };

void expect_init(struct expect *expect)
{
    memset(expect, 0, sizeof *expect);
    memset(expect->edits, 0xff, sizeof expect->edits);
    expect->marks = calloc((size_t)MARK_CLIENTS_MAX * MARK_NUMBERS_MAX, sizeof *expect->marks);
    if (expect->marks == NULL)
        abort();
}

void expect_fini(struct expect *expect)
{
    free(expect->marks);
}

static struct mark *place(const struct expect *expect, uint32_t client, uint32_t number)
{
    return &expect->marks[(size_t)client * MARK_NUMBERS_MAX + number];
}

void expect_step(struct expect *expect, const struct mark *mark)
{
    if (mark->client >= MARK_CLIENTS_MAX || mark->number >= MARK_NUMBERS_MAX)
        abort();
    *place(expect, mark->client, mark->number) = *mark;
    if (mark->number >= expect->numbers)
        expect->numbers = mark->number + 1;
    if (mark->client >= expect->clients)
        expect->clients = mark->client + 1;
    bool acked = mark->step == MARK_ACKED;
    if (mark->kind == KIND_CUSTOMER)
        expect->edits[mark->client][mark->number % EXPECT_ACCOUNTS][acked ? EDIT_ACKED : EDIT_SENT] = mark->number;
    else if (acked)
        expect->acked++;
    else
        expect->sent++;
}

const struct mark *expect_at(const struct expect *expect, uint32_t client, uint32_t number)
{
    if (client >= MARK_CLIENTS_MAX || number >= MARK_NUMBERS_MAX)
        return NULL;
    const struct mark *mark = place(expect, client, number);
    return mark->step == 0 ? NULL : mark;
}

const struct mark *expect_fact(const struct expect *expect, const uint8_t id[static 16])
{
    uint32_t client = 0;
    uint32_t number = 0;
    for (size_t i = 0; i < 4; i++) {
        client = client << 8 | id[i];
        number = number << 8 | id[4 + i];
    }
    const struct mark *mark = expect_at(expect, client, number);
    return mark != NULL && memcmp(mark->id, id, sizeof mark->id) == 0 ? mark : NULL;
}
