/* peers_region_test.c -- who is away, as a hub tells it by the registry: each node once, by its newest certificate. */
#include "tests/lib/store_world.h"

#include "node/daemon/peers_private.h"
#include "proto/msg/frame.h"
#include "proto/msg/revoke.h"
#include "proto/msg/tlv.h"

#include <sodium.h>
#include <sys/resource.h>
#include <unistd.h>

/* A clock that can be set. */
static uint64_t set_by_ms;
uint64_t __real_hs_now_ms(void);
uint64_t __wrap_hs_now_ms(void);
uint64_t __wrap_hs_now_ms(void)
{
    return __real_hs_now_ms() + set_by_ms;
}

struct place {
    struct world_region region;
    struct world_node hub, hall; /* one of them is told of */
    struct hs_conf conf;
    struct hs_peers peers;
    struct hs_arena arena;
    const Hallsync__StatusReply *told;
};

static int setup(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    if (place == NULL)
        return -1;
    world_begin(&place->region);
    world_add(&place->region, &place->hub, "nj-hub", HS_ROLE_HUB);
    world_add(&place->region, &place->hall, "nj-gulou", HS_ROLE_HALL);
    world_open(&place->hub, true);
    world_open(&place->hall, true);
    pthread_mutex_init(&place->peers.lock, NULL);
    pthread_mutex_init(&place->peers.notes_lock, NULL);
    place->peers.notes_end = &place->peers.notes;
    hs_arena_init(&place->arena, 0);
    *state = place;
    return 0;
}

static int teardown(void **state)
{
    struct place *place = *state;
    pthread_mutex_destroy(&place->peers.lock);
    pthread_mutex_destroy(&place->peers.notes_lock);
    free(place->peers.seen);
    hs_arena_fini(&place->arena);
    world_drop(&place->hub);
    world_drop(&place->hall);
    world_end(&place->region);
    free(place);
    set_by_ms = 0;
    return 0;
}

/* ---- the registry ---- */

static void put(const struct world_node *at, struct hs_bytes encoded,
                enum hs_err (*put_row)(struct hs_store *store, struct hs_bytes encoded))
{
    struct hs_commit commit;
    assert_int_equal(hs_store_begin(at->store), HS_OK);
    assert_int_equal(put_row(at->store, encoded), HS_OK);
    assert_int_equal(hs_store_commit(at->store, &commit), HS_OK);
}

static void enroll(struct place *place, const struct world_node *at, const char *id, uint64_t issued_ms,
                   struct hs_key *key)
{
    struct world_node node;
    world_add(&place->region, &node, id, HS_ROLE_HALL);
    node.draft.issued_ms = issued_ms;
    world_certify(&node);
    put(at, node.options.certificate, hs_store_put_certificate);
    if (key != NULL)
        *key = node.draft.node_key;
    world_drop(&node);
}

/* Two lives of a node; @rising: the later one has the higher key. */
static void enroll_twice(struct place *place, const char *id, bool rising, uint64_t early_ms, uint64_t late_ms,
                         struct hs_key *early)
{
    struct world_node lives[2];
    for (size_t i = 0; i < 2; i++)
        world_add(&place->region, &lives[i], id, HS_ROLE_HALL);
    bool rises = memcmp(lives[0].draft.node_key.bytes, lives[1].draft.node_key.bytes, HS_KEY_BYTES) < 0;
    size_t later = rises == rising;
    for (size_t i = 0; i < 2; i++) {
        lives[i].draft.issued_ms = i == later ? late_ms : early_ms;
        world_certify(&lives[i]);
        put(&place->hub, lives[i].options.certificate, hs_store_put_certificate);
        if (early != NULL && i != later)
            *early = lives[i].draft.node_key;
        world_drop(&lives[i]);
    }
}

static void revoke_key(struct place *place, const struct hs_key *key)
{
    struct hs_authority issuer = {hs_buf_bytes(&place->region.issuer_body), &place->region.issuer};
    struct hs_bytes certificate;
    struct hs_buf encoded = {0};
    struct hs_view *view = world_view(&place->hub);
    assert_int_equal(hs_view_certificate(view, key, &certificate), HS_OK);
    assert_int_equal(hs_revocation_sign(certificate, "stolen", 5, &issuer, &encoded), HS_OK);
    hs_view_close(view);
    put(&place->hub, hs_buf_bytes(&encoded), hs_store_put_revocation);
    hs_buf_fini(&encoded);
}

/* ---- what is told ---- */

static const Hallsync__StatusReply *whole(struct place *place, struct hs_buf *partial)
{
    Hallsync__StatusReply rest = HALLSYNC__STATUS_REPLY__INIT; /* what a whole one must have */
    ProtobufCMessage *message;
    rest.node_id = rest.role = rest.region = rest.version = (char *)"";
    hs_msg_pack(&rest.base, partial);
    hs_arena_reset(&place->arena);
    assert_int_equal(hs_msg_unpack(&hallsync__status_reply__descriptor, hs_buf_bytes(partial), &place->arena, &message),
                     HS_OK);
    return (const Hallsync__StatusReply *)message;
}

static void tell(struct place *place, const struct world_node *of)
{
    struct hs_surveyor_options options = {.conf = &place->conf, .store = of->store};
    struct hs_buf partial = {0};
    assert_int_equal(hs_surveyor_new(&options, &place->peers.options.surveyor), HS_OK);
    assert_int_equal(hs_surveyor_look(place->peers.options.surveyor), HS_OK);
    place->peers.options.store = of->store;
    hs_peers_region(&place->peers, &partial);
    hs_surveyor_free(place->peers.options.surveyor);
    place->told = whole(place, &partial);
    hs_buf_fini(&partial);
}

/* NULL: it is not told of; once at most. */
static const Hallsync__PeerStatus *away(const struct place *place, const char *id)
{
    const Hallsync__PeerStatus *found = NULL;
    for (size_t i = 0; i < place->told->n_peers; i++) {
        if (strcmp(place->told->peers[i]->node_id, id) != 0)
            continue;
        assert_null(found);
        found = place->told->peers[i];
        assert_string_equal(found->state, "away");
    }
    return found;
}

static void a_node_made_anew_is_away_once_by_its_newest_certificate(void **state)
{
    struct place *place = *state;
    enroll_twice(place, "nj-rising", true, 50, 70, NULL);
    enroll_twice(place, "nj-falling", false, 50, 70, NULL);
    enroll(place, &place->hub, "nj-once", 60, NULL);
    tell(place, &place->hub);
    assert_int_equal(place->told->n_peers, 3); /* and not the hub itself */
    assert_true(away(place, "nj-rising")->certificate_ms == 70);
    assert_true(away(place, "nj-falling")->certificate_ms == 70);
    assert_true(away(place, "nj-once")->certificate_ms == 60);
    assert_string_equal(away(place, "nj-once")->why, "not seen since this node started");
}

static void who_is_connected_by_an_older_key_is_not_away(void **state)
{
    struct place *place = *state;
    struct hs_key early;
    enroll_twice(place, "nj-rising", true, 50, 70, &early);
    peers_seen_begin(&place->peers);
    peers_seen_note(&place->peers, &early, 1000);
    tell(place, &place->hub);
    assert_null(away(place, "nj-rising"));
    peers_seen_begin(&place->peers); /* it has gone */
    tell(place, &place->hub);
    assert_non_null(away(place, "nj-rising"));
}

static void a_revoked_key_says_so_unless_there_is_a_newer_one(void **state)
{
    struct place *place = *state;
    struct hs_key stolen, early;
    enroll(place, &place->hub, "nj-stolen", 60, &stolen);
    enroll(place, &place->hub, "nj-well", 60, NULL);
    enroll_twice(place, "nj-anew", true, 50, 70, &early);
    revoke_key(place, &stolen);
    revoke_key(place, &early);
    tell(place, &place->hub);
    assert_string_equal(away(place, "nj-stolen")->reason, "revoked");
    assert_string_equal(away(place, "nj-stolen")->why, "its key was revoked: stolen");
    assert_null(away(place, "nj-well")->reason);
    assert_null(away(place, "nj-anew")->reason);
}

/* It was refused, came in, and went; whatever the clock is set to, in that order, and not in years to come. */
static void who_sets_the_clock_changes_no_order(void **state)
{
    static const uint64_t HOURS_MS = 5 * 3600 * 1000ULL;
    struct place *place = *state;
    struct hs_key key;
    enroll(place, &place->hub, "nj-once", 60, &key);
    for (int back = 0; back < 2; back++) {
        struct hs_buf partial = {0};
        uint64_t refused_ms = hs_link_now_ms() - 60000, seen_ms = refused_ms + 30000;
        set_by_ms = 0;
        peers_refused_note(&place->peers, HS_REASON_OLDER_CERTIFICATE, &key, "nj-once", "tcp://192.0.2.7:5", "older");
        place->peers.refused[0].last_ms = refused_ms;
        peers_seen_begin(&place->peers);
        peers_seen_note(&place->peers, &key, seen_ms);
        peers_seen_begin(&place->peers);
        tell(place, &place->hub);
        uint64_t first_ms = away(place, "nj-once")->seen_ms;
        assert_in_range(first_ms, __real_hs_now_ms() - 60000, __real_hs_now_ms() - 20000);
        set_by_ms = back ? (uint64_t)0 - HOURS_MS : HOURS_MS;
        tell(place, &place->hub);
        assert_true(away(place, "nj-once")->seen_ms == away(place, "nj-once")->since_ms);
        assert_in_range(away(place, "nj-once")->seen_ms, hs_now_ms() - 60000, hs_now_ms() - 20000);
        peers_refused_put(&place->peers, &partial);
        place->told = whole(place, &partial);
        assert_in_range(place->told->refused[0]->last_ms, hs_now_ms() - 90000, hs_now_ms() - 50000);
        hs_buf_fini(&partial);
    }
}

/* It holds the registry, too; but nobody dials it. */
static void a_hall_tells_of_nobody(void **state)
{
    struct place *place = *state;
    enroll(place, &place->hall, "nj-other", 60, NULL);
    tell(place, &place->hall);
    assert_int_equal(place->told->n_peers, 0);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

/* ---- who waits for whom ---- */

static void tell_nothing(void *ctx, struct hs_buf *partial)
{
    (void)ctx;
    (void)partial;
}

static void hear_nothing(void *ctx, const struct hs_figures *figures)
{
    (void)ctx;
    (void)figures;
}

/* How often threads other than this one were woken so far. */
static long woken(void)
{
    struct rusage all;
    struct rusage own;
    getrusage(RUSAGE_SELF, &all);
    getrusage(RUSAGE_THREAD, &own);
    return all.ru_nvcsw - own.ru_nvcsw;
}

/* Each picture asks for each peer that the registry lacks, ten times a second. */
static void who_is_not_in_the_registry_wakes_its_reader_once(void **state)
{
    struct place *place = *state;
    place->conf.node.data = (char *)"/tmp";
    struct hs_surveyor_options options = {
        .conf = &place->conf, .store = place->hub.store, .status = tell_nothing, .say = hear_nothing};
    struct hs_surveyor *surveyor;
    struct hs_known *known = NULL;
    assert_int_equal(hs_surveyor_new(&options, &surveyor), HS_OK);
    assert_int_equal(hs_surveyor_start(surveyor), HS_OK);
    for (int i = 0; i < 5000 && known == NULL; i++) {
        usleep(1000);
        known = hs_surveyor_known(surveyor);
    }
    assert_non_null(known);
    hs_known_release(known);
    usleep(50000);
    long before = woken();
    for (int i = 0; i < 500; i++) {
        hs_surveyor_want(surveyor);
        usleep(100);
    }
    assert_in_range(woken() - before, 0, 50);
    hs_surveyor_stop(surveyor);
    hs_surveyor_free(surveyor);
}

static void a_commit_is_told_while_a_picture_is_made(void **state)
{
    struct place *place = *state;
    struct hs_peers *peers = &place->peers;
    uint8_t secret[HS_KEY_BYTES];
    struct hs_link_options options = {.curve_secret = secret};
    struct hs_why why = {0};
    struct hs_commit commit = {0};
    crypto_box_keypair(options.curve_public.bytes, secret);
    assert_int_equal(hs_link_new(&options, &peers->link, &why), HS_OK);
    pthread_mutex_lock(&peers->lock); /* as the peers' thread does */
    alarm(10);
    hs_peers_committed(peers, &commit);
    alarm(0);
    pthread_mutex_unlock(&peers->lock);
    struct note *note = peers_notes_take(peers);
    assert_non_null(note);
    peers_note_free(note);
    hs_link_free(peers->link);
    peers->link = NULL;
}

/* ---- the way from node to node ---- */

static void comes(struct hs_peers *peers, uint64_t written_ms, uint64_t now_ms)
{
    struct hs_buf op = {0}, body = {0};
    hs_tlv_put_fixed64(&op, 1, hs_stamp_next(0, 0, written_ms));
    hs_buf_put_sized(&body, hs_buf_bytes(&op));
    struct hs_segment segment = {.stream.lane = HS_LANE_MONEY, .count = 1, .body = hs_buf_bytes(&body)};
    peers_way_note(peers, &segment, now_ms);
    hs_buf_fini(&op);
    hs_buf_fini(&body);
}

/* One hall whose clock began in 1970 would be 56 years in the sum of all. */
static void a_clock_of_1970_is_no_way(void **state)
{
    struct place *place = *state;
    struct hs_histogram *ways = &place->peers.ways[HS_LANE_MONEY];
    ways->bounds = &HS_BOUNDS_WAY;
    comes(&place->peers, 1795392000000, 1795392000200);
    comes(&place->peers, 1795392000200, 1795392000000); /* ahead of ours: it has come at once */
    comes(&place->peers, 0, 1795392000000);
    assert_int_equal(ways->sum_us, 200000);
    comes(&place->peers, 1795392000000 - 90 * 86400000ULL, 1795392000000); /* it was away for so long */
    assert_int_equal(ways->sum_us, 200000 + 90 * 86400000000ULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(a_node_made_anew_is_away_once_by_its_newest_certificate),
        EACH(who_is_connected_by_an_older_key_is_not_away),
        EACH(a_revoked_key_says_so_unless_there_is_a_newer_one),
        EACH(who_sets_the_clock_changes_no_order),
        EACH(a_hall_tells_of_nobody),
        EACH(who_is_not_in_the_registry_wakes_its_reader_once),
        EACH(a_commit_is_told_while_a_picture_is_made),
        EACH(a_clock_of_1970_is_no_way),
    };
    return cmocka_run_group_tests_name("peers_region", tests, NULL, NULL);
}
