/* json_fuzz.c -- records from JSON lines, from CSV files with a header and from field=value arguments, and the small
 * forms of the command line.
 *
 *     input = kind u8 || lines */
#include "node/cli/draft.h"
#include "node/cli/forms.h"
#include "node/cli/input.h"
#include "node/cli/rows.h"
#include "proto/base/text.h"
#include "proto/msg/frame.h"
#include "tests/fuzz/fuzz_file.h"

/* What went into the draft is a message of its kind; the kind's rules may still refuse it. */
static void check_draft(const struct cli_draft *draft)
{
    struct hs_buf packed = {0};
    struct hs_arena arena;
    ProtobufCMessage *message;
    struct hs_why why;
    uint32_t field;
    hs_arena_init(&arena, 0);
    FUZZ_CHECK(cli_draft_pack(draft, &packed) == HS_OK);
    FUZZ_CHECK(draft->clear_count <= CLI_CLEAR_MAX);
    FUZZ_CHECK(hs_msg_unpack(draft->kind->message, hs_buf_bytes(&packed), &arena, &message) == HS_OK);
    FUZZ_CHECK(message->n_unknown_fields == 0);
    enum hs_err err = hs_kind_check(draft->kind, hs_buf_bytes(&packed), (struct hs_check){.strict = true}, &field,
                                    &why);
    FUZZ_CHECK(err != HS_EFIELD && err != HS_EMALFORMED);
    hs_arena_fini(&arena);
    hs_buf_fini(&packed);
}

static void finish(struct cli_draft *draft, enum hs_err err, const struct cli_bad *bad)
{
    FUZZ_CHECK(err == HS_OK || hs_err_class(err) == HS_CLASS_INPUT);
    FUZZ_CHECK(err == HS_OK || bad->why.text[0] != '\0');
    if (err == HS_OK)
        check_draft(draft);
    cli_draft_fini(draft);
}

static void take_line(const struct hs_kind *kind, struct hs_bytes line)
{
    struct cli_draft draft;
    struct cli_bad bad = {{0}, {{0}}};
    FUZZ_CHECK(cli_draft_init(&draft, kind) == HS_OK);
    finish(&draft, cli_draft_line(&draft, line, &bad), &bad);
}

/* field=value field=value, parted by blanks. */
static void take_arguments(const struct hs_kind *kind, char *line)
{
    struct cli_draft draft;
    struct cli_bad bad = {{0}, {{0}}};
    enum hs_err err = HS_OK;
    char *next = line;
    FUZZ_CHECK(cli_draft_init(&draft, kind) == HS_OK);
    while (err == HS_OK && next != NULL) {
        char *word = strsep(&next, " ");
        char *value = strchr(word, '=');
        if (value == NULL)
            continue;
        *value++ = '\0';
        err = cli_draft_text(&draft, word, HS_BYTES(value, strlen(value)), &bad);
    }
    finish(&draft, err, &bad);
}

/* A place in the change feed: a position, and how much behind it. */
static void place(const char *text)
{
    Hallsync__Position first, second;
    char written[CLI_PLACE_BYTES], again[CLI_PLACE_BYTES];
    if (cli_place_parse(text, &first) != HS_OK)
        return;
    FUZZ_CHECK(cli_place_parse(cli_place_text(&first, written), &second) == HS_OK);
    FUZZ_CHECK(strcmp(cli_place_text(&second, again), written) == 0);
    FUZZ_CHECK(first.commit == second.commit && first.tag == second.tag && first.ops == second.ops);
}

static void forms(const char *text)
{
    uint64_t value = 0, tag = 0;
    uint32_t date = 0;
    int64_t fen = 0;
    char money[CLI_MONEY_BYTES], position[CLI_POSITION_BYTES];
    if (cli_date_parse(text, &date) == HS_OK)
        FUZZ_CHECK(hs_date_valid(date));
    if (cli_duration_parse(text, &value) == HS_OK)
        FUZZ_CHECK(value <= (uint64_t)1000 * 86400000);
    if (cli_number_parse(text, 1000, &value) == HS_OK)
        FUZZ_CHECK(value <= 1000);
    if (cli_position_parse(text, &value, &tag) == HS_OK) {
        uint64_t commit = 0, same = 0;
        FUZZ_CHECK(cli_position_parse(cli_position_text(value, tag, position), &commit, &same) == HS_OK);
        FUZZ_CHECK(commit == value && same == tag);
    }
    place(text);
    if (hs_text_to_i64(text, strlen(text), &fen) == HS_OK)
        FUZZ_CHECK(strlen(cli_money_text(fen, money)) >= 4);
    FUZZ_CHECK(cli_width(text) <= 2 * strlen(text));
}

/* The same as a file to import, whatever that is. */
static void take_file(const struct hs_kind *kind, struct hs_bytes bytes)
{
    struct cli_rows rows;
    struct cli_row row;
    struct cli_bad bad = {{0}, {{0}}};
    int fd = fuzz_file(bytes);
    enum hs_err err = cli_rows_open(&rows, kind, fd, "file", &bad);
    FUZZ_CHECK(err == HS_OK || (hs_err_class(err) == HS_CLASS_INPUT && bad.why.text[0] != '\0'));
    uint64_t line = 0;
    for (bool more = err == HS_OK; more;) {
        struct cli_draft draft;
        more = cli_rows_next(&rows, &draft, &row);
        FUZZ_CHECK(!more || row.line > line);
        FUZZ_CHECK(!more || row.raw.size <= CLI_RAW_BYTES_MAX);
        line = row.line;
        finish(&draft, row.err, &row.bad);
    }
    cli_rows_close(&rows);
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hs_arena arena;
    struct hs_cur in = hs_cur_of(HS_BYTES(data, size));
    const struct hs_kind *kind = &HS_KINDS[fuzz_u8(&in) % HS_KIND_COUNT];
    struct hs_bytes lines = fuzz_rest(&in);
    int fd = fuzz_file(lines);
    struct cli_input input;
    struct hs_buf line = {0};
    uint64_t at;
    hs_arena_init(&arena, 0);
    cli_input_init(&input, fd);
    while (cli_input_line(&input, &line, &at)) {
        FUZZ_CHECK(line.size <= CLI_LINE_BYTES_MAX);
        take_line(kind, hs_buf_bytes(&line));
        char *text = fuzz_text(&arena, hs_buf_bytes(&line));
        forms(text);
        take_arguments(kind, text);
    }
    hs_buf_fini(&line);
    hs_arena_fini(&arena);
    close(fd);
    take_file(kind, lines);
    return 0;
}

/* ---- seeds ---- */

static void put_lines(fuzz_put put, const char *name, uint8_t kind, const char *lines)
{
    struct hs_buf seed = {0};
    hs_buf_put_u8(&seed, kind);
    hs_buf_put(&seed, lines, strlen(lines));
    put(name, hs_buf_bytes(&seed));
    hs_buf_fini(&seed);
}

void fuzz_seeds(fuzz_put put)
{
    put_lines(put, "customer", 0,
              "{\"account\":\"3201000017\",\"name\":\"\\u738b\",\"remark\":null}\r\n\n{\"account\":1}\n");
    put_lines(put, "customer-arguments", 0, "account=3201000017 name=x remark= phone=139\n");
    put_lines(put, "payment", 2,
              "{\"payment_id\":\"P-1\",\"account\":\"3201000017\",\"amount_fen\":12345,\"window\":3}");
    put_lines(put, "payment-arguments", 2, "payment_id=P-1 account=3201000017 amount_fen=12345 window=4294967295\n");
    put_lines(put, "cash-entry", 3, "{\"amount_fen\":-9223372036854775808,\"fact_id\":\"P-1\",\"time_ms\":1}");
    put_lines(put, "event", 6,
              "{\"ticket_id\":\"T-1\",\"state\":\"open\",\"note\":\"\\ud83d\\udca1\"}\n[1]\n{\"a\":[[[{}]]]}\n1e400");
    put_lines(put, "bills-csv", 1,
              "bill_id,account,amount_fen,period\nB-1,3201000017,100,2026-11\nB-2,,x,\n\"B-3\",3201000017\n");
    put_lines(put, "header-twice", 1, "bill_id,bill_id\nB-1,B-1\n");
    put_lines(put, "forms", 6,
              "2026-11-21\n20261121\n24h\n1000d\n12:0123456789abcdef\n12:0123456789abcdef+7\n-"
              "9223372036854775808\n\xe7\x94\xb5\n");
}
