/* expect.h -- what the clients of a hall sent and were told, up to one moment. */
#ifndef HS_TESTS_POWER_EXPECT_H
#define HS_TESTS_POWER_EXPECT_H

#include "tests/power/mark.h"

#include <stdbool.h>
#include <stddef.h>

#define EXPECT_ACCOUNTS 4 /* of each client */

struct expect {
    struct mark *marks; /* MARK_NUMBERS_MAX for each client; step 0: never heard of, else the last */
    uint32_t numbers;   /* above the highest */
    uint32_t clients;   /* the same */
    size_t acked, sent; /* facts */
    int64_t edits[MARK_CLIENTS_MAX][EXPECT_ACCOUNTS][2]; /* highest edit sent and acked, -1: none */
};

void expect_init(struct expect *expect);
void expect_fini(struct expect *expect);
void expect_step(struct expect *expect, const struct mark *mark);

const struct mark *expect_at(const struct expect *expect, uint32_t client, uint32_t number); /* NULL: not sent */
const struct mark *expect_fact(const struct expect *expect, const uint8_t id[static 16]);    /* NULL: not sent */

#endif
