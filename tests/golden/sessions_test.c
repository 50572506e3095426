/* sessions_test.c -- sessions as an older version held them: what one side said then is said again, frame by frame at
 * its time, to a replica of today, which must take it, end nowhere, hold in the end what its predecessor held, and say
 * nothing that the older one would not know.
 *
 *   sessions_test FILE           today's replica on either side
 *   sessions_test --write FILE   record the sessions with this build: once for a version, and never again
 *
 * The worlds are those of tests/lib/replica_world.h: keys from fixed seeds, stores in memory, so both sides of a
 * session are the same in each run but for what the replica does. */
#include "tests/unit/replica_puppet.h"

#include "proto/base/text.h"

#include <stdio.h>

#define LATENCY_MS 10
#define RUN_MS     8000
#define TYPES_OF_1 23 /* message types that version 1 knows */
#define LINE_BYTES (4 * HS_MESSAGE_BYTES_MAX)

static const hs_partition D1[] = {3201};
static const char *sessions_path;

/* ---- what happens in them ---- */

struct cast {
    struct world *w;
    struct world_node *low, *high; /* who dials; who is dialled */
    struct world_link *link;
};

struct script {
    const char *name;
    void (*prepare)(struct cast *c);          /* stores, before anybody runs */
    void (*act)(struct cast *c, uint64_t ms); /* what clients do, this long after the dialling */
};

static void write_lanes(struct world_node *node, unsigned count, const char *what)
{
    for (uint8_t lane = HS_LANE_WORK; lane < HS_LANE_COUNT; lane++) {
        for (unsigned i = 0; i < count; i++) {
            char text[60];
            snprintf(text, sizeof text, "%s %u of lane %u at %s", what, i, lane, node->certificate.node_id);
            world_write_text(node, 3201, (enum hs_lane)lane, text);
        }
    }
}

static void hall_and_hub(struct cast *c)
{
    c->high = world_hub(c->w, "hub-1");
    c->low = world_hall(c->w, "hall-1", D1, 1);
}

static void both_have_written(struct cast *c)
{
    hall_and_hub(c);
    write_lanes(c->high, 5, "before");
    write_lanes(c->low, 3, "before");
}

static void both_go_on(struct cast *c, uint64_t ms)
{
    if (ms == 500 || ms == 3000)
        write_lanes(c->low, 1, ms == 500 ? "soon" : "later");
    if (ms == 1000 || ms == 3500)
        write_lanes(c->high, 2, ms == 1000 ? "soon" : "later");
    if (ms == 5000)
        world_probe(c->low, 7);
}

static void a_new_hall(struct cast *c)
{
    hall_and_hub(c);
    write_lanes(c->high, 40, "customer");
    world_fill_scope(c->low);
}

static void a_hall_that_was_away(struct cast *c)
{
    hall_and_hub(c);
    struct hs_stream people = world_write_text(c->high, 3201, HS_LANE_PEOPLE, "known to both");
    world_import(c->low, c->high, &people);
    write_lanes(c->high, 4, "meanwhile");
    write_lanes(c->low, 2, "alone");
    world_prune(c->high, &people, 4);
}

static void a_hall_with_two_lives(struct cast *c)
{
    struct world_store before;
    hall_and_hub(c);
    struct hs_stream money = world_write_text(c->low, 3201, HS_LANE_MONEY, "common");
    world_store_copy(&c->low->store, &before);
    world_write_text(c->low, 3201, HS_LANE_MONEY, "lost 1");
    world_write_text(c->low, 3201, HS_LANE_MONEY, "lost 2");
    world_import(c->high, c->low, &money);
    world_store_fini(&c->low->store);
    c->low->store = before;
    for (unsigned i = 0; i < 3; i++) {
        char text[20];
        snprintf(text, sizeof text, "again %u", i);
        world_write_text(c->low, 3201, HS_LANE_MONEY, text);
    }
}

/* A hub that is met in no session has signed for it. */
static void sign_at_hub(struct cast *c, const char *id, const struct hs_stream *name, uint64_t n)
{
    const struct world_node *hub = world_hub(c->w, id);
    struct hs_receipt receipt = {.store_id = hub->store_id,
                                 .stream = *name,
                                 .n = n,
                                 .hash = world_store_find(&c->low->store, name)->ops[n - 1].hash,
                                 .time_ms = c->w->now_ms,
                                 .hub_key = hub->certificate.node_key};
    struct hs_signer signer = hs_signer_of(&hub->secret);
    assert_int_equal(hs_receipt_sign(&receipt, &signer), HS_OK);
    world_store_put_receipt(&c->low->store, &receipt);
    world_store_put_certificate(&c->low->store, &hub->certificate.node_key, hs_buf_bytes(&hub->certificate_bytes));
}

static void a_hall_and_its_witness(struct cast *c)
{
    c->high = world_witness(c->w, "witness-1", D1, 1);
    c->low = world_hall(c->w, "hall-1", D1, 1);
    struct hs_stream people = world_write_text(c->low, 3201, HS_LANE_PEOPLE, "long ago");
    write_lanes(c->low, 3, "before");
    sign_at_hub(c, "hub-1", &people, 2);
    sign_at_hub(c, "hub-2", &people, 3); /* so it begins behind 2 at the witness */
}

static void hall_goes_on(struct cast *c, uint64_t ms)
{
    if (ms == 500 || ms == 3000)
        write_lanes(c->low, 1, ms == 500 ? "soon" : "later");
}

static void a_witness_and_a_hub(struct cast *c)
{
    struct world_node *hall = world_hall(c->w, "hall-1", D1, 1);
    c->high = world_hub(c->w, "hub-1");
    c->low = world_witness(c->w, "witness-1", D1, 1);
    struct hs_stream kept = world_write_text(hall, 3201, HS_LANE_MONEY, "kept 1");
    world_write_text(hall, 3201, HS_LANE_MONEY, "kept 2");
    world_import(c->low, hall, &kept);
}

static void two_hubs(struct cast *c)
{
    c->high = world_hub(c->w, "hub-1");
    c->low = world_hub(c->w, "hub-2");
    write_lanes(c->high, 3, "before");
    write_lanes(c->low, 3, "before");
}

static enum hs_err answer_one(struct world_node *node, const struct hs_ask *ask, hs_visit_asked visit, void *ctx)
{
    struct hs_asked asked = {.beside = false};
    (void)node;
    asked.stored.name = (struct hs_record_name){
        .partition = 3299, .lane = HS_LANE_MONEY, .kind = ask->kind, .id = ask->key};
    asked.stored.state = HS_BYTES("a state", 7);
    return visit(ctx, &asked);
}

static unsigned answers;

static void take_answer(struct world_node *node, const struct hs_replica_update *update)
{
    (void)node;
    answers += update->err == HS_OK && update->answer->count == 1;
}

static void a_hall_that_asks(struct cast *c)
{
    hall_and_hub(c);
    c->high->ask = answer_one;
    c->low->answered = take_answer;
    c->low->store.commit++; /* nothing of its own */
}

static void asks(struct cast *c, uint64_t ms)
{
    struct hs_ask ask = {.kind = 3, .key = HS_BYTES("paid far away", 13)};
    if (ms == 1000)
        world_ask(c->low, 9, &ask);
}

static const struct script SCRIPTS[] = {
    {"by-number", both_have_written, both_go_on},
    {"states", a_new_hall, both_go_on},
    {"pruned", a_hall_that_was_away, hall_goes_on},
    {"fork", a_hall_with_two_lives, NULL},
    {"witness", a_hall_and_its_witness, hall_goes_on},
    {"witness-hub", a_witness_and_a_hub, NULL},
    {"two-hubs", two_hubs, both_go_on},
    {"question", a_hall_that_asks, asks},
};
#define SCRIPT_COUNT (sizeof SCRIPTS / sizeof *SCRIPTS)

/* ---- tapes ---- */

struct taped {
    uint64_t ms;
    int to; /* 0: to who dialled */
    struct hs_buf frame;
};
struct tape {
    struct taped *frames;
    size_t count;
    struct hs_buf facts[2]; /* of who dialled, of who was dialled */
};

static void tape_fini(struct tape *tape)
{
    for (size_t i = 0; i < tape->count; i++)
        hs_buf_fini(&tape->frames[i].frame);
    free(tape->frames);
    hs_buf_fini(&tape->facts[0]);
    hs_buf_fini(&tape->facts[1]);
    *tape = (struct tape){0};
}

static void tape_frame(struct tape *tape, uint64_t ms, int to, struct hs_bytes frame)
{
    tape->frames = reallocarray(tape->frames, tape->count + 1, sizeof *tape->frames);
    assert_non_null(tape->frames);
    tape->frames[tape->count] = (struct taped){.ms = ms, .to = to};
    hs_buf_put_bytes(&tape->frames[tape->count++].frame, frame);
}

/* What a node holds, as text that does not depend on the order in which it came. */
static uint64_t mix(uint64_t sum, struct hs_bytes bytes)
{
    struct hs_hash hash = hs_hash_of(bytes);
    return sum + hs_from_be64(hash.bytes);
}

static void put_facts(const struct world_node *node, struct hs_buf *to)
{
    const struct world_store *store = &node->store;
    uint64_t receipts = 0, states = 0;
    hs_buf_reset(to);
    for (size_t i = 0; i < store->stream_count; i++) {
        const struct world_stream *stream = &store->streams[i];
        if (stream->count == 0)
            continue;
        hs_buf_put_format(to, "stream=%u/%016llx/%u n=%zu h=%016llx ", stream->name.partition,
                          (unsigned long long)stream->name.origin, stream->name.lane, stream->count,
                          (unsigned long long)hs_from_be64(stream->ops[stream->count - 1].hash.bytes));
    }
    for (size_t i = 0; i < store->receipt_count; i++) {
        uint8_t key[HS_STREAM_KEY_BYTES + 16];
        hs_stream_key(&store->receipts[i].stream, key);
        hs_be64(key + HS_STREAM_KEY_BYTES, store->receipts[i].n);
        hs_be64(key + HS_STREAM_KEY_BYTES + 8, store->receipts[i].store_id);
        receipts = mix(receipts, HS_BYTES(key, sizeof key));
    }
    for (size_t i = 0; i < store->state_count; i++)
        states = mix(mix(states, hs_buf_bytes(&store->states[i].key)), hs_buf_bytes(&store->states[i].state));
    hs_buf_put_format(to, "receipts=%016llx states=%zu/%016llx fills=%zu forks=%zu looses=%zu origins=%zu",
                      (unsigned long long)receipts, store->state_count, (unsigned long long)states, store->fill_count,
                      store->fork_count, store->loose_count, store->origin_count);
    hs_buf_put_u8(to, 0);
    assert_int_equal(to->err, HS_OK);
}

/* ---- the file ---- */

static void put_tape(FILE *out, const char *name, const struct tape *tape)
{
    fprintf(out, "session %s\n", name);
    for (size_t i = 0; i < tape->count; i++) {
        struct hs_bytes frame = hs_buf_bytes(&tape->frames[i].frame);
        char *hex = malloc(2 * frame.size + 1);
        assert_non_null(hex);
        hs_text_to_hex(frame, hex);
        fprintf(out, "%llu %c %s\n", (unsigned long long)tape->frames[i].ms, tape->frames[i].to == 0 ? '<' : '>', hex);
        free(hex);
    }
    fprintf(out, "dialled %s\nlistened %s\n\n", (const char *)tape->facts[0].data, (const char *)tape->facts[1].data);
}

static void take_line(struct tape *tape, char *line)
{
    unsigned long long ms;
    char to;
    int at = 0;
    bool dialled = strncmp(line, "dialled ", 8) == 0;
    if (dialled || strncmp(line, "listened ", 9) == 0) {
        const char *facts = strchr(line, ' ') + 1;
        hs_buf_put(&tape->facts[dialled ? 0 : 1], facts, strlen(facts) + 1);
        return;
    }
    assert_int_equal(sscanf(line, "%llu %c %n", &ms, &to, &at), 2);
    size_t size = strlen(line + at) / 2;
    uint8_t *bytes = malloc(size + 1);
    assert_non_null(bytes);
    assert_true(hs_text_from_hex(line + at, 2 * size, bytes, size) == HS_OK);
    tape_frame(tape, ms, to == '<' ? 0 : 1, HS_BYTES(bytes, size));
    free(bytes);
}

static void load(const char *name, struct tape *tape)
{
    static char line[LINE_BYTES];
    bool is_it = false;
    FILE *file = fopen(sessions_path, "r");
    assert_non_null(file);
    *tape = (struct tape){0};
    while (fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "session ", 8) == 0)
            is_it = strcmp(line + 8, name) == 0;
        else if (is_it && line[0] != '\0' && line[0] != '#')
            take_line(tape, line);
    }
    fclose(file);
    if (tape->count == 0)
        fail_msg("%s has no session %s", sessions_path, name);
}

/* ---- a run ---- */

struct run {
    struct cast cast;
    struct tape *writes;       /* NULL, or both are live and taped */
    const struct tape *speaks; /* NULL, or one end is this tape */
    int live;                  /* the end that is not; if there is one */
    size_t next;
    uint64_t zero_ms;
};

static void note_sent(struct world *w, struct world_link *link, int to, struct hs_bytes frame)
{
    struct run *run = w->ctx;
    struct hs_frame decoded;
    (void)link;
    assert_int_equal(hs_frame_decode(frame, &decoded), HS_OK);
    if (run->speaks != NULL && decoded.type > TYPES_OF_1)
        fail_msg("a message of type %u: version 1 would end the session", decoded.type);
    if (run->writes != NULL)
        tape_frame(run->writes, w->now_ms - run->zero_ms, to, frame);
}

static void play(struct run *run)
{
    const struct tape *tape = run->speaks;
    uint64_t ms = run->cast.w->now_ms - run->zero_ms;
    for (; tape != NULL && run->next < tape->count && tape->frames[run->next].ms <= ms; run->next++) {
        if (tape->frames[run->next].to == run->live)
            world_push(run->cast.link, run->live, hs_buf_bytes(&tape->frames[run->next].frame));
    }
    while (tape != NULL && world_lose(run->cast.link, 1 - run->live)) /* nobody listens there */
        ;
}

static void tick(struct run *run)
{
    struct cast *c = &run->cast;
    struct world_node *ends[] = {c->low, c->high};
    for (int to = 0; to < 2; to++) {
        while (c->link->frames[to] != NULL && c->link->frames[to]->due_ms <= c->w->now_ms && world_deliver(c->link, to))
            ;
    }
    for (size_t i = 0; i < 2; i++) {
        world_store_next(ends[i], 64);
        if (ends[i]->replica != NULL && ends[i]->wake_ms <= c->w->now_ms)
            world_tick(ends[i]);
    }
}

/* What a hub or witness of today knows and the older hall never heard of: it keeps that to itself. */
static void know_more(struct run *run, const char *id)
{
    if (run->speaks == NULL || run->live == 0) /* and no number may be drawn that its hall did not draw */
        return;
    struct world_node *gone = world_extra(run->cast.w, id, 3201);
    world_revoke(run->cast.high, gone, false);
    world_extra_free(gone);
}

static void begin(struct run *run, const struct script *script)
{
    struct cast *c = &run->cast;
    *c = (struct cast){.w = world_new(1)};
    c->w->latency_ms = LATENCY_MS;
    script->prepare(c);
    know_more(run, "stolen-1");
    c->w->sent = note_sent;
    c->w->ctx = run;
    for (int end = 0; end < 2; end++) {
        if (run->speaks == NULL || end == run->live)
            world_start(end == 0 ? c->low : c->high);
    }
    run->zero_ms = c->w->now_ms;
    c->link = world_call(c->low, c->high);
}

static void go(struct run *run, const struct script *script)
{
    struct cast *c = &run->cast;
    for (uint64_t ms = 0; ms <= RUN_MS; ms++) {
        if (script->act != NULL)
            script->act(c, ms);
        if (ms == 2000)
            know_more(run, "stolen-2");
        play(run);
        tick(run);
        c->w->now_ms++;
    }
}

static void record(const struct script *script, struct tape *tape)
{
    struct run run = {.writes = tape};
    *tape = (struct tape){0};
    begin(&run, script);
    go(&run, script);
    if (!world_live(run.cast.link))
        fail_msg("%s: no session", script->name);
    put_facts(run.cast.low, &tape->facts[0]);
    put_facts(run.cast.high, &tape->facts[1]);
    world_free(run.cast.w);
}

/* ---- tests ---- */

static void today_meets_the_tape(const struct script *script, int live)
{
    struct tape tape;
    struct hs_buf facts = {0};
    load(script->name, &tape);
    struct run run = {.speaks = &tape, .live = live};
    answers = 0;
    begin(&run, script);
    go(&run, script);
    struct world_node *node = live == 0 ? run.cast.low : run.cast.high;
    const struct world_notice *ended = world_last_notice(node, HS_NOTICE_ENDED);
    if (ended != NULL)
        fail_msg("%s: %s ended the session: %s: %s", script->name, node->certificate.node_id, hs_err_name(ended->err),
                 ended->text);
    assert_int_equal(run.next, tape.count);
    put_facts(node, &facts);
    assert_string_equal((const char *)facts.data, (const char *)tape.facts[live].data);
    if (live == 0 && script->act == asks)
        assert_int_equal(answers, 1);
    hs_buf_fini(&facts);
    tape_fini(&tape);
    world_free(run.cast.w);
}

static void who_dials_is_of_today(void **state)
{
    today_meets_the_tape(*state, 0);
}

static void who_listens_is_of_today(void **state)
{
    today_meets_the_tape(*state, 1);
}

/* Each message of version 1 that a replica says is on some tape. */
static void the_tapes_have_all_messages(void **state)
{
    bool heard[TYPES_OF_1 + 1] = {false};
    (void)state;
    for (size_t i = 0; i < SCRIPT_COUNT; i++) {
        struct tape tape;
        load(SCRIPTS[i].name, &tape);
        for (size_t k = 0; k < tape.count; k++) {
            struct hs_frame frame;
            assert_int_equal(hs_frame_decode(hs_buf_bytes(&tape.frames[k].frame), &frame), HS_OK);
            assert_in_range(frame.type, 1, TYPES_OF_1);
            heard[frame.type] = true;
        }
        tape_fini(&tape);
    }
    for (uint8_t type = 1; type <= TYPES_OF_1; type++) {
        bool elsewhere = type == HALLSYNC__PEER_TYPE__PEER_REFUSE || type == HALLSYNC__PEER_TYPE__PEER_JOIN ||
                         type == HALLSYNC__PEER_TYPE__PEER_JOIN_REPLY;
        if (!heard[type] && !elsewhere)
            fail_msg("no tape has a message of type %u", type);
    }
}

static int write_all(const char *path)
{
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fprintf(
        out,
        "# Sessions of version 1 (sessions_test.c): milliseconds, > from who dialled or < to it, the frame; then what "
        "either held.\n\n");
    for (size_t i = 0; i < SCRIPT_COUNT; i++) {
        struct tape tape;
        record(&SCRIPTS[i], &tape);
        put_tape(out, SCRIPTS[i].name, &tape);
        tape_fini(&tape);
    }
    return fclose(out) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct CMUnitTest tests[2 * SCRIPT_COUNT + 1] = {cmocka_unit_test(the_tapes_have_all_messages)};
    if (argc == 3 && strcmp(argv[1], "--write") == 0)
        return write_all(argv[2]);
    if (argc != 2)
        return 2;
    sessions_path = argv[1];
    for (size_t i = 0; i < SCRIPT_COUNT; i++) {
        tests[2 * i + 1] = (struct CMUnitTest){SCRIPTS[i].name, who_dials_is_of_today, NULL, NULL, (void *)&SCRIPTS[i]};
        tests[2 * i + 2] = (struct CMUnitTest){SCRIPTS[i].name, who_listens_is_of_today, NULL, NULL,
                                               (void *)&SCRIPTS[i]};
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
