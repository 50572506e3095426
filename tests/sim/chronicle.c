#include "tests/sim/chronicle.h"

#include "proto/base/text.h"
#include "proto/records.pb-c.h"
#include "storage/model/kinds.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct chronicle {
    struct sim *sim;
    const char *dir;
    FILE *history;
};

static const char *const LEVELS[] = {"here", "here", "hub", "safe"};

static FILE *open_file(struct sim *sim, const char *dir, const char *name, const char *suffix)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s%s", dir, name, suffix);
    FILE *file = fopen(path, "w");
    if (file == NULL)
        sim_fail(sim, "cannot write %s", path);
    return file;
}

struct chronicle *chronicle_open(struct sim *sim, const char *dir)
{
    struct chronicle *chronicle = calloc(1, sizeof *chronicle);
    if (chronicle == NULL)
        sim_fail(sim, "out of memory");
    *chronicle = (struct chronicle){sim, dir, open_file(sim, dir, "history", "")};
    return chronicle;
}

/* ---- what clients are told ---- */

static const char *kind_of(const struct deed *deed)
{
    return deed->type == DEED_PAYMENT ? "payment" : deed->type == DEED_REVERSAL ? "reversal" : NULL;
}

void chronicle_asked(struct chronicle *chronicle, const struct deed *deed, const struct sim_machine *machine)
{
    if (chronicle == NULL || kind_of(deed) == NULL)
        return;
    fprintf(chronicle->history,
            "{\"event\":\"invoked\",\"node\":\"%s\",\"kind\":\"%s\",\"id\":\"%s\",\"district\":\"%04u\",\"content\":["
            "\"%s\",",
            machine->name, kind_of(deed), deed->id, (unsigned)deed->partition, deed->account);
    if (deed->type == DEED_PAYMENT)
        fprintf(chronicle->history, "%" PRId64 ",", deed->amount_fen);
    fprintf(chronicle->history, "\"%s\"],\"fen\":%" PRId64 "}\n", deed->other, deed->amount_fen);
}

void chronicle_told(struct chronicle *chronicle, const struct deed_told *told)
{
    if (chronicle == NULL || kind_of(told->deed) == NULL || told->error[0] != '\0')
        return;
    fprintf(chronicle->history,
            "{\"event\":\"acknowledged\",\"node\":\"%s\",\"kind\":\"%s\",\"id\":\"%s\",\"level\":\"%s\",\"number\":\"%"
            "s\"}\n",
            told->machine->name, kind_of(told->deed), told->deed->id, LEVELS[told->safe & 3], told->receipt);
}

void chronicle_forgot(struct chronicle *chronicle, const struct sim_machine *machine)
{
    if (chronicle != NULL)
        fprintf(chronicle->history, "{\"event\":\"forgot\",\"node\":\"%s\"}\n", machine->name);
}

/* ---- what a node holds ---- */

static Hallsync__Reply *ask(struct sim_machine *machine, Hallsync__Request *request)
{
    static const uint8_t ID[16] = {0xc4};
    struct hs_buf bytes = {0}, answer = {0};
    deed_look(ID, request, &bytes);
    if (!sim_ask_now(machine, hs_buf_bytes(&bytes), &answer))
        sim_fail(machine->sim, "%s does not answer", machine->name);
    Hallsync__Reply *reply = hallsync__reply__unpack(NULL, answer.size, answer.data);
    if (reply == NULL || (reply->error != NULL && strcmp(reply->error, hs_err_name(HS_ENOTFOUND)) != 0))
        sim_fail(machine->sim, "%s: %s", machine->name, reply != NULL ? reply->error : "no reply");
    hs_buf_fini(&bytes);
    hs_buf_fini(&answer);
    return reply;
}

static void put_payment(FILE *state, struct sim_machine *machine, const Hallsync__Record *record)
{
    Hallsync__Payment *payment = hallsync__payment__unpack(NULL, record->record.len, record->record.data);
    (void)machine;
    fprintf(state, "{\"kind\":\"payment\",\"id\":\"%s\",\"content\":[\"%s\",%" PRId64 ",\"%s\"],\"fen\":%" PRId64 "}\n",
            record->id, payment->account, payment->amount_fen, payment->bill_id != NULL ? payment->bill_id : "",
            payment->amount_fen);
    hallsync__payment__free_unpacked(payment, NULL);
}

/* 0: the payment is not here. */
static int64_t amount_of(struct sim_machine *machine, char *payment_id)
{
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    Hallsync__GetRequest get = HALLSYNC__GET_REQUEST__INIT;
    get.has_here = get.here = true;
    int64_t amount_fen = 0;
    get.kind = HS_KIND_PAYMENT;
    get.id = payment_id;
    request.body_case = HALLSYNC__REQUEST__BODY_GET;
    request.get = &get;
    Hallsync__Reply *reply = ask(machine, &request);
    if (reply->records != NULL && reply->records->n_records == 1) {
        const ProtobufCBinaryData *record = &reply->records->records[0]->record;
        Hallsync__Payment *payment = hallsync__payment__unpack(NULL, record->len, record->data);
        amount_fen = payment->amount_fen;
        hallsync__payment__free_unpacked(payment, NULL);
    }
    hallsync__reply__free_unpacked(reply, NULL);
    return amount_fen;
}

static void put_reversal(FILE *state, struct sim_machine *machine, const Hallsync__Record *record)
{
    Hallsync__Reversal *reversal = hallsync__reversal__unpack(NULL, record->record.len, record->record.data);
    char payment[2 * HS_ID_BYTES + 1];
    hs_text_to_hex(HS_BYTES(reversal->payment_id.data, HS_ID_BYTES), payment);
    int64_t amount_fen = amount_of(machine, payment);
    fprintf(state, "{\"kind\":\"reversal\",\"id\":\"%s\",\"content\":[\"%s\",\"%s\"]", record->id, reversal->account,
            payment);
    if (amount_fen != 0)
        fprintf(state, ",\"fen\":%" PRId64, amount_fen);
    fprintf(state, "}\n");
    hallsync__reversal__free_unpacked(reversal, NULL);
}

static void put_entry(FILE *state, struct sim_machine *machine, const Hallsync__Record *record)
{
    Hallsync__CashEntry *entry = hallsync__cash_entry__unpack(NULL, record->record.len, record->record.data);
    char fact[2 * HS_ID_BYTES + 1];
    (void)machine;
    hs_text_to_hex(HS_BYTES(entry->fact_id.data, HS_ID_BYTES), fact);
    fprintf(state, "{\"entry\":\"%s\",\"of\":\"%s\",\"fen\":%" PRId64 "}\n", record->id, fact, entry->amount_fen);
    hallsync__cash_entry__free_unpacked(entry, NULL);
}

static void put_all(FILE *state, struct sim_machine *machine, uint16_t kind,
                    void (*put)(FILE *state, struct sim_machine *machine, const Hallsync__Record *record))
{
    struct hs_buf after = {0};
    bool more = true;
    while (more) {
        Hallsync__Request request = HALLSYNC__REQUEST__INIT;
        Hallsync__FindRequest find = HALLSYNC__FIND_REQUEST__INIT;
        find.has_here = find.here = true;
        find.kind = kind;
        find.has_after = after.size > 0;
        find.after = (ProtobufCBinaryData){.len = after.size, .data = after.data};
        request.body_case = HALLSYNC__REQUEST__BODY_FIND;
        request.find = &find;
        Hallsync__Reply *reply = ask(machine, &request);
        for (size_t i = 0; i < reply->records->n_records; i++)
            put(state, machine, reply->records->records[i]);
        more = reply->records->has_next;
        hs_buf_reset(&after);
        hs_buf_put(&after, reply->records->next.data, reply->records->next.len);
        hallsync__reply__free_unpacked(reply, NULL);
    }
    hs_buf_fini(&after);
}

static void put_totals(FILE *state, struct sim_machine *machine)
{
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    Hallsync__TotalsRequest body = HALLSYNC__TOTALS_REQUEST__INIT;
    request.body_case = HALLSYNC__REQUEST__BODY_TOTALS;
    request.totals = &body;
    Hallsync__Reply *reply = ask(machine, &request);
    fprintf(state,
            "{\"totals\":{\"count\":%" PRIu64 ",\"sum_fen\":%" PRId64 ",\"reversed_count\":%" PRIu64
            ",\"reversed_fen\":%" PRId64 "}}\n",
            reply->totals->count, reply->totals->sum_fen, reply->totals->reversed_count, reply->totals->reversed_fen);
    hallsync__reply__free_unpacked(reply, NULL);
}

static void put_digests(FILE *state, struct sim_machine *machine)
{
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    Hallsync__DigestRequest body = HALLSYNC__DIGEST_REQUEST__INIT;
    request.body_case = HALLSYNC__REQUEST__BODY_DIGEST;
    request.digest = &body;
    Hallsync__Reply *reply = ask(machine, &request);
    for (size_t i = 0; i < reply->digest->n_digests; i++) {
        const Hallsync__Digest *digest = reply->digest->digests[i];
        char hex[2 * HS_HASH_BYTES + 1], partition[HS_PARTITION_TEXT_BYTES];
        hs_text_to_hex(HS_BYTES(digest->digest.data, HS_HASH_BYTES), hex);
        fprintf(state, "{\"digest\":\"%s\",\"district\":\"%s\",\"kind\":\"%u\",\"count\":%" PRIu64 "}\n", hex,
                hs_partition_text((hs_partition)digest->partition, partition), digest->kind, digest->count);
    }
    hallsync__reply__free_unpacked(reply, NULL);
}

static void put_scope(FILE *state, const struct sim_machine *machine)
{
    const struct hs_certificate *certificate = &machine->certificate;
    fprintf(state, "{\"node\":\"%s\",\"scope\":", machine->name);
    if (machine->role == HS_ROLE_HUB) {
        fprintf(state, "\"everything\"}\n");
        return;
    }
    fprintf(state, "[\"region\"");
    for (size_t i = 0; i < certificate->district_count; i++)
        fprintf(state, ",\"%04u\"", (unsigned)certificate->districts[i]);
    fprintf(state, "]}\n");
}

void chronicle_close(struct chronicle *chronicle)
{
    if (chronicle == NULL)
        return;
    for (unsigned i = 0; i < chronicle->sim->machine_count; i++) {
        struct sim_machine *machine = chronicle->sim->machines[i];
        FILE *state = open_file(chronicle->sim, chronicle->dir, machine->name, ".state");
        put_scope(state, machine);
        put_all(state, machine, HS_KIND_PAYMENT, put_payment);
        put_all(state, machine, HS_KIND_REVERSAL, put_reversal);
        put_all(state, machine, HS_KIND_CASH_ENTRY, put_entry);
        put_totals(state, machine);
        put_digests(state, machine);
        if (fclose(state) != 0)
            sim_fail(chronicle->sim, "cannot write what %s holds", machine->name);
    }
    if (fclose(chronicle->history) != 0)
        sim_fail(chronicle->sim, "cannot write the history");
    free(chronicle);
}
