/* service_revoke_test.c -- revoking a key and releasing what it has signed, as the local API of a hub does it. */
#include "node/service/call.h"
#include "proto/msg/revoke.h"
#include "storage/log/inside.h"
#include "tests/unit/service_trail.h"

#include <pthread.h>

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_place, close_place)

struct place {
    struct desk *desk;
    struct world_node hall, hub; /* that have joined */
    pthread_mutex_t lock;
    struct hs_buf withheld; /* what the peers' thread would say */
};

static void tell_withheld(void *ctx, struct hs_buf *partial)
{
    struct place *place = ctx;
    pthread_mutex_lock(&place->lock);
    hs_buf_put_bytes(partial, hs_buf_bytes(&place->withheld));
    pthread_mutex_unlock(&place->lock);
}

static void join(struct place *place, struct world_node *node)
{
    struct hs_store *store = place->desk->office.node.store;
    struct hs_commit commit;
    assert_int_equal(hs_store_begin(store), HS_OK);
    assert_int_equal(hs_store_put_certificate(store, node->options.certificate), HS_OK);
    assert_int_equal(hs_store_commit(store, &commit), HS_OK);
}

/* The office's own region has its issuer's key. */
static void reopen(struct place *place, bool has_issuer)
{
    struct office *office = &place->desk->office;
    client_close(&place->desk->client);
    office_stop(office);
    office->options.issuer = has_issuer ? &office->region->issuer : NULL;
    office->options.issuer_signed = hs_buf_bytes(&office->region->issuer_body);
    office->options.hooks.ctx = place;
    office->options.hooks.status = tell_withheld;
    world_open(&office->node, false);
    join(place, &place->hall);
    join(place, &place->hub);
    world_close(&office->node);
    office_start(office, false);
    client_open(&place->desk->client, office, ZMQ_DEALER);
}

static int open_place(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    assert_non_null(place);
    assert_int_equal(pthread_mutex_init(&place->lock, NULL), 0);
    place->desk = make_desk(HS_ROLE_HUB);
    world_add(place->desk->office.region, &place->hall, "nj-hall", HS_ROLE_HALL);
    world_add(place->desk->office.region, &place->hub, "nj-other", HS_ROLE_HUB);
    reopen(place, true);
    *state = place;
    return 0;
}

static int close_place(void **state)
{
    struct place *place = *state;
    world_drop(&place->hall);
    world_drop(&place->hub);
    void *desk = place->desk;
    close_desk(&desk);
    hs_buf_fini(&place->withheld);
    pthread_mutex_destroy(&place->lock);
    free(place);
    return 0;
}

/* ---- asking ---- */

static const Hallsync__Reply *ask_revoke(struct place *place, Hallsync__RevokeRequest body)
{
    body.base = (ProtobufCMessage)PROTOBUF_C_MESSAGE_INIT(&hallsync__revoke_request__descriptor);
    Hallsync__Request request = REQUEST(revoke, REVOKE, &body);
    return client_ask(&place->desk->client, &request);
}
#define REVOKE(...) ask_revoke(place, (Hallsync__RevokeRequest){__VA_ARGS__})

static const Hallsync__Reply *ask_release(struct place *place, Hallsync__ReleaseRequest body)
{
    body.base = (ProtobufCMessage)PROTOBUF_C_MESSAGE_INIT(&hallsync__release_request__descriptor);
    Hallsync__Request request = REQUEST(release, RELEASE, &body);
    return client_ask(&place->desk->client, &request);
}
#define RELEASE(...) ask_release(place, (Hallsync__ReleaseRequest){__VA_ARGS__})

static void assert_error(const Hallsync__Reply *reply, enum hs_err err, const char *text)
{
    if (reply->error == NULL)
        fail_msg("was not refused by %s", hs_err_name(err));
    assert_string_equal(reply->error, hs_err_name(err));
    if (strstr(reply->text, text) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", reply->text, text);
}

static const Hallsync__Node *only_node(const Hallsync__Reply *reply)
{
    if (reply->error != NULL)
        fail_msg("%s: %s", reply->error, reply->text);
    assert_int_equal(reply->body_case, HALLSYNC__REPLY__BODY_NODES);
    assert_int_equal(reply->nodes->n_nodes, 1);
    return reply->nodes->nodes[0];
}

static const Hallsync__Node *listed(struct place *place, const char *node_id)
{
    Hallsync__NodesRequest body = HALLSYNC__NODES_REQUEST__INIT;
    Hallsync__Request request = REQUEST(nodes, NODES, &body);
    const Hallsync__Reply *reply = client_ask(&place->desk->client, &request);
    assert_null(reply->error);
    for (size_t i = 0; i < reply->nodes->n_nodes; i++) {
        if (strcmp(reply->nodes->nodes[i]->node_id, node_id) == 0)
            return reply->nodes->nodes[i];
    }
    fail_msg("%s is not listed", node_id);
    return NULL;
}

/* ---- revoking ---- */

static void a_hub_with_an_issuers_key_revokes_a_hall(void **state)
{
    struct place *place = *state;
    assert_string_equal(listed(place, "nj-hall")->state, "joined");
    const Hallsync__Node *node = only_node(REVOKE(.node_id = TEXT("nj-hall"), .reason = TEXT("stolen at night")));
    assert_string_equal(node->state, "revoked");
    assert_string_equal(node->reason, "stolen at night");
    assert_true(node->has_revoked_ms);
    node = only_node(REVOKE(.node_id = TEXT("nj-hall"), .reason = TEXT("once more")));
    assert_string_equal(node->reason, "stolen at night"); /* the first one stands */
    assert_string_equal(listed(place, "nj-hall")->state, "revoked");
    assert_string_equal(listed(place, "nj-other")->state, "joined");
}

static void it_says_what_it_does_not_revoke(void **state)
{
    struct place *place = *state;
    char longest[HS_REASON_BYTES_MAX + 2];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_error(REVOKE(.node_id = TEXT("nj-other"), .reason = TEXT("stolen")), HS_EREFUSED, "root key revokes a hub");
    assert_error(REVOKE(.node_id = TEXT("nj-nobody"), .reason = TEXT("stolen")), HS_ENOTFOUND, "nj-nobody");
    assert_error(REVOKE(.node_id = TEXT("nj-hall"), .key = TEXT("zz"), .reason = TEXT("stolen")), HS_ENOTFOUND,
                 "such a key");
    assert_error(REVOKE(.node_id = TEXT("nj-hall")), HS_EREQUIRED, "reason");
    assert_error(REVOKE(.node_id = TEXT("nj-hall"), .reason = TEXT("")), HS_EREQUIRED, "reason");
    assert_error(REVOKE(.node_id = TEXT("nj-hall"), .reason = longest), HS_ETOOBIG, "reason");
    assert_error(REVOKE(.node_id = TEXT("nj-hall"), .reason = TEXT("a\nb")), HS_EINVAL, "reason");
    assert_string_equal(listed(place, "nj-hall")->state, "joined");
    reopen(place, false);
    assert_error(REVOKE(.node_id = TEXT("nj-hall"), .reason = TEXT("stolen")), HS_ENOTHUB, "root key");
}

static void of_a_node_with_two_keys_one_is_named(void **state)
{
    struct place *place = *state;
    struct world_node anew;
    char digits[9];
    world_add(place->desk->office.region, &anew, "nj-hall", HS_ROLE_HALL);
    client_close(&place->desk->client);
    office_stop(&place->desk->office);
    world_open(&place->desk->office.node, false);
    join(place, &anew);
    world_close(&place->desk->office.node);
    office_start(&place->desk->office, false);
    client_open(&place->desk->client, &place->desk->office, ZMQ_DEALER);
    assert_error(REVOKE(.node_id = TEXT("nj-hall"), .reason = TEXT("stolen")), HS_EINVAL, "has 2 keys");
    for (size_t i = 0; i < 4; i++)
        snprintf(digits + 2 * i, 3, "%02x", place->hall.draft.node_key.bytes[i]);
    const Hallsync__Node *node = only_node(REVOKE(.node_id = TEXT("nj-hall"), .key = digits, .reason = TEXT("stolen")));
    assert_string_equal(node->state, "revoked");
    assert_memory_equal(node->key, digits, 8);
    world_drop(&anew);
}

static const Hallsync__Reply *revoke_signed(struct place *place, const char *node_id, const struct world_node *node,
                                            const struct hs_secret *root)
{
    struct hs_authority authority = {HS_BYTES_NONE, root};
    struct hs_buf row = {0};
    assert_int_equal(hs_revocation_sign(node->options.certificate, "burgled", 9, &authority, &row), HS_OK);
    const Hallsync__Reply *reply = REVOKE(.node_id = TEXT(node_id), .has_revocation = true,
                                          .revocation = {.len = row.size, .data = row.data});
    hs_buf_fini(&row);
    return reply;
}

static void what_the_root_has_signed_is_taken(void **state)
{
    struct place *place = *state;
    struct world_region *region = place->desk->office.region;
    static uint8_t large[HS_REVOCATION_BYTES_MAX + 1];
    reopen(place, false); /* it needs no key of its own */
    assert_error(revoke_signed(place, "nj-hall", &place->hub, &region->root), HS_EINVAL, "nj-hall");
    assert_error(revoke_signed(place, "nj-other", &place->hub, &region->issuer), HS_ECERT, "nj-other");
    assert_error(REVOKE(.node_id = TEXT("nj-other"), .has_revocation = true, .revocation = {sizeof large, large}),
                 HS_ETOOBIG, "revocation");
    assert_string_equal(listed(place, "nj-other")->state, "joined");
    const Hallsync__Node *node = only_node(revoke_signed(place, "nj-other", &place->hub, &region->root));
    assert_string_equal(node->state, "revoked");
    assert_string_equal(node->reason, "burgled");
}

static void rot_revocation(struct world_node *node, const struct hs_key *key)
{
    char path[WORLD_PATH_BYTES];
    struct hs_env *env = NULL;
    struct hs_txn txn;
    uint8_t row[HS_REVOCATION_BYTES_MAX];
    struct hs_bytes name = HS_BYTES(key->bytes, sizeof key->bytes), held;
    world_path(path, node->dir, "log");
    assert_int_equal(hs_log_inspect(path, WORLD_MAP_BYTES, &env, NULL), HS_OK);
    assert_int_equal(hs_txn_begin(env, true, &txn), HS_OK);
    assert_int_equal(hs_txn_get(&txn, LOG_REVOCATION, name, &held), HS_OK);
    assert_true(held.size <= sizeof row);
    memcpy(row, held.data, held.size);
    row[held.size / 2] ^= 0x5a;
    hs_txn_put(&txn, LOG_REVOCATION, name, HS_BYTES(row, held.size));
    assert_int_equal(hs_txn_commit(&txn), HS_OK);
    hs_env_close(env);
}

/* That somebody was revoked is known, if not why: he gets nothing more. */
static void a_revocation_that_rotted_counts(void **state)
{
    struct place *place = *state;
    struct office *office = &place->desk->office;
    uint32_t districts[] = {3201};
    Hallsync__ScopeRequest body = HALLSYNC__SCOPE_REQUEST__INIT;
    body.node_id = TEXT("nj-hall");
    body.districts = districts;
    body.n_districts = 1;
    only_node(REVOKE(.node_id = TEXT("nj-hall"), .reason = TEXT("stolen")));
    client_close(&place->desk->client);
    office_stop(office);
    rot_revocation(&office->node, &place->hall.draft.node_key);
    office_start(office, false);
    client_open(&place->desk->client, office, ZMQ_DEALER);
    assert_string_equal(listed(place, "nj-hall")->state, "revoked");
    Hallsync__Request request = REQUEST(scope, SCOPE, &body);
    assert_error(client_ask(&place->desk->client, &request), HS_EREVOKED, "nj-hall");
}

/* ---- releasing ---- */

#define WITHHELD 51 /* of StatusReply */

static void withhold(struct place *place, const struct world_node *node, char *lane, uint8_t mark)
{
    char key[2 * HS_KEY_BYTES + 1];
    uint8_t hash[HS_HASH_BYTES];
    memset(hash, mark, sizeof hash);
    for (size_t i = 0; i < HS_KEY_BYTES; i++)
        snprintf(key + 2 * i, 3, "%02x", node->draft.node_key.bytes[i]);
    Hallsync__WithheldStatus row = {.base = PROTOBUF_C_MESSAGE_INIT(&hallsync__withheld_status__descriptor),
                                    .node_id = TEXT(node->id),
                                    .key = key,
                                    .origin = TEXT("00000000000000ab"),
                                    .partition = 3201,
                                    .lane = lane,
                                    .behind = 2,
                                    .last = 4,
                                    .hash = {sizeof hash, hash},
                                    .payments = 2,
                                    .payments_fen = 3000};
    pthread_mutex_lock(&place->lock);
    hs_call_put(&place->withheld, WITHHELD, &row.base);
    pthread_mutex_unlock(&place->lock);
}

/* Of the hall's key, as the audit trail has them. */
static char *hall_digits(const struct place *place)
{
    static char digits[17];
    for (size_t i = 0; i < 8; i++)
        snprintf(digits + 2 * i, 3, "%02x", place->hall.draft.node_key.bytes[i]);
    return digits;
}

/* The writer is at work: it flushes. */
static struct hs_view *open_view(struct hs_store *store)
{
    struct hs_view *view = NULL;
    assert_int_equal(hs_view_open(store, hs_store_position(store).commit, 10000, &view), HS_OK);
    return view;
}

struct found {
    const struct hs_key *root;
    struct hs_release release;
    size_t count;
};

static enum hs_err note_release(void *ctx, struct hs_bytes key, struct hs_bytes encoded)
{
    struct found *found = ctx;
    (void)key;
    found->count++;
    return hs_release_verify(encoded, found->root, &found->release);
}

static void what_waits_of_a_revoked_hall_is_released(void **state)
{
    struct place *place = *state;
    struct world_node *own = &place->desk->office.node;
    struct found found = {.root = &place->desk->office.region->root_key};
    withhold(place, &place->hall, TEXT("money"), 7);
    withhold(place, &place->hall, TEXT("work"), 8);
    withhold(place, &place->hub, TEXT("work"), 9);
    only_node(REVOKE(.node_id = TEXT("nj-hall"), .reason = TEXT("stolen")));
    const Hallsync__Reply *reply = RELEASE(.node_id = TEXT("nj-hall"), .reason = TEXT("counted by hand"),
                                           .name = TEXT("Wang Li"));
    if (reply->error != NULL)
        fail_msg("%s: %s", reply->error, reply->text);
    assert_int_equal(reply->body_case, HALLSYNC__REPLY__BODY_RELEASE);
    assert_int_equal(reply->release->n_released, 2);
    assert_int_equal(reply->release->released[0]->payments_fen, 3000);
    struct hs_view *view = open_view(own->store);
    assert_int_equal(hs_view_releases(view, note_release, &found), HS_OK);
    hs_view_close(view);
    assert_int_equal(found.count, 1);
    assert_string_equal(found.release.name, "Wang Li");
    assert_string_equal(found.release.reason, "counted by hand");
    assert_memory_equal(&found.release.node_key, &place->hall.draft.node_key, sizeof found.release.node_key);
    assert_int_equal(found.release.count, 2);
    assert_int_equal(found.release.heads[0].n, 4);
}

static void it_says_what_it_does_not_release(void **state)
{
    struct place *place = *state;
    struct world_node anew;
    assert_error(RELEASE(.node_id = TEXT("nj-hall"), .reason = TEXT("x"), .name = TEXT("Wang Li")), HS_ENOTFOUND,
                 "nothing");
    withhold(place, &place->hall, TEXT("nonsense"), 7); /* a status of another version */
    assert_error(RELEASE(.node_id = TEXT("nj-hall"), .reason = TEXT("x"), .name = TEXT("Wang Li")), HS_ENOTFOUND,
                 "nothing");
    pthread_mutex_lock(&place->lock);
    hs_buf_reset(&place->withheld);
    pthread_mutex_unlock(&place->lock);
    withhold(place, &place->hall, TEXT("money"), 7);
    assert_error(RELEASE(.node_id = TEXT("nj-hall"), .name = TEXT("Wang Li")), HS_EREQUIRED, "reason");
    assert_error(RELEASE(.node_id = TEXT("nj-hall"), .reason = TEXT("x")), HS_EREQUIRED, "name");
    assert_error(RELEASE(.node_id = TEXT("nj-other"), .reason = TEXT("x"), .name = TEXT("Wang Li")), HS_ENOTFOUND,
                 "nothing");
    assert_error(RELEASE(.node_id = TEXT("nj-hall"), .reason = TEXT("x"), .name = TEXT("Wang\tLi")), HS_EINVAL, "name");
    world_add(place->desk->office.region, &anew, "nj-hall", HS_ROLE_HALL);
    withhold(place, &anew, TEXT("money"), 8);
    assert_error(RELEASE(.node_id = TEXT("nj-hall"), .reason = TEXT("x"), .name = TEXT("Wang Li")), HS_EINVAL,
                 "several keys");
    world_drop(&anew);
    reopen(place, false);
    assert_error(RELEASE(.node_id = TEXT("nj-hall"), .reason = TEXT("x"), .name = TEXT("Wang Li")), HS_ENOTHUB,
                 "root key");
}

static const Hallsync__Reply *release_signed(struct place *place, const char *node_id, uint64_t n,
                                             const struct hs_secret *root)
{
    static uint64_t time_ms = 9; /* signed anew each time */
    struct hs_release draft = {.node_key = place->hall.draft.node_key, .time_ms = time_ms++, .count = 1};
    struct hs_authority authority = {HS_BYTES_NONE, root};
    struct hs_buf row = {0};
    snprintf(draft.reason, sizeof draft.reason, "counted");
    snprintf(draft.name, sizeof draft.name, "Wang Li");
    draft.heads[0] = (struct hs_released){{0xab, 3201, HS_LANE_MONEY}, n, {{7}}};
    assert_int_equal(hs_release_sign(&draft, &authority, &row), HS_OK);
    const Hallsync__Reply *reply = RELEASE(.node_id = TEXT(node_id), .has_release = true,
                                           .release = {.len = row.size, .data = row.data});
    hs_buf_fini(&row);
    return reply;
}

static void a_release_that_the_root_has_signed_is_taken(void **state)
{
    struct place *place = *state;
    struct world_region *region = place->desk->office.region;
    static uint8_t large[HS_RELEASE_BYTES_MAX + 1];
    reopen(place, false);
    assert_error(release_signed(place, "nj-hall", 4, &region->issuer), HS_ECERT, "root key");
    assert_error(RELEASE(.node_id = TEXT("nj-hall"), .has_release = true, .release = {sizeof large, large}), HS_ETOOBIG,
                 "release");
    assert_error(release_signed(place, "nj-other", 4, &region->root), HS_EINVAL, "nj-other");
    assert_null(release_signed(place, "nj-hall", 4, &region->root)->error);
}

static void what_the_root_releases_is_told_of_if_it_is_new(void **state)
{
    struct place *place = *state;
    struct client *client = &place->desk->client;
    const struct hs_secret *root = &place->desk->office.region->root;
    Hallsync__Actor wang = person("wang", "command_line");
    client->actor = &wang;
    assert_error(release_signed(place, "nj-other", 4, root), HS_EINVAL, "nj-other"); /* it is no word of the client's */
    assert_int_equal(trail_size(client), 0);
    for (int i = 0; i < 2; i++)
        assert_null(release_signed(place, "nj-hall", 4, root)->error);
    assert_int_equal(trail_size(client), 1);
    TOLD(.name = TEXT("wang"), .way = TEXT("command_line"), .action = TEXT("admit"), .node_id = TEXT("nj-hall"),
         .detail = hall_digits(place));
    assert_null(release_signed(place, "nj-hall", 5, root)->error);
    assert_int_equal(trail_size(client), 2);
}

static void who_revokes_and_admits_is_told(void **state)
{
    struct place *place = *state;
    struct client *client = &place->desk->client;
    Hallsync__Actor wang = person("wang", "console");
    withhold(place, &place->hall, TEXT("money"), 7);
    client->actor = &wang;
    assert_error(REVOKE(.node_id = TEXT("nj-other"), .reason = TEXT("stolen")), HS_EREFUSED, "root key revokes a hub");
    assert_int_equal(trail_size(client), 0);
    for (int i = 0; i < 2; i++) /* the second one changes nothing */
        only_node(REVOKE(.node_id = TEXT("nj-hall"), .reason = TEXT("stolen")));
    assert_int_equal(trail_size(client), 1);
    TOLD(.name = TEXT("wang"), .way = TEXT("console"), .action = TEXT("revoke"), .node_id = TEXT("nj-hall"),
         .detail = hall_digits(place), .reason = TEXT("stolen"));
    for (int i = 0; i < 2; i++)
        assert_null(RELEASE(.node_id = TEXT("nj-hall"), .reason = TEXT("seen"), .name = TEXT("Wang Li"))->error);
    assert_int_equal(trail_size(client), 2);
    TOLD(.name = TEXT("wang"), .way = TEXT("console"), .action = TEXT("admit"), .node_id = TEXT("nj-hall"),
         .detail = hall_digits(place), .reason = TEXT("seen"));
    withhold(place, &place->hall, TEXT("work"), 8); /* more has come to light */
    assert_null(RELEASE(.node_id = TEXT("nj-hall"), .reason = TEXT("this too"), .name = TEXT("Wang Li"))->error);
    assert_int_equal(trail_size(client), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_hub_with_an_issuers_key_revokes_a_hall),       TEST(it_says_what_it_does_not_revoke),
        TEST(of_a_node_with_two_keys_one_is_named),           TEST(what_the_root_has_signed_is_taken),
        TEST(what_waits_of_a_revoked_hall_is_released),       TEST(it_says_what_it_does_not_release),
        TEST(a_release_that_the_root_has_signed_is_taken),    TEST(a_revocation_that_rotted_counts),
        TEST(what_the_root_releases_is_told_of_if_it_is_new), TEST(who_revokes_and_admits_is_told),
    };
    return cmocka_run_group_tests_name("service revoke", tests, NULL, NULL);
}
