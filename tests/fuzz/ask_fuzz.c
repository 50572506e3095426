/* ask_fuzz.c -- questions about records, and what is said to them: a hall whose hub answers what it likes, and a city
 * hub that a hall asks what it likes and that asks the province.
 *
 * Each question of the hall's own is answered once, within six seconds, and what is told as an answer fits it; what is
 * kept of it is bounded.  The city hub answers each question that it took, or has ended the session; its own session
 * with the province never ends for it.
 *
 *     input = setting u8, then commands: what u8 || its arguments */
#include "node/service/foreign.h"
#include "proto/msg/frame.h"
#include "proto/msg/tlv.h"
#include "proto/peer.pb-c.h"
#include "storage/model/record.h"
#include "tests/fuzz/fuzz.h"
#include "tests/lib/replica_world.h"

#define COMMANDS_MAX 64
#define TOKENS_MAX   (COMMANDS_MAX + 1)
#define WAIT_MS      6000
#define ID           "the-key"

enum { ASK, ASK_END, ANSWER, ANSWER_ERROR, QUESTION, TIME, AGAIN, BODY, COMMAND_COUNT };

struct game {
    struct world *world;
    struct world_node *victim, *liar, *province;
    struct world_link *link, *up;
    uint32_t sequence;
    struct hs_ask asks[TOKENS_MAX]; /* by token */
    bool open[TOKENS_MAX];
    uint64_t tokens;
    size_t questions; /* sound ones that were put to the victim in this session */
    struct hs_foreign_cache cache;
    uint8_t has; /* what the province has */
};
static struct game game;

/* ---- what honest nodes do ---- */

static const uint8_t *a_state(size_t *size)
{
    static struct hs_buf state;
    struct hs_record none = {0};
    if (state.size == 0)
        hs_record_encode(&none, &state);
    *size = state.size;
    return state.data;
}

static bool is_behind(const struct hs_record_name *name, struct hs_bytes after)
{
    uint8_t key[HS_RECORD_KEY_BYTES_MAX];
    return hs_bytes_compare(HS_BYTES(key, hs_record_key(name, key)), after) > 0;
}

static enum hs_err province_has(struct world_node *node, const struct hs_ask *ask, hs_visit_asked visit, void *ctx)
{
    enum hs_err err = HS_OK;
    bool told = false;
    (void)node;
    for (unsigned i = 0; i < game.has % 8U * 30 && err == HS_OK; i++) {
        char id[16];
        struct hs_asked asked = {.beside = i % (1 + game.has / 64U) != 0};
        snprintf(id, sizeof id, "r-%04u", i);
        asked.stored.name = (struct hs_record_name){3209, HS_LANE_MONEY, ask->kind, HS_BYTES(id, 6)};
        if (ask->index == 0 && !asked.beside)
            asked.stored.name.id = ask->key;
        asked.stored.state.data = a_state(&asked.stored.state.size);
        bool again = i > 0 && ask->index == 0 && !asked.beside;
        bool behind = asked.beside || is_behind(&asked.stored.name, ask->after);
        if (!asked.beside)
            told = behind && !again;
        err = !told || again ? HS_OK : visit(ctx, &asked);
    }
    return err;
}

static enum hs_err city_has(struct world_node *node, const struct hs_ask *ask, hs_visit_asked visit, void *ctx)
{
    enum hs_err err = game.has % 16 >= 8 ? province_has(node, ask, visit, ctx) : HS_OK;
    return err == HS_OK && game.has % 32 < 16 ? HS_ENOTHERE : err;
}

static void check_answer(const struct hs_ask *ask, const struct hs_answer *answer)
{
    struct hs_bytes last = ask->after;
    uint8_t keys[2][HS_RECORD_KEY_BYTES_MAX];
    size_t asked_for = 0;
    FUZZ_CHECK(hs_node_id_valid(answer->node) && answer->count <= HS_LIST_ITEMS_MAX);
    for (size_t i = 0; i < answer->count; i++) {
        const struct hs_record_name *name = &answer->records[i].stored.name;
        if (answer->records[i].beside) {
            FUZZ_CHECK(asked_for > 0);
            continue;
        }
        struct hs_bytes key = HS_BYTES(keys[asked_for % 2], hs_record_key(name, keys[asked_for % 2]));
        FUZZ_CHECK(hs_bytes_compare(last, key) < 0 && name->kind == ask->kind);
        FUZZ_CHECK(ask->index != 0 || hs_bytes_equal(name->id, ask->key));
        last = key;
        asked_for++;
    }
    FUZZ_CHECK(asked_for <= HS_ANSWER_RECORDS_MAX && (answer->last || asked_for > 0));
}

/* As the service does with what comes back. */
static void answered(struct world_node *node, const struct hs_replica_update *update)
{
    (void)node;
    FUZZ_CHECK(update->token < TOKENS_MAX && game.open[update->token]);
    game.open[update->token] = false;
    if (update->err != HS_OK)
        return;
    check_answer(&game.asks[update->token], update->answer);
    struct hs_foreign *foreign = hs_foreign_new(update->token, HS_OK, update->answer);
    FUZZ_CHECK(foreign != NULL);
    if (hs_foreign_check(foreign) == HS_OK)
        hs_foreign_keep(&game.cache, &game.asks[update->token], foreign);
    else
        hs_foreign_free(foreign);
    FUZZ_CHECK(game.cache.records <= HS_FOREIGN_RECORDS_MAX && game.cache.bytes <= HS_FOREIGN_BYTES_MAX);
}

/* ---- the liar ---- */

static int liars_end(void)
{
    return game.link->end[0] == game.liar ? 0 : 1;
}

static void send_bytes(uint8_t type, struct hs_bytes body)
{
    struct hs_buf frame = {0};
    hs_buf_put_u8(&frame, HS_FRAME_VERSION);
    hs_buf_put_u8(&frame, type);
    hs_buf_put_u32(&frame, ++game.sequence);
    hs_buf_put_bytes(&frame, body);
    world_hand(game.victim, game.link->peer[1 - liars_end()], hs_buf_bytes(&frame));
    hs_buf_fini(&frame);
}

static void hello(void)
{
    struct hs_buf body = {0};
    const struct hs_certificate *own = &game.liar->certificate;
    hs_tlv_put_u64(&body, 1, 1);
    hs_tlv_put_u64(&body, 2, 1);
    hs_tlv_put_bytes(&body, 3, hs_buf_bytes(&game.liar->certificate_bytes));
    hs_tlv_put_bytes(&body, 4, HS_BYTES("0123456789abcdef", 16));
    hs_tlv_put_fixed64(&body, 5, game.liar->store_id);
    hs_tlv_put_u64(&body, 6, own->role == HS_ROLE_HUB);
    for (size_t i = 0; i < own->district_count; i++)
        hs_tlv_put_u64(&body, 7, own->districts[i]);
    hs_tlv_put_u64(&body, 9, 1);
    hs_tlv_put_u64(&body, 10, HS_CREDIT_BYTES_MIN);
    send_bytes(HALLSYNC__PEER_TYPE__PEER_HELLO, hs_buf_bytes(&body));
    hs_buf_fini(&body);
}

static void connect(void)
{
    bool dials = game.victim->certificate.role == HS_ROLE_HALL;
    if (game.link != NULL)
        world_cut(game.link);
    game.link = dials ? world_dial(game.victim, game.liar) : world_dial(game.liar, game.victim);
    game.sequence = 0;
    game.questions = 0;
    hello();
}

/* Ids of questions that came, the newest last; 0: none. */
static uint64_t heard_ask(uint8_t which)
{
    uint64_t ids[TOKENS_MAX];
    size_t count = 0;
    for (const struct world_frame *frame = game.link->frames[liars_end()]; frame != NULL; frame = frame->next) {
        struct hs_frame decoded;
        FUZZ_CHECK(hs_frame_decode(hs_buf_bytes(&frame->bytes), &decoded) == HS_OK);
        if (decoded.type == HALLSYNC__PEER_TYPE__PEER_ASK && count < TOKENS_MAX)
            ids[count++] = hs_tlv_u64(decoded.body, 1, 0);
    }
    return count == 0 ? which : ids[count - 1 - which % count];
}

static void put_record(struct hs_cur *in, uint8_t number, struct hs_buf *body)
{
    struct hs_buf record = {0};
    uint8_t how = fuzz_u8(in);
    char id[] = ID;
    uint8_t key[HS_RECORD_KEY_BYTES_MAX];
    size_t size;
    const uint8_t *state = a_state(&size);
    if (how % 4 == 1)
        id[6] = (char)('a' + number % 26);
    struct hs_record_name name = {3209, HS_LANE_MONEY, how % 8 == 7 ? 9 : 3, HS_BYTES(id, 7)};
    hs_tlv_put_bytes(&record, 1, HS_BYTES(key, hs_record_key(&name, key) - (how >= 0xf0 ? how % 16U : 0)));
    if (how % 16 < 12)
        hs_tlv_put_bytes(&record, 2, HS_BYTES(state, size));
    else
        hs_tlv_put_bytes(&record, 2, fuzz_bytes(in, fuzz_u8(in)));
    if (how % 4 >= 2)
        hs_tlv_put_u64(&record, 3, true);
    hs_tlv_put_bytes(body, 2, hs_buf_bytes(&record));
    hs_buf_fini(&record);
}

static void say_answer(struct hs_cur *in, bool is_error)
{
    static const char *const ERRORS[] = {"filling", "busy", "no-link", "too-big", "invalid", "ok", "what", "internal"};
    struct hs_buf body = {0};
    uint8_t how = fuzz_u8(in);
    hs_tlv_put_u64(&body, 1, how >= 0xf8 ? how : heard_ask(how % 4));
    for (uint8_t i = 0; i < how / 4 % 8; i++)
        put_record(in, i, &body);
    hs_tlv_put_u64(&body, 3, how % 32 != 31);
    hs_tlv_put_u64(&body, 4, 5);
    if (is_error)
        hs_tlv_put_text(&body, 5, ERRORS[how % 8]);
    if (how < 0xe0)
        hs_tlv_put_text(&body, 6, "hub-9");
    if (how % 64 == 5)
        hs_tlv_put_u64(&body, 7, true);
    send_bytes(HALLSYNC__PEER_TYPE__PEER_ANSWER, hs_buf_bytes(&body));
    hs_buf_fini(&body);
}

static void question(struct hs_cur *in)
{
    struct hs_buf body = {0};
    uint8_t how = fuzz_u8(in);
    bool sound = how < 0xc0;
    hs_tlv_put_u64(&body, 1, sound ? 1000 + game.questions : fuzz_number(in));
    hs_tlv_put_u64(&body, 2, sound ? 3 : fuzz_number(in));
    hs_tlv_put_u64(&body, 3, sound ? how % 2 : fuzz_number(in));
    hs_tlv_put_bytes(&body, 4, sound ? HS_BYTES(ID, 7) : fuzz_bytes(in, fuzz_u8(in)));
    if (how >= 0xe0)
        hs_tlv_put_bytes(&body, 5, fuzz_bytes(in, fuzz_u8(in)));
    game.has = fuzz_u8(in);
    send_bytes(HALLSYNC__PEER_TYPE__PEER_ASK, hs_buf_bytes(&body));
    game.questions++;
    hs_buf_fini(&body);
}

/* ---- commands ---- */

static void ask(struct hs_cur *in)
{
    uint64_t token = ++game.tokens;
    game.asks[token] = (struct hs_ask){.kind = 3, .index = fuzz_u8(in) % 2, .key = HS_BYTES(ID, 7)};
    game.open[token] = true;
    world_ask(game.victim, token, &game.asks[token]);
}

/* From here on nothing is to be said to it. */
static void give_up(uint64_t token)
{
    world_ask_end(game.victim, token);
    game.open[token] = false;
}

static void command(struct hs_cur *in)
{
    uint8_t what = fuzz_u8(in) % COMMAND_COUNT;
    if (what == ASK && game.victim->certificate.role == HS_ROLE_HALL)
        ask(in);
    else if (what == ASK_END)
        give_up(1 + fuzz_u8(in) % (TOKENS_MAX - 1));
    else if (what == ANSWER || what == ANSWER_ERROR)
        say_answer(in, what == ANSWER_ERROR);
    else if (what == QUESTION)
        question(in);
    else if (what == TIME)
        world_advance(game.world, (uint64_t)fuzz_u8(in) * 20);
    else if (what == AGAIN)
        connect();
    else if (what == BODY)
        send_bytes(fuzz_u8(in) % 2 == 0 ? HALLSYNC__PEER_TYPE__PEER_ASK : HALLSYNC__PEER_TYPE__PEER_ANSWER,
                   fuzz_bytes(in, fuzz_u8(in)));
}

static size_t answers_heard(void)
{
    size_t count = 0;
    for (const struct world_frame *frame = game.link->frames[liars_end()]; frame != NULL; frame = frame->next) {
        struct hs_frame decoded;
        FUZZ_CHECK(hs_frame_decode(hs_buf_bytes(&frame->bytes), &decoded) == HS_OK);
        FUZZ_CHECK(frame->bytes.size <= HS_ANSWER_BYTES_MAX + HS_FRAME_HEADER_BYTES ||
                   decoded.type != HALLSYNC__PEER_TYPE__PEER_ANSWER);
        count += decoded.type == HALLSYNC__PEER_TYPE__PEER_ANSWER;
    }
    return count;
}

static void set_up(uint8_t setting)
{
    static const hs_partition MINE[] = {3201};
    struct world *w = world_new(1);
    game = (struct game){.world = w};
    bool is_hall = setting % 2 == 0;
    game.province = world_hub(w, "province");
    game.victim = is_hall ? world_hall(w, "hall-1", MINE, 1) : world_hub(w, "city");
    game.liar = is_hall ? world_hub(w, "hub-9") : world_hall(w, "hall-9", MINE, 1);
    game.province->ask = province_has;
    game.victim->answered = answered;
    if (!is_hall) {
        world_narrow(game.victim, MINE, 1);
        game.victim->ask = city_has;
    }
    world_start(game.province);
    world_start(game.victim);
    if (!is_hall || setting % 4 == 2)
        game.up = world_dial(game.victim, game.province);
    world_settle(w);
    connect();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hs_cur in = hs_cur_of(HS_BYTES(data, size));
    set_up(fuzz_u8(&in));
    for (size_t i = 0; i < COMMANDS_MAX && in.left > 0; i++)
        command(&in);
    world_advance(game.world, WAIT_MS);
    for (uint64_t token = 1; token <= game.tokens; token++)
        FUZZ_CHECK(!game.open[token]);
    FUZZ_CHECK(game.up == NULL || world_live(game.up));
    FUZZ_CHECK(answers_heard() <= game.questions + 1 || game.victim->certificate.role == HS_ROLE_HALL);
    hs_foreign_forget(&game.cache);
    world_free(game.world);
    return 0;
}

/* ---- seeds ---- */

void fuzz_seeds(fuzz_put put)
{
    static const uint8_t HALL[] = {0, ASK, 0, ANSWER,       4, 0,    ASK, 1, ANSWER, 12, 1, 2,
                                   5, ASK, 0, ANSWER_ERROR, 1, TIME, 200};
    static const uint8_t TWO[] = {2, ASK, 0, ANSWER_ERROR, 0, ASK, 1, AGAIN, ASK, 0, ASK_END, 2, TIME, 255, ANSWER, 0};
    static const uint8_t CITY[] = {1, QUESTION, 0,        0x21, QUESTION, 1, 0x03, TIME, 2, QUESTION,
                                   1, 0x97,     QUESTION, 0xff, 1,        1, 1,    1,    1};
    static const uint8_t BODIES[] = {1, BODY, 0, 4, 8, 1, 16, 3, BODY, 1, 2, 8, 1};
    put("hall", HS_BYTES(HALL, sizeof HALL));
    put("hall-two-hubs", HS_BYTES(TWO, sizeof TWO));
    put("city", HS_BYTES(CITY, sizeof CITY));
    put("bodies", HS_BYTES(BODIES, sizeof BODIES));
}
