/* cli_node_test.c -- commands against a node that is played here: what they make of an answer that is none, and of none
 * at all. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "node/cli/cli.h"
#include "node/link/keys.h"
#include "proto/msg/revoke.h"
#include "tests/lib/store_world.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#define KEY_TEXT   "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define S(literal) ((char[]){literal}) /* protobuf-c's members know no const */

struct node {
    void *context;
    char dir[64], endpoint[96];
    pthread_t thread;
    atomic_bool stop;
    uint8_t release[HS_RELEASE_BYTES_MAX];
    size_t release_size;
};

static void reply_with(void *router, const void *identity, size_t identity_size, const Hallsync__Reply *reply)
{
    uint8_t bytes[1024];
    assert_true(hallsync__reply__get_packed_size(reply) <= sizeof bytes);
    size_t size = hallsync__reply__pack(reply, bytes);
    zmq_send(router, identity, identity_size, ZMQ_SNDMORE);
    zmq_send(router, bytes, size, 0);
}

/* A check that came to nothing. */
static void set_verify(Hallsync__Reply *reply)
{
    static Hallsync__VerifyReply verify;
    hallsync__verify_reply__init(&verify);
    verify.number = 1;
    verify.has_ended_ms = true;
    verify.ended_ms = 1;
    verify.error = (char *)(uintptr_t)hs_err_name(HS_ENOMEM);
    reply->body_case = HALLSYNC__REPLY__BODY_VERIFY;
    reply->verify = &verify;
}

/* Operation 4 of one stream waits, and is the last. */
static void set_status(Hallsync__Reply *reply)
{
    static Hallsync__StatusReply status;
    static Hallsync__WithheldStatus row, *rows[] = {&row};
    static uint8_t hash[HS_HASH_BYTES] = {7};
    static char id[] = "nj-hall", origin[] = "00000000000000ab", lane[] = "money";
    static char key[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    hallsync__status_reply__init(&status);
    hallsync__withheld_status__init(&row);
    row.node_id = id;
    row.key = key;
    row.origin = origin;
    row.partition = 3201;
    row.lane = lane;
    row.last = 4;
    row.hash = (ProtobufCBinaryData){sizeof hash, hash};
    status.withheld = rows;
    status.n_withheld = 1;
    reply->body_case = HALLSYNC__REPLY__BODY_STATUS;
    reply->status = &status;
}

/* What was sent is kept. */
static void set_release(struct node *node, const Hallsync__ReleaseRequest *request, Hallsync__Reply *reply)
{
    static Hallsync__ReleaseReply release;
    hallsync__release_reply__init(&release);
    assert_true(request->release.len <= sizeof node->release);
    memcpy(node->release, request->release.data, request->release.len);
    node->release_size = request->release.len;
    reply->body_case = HALLSYNC__REPLY__BODY_RELEASE;
    reply->release = &release;
}

/* To all else it is silent. */
static void answer(struct node *node, void *router, const void *identity, size_t identity_size,
                   const Hallsync__Request *request)
{
    Hallsync__Reply reply = HALLSYNC__REPLY__INIT;
    if (request->body_case == HALLSYNC__REQUEST__BODY_VERIFY)
        set_verify(&reply);
    else if (request->body_case == HALLSYNC__REQUEST__BODY_STATUS)
        set_status(&reply);
    else if (request->body_case == HALLSYNC__REQUEST__BODY_RELEASE && request->release->has_release)
        set_release(node, request->release, &reply);
    else
        return;
    reply.id = request->id;
    reply_with(router, identity, identity_size, &reply);
}

static void *run_node(void *ctx)
{
    struct node *node = ctx;
    void *router = zmq_socket(node->context, ZMQ_ROUTER);
    int wait_ms = 20, linger_ms = 0;
    zmq_setsockopt(router, ZMQ_RCVTIMEO, &wait_ms, sizeof wait_ms);
    zmq_setsockopt(router, ZMQ_LINGER, &linger_ms, sizeof linger_ms);
    if (zmq_bind(router, node->endpoint) != 0)
        abort();
    while (!atomic_load(&node->stop)) {
        uint8_t identity[64], bytes[1024];
        int identity_size = zmq_recv(router, identity, sizeof identity, 0);
        int size = identity_size < 0 ? -1 : zmq_recv(router, bytes, sizeof bytes, 0);
        Hallsync__Request *request = size < 0 ? NULL : hallsync__request__unpack(NULL, (size_t)size, bytes);
        if (request != NULL)
            answer(node, router, identity, (size_t)identity_size, request);
        hallsync__request__free_unpacked(request, NULL);
    }
    zmq_close(router);
    return NULL;
}

static int make_node(void **state)
{
    struct node *node = calloc(1, sizeof *node);
    assert_non_null(node);
    snprintf(node->dir, sizeof node->dir, "/tmp/hallsync-cli-XXXXXX");
    assert_non_null(mkdtemp(node->dir));
    snprintf(node->endpoint, sizeof node->endpoint, "ipc://%s/s", node->dir);
    node->context = zmq_ctx_new();
    assert_int_equal(pthread_create(&node->thread, NULL, run_node, node), 0);
    *state = node;
    return 0;
}

static int free_node(void **state)
{
    struct node *node = *state;
    atomic_store(&node->stop, true);
    assert_int_equal(pthread_join(node->thread, NULL), 0);
    zmq_ctx_term(node->context);
    world_remove(node->dir);
    free(node);
    return 0;
}

static struct cli cli_of(const struct node *node)
{
    struct cli cli = {.options = {[CLI_ENDPOINT] = node->endpoint}};
    return cli;
}

static void end_cli(struct cli *cli)
{
    hallsync_close(cli->client);
    free(cli->endpoint);
}

/* ---- a check that ended early has found nothing, and proves nothing ---- */

static void nothing_is_sound_by_a_check_that_ended_early(void **state)
{
    static enum hs_err (*const RUN[])(struct cli * cli) = {cli_run_verify, cli_run_repair};
    for (size_t i = 0; i < sizeof RUN / sizeof *RUN; i++) {
        for (int dry = 0; dry < 2; dry++) {
            struct cli cli = cli_of(*state);
            cli.options[CLI_DRY_RUN] = dry != 0 ? "" : NULL;
            assert_int_equal(RUN[i](&cli), HS_ENOMEM);
            assert_non_null(strstr(cli.bad.why.text, "ended early"));
            end_cli(&cli);
        }
    }
}

/* ---- who names a socket means the node behind it ---- */

static void a_socket_that_is_named_goes_before_a_store(void **state)
{
    static enum hs_err (*const RUN[])(struct cli * cli) = {cli_run_verify, cli_run_repair};
    const struct node *node = *state;
    char path[96];
    snprintf(path, sizeof path, "%s/y", node->dir);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "node: {id: \"nj-other\", role: \"hall\", data: \"%s/other\"}\n", node->dir);
    assert_int_equal(fclose(file), 0);
    for (size_t i = 0; i < sizeof RUN / sizeof *RUN; i++) {
        struct cli cli = cli_of(node);
        cli.options[CLI_CONFIG] = path;
        assert_int_equal(RUN[i](&cli), HS_ENOMEM);
        assert_non_null(strstr(cli.bad.why.text, "ended early"));
        end_cli(&cli);
    }
    assert_int_equal(unlink(path), 0);
}

/* ---- what nobody answers may have been done ---- */

static void a_decision_without_an_answer_may_have_been_made(void **state)
{
    static enum hs_err (*const RUN[])(struct cli * cli) = {cli_run_conflict_release, cli_run_conflict_reject,
                                                           cli_run_revoke, cli_run_release};
    for (size_t i = 0; i < sizeof RUN / sizeof *RUN; i++) {
        struct cli cli = cli_of(*state);
        char *args[] = {S("parked:3201:3:00112233445566778899aabbccddeeff")};
        cli.args = args;
        cli.arg_count = 1;
        cli.options[CLI_REASON] = cli.options[CLI_NAME] = "x";
        cli.options[CLI_TIMEOUT] = "100ms";
        assert_int_equal(cli_config_find(&cli), HS_OK);
        assert_int_equal(RUN[i](&cli), HS_ETIMEDOUT);
        assert_non_null(strstr(cli.bad.why.text, "it may have been done"));
        end_cli(&cli);
    }
}

/* ---- what the root key signs is what was said ---- */

static void a_release_by_the_root_key_says_all_or_is_none(void **state)
{
    struct node *node = *state;
    char path[96], reason[HS_REASON_BYTES_MAX + 2], name[HS_PERSON_BYTES_MAX + 2];
    struct hs_keys_draft draft = {.region = "test", .node_id = "nj-hub", .home = 3200, .now_ms = 1};
    struct hs_keys keys = {0};
    struct hs_release release;
    memset(reason, 'r', sizeof reason);
    memset(name, 'n', sizeof name);
    assert_int_equal(hs_keys_make_hub(node->dir, &draft, NULL), HS_OK);
    assert_int_equal(hs_keys_load(node->dir, &keys, NULL), HS_OK);
    snprintf(path, sizeof path, "%s/keys/root.key", node->dir);
    for (int excess = 2; excess >= 0; excess--) { /* of the reason, of the name, of none */
        struct cli cli = cli_of(node);
        char *args[] = {S("nj-hall")};
        reason[HS_REASON_BYTES_MAX + (excess == 2)] = name[HS_PERSON_BYTES_MAX + (excess == 1)] = '\0';
        cli.args = args;
        cli.arg_count = 1;
        cli.json = true;
        cli.options[CLI_REASON] = reason;
        cli.options[CLI_NAME] = name;
        cli.options[CLI_ROOT] = path;
        assert_int_equal(cli_config_find(&cli), HS_OK);
        assert_int_equal(cli_run_release(&cli), excess > 0 ? HS_EINVAL : HS_OK);
        end_cli(&cli);
        reason[HS_REASON_BYTES_MAX + (excess == 2)] = 'r';
        name[HS_PERSON_BYTES_MAX + (excess == 1)] = 'n';
    }
    assert_int_equal(hs_release_verify(HS_BYTES(node->release, node->release_size), &keys.root_key, &release), HS_OK);
    assert_int_equal(strlen(release.reason), HS_REASON_BYTES_MAX);
    assert_int_equal(strlen(release.name), HS_PERSON_BYTES_MAX);
    assert_int_equal(release.count, 1);
    assert_int_equal(release.heads[0].n, 4);
    hs_keys_free(&keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_is_sound_by_a_check_that_ended_early, make_node, free_node),
        cmocka_unit_test_setup_teardown(a_socket_that_is_named_goes_before_a_store, make_node, free_node),
        cmocka_unit_test_setup_teardown(a_release_by_the_root_key_says_all_or_is_none, make_node, free_node),
        cmocka_unit_test_setup_teardown(a_decision_without_an_answer_may_have_been_made, make_node, free_node),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
