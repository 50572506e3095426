/* trace_test.c -- every scenario's course is what its file in expected/ says, and every rule of PROTOCOL.md that two
 * replicas can show has a scenario.
 *
 *   trace_test                 compare
 *   trace_test NAME            that scenario alone
 *   HS_WRITE=1 trace_test      write what happens; then look at git diff */
#include "tests/sim/trace/trace.h"

#include <stdio.h>

#define SCENARIOS_MAX 256

static const struct trace_scenario *const LISTS[] = {
    TRACE_TRUST, TRACE_HELLO,   TRACE_SCOPE,   TRACE_FRONTIER, TRACE_SEGMENT, TRACE_ORDER,  TRACE_ACK,    TRACE_ALIVE,
    TRACE_FORK,  TRACE_VERSION, TRACE_WITNESS, TRACE_STATE,    TRACE_ASK,     TRACE_REVOKE, TRACE_STORES, NULL};

static void happens_as_told(void **state)
{
    const struct trace_scenario *scenario = *state;
    struct trace t;
    trace_init(&t);
    scenario->run(&t);
    bool good = trace_book_check(scenario, hs_buf_bytes(&t.text));
    trace_fini(&t);
    assert_true(good);
}

static void every_rule_has_its_scenario(void **state)
{
    (void)state;
    assert_true(trace_book_cover(LISTS));
}

int main(int argc, char **argv)
{
    static struct CMUnitTest tests[SCENARIOS_MAX + 1];
    size_t count = 0;
    for (const struct trace_scenario *const *list = LISTS; *list != NULL; list++) {
        for (const struct trace_scenario *scenario = *list; scenario->name != NULL; scenario++) {
            if (argc > 1 && strcmp(argv[1], scenario->name) != 0)
                continue;
            assert_true(count < SCENARIOS_MAX);
            tests[count++] = (struct CMUnitTest){
                .name = scenario->name, .test_func = happens_as_told, .initial_state = (void *)scenario};
        }
    }
    if (argc == 1)
        tests[count++] = (struct CMUnitTest){.name = "every rule has its scenario",
                                             .test_func = every_rule_has_its_scenario};
    if (count == 0)
        printf("no such scenario: %s\n", argv[1]);
    return count == 0 || _cmocka_run_group_tests("trace", tests, count, NULL, NULL) != 0;
}
