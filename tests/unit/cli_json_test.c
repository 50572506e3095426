/* cli_json_test.c -- the command line's parts about values (forms, drafts of records) and
 * tables. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "node/status/why.h"
#include "node/cli/cli.h"
#include "node/cli/draft.h"
#include "node/cli/forms.h"
#include "node/cli/progress.h"
#include "node/cli/input.h"
#include "node/cli/table.h"
#include "proto/records.pb-c.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define S(literal)    ((char[]){literal}) /* protobuf-c's members know no const */
#define TEXT(literal) HS_BYTES(literal, sizeof(literal) - 1)

/* ---- forms ---- */

static void money_has_commas_and_two_decimals(void **state)
{
    (void)state;
    static const struct {
        int64_t fen;
        const char *text;
    } ROWS[] = {
        {0, "0.00"},
        {5, "0.05"},
        {-5, "-0.05"},
        {99, "0.99"},
        {100, "1.00"},
        {99999, "999.99"},
        {123456, "1,234.56"},
        {-123456789, "-1,234,567.89"},
        {INT64_MAX, "92,233,720,368,547,758.07"},
        {INT64_MIN, "-92,233,720,368,547,758.08"},
    };
    char text[CLI_MONEY_BYTES];
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        assert_string_equal(cli_money_text(ROWS[i].fen, text), ROWS[i].text);
}

static void durations_need_a_unit(void **state)
{
    (void)state;
    uint64_t ms = 7;
    assert_int_equal(cli_duration_parse("500ms", &ms), HS_OK);
    assert_int_equal(ms, 500);
    assert_int_equal(cli_duration_parse("30s", &ms), HS_OK);
    assert_int_equal(ms, 30000);
    assert_int_equal(cli_duration_parse("5m", &ms), HS_OK);
    assert_int_equal(ms, 300000);
    assert_int_equal(cli_duration_parse("24h", &ms), HS_OK);
    assert_int_equal(ms, 86400000);
    assert_int_equal(cli_duration_parse("7d", &ms), HS_OK);
    assert_int_equal(ms, 604800000);
    static const char *const BAD[] = {"", "30", "s", "30 s", "-1s", "1.5h", "30sec", "99999999999999999999s"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        assert_int_equal(cli_duration_parse(BAD[i], &ms), HS_EVALUE);
    assert_int_equal(cli_duration_parse("1001d", &ms), HS_EOVERFLOW);
    assert_int_equal(ms, 604800000);
}

static void numbers_stay_below_their_limit(void **state)
{
    (void)state;
    uint64_t value = 3;
    assert_int_equal(cli_number_parse("5", 5, &value), HS_OK);
    assert_int_equal(value, 5);
    assert_int_equal(cli_number_parse("6", 5, &value), HS_EOVERFLOW);
    assert_int_equal(cli_number_parse("18446744073709551615", UINT64_MAX, &value), HS_OK);
    assert_true(value == UINT64_MAX);
    assert_int_equal(cli_number_parse("18446744073709551616", UINT64_MAX, &value), HS_EOVERFLOW);
    assert_int_equal(cli_number_parse("", 5, &value), HS_EVALUE);
    assert_int_equal(cli_number_parse("1a", 5, &value), HS_EVALUE);
    assert_int_equal(cli_number_parse("99999999999999999999999a", 5, &value), HS_EVALUE);
}

static void dates_are_of_the_calendar(void **state)
{
    (void)state;
    uint32_t date = 0;
    assert_int_equal(cli_date_parse("2026-11-21", &date), HS_OK);
    assert_int_equal(date, 20261121);
    assert_int_equal(cli_date_parse("20240229", &date), HS_OK);
    assert_int_equal(date, 20240229);
    static const char *const BAD[] = {"", "2026-02-29", "2026-1-1", "2026/11/21", "20261321", "2026-11-2x", "today"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        assert_int_equal(cli_date_parse(BAD[i], &date), HS_EVALUE);
    assert_int_equal(date, 20240229);
}

static void times_are_local(void **state)
{
    (void)state;
    uint64_t ms = 7;
    assert_int_equal(cli_time_parse("2026-11-21T14:00", 480, &ms), HS_OK);
    assert_int_equal(ms, 1795240800000);
    assert_int_equal(cli_time_parse("2026-11-21 06:00:01", 0, &ms), HS_OK);
    assert_int_equal(ms, 1795240801000);
    static const char *const BAD[] = {"",
                                      "2026-11-21",
                                      "2026-11-21T",
                                      "2026-11-21T14",
                                      "2026-02-30T10:00",
                                      "2026-11-21T24:30",
                                      "2026-11-21T14:00Z",
                                      "1970-01-01T07:00"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        assert_int_equal(cli_time_parse(BAD[i], 480, &ms), HS_EVALUE);
    assert_int_equal(ms, 1795240801000);
}

static void positions_read_as_they_are_written(void **state)
{
    (void)state;
    char text[CLI_POSITION_BYTES];
    uint64_t commit = 0, tag = 0;
    assert_string_equal(cli_position_text(17, 0xabcdef, text), "17:0000000000abcdef");
    assert_int_equal(cli_position_parse(text, &commit, &tag), HS_OK);
    assert_true(commit == 17 && tag == 0xabcdef);
    cli_position_text(UINT64_MAX, UINT64_MAX, text);
    assert_int_equal(cli_position_parse(text, &commit, &tag), HS_OK);
    assert_true(commit == UINT64_MAX && tag == UINT64_MAX);
    static const char *const BAD[] = {"",
                                      ":",
                                      "17",
                                      "17:",
                                      "17:abc",
                                      ":0000000000abcdef",
                                      "x:0000000000abcdef",
                                      "17:0000000000abcdef0",
                                      "111111111111111111111111111111:0000000000abcdef"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        assert_int_equal(cli_position_parse(BAD[i], &commit, &tag), HS_EVALUE);
}

static void places_in_the_feed_read_as_they_are_written(void **state)
{
    (void)state;
    char text[CLI_PLACE_BYTES];
    Hallsync__Position place = HALLSYNC__POSITION__INIT;
    place.commit = 17;
    place.tag = 0xabcdef;
    assert_string_equal(cli_place_text(&place, text), "17:0000000000abcdef");
    place.has_ops = 1;
    place.ops = UINT64_MAX; /* a commit that is larger than one answer */
    assert_string_equal(cli_place_text(&place, text), "17:0000000000abcdef+18446744073709551615");
    Hallsync__Position same;
    assert_int_equal(cli_place_parse(text, &same), HS_OK);
    assert_true(same.commit == 17 && same.tag == 0xabcdef && same.has_ops && same.ops == UINT64_MAX);
    place.has_shown_commit = place.has_shown_tag = true;
    place.shown_commit = 23;
    place.shown_tag = 0xfedcba;
    assert_string_equal(cli_place_text(&place, text), "17:0000000000abcdef+18446744073709551615@23:0000000000fedcba");
    assert_int_equal(cli_place_parse(text, &same), HS_OK);
    assert_true(same.has_shown_commit && same.shown_commit == 23 && same.shown_tag == 0xfedcba);
    assert_int_equal(cli_place_parse("17:0000000000abcdef", &same), HS_OK);
    assert_true(same.commit == 17 && same.tag == 0xabcdef && !same.has_ops && same.ops == 0);
    static const char *const BAD[] = {"+1", "17+1", "17:0000000000abcdef+", "17:0000000000abcdef+x",
                                      "17:0000000000abcdef+1+2"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        assert_int_equal(cli_place_parse(BAD[i], &same), HS_EVALUE);
}

static void long_text_is_wrapped(void **state)
{
    (void)state;
    assert_int_equal(cli_wrap("", 5), 0);
    assert_int_equal(cli_wrap("abc", 3), 3);
    assert_int_equal(cli_wrap("abc def", 5), 4); /* behind the space */
    assert_int_equal(cli_wrap("abcdef", 4), 4);  /* there is none */
    assert_int_equal(cli_wrap("王小明", 4), 6);
    assert_int_equal(cli_wrap("王小明", 5), 6); /* half of one does not fit */
    assert_int_equal(cli_wrap("王小明", 1), 3); /* one at the least */
}

static void sizes_are_short(void **state)
{
    (void)state;
    char text[CLI_BYTES_BYTES];
    char age[CLI_AGE_BYTES];
    assert_string_equal(cli_age_text(0, age), "0 s");
    assert_string_equal(cli_age_text(89, age), "89 s");
    assert_string_equal(cli_age_text(90, age), "1 min");
    assert_string_equal(cli_age_text(5399, age), "89 min");
    assert_string_equal(cli_age_text(5400, age), "1 h");
    assert_string_equal(cli_age_text(47 * 3600, age), "47 h");
    assert_string_equal(cli_age_text(48 * 3600, age), "2 d");
    assert_string_equal(cli_age_text(UINT64_MAX, age), "213503982334601 d");
    assert_string_equal(cli_bytes_text(0, text), "0 B");
    assert_string_equal(cli_bytes_text(999, text), "999 B");
    assert_string_equal(cli_bytes_text(1000, text), "1.0 kB");
    assert_string_equal(cli_bytes_text(999999, text), "999.9 kB");
    assert_string_equal(cli_bytes_text(81914863616, text), "81.9 GB");
    assert_string_equal(cli_bytes_text(UINT64_MAX, text), "18.4 EB");
}

/* What is left goes by the bytes: rows are not known before they have been read. */
static void a_rate_says_what_is_left(void **state)
{
    (void)state;
    static const struct {
        struct cli_rate rate;
        const char *text;
    } CASES[] = {
        {{0, 0, 0, 0}, "0 rows, 0/s"},
        {{500, 100, 1000, 500}, "500 rows, 1000/s"}, /* too early to say */
        {{143000, 400, 1000, 10000}, "143000 rows, 14300/s, 16 s left"},
        {{143000, 1, 1000, 10000}, "143000 rows, 14300/s, 2 h left"},
        {{143000, 400, 0, 10000}, "143000 rows, 14300/s"}, /* a pipe */
        {{350000, 1000, 1000, 20000}, "350000 rows, 17500/s"},
        {{UINT64_MAX, 1, UINT64_MAX, UINT64_MAX}, "18446744073709551615 rows, 1000/s, 365 d left"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        char text[CLI_RATE_BYTES];
        assert_ptr_equal(cli_rate_text(&CASES[i].rate, text), text);
        assert_string_equal(text, CASES[i].text);
    }
}

static void width_counts_columns(void **state)
{
    (void)state;
    assert_int_equal(cli_width(""), 0);
    assert_int_equal(cli_width("abc"), 3);
    assert_int_equal(cli_width("王小明"), 6);
    assert_int_equal(cli_width("é"), 1);
    assert_int_equal(cli_width("e\xcc\x81"), 1);
    assert_int_equal(cli_width("（3201）"), 8);
}

/* ---- drafts ---- */

struct made {
    struct cli_draft draft;
    struct cli_bad bad;
};

static void begin(struct made *made, uint32_t kind)
{
    memset(&made->bad, 0, sizeof made->bad);
    assert_int_equal(cli_draft_init(&made->draft, hs_kind_by_number(kind)), HS_OK);
}

static enum hs_err set(struct made *made, const char *name, const char *value)
{
    return cli_draft_text(&made->draft, name, HS_BYTES(value, strlen(value)), &made->bad);
}

static enum hs_err line(struct made *made, uint32_t kind, const char *text)
{
    begin(made, kind);
    return cli_draft_line(&made->draft, HS_BYTES(text, strlen(text)), &made->bad);
}

static void arguments_become_a_payment(void **state)
{
    (void)state;
    struct made made;
    begin(&made, HS_KIND_PAYMENT);
    assert_int_equal(set(&made, "payment_id", "P-1"), HS_OK);
    assert_int_equal(set(&made, "account", "3201000001"), HS_OK);
    assert_int_equal(set(&made, "amount_fen", "12345"), HS_OK);
    assert_int_equal(set(&made, "window", "4294967295"), HS_OK);
    struct hs_buf packed = {0};
    assert_int_equal(cli_draft_pack(&made.draft, &packed), HS_OK);
    Hallsync__Payment *payment = hallsync__payment__unpack(NULL, packed.size, packed.data);
    assert_non_null(payment);
    assert_string_equal(payment->payment_id, "P-1");
    assert_string_equal(payment->account, "3201000001");
    assert_true(payment->has_amount_fen && payment->amount_fen == 12345);
    assert_true(payment->has_window && payment->window == UINT32_MAX);
    assert_null(payment->bill_id);
    hallsync__payment__free_unpacked(payment, NULL);
    hs_buf_fini(&packed);
    cli_draft_fini(&made.draft);
}

static void wrong_arguments_name_field_and_error(void **state)
{
    (void)state;
    static const struct {
        uint32_t kind;
        const char *name, *value;
        enum hs_err err;
    } ROWS[] = {
        {HS_KIND_PAYMENT, "amount", "1", HS_EFIELD},
        {HS_KIND_PAYMENT, "", "1", HS_EFIELD},
        {HS_KIND_PAYMENT, "amount_fen", "12.50", HS_EAMOUNT},
        {HS_KIND_PAYMENT, "amount_fen", "1e3", HS_EAMOUNT},
        {HS_KIND_PAYMENT, "amount_fen", "9223372036854775808", HS_EOVERFLOW},
        {HS_KIND_PAYMENT, "window", "x", HS_EVALUE},
        {HS_KIND_PAYMENT, "window", "-1", HS_EVALUE},
        {HS_KIND_PAYMENT, "window", "4294967296", HS_EOVERFLOW},
        {HS_KIND_PAYMENT, "clerk", "", HS_EVALUE},
        {HS_KIND_PAYMENT, "clerk", "\xff", HS_EUTF8},
        {HS_KIND_PAYMENT, "clerk", "a\rb", HS_EUTF8},
        {HS_KIND_CASH_ENTRY, "time_ms", "-1", HS_EVALUE},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct made made;
        begin(&made, ROWS[i].kind);
        assert_int_equal(set(&made, ROWS[i].name, ROWS[i].value), ROWS[i].err);
        assert_string_equal(made.bad.field, ROWS[i].name);
        assert_true(strlen(made.bad.why.text) > strlen(ROWS[i].name));
        cli_draft_fini(&made.draft);
    }
}

static void a_field_is_given_once(void **state)
{
    (void)state;
    struct made made;
    begin(&made, HS_KIND_CUSTOMER);
    assert_int_equal(set(&made, "name", "王小明"), HS_OK);
    assert_int_equal(set(&made, "name", "王大明"), HS_EVALUE);
    cli_draft_fini(&made.draft);
    assert_int_equal(line(&made, HS_KIND_CUSTOMER, "{\"name\":\"a\",\"name\":\"b\"}"), HS_EVALUE);
    cli_draft_fini(&made.draft);
}

static void empty_clears_a_register_field(void **state)
{
    (void)state;
    struct made made;
    begin(&made, HS_KIND_CUSTOMER);
    assert_int_equal(set(&made, "phone", ""), HS_OK);
    assert_int_equal(made.draft.clear_count, 1);
    assert_int_equal(made.draft.clear[0], 3);
    cli_draft_fini(&made.draft);
    assert_int_equal(line(&made, HS_KIND_CUSTOMER, "{\"account\":\"3201000001\",\"card_no\":null}"), HS_OK);
    assert_int_equal(made.draft.clear_count, 1);
    assert_int_equal(made.draft.clear[0], 6);
    cli_draft_fini(&made.draft);
    assert_int_equal(line(&made, HS_KIND_PAYMENT, "{\"bill_id\":null}"), HS_EVALUE);
    cli_draft_fini(&made.draft);
}

static void ids_of_other_records_are_texts(void **state)
{
    (void)state;
    struct made made;
    struct hs_id id;
    bool hashed;
    hs_id_from_text("T-1", 3, &id, &hashed);
    begin(&made, HS_KIND_TICKET_EVENT);
    assert_int_equal(set(&made, "ticket_id", "T-1"), HS_OK);
    const Hallsync__TicketEvent *event = (const Hallsync__TicketEvent *)made.draft.message;
    assert_int_equal(event->ticket_id.len, HS_ID_BYTES);
    assert_memory_equal(event->ticket_id.data, id.bytes, HS_ID_BYTES);
    cli_draft_fini(&made.draft);

    begin(&made, HS_KIND_TICKET_EVENT);
    assert_int_equal(set(&made, "ticket_id", "00112233-4455-6677-8899-aabbccddeeff"), HS_OK);
    event = (const Hallsync__TicketEvent *)made.draft.message;
    assert_int_equal(event->ticket_id.data[15], 0xff);
    cli_draft_fini(&made.draft);

    char long_text[66];
    memset(long_text, 'x', 65);
    long_text[65] = '\0';
    begin(&made, HS_KIND_TICKET_EVENT);
    assert_int_equal(set(&made, "ticket_id", long_text), HS_EVALUE);
    cli_draft_fini(&made.draft);
}

static void what_is_sent_has_an_id(void **state)
{
    (void)state;
    struct made made;
    char id[HS_ID_TEXT_BYTES];
    begin(&made, HS_KIND_PAYMENT);
    assert_int_equal(cli_draft_make_id(&made.draft, id, &made.bad), HS_OK);
    assert_int_equal(strlen(id), 32);
    assert_string_equal(((const Hallsync__Payment *)made.draft.message)->payment_id, id);
    cli_draft_fini(&made.draft);
    begin(&made, HS_KIND_PAYMENT);
    assert_int_equal(set(&made, "payment_id", "P-1"), HS_OK);
    assert_int_equal(cli_draft_make_id(&made.draft, id, &made.bad), HS_OK);
    assert_string_equal(id, "");
    assert_string_equal(((const Hallsync__Payment *)made.draft.message)->payment_id, "P-1");
    cli_draft_fini(&made.draft);
    begin(&made, HS_KIND_CUSTOMER);
    assert_int_equal(cli_draft_make_id(&made.draft, id, &made.bad), HS_OK);
    assert_string_equal(id, "");
    assert_null(((const Hallsync__Customer *)made.draft.message)->account);
    cli_draft_fini(&made.draft);
}

static void lines_become_records(void **state)
{
    (void)state;
    struct made made;
    assert_int_equal(
        line(&made, HS_KIND_BILL, "{\"bill_id\":\"B1\",\"account\":\"3201000001\",\"amount_fen\":100000000000}"),
        HS_OK);
    const Hallsync__Bill *bill = (const Hallsync__Bill *)made.draft.message;
    assert_string_equal(bill->bill_id, "B1");
    assert_true(bill->amount_fen == 100000000000);
    cli_draft_fini(&made.draft);
}

static void wrong_lines_name_what_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *text, *field;
        enum hs_err err;
    } ROWS[] = {
        {"", "", HS_EVALUE},
        {"nonsense", "", HS_EVALUE},
        {"[]", "", HS_EVALUE},
        {"{\"account\":\"3201000001\"", "", HS_EVALUE},
        {"{\"account\":\"3201000001\"} x", "", HS_EVALUE},
        {"{\"amount\":1}", "amount", HS_EFIELD},
        {"{\"amount_fen\":\"100\"}", "amount_fen", HS_EAMOUNT},
        {"{\"amount_fen\":100.0}", "amount_fen", HS_EAMOUNT},
        {"{\"amount_fen\":1e2}", "amount_fen", HS_EAMOUNT},
        {"{\"amount_fen\":99999999999999999999}", "", HS_EOVERFLOW},
        {"{\"amount_fen\":true}", "amount_fen", HS_EAMOUNT},
        {"{\"account\":3201000001}", "account", HS_EVALUE},
        {"{\"account\":{}}", "account", HS_EVALUE},
        {"{\"window\":1.5}", "window", HS_EVALUE},
        {"{\"clerk\":\"\\u0000\"}", "", HS_EVALUE},
        {"{\"clerk\":\"\xff\"}", "", HS_EUTF8},
        {"{\"clerk\":\"\\u0007\"}", "clerk", HS_EUTF8},
        {"{\"clerk\":\"\"}", "clerk", HS_EVALUE},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct made made;
        assert_int_equal(line(&made, HS_KIND_PAYMENT, ROWS[i].text), ROWS[i].err);
        assert_string_equal(made.bad.field, ROWS[i].field);
        cli_draft_fini(&made.draft);
    }
}

static void values_have_a_limit(void **state)
{
    (void)state;
    struct made made;
    char *big = malloc(HS_FIELD_BYTES_MAX + 1);
    memset(big, 'x', HS_FIELD_BYTES_MAX + 1);
    begin(&made, HS_KIND_CUSTOMER);
    assert_int_equal(cli_draft_text(&made.draft, "remark", HS_BYTES(big, HS_FIELD_BYTES_MAX), &made.bad), HS_OK);
    assert_int_equal(cli_draft_text(&made.draft, "address", HS_BYTES(big, HS_FIELD_BYTES_MAX + 1), &made.bad),
                     HS_ETOOBIG);
    assert_string_equal(made.bad.field, "address");
    cli_draft_fini(&made.draft);
    free(big);
}

static void sentences_do_not_name_the_field_twice(void **state)
{
    (void)state;
    struct cli_bad bad;
    assert_int_equal(cli_bad_text(&bad, HS_EAMOUNT, "amount_fen", "amount_fen: 0 is not above zero"), HS_EAMOUNT);
    assert_string_equal(bad.why.text, "amount_fen: 0 is not above zero");
    cli_bad_text(&bad, HS_EAMOUNT, "amount_fen", "0 is not above zero");
    assert_string_equal(bad.why.text, "amount_fen: 0 is not above zero");
    cli_bad_text(&bad, HS_EFULL, NULL, "full");
    assert_string_equal(bad.why.text, "full");
    assert_string_equal(bad.field, "");
}

/* ---- the tables ---- */

static void errors_have_an_exit_status(void **state)
{
    (void)state;
    static const struct {
        enum hs_err err;
        int status;
    } ROWS[] = {
        {HS_OK, 0},         {HS_ENOTFOUND, 1}, {HS_ERESET, 1},  {HS_ECONFIG, 2},  {HS_EUNREACHABLE, 3},
        {HS_ETIMEDOUT, 3},  {HS_EBUSY, 3},     {HS_EAMOUNT, 4}, {HS_EFIELD, 4},   {HS_ENOPAYMENT, 4},
        {HS_ETOKENUSED, 4}, {HS_EFULL, 4},     {HS_EEXISTS, 4}, {HS_EDAMAGED, 5}, {HS_EINTERNAL, 5},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        assert_int_equal(cli_exit_status(ROWS[i].err), ROWS[i].status);
}

static void read_manual(struct hs_buf *text)
{
    FILE *file = fopen(HS_SOURCE_DIR "/docs/man/hallsync.1", "r");
    assert_non_null(file);
    int c;
    while ((c = getc(file)) != EOF)
        hs_buf_put_u8(text, (uint8_t)c);
    hs_buf_put_u8(text, 0);
    assert_int_equal(text->err, HS_OK);
    fclose(file);
}

static void the_manual_has_every_command_and_option(void **state)
{
    (void)state;
    static const char *const OPTIONS[] = {
#define X(id, name, ...) name,
        CLI_OPTIONS(X)
#undef X
    };
    struct hs_buf manual = {0};
    char wanted[64];
    read_manual(&manual);
    for (size_t i = 0; i < CLI_COMMAND_COUNT; i++) {
        snprintf(wanted, sizeof wanted, ".It Cm %s", CLI_COMMANDS[i].words);
        if (strstr((const char *)manual.data, wanted) == NULL)
            fail_msg("hallsync.1 has no '%s'", wanted);
    }
    for (size_t i = 0; i < sizeof OPTIONS / sizeof *OPTIONS; i++) {
        snprintf(wanted, sizeof wanted, "Fl Fl %s", OPTIONS[i]);
        if (strstr((const char *)manual.data, wanted) == NULL)
            fail_msg("hallsync.1 has no '%s'", wanted);
    }
    hs_buf_fini(&manual);
}

/* ---- the next steps of why ---- */

static uint64_t option_bit(const char *name)
{
    static const struct {
        const char *name;
        uint64_t bit;
    } OPTIONS[] = {
#define X(id, name, ...) {name, CLI_BIT(id)},
        CLI_OPTIONS(X)
#undef X
    };
    for (size_t i = 0; i < sizeof OPTIONS / sizeof *OPTIONS; i++) {
        if (strcmp(OPTIONS[i].name, name) == 0)
            return OPTIONS[i].bit;
    }
    return 0;
}

static const struct cli_command *command_of(const char *line)
{
    const struct cli_command *found = NULL;
    for (size_t i = 0; i < CLI_COMMAND_COUNT; i++) {
        size_t size = strlen(CLI_COMMANDS[i].words);
        bool its = strncmp(line, CLI_COMMANDS[i].words, size) == 0 && (line[size] == ' ' || line[size] == '\0');
        if (its && (found == NULL || size > strlen(found->words)))
            found = &CLI_COMMANDS[i];
    }
    return found;
}

static void the_next_steps_are_commands(void **state)
{
    (void)state;
    static const char PROGRAM[] = "hallsync ";
    for (size_t i = 0; i < HS_CAUSE_COUNT; i++) {
        const char *line = hs_cause_row((enum hs_cause_id)i)->command;
        char rest[HS_CAUSE_COMMAND_BYTES];
        assert_int_equal(strncmp(line, PROGRAM, sizeof PROGRAM - 1), 0);
        line += sizeof PROGRAM - 1;
        const struct cli_command *command = command_of(line);
        if (command == NULL)
            fail_msg("'%s' is no command", line);
        snprintf(rest, sizeof rest, "%s", line + strlen(command->words));
        size_t args = 0;
        for (char *save, *word = strtok_r(rest, " ", &save); word != NULL; word = strtok_r(NULL, " ", &save)) {
            if (strncmp(word, "--", 2) != 0)
                args++;
            else if ((option_bit(word + 2) & command->options) == 0)
                fail_msg("'%s' takes no %s", command->words, word);
        }
        assert_true(args == 0 || command->usage[0] != '\0');
    }
}

static void commands_are_told_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < CLI_COMMAND_COUNT; i++) {
        assert_non_null(CLI_COMMANDS[i].run);
        assert_true(strlen(CLI_COMMANDS[i].help) > 0);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(CLI_COMMANDS[i].words, CLI_COMMANDS[j].words);
    }
    char *help = cli_help_text("payment");
    assert_non_null(strstr(help, "payment reverse"));
    assert_null(strstr(help, "ticket"));
    free(help);
    assert_null(cli_help_text("nothing"));
}

/* ---- lines ---- */

static void lines_are_counted_and_bounded(void **state)
{
    (void)state;
    FILE *file = tmpfile();
    fputs("\xef\xbb\xbf\n  \n{}\r\n", file);
    for (size_t i = 0; i < CLI_LINE_BYTES_MAX + 10; i++)
        putc('x', file);
    fputs("\nlast", file);
    rewind(file);
    struct cli_input input;
    struct hs_buf text = {0};
    uint64_t at;
    cli_input_init(&input, fileno(file));
    assert_true(cli_input_line(&input, &text, &at));
    assert_int_equal(at, 3);
    assert_true(hs_bytes_equal(hs_buf_bytes(&text), TEXT("{}")));
    assert_true(cli_input_line(&input, &text, &at));
    assert_int_equal(at, 4);
    assert_int_equal(text.err, HS_ETOOBIG);
    assert_true(cli_input_line(&input, &text, &at));
    assert_int_equal(at, 5);
    assert_true(hs_bytes_equal(hs_buf_bytes(&text), TEXT("last")));
    assert_false(cli_input_line(&input, &text, &at));
    hs_buf_fini(&text);
    fclose(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(money_has_commas_and_two_decimals),
        cmocka_unit_test(durations_need_a_unit),
        cmocka_unit_test(numbers_stay_below_their_limit),
        cmocka_unit_test(dates_are_of_the_calendar),
        cmocka_unit_test(times_are_local),
        cmocka_unit_test(positions_read_as_they_are_written),
        cmocka_unit_test(places_in_the_feed_read_as_they_are_written),
        cmocka_unit_test(width_counts_columns),
        cmocka_unit_test(long_text_is_wrapped),
        cmocka_unit_test(sizes_are_short),
        cmocka_unit_test(a_rate_says_what_is_left),
        cmocka_unit_test(arguments_become_a_payment),
        cmocka_unit_test(wrong_arguments_name_field_and_error),
        cmocka_unit_test(a_field_is_given_once),
        cmocka_unit_test(empty_clears_a_register_field),
        cmocka_unit_test(ids_of_other_records_are_texts),
        cmocka_unit_test(what_is_sent_has_an_id),
        cmocka_unit_test(lines_become_records),
        cmocka_unit_test(wrong_lines_name_what_is_wrong),
        cmocka_unit_test(values_have_a_limit),
        cmocka_unit_test(sentences_do_not_name_the_field_twice),
        cmocka_unit_test(errors_have_an_exit_status),
        cmocka_unit_test(the_manual_has_every_command_and_option),
        cmocka_unit_test(the_next_steps_are_commands),
        cmocka_unit_test(commands_are_told_apart),
        cmocka_unit_test(lines_are_counted_and_bounded),
    };
    return cmocka_run_group_tests_name("cli_json", tests, NULL, NULL);
}
