/* mark.h -- what a client of power_client.c did and was told, as it stands in the journal. */
#ifndef HS_TESTS_POWER_MARK_H
#define HS_TESTS_POWER_MARK_H

#include <stdint.h>

#define MARK_CLIENTS_MAX 64
#define MARK_NUMBERS_MAX 4096 /* of one client */
#define MARK_FACT_BYTES  256

enum mark_step {
    MARK_SENT = 1, /* before it is sent for the first time */
    MARK_ACKED,    /* after the answer was read */
};

struct mark {
    uint32_t step;
    uint32_t kind;   /* a customer, a payment or a reversal */
    uint32_t client; /* from 0 */
    uint32_t number; /* of this client's writes, from 0; a customer's remark */
    uint8_t id[16];  /* of a fact: mark_id() */
    char account[16];
    int64_t amount_fen; /* into the drawer */
    char receipt[88];   /* acked facts */
    uint32_t fact_bytes;
    uint8_t fact[MARK_FACT_BYTES]; /* as it must be in the store */
};

#endif
