/* cli_node_test.c -- commands against a node that is played here: what they make of an answer that is none, and of none
 * at all. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "node/cli/cli.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#define S(literal) ((char[]){literal}) /* protobuf-c's members know no const */

struct node {
    void *context;
    char dir[64], endpoint[96];
    pthread_t thread;
    atomic_bool stop;
};

/* A check that came to nothing; to all else it is silent. */
static void answer(void *router, const void *identity, size_t identity_size, const Hallsync__Request *request)
{
    uint8_t bytes[512];
    Hallsync__VerifyReply verify = HALLSYNC__VERIFY_REPLY__INIT;
    Hallsync__Reply reply = HALLSYNC__REPLY__INIT;
    if (request->body_case != HALLSYNC__REQUEST__BODY_VERIFY)
        return;
    verify.number = 1;
    verify.has_ended_ms = true;
    verify.ended_ms = 1;
    verify.error = (char *)(uintptr_t)hs_err_name(HS_ENOMEM);
    reply.id = request->id;
    reply.body_case = HALLSYNC__REPLY__BODY_VERIFY;
    reply.verify = &verify;
    assert_true(hallsync__reply__get_packed_size(&reply) <= sizeof bytes);
    size_t size = hallsync__reply__pack(&reply, bytes);
    zmq_send(router, identity, identity_size, ZMQ_SNDMORE);
    zmq_send(router, bytes, size, 0);
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
            answer(router, identity, (size_t)identity_size, request);
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
    char path[96];
    atomic_store(&node->stop, true);
    assert_int_equal(pthread_join(node->thread, NULL), 0);
    zmq_ctx_term(node->context);
    snprintf(path, sizeof path, "%s/s", node->dir);
    unlink(path);
    rmdir(node->dir);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_is_sound_by_a_check_that_ended_early, make_node, free_node),
        cmocka_unit_test_setup_teardown(a_socket_that_is_named_goes_before_a_store, make_node, free_node),
        cmocka_unit_test_setup_teardown(a_decision_without_an_answer_may_have_been_made, make_node, free_node),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
