/* register_driver.c -- storage/model/record.h behind standard input, for model_compare.py.  One command a line, all
 * numbers decimal:
 *
 *   worlds R                     forget everything, begin with R empty states
 *   op ORIGIN N                  an operation without fields; the commands below add to the last one
 *   field NUMBER VALUE           it writes this value, a text without blanks ("-": a clear)
 *   over ORIGIN N                ...naming this dot as overwritten; ascending within a field
 *   apply STATE OP               operations count from 0 in the order given
 *   join STATE OTHER             STATE becomes the join of both
 *   show STATE                   prints a line: applied o:n ... and per field n live o:n=value ... covered o:n ...
 *
 * Between commands every state touched goes through its stored form.  Any other line ends the program with 1. */
#include "storage/model/record.h"

#include "proto/msg/tlv.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATES_MAX 16
#define OPS_MAX    1024
#define FIELDS_MAX 16
#define OVER_MAX   64

struct op {
    struct hs_dot dot;
    struct hs_field_write fields[FIELDS_MAX];
    size_t field_count;
    struct hs_dot over[FIELDS_MAX][OVER_MAX];
};

static struct hs_arena arena;
static struct hs_record states[STATES_MAX];
static struct op ops[OPS_MAX];
static size_t op_count;

static void require(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "register_driver: %s\n", what);
    exit(1);
}

static size_t next_number(char **rest, size_t bound)
{
    char *word = strtok_r(NULL, " \n", rest);
    require(word != NULL, "a number is missing");
    unsigned long long value = strtoull(word, NULL, 10);
    require(value < bound, "a number is too large");
    return (size_t)value;
}

static struct hs_dot next_dot(char **rest)
{
    struct hs_dot dot = {.origin = next_number(rest, SIZE_MAX)};
    dot.n = next_number(rest, SIZE_MAX);
    return dot;
}

static struct op *last_op(void)
{
    require(op_count > 0, "there is no operation yet");
    return &ops[op_count - 1];
}

static void command_worlds(char **rest)
{
    require(next_number(rest, STATES_MAX) < STATES_MAX, "too many states");
    hs_arena_reset(&arena);
    memset(states, 0, sizeof states);
    memset(ops, 0, op_count * sizeof *ops);
    op_count = 0;
}

static void command_op(char **rest)
{
    require(op_count < OPS_MAX, "too many operations");
    ops[op_count++].dot = next_dot(rest);
}

static void command_field(char **rest)
{
    struct op *op = last_op();
    require(op->field_count < FIELDS_MAX, "too many fields");
    struct hs_field_write *field = &op->fields[op->field_count];
    field->over = op->over[op->field_count++];
    field->number = (uint32_t)next_number(rest, HS_FIELD_NUMBER_MAX);
    const char *text = strtok_r(NULL, " \n", rest);
    require(text != NULL, "a value is missing");
    if (strcmp(text, "-") == 0)
        return;
    struct hs_buf buf = {0};
    hs_tlv_put_text(&buf, field->number, text);
    field->value = hs_arena_copy(&arena, hs_buf_bytes(&buf));
    hs_buf_fini(&buf);
}

static void command_over(char **rest)
{
    struct op *op = last_op();
    require(op->field_count > 0, "there is no field yet");
    struct hs_field_write *field = &op->fields[op->field_count - 1];
    require(field->over_count < OVER_MAX, "too many dots");
    op->over[op->field_count - 1][field->over_count++] = next_dot(rest);
}

static void recode(struct hs_record *record)
{
    struct hs_buf buf = {0};
    hs_record_encode(record, &buf);
    struct hs_bytes bytes = hs_arena_copy(&arena, hs_buf_bytes(&buf));
    hs_buf_fini(&buf);
    require(hs_record_decode(bytes, &arena, record) == HS_OK, "a state's stored form does not decode");
}

static void command_apply(char **rest)
{
    struct hs_record *record = &states[next_number(rest, STATES_MAX)];
    const struct op *op = &ops[next_number(rest, op_count)];
    struct hs_write write = {.kind = 1, .fields = op->fields, .field_count = op->field_count};
    require(hs_record_apply(record, &op->dot, op->dot.n, &write, &arena) == HS_OK, "apply failed");
    recode(record);
}

static void command_join(char **rest)
{
    struct hs_record *record = &states[next_number(rest, STATES_MAX)];
    const struct hs_record *other = &states[next_number(rest, STATES_MAX)];
    require(hs_record_join(record, other, &arena, record) == HS_OK, "join failed");
    recode(record);
}

static void show_dot(const struct hs_dot *dot)
{
    printf(" %" PRIu64 ":%" PRIu64, dot->origin, dot->n);
}

static void show_live(const struct hs_live *live, uint32_t number)
{
    struct hs_bytes text = hs_tlv_bytes(live->value, number);
    show_dot(&live->dot);
    printf("=%.*s", text.size == 0 ? 1 : (int)text.size, text.size == 0 ? "-" : (const char *)text.data);
}

static void command_show(char **rest)
{
    const struct hs_record *record = &states[next_number(rest, STATES_MAX)];
    printf("applied");
    for (size_t i = 0; i < record->applied_count; i++)
        show_dot(&record->applied[i]);
    for (size_t i = 0; i < record->field_count; i++) {
        const struct hs_field_state *field = &record->fields[i];
        printf(" field %" PRIu32 " live", field->number);
        for (size_t j = 0; j < field->live_count; j++)
            show_live(&field->live[j], field->number);
        printf(" covered");
        for (size_t j = 0; j < field->covered_count; j++)
            show_dot(&field->covered[j]);
    }
    printf("\n");
}

static void run_command(const char *name, char **rest)
{
    static const struct {
        const char *name;
        void (*run)(char **rest);
    } COMMANDS[] = {
        {"worlds", command_worlds}, {"op", command_op},     {"field", command_field}, {"over", command_over},
        {"apply", command_apply},   {"join", command_join}, {"show", command_show},
    };
    for (size_t i = 0; i < sizeof COMMANDS / sizeof *COMMANDS; i++) {
        if (strcmp(COMMANDS[i].name, name) == 0) {
            COMMANDS[i].run(rest);
            return;
        }
    }
    require(false, name);
}

int main(void)
{
    char line[256];
    hs_arena_init(&arena, 0);
    while (fgets(line, sizeof line, stdin) != NULL) {
        char *rest;
        char *name = strtok_r(line, " \n", &rest);
        if (name != NULL)
            run_command(name, &rest);
    }
    hs_arena_fini(&arena);
    return 0;
}
