#include "tests/sim/sticks.h"

#include "proto/local.pb-c.h"

#include <stdlib.h>
#include <string.h>

#define PARTS_MAX 64

struct stick {
    int number; /* -1: not written yet */
    struct sim_machine *to;
    struct hs_buf parts[PARTS_MAX];
    unsigned count;
};

struct sticks {
    struct sim *sim;
    struct sim_random random; /* ids of requests */
    struct stick drawer[STICKS_MAX];
    int written;
    struct hs_buf heads[SIM_MACHINES_MAX]; /* what the machine's last bundle has told that it holds */
};

struct sticks *sticks_new(struct sim *sim)
{
    struct sticks *sticks = calloc(1, sizeof *sticks);
    if (sticks == NULL)
        sim_fail(sim, "out of memory");
    sticks->sim = sim;
    sticks->random = sim_random_of(sim->options.seed, "sticks");
    for (unsigned i = 0; i < STICKS_MAX; i++)
        sticks->drawer[i].number = -1;
    return sticks;
}

static void wipe(struct stick *stick)
{
    for (unsigned i = 0; i < stick->count; i++)
        hs_buf_fini(&stick->parts[i]);
    stick->count = 0;
}

void sticks_free(struct sticks *sticks)
{
    if (sticks == NULL)
        return;
    for (unsigned i = 0; i < STICKS_MAX; i++)
        wipe(&sticks->drawer[i]);
    for (unsigned i = 0; i < SIM_MACHINES_MAX; i++)
        hs_buf_fini(&sticks->heads[i]);
    free(sticks);
}

/* NULL: no answer; an error that is the machine's trouble or the roles' is no answer either. */
static Hallsync__Reply *ask(struct sticks *sticks, struct sim_machine *machine, Hallsync__Request *request)
{
    uint8_t id[16];
    struct hs_buf packed = {0}, reply = {0};
    hs_be64(id, sim_draw(&sticks->random));
    hs_be64(id + 8, sim_draw(&sticks->random));
    request->version = 1;
    request->id = (ProtobufCBinaryData){sizeof id, id};
    uint8_t *to = hs_buf_extend(&packed, hallsync__request__get_packed_size(request));
    if (to == NULL)
        sim_fail(sticks->sim, "out of memory");
    hallsync__request__pack(request, to);
    bool answered = sim_ask_now(machine, hs_buf_bytes(&packed), &reply);
    Hallsync__Reply *read = answered ? hallsync__reply__unpack(NULL, reply.size, reply.data) : NULL;
    if (answered && read == NULL)
        sim_fail(sticks->sim, "%s: a reply that nobody can read", machine->name);
    hs_buf_fini(&packed);
    hs_buf_fini(&reply);
    if (read == NULL || read->error == NULL)
        return read;
    enum hs_err_class class = hs_err_class(hs_err_by_name(read->error));
    sim_say(sticks->sim, "%s: a bundle is refused: %s: %s", machine->name, read->error, read->text);
    if ((class == HS_CLASS_DAMAGE && !machine->has_rotted) || class == HS_CLASS_BUG ||
        strcmp(read->error, "bad-signature") == 0 || strcmp(read->error, "malformed") == 0)
        sim_fail(sticks->sim, "%s: an honest bundle is refused: %s: %s", machine->name, read->error, read->text);
    hallsync__reply__free_unpacked(read, NULL);
    return NULL;
}

/* ---- written ---- */

static bool write_part(struct sticks *sticks, struct sim_machine *from, Hallsync__BundleExportRequest *body,
                       struct stick *stick, struct hs_buf *next)
{
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    request.body_case = HALLSYNC__REQUEST__BODY_BUNDLE_EXPORT;
    request.bundle_export = body;
    Hallsync__Reply *reply = ask(sticks, from, &request);
    if (reply == NULL)
        return false;
    const Hallsync__BundleExportReply *made = reply->bundle_export;
    hs_buf_put(&stick->parts[stick->count++], made->part.data, made->part.len);
    hs_buf_reset(next);
    hs_buf_put(next, made->next.data, made->next.len);
    hallsync__reply__free_unpacked(reply, NULL);
    return true;
}

int sticks_write(struct sticks *sticks, struct sim_machine *from, struct sim_machine *to, uint64_t first)
{
    Hallsync__BundleExportRequest body = HALLSYNC__BUNDLE_EXPORT_REQUEST__INIT;
    struct stick *stick = &sticks->drawer[sticks->written % STICKS_MAX];
    struct hs_buf next = {0}, *heads = &sticks->heads[to->index];
    bool more = true;
    wipe(stick);
    body.receiver = to->node_id;
    body.has_from = first != 0;
    body.from = first;
    body.has_heads = heads->size > 0;
    body.heads = (ProtobufCBinaryData){heads->size, heads->data};
    while (more && stick->count < PARTS_MAX) {
        more = write_part(sticks, from, &body, stick, &next) && next.size > 0;
        body.has_after = true;
        body.after = (ProtobufCBinaryData){next.size, next.data};
    }
    hs_buf_fini(&next);
    stick->number = stick->count == 0 ? -1 : sticks->written++;
    stick->to = to;
    if (stick->number >= 0)
        sim_say(sticks->sim, "stick %d: %s for %s, %u parts", stick->number, from->name, to->node_id, stick->count);
    return stick->number;
}

static const struct stick *find(const struct sticks *sticks, int stick)
{
    const struct stick *found = stick < 0 ? NULL : &sticks->drawer[stick % STICKS_MAX];
    return found == NULL || found->number != stick ? NULL : found;
}

unsigned sticks_parts(const struct sticks *sticks, int stick)
{
    const struct stick *found = find(sticks, stick);
    return found == NULL ? 0 : found->count;
}

int sticks_newest(const struct sticks *sticks)
{
    return sticks->written - 1;
}

struct sim_machine *sticks_receiver(const struct sticks *sticks, int stick)
{
    const struct stick *found = find(sticks, stick);
    return found == NULL ? NULL : found->to;
}

/* ---- read ---- */

/* A branch that forked and what lies behind a gap are left; nothing else of what honest nodes write. */
static void check_left(struct sticks *sticks, struct sim_machine *to, const Hallsync__BundleImportReply *reply)
{
    static const char *const EXPECTED[] = {"gap", "fork", "revoked"};
    for (size_t i = 0; i < reply->n_left; i++) {
        bool expected = false;
        for (size_t k = 0; k < sizeof EXPECTED / sizeof *EXPECTED; k++)
            expected = expected || strcmp(reply->left[i]->error, EXPECTED[k]) == 0;
        if (!expected)
            sim_fail(sticks->sim, "%s leaves operations %llu-%llu of %s: %s", to->name,
                     (unsigned long long)reply->left[i]->first, (unsigned long long)reply->left[i]->last,
                     reply->left[i]->node_id, reply->left[i]->error);
    }
}

static void keep_heads(struct sticks *sticks, const Hallsync__BundleImportReply *reply)
{
    for (unsigned i = 0; i < sticks->sim->machine_count; i++) {
        if (strcmp(sticks->sim->machines[i]->node_id, reply->sender) != 0)
            continue;
        if (reply->part == 1)
            hs_buf_reset(&sticks->heads[i]);
        hs_buf_put(&sticks->heads[i], reply->heads.data, reply->heads.len);
    }
}

static void tell(const Hallsync__BundleImportReply *reply, struct sticks_told *told)
{
    *told = (struct sticks_told){.operations = reply->operations,
                                 .taken = reply->taken,
                                 .held = reply->held,
                                 .outside = reply->outside,
                                 .receipts_taken = reply->receipts_taken,
                                 .left = (unsigned)reply->n_left,
                                 .last = reply->last};
    if (reply->n_left > 0)
        memccpy(told->error, reply->left[0]->error, '\0', sizeof told->error - 1);
}

bool sticks_read(struct sticks *sticks, int number, unsigned part, struct sim_machine *to, struct sticks_told *told)
{
    const struct stick *stick = find(sticks, number);
    Hallsync__BundleImportRequest body = HALLSYNC__BUNDLE_IMPORT_REQUEST__INIT;
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    *told = (struct sticks_told){.operations = 0};
    if (stick == NULL || part >= stick->count)
        return false;
    body.part = (ProtobufCBinaryData){stick->parts[part].size, stick->parts[part].data};
    request.body_case = HALLSYNC__REQUEST__BODY_BUNDLE_IMPORT;
    request.bundle_import = &body;
    Hallsync__Reply *reply = ask(sticks, to, &request);
    if (reply == NULL)
        return false;
    check_left(sticks, to, reply->bundle_import);
    keep_heads(sticks, reply->bundle_import);
    tell(reply->bundle_import, told);
    sim_say(sticks->sim, "stick %d, part %u at %s: %llu operations, %llu new, %u left", number, part, to->name,
            (unsigned long long)told->operations, (unsigned long long)told->taken, told->left);
    hallsync__reply__free_unpacked(reply, NULL);
    return true;
}
