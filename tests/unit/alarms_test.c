/* alarms_test.c -- which alarms are in force by a status, what has changed, what is told in an hour, and the sentences.
 */
#include "tests/lib/made_doc.h"

#include "node/status/alarms.h"

#define DOCS_PATH HS_SOURCE_DIR "/docs/hooks.md"
#define MARK                                                                                                       \
    "<!-- From here on made by tests/unit/alarms_test.c of node/status/alarms.h; HS_WRITE_DOCS=1 writes it anew. " \
    "-->\n"
#define NOW_MS       1795320000000ULL
#define HOUR_MS      3600000ULL
#define DAY_MS       (24 * HOUR_MS)
#define TEXT(text)   ((char *)(uintptr_t)(text))
#define COUNT(array) (sizeof(array) / sizeof *(array))

/* ---- a status ---- */

struct place {
    Hallsync__StatusReply status;
    Hallsync__PeerStatus peers[4];
    Hallsync__PeerStatus *rows[4];
    struct hs_alarms before, after;
    char told[1024]; /* "begins disk nj-hub 1\n"... */
};

static int open_place(void **state)
{
    static struct place place;
    place = (struct place){.status = HALLSYNC__STATUS_REPLY__INIT};
    place.status.node_id = TEXT("nj-hub");
    place.status.role = TEXT("hub");
    place.status.has_started_ms = true;
    place.status.started_ms = NOW_MS - DAY_MS;
    place.status.peers = place.rows;
    *state = &place;
    return 0;
}

static int close_place(void **state)
{
    struct place *place = *state;
    hs_alarms_fini(&place->before);
    hs_alarms_fini(&place->after);
    return 0;
}

static Hallsync__PeerStatus *peer(struct place *place, const char *node, const char *standing)
{
    size_t n = place->status.n_peers++;
    Hallsync__PeerStatus *one = place->rows[n] = &place->peers[n];
    hallsync__peer_status__init(one);
    one->node_id = TEXT(node);
    one->role = TEXT("hall");
    one->state = TEXT(standing);
    return one;
}

static void tell(void *ctx, struct hs_alarm *alarm, enum hs_alarm_phase phase)
{
    struct place *place = ctx;
    size_t size = strlen(place->told);
    snprintf(place->told + size, sizeof place->told - size, "%s %s %s %llu\n", hs_alarm_phase_text(phase),
             hs_alarm_row(alarm->id)->name, alarm->node, (unsigned long long)alarm->count);
}

/* What the status says now, against what it said the last time. */
static const char *changes(struct place *place, uint64_t now_ms)
{
    struct hs_alarms spare = place->before;
    place->before = place->after;
    place->after = spare;
    place->told[0] = '\0';
    hs_alarms_look(&place->status, now_ms, &place->before, &place->after);
    assert_false(place->after.cut);
    hs_alarms_compare(&place->before, &place->after, tell, place);
    return place->told;
}

/* ---- edges ---- */

static void it_begins_grows_and_ends(void **state)
{
    struct place *place = *state;
    assert_string_equal(changes(place, NOW_MS), "");
    place->status.parked = 2;
    place->status.disk_level = TEXT("low");
    assert_string_equal(changes(place, NOW_MS), "begins disk nj-hub 1\nbegins parked nj-hub 2\n");
    assert_string_equal(changes(place, NOW_MS + 1), "");
    place->status.parked = 3;
    place->status.disk_level = TEXT("full");
    assert_string_equal(changes(place, NOW_MS + 2), "grows disk nj-hub 3\ngrows parked nj-hub 3\n");
    assert_int_equal(place->after.list[0].since_ms, NOW_MS);
    place->status.parked = 1;
    place->status.disk_level = NULL;
    assert_string_equal(changes(place, NOW_MS + 3), "ends disk nj-hub 3\n");
    place->status.parked = 0;
    assert_string_equal(changes(place, NOW_MS + 4), "ends parked nj-hub 1\n");
    assert_string_equal(changes(place, NOW_MS + 5), "");
}

static void the_node_says_what_is_wrong_with_it(void **state)
{
    struct place *place = *state;
    Hallsync__StatusReply *status = &place->status;
    Hallsync__BackupStatus backup = HALLSYNC__BACKUP_STATUS__INIT;
    Hallsync__CheckStatus checked = HALLSYNC__CHECK_STATUS__INIT;
    Hallsync__BooksStatus books = HALLSYNC__BOOKS_STATUS__INIT;
    Hallsync__OlderCopyStatus older = HALLSYNC__OLDER_COPY_STATUS__INIT;
    status->backup = &backup;
    status->checked = &checked;
    status->books = &books;
    backup.has_last_ms = true;
    backup.last_ms = NOW_MS - 3 * DAY_MS + 1;
    assert_string_equal(changes(place, NOW_MS), "");
    backup.last_ms--;
    backup.has_failed_ms = true;
    backup.failed = TEXT("disk-full");
    checked.found = 4;
    books.differ = 2;
    books.date = 20261121;
    status->older_copy = &older;
    status->revoked = TEXT("stolen by Li Si");
    status->forks = status->stopped_streams = status->conflicts = 1;
    status->has_rotten = true;
    status->rotten = 5;
    status->n_withheld = 1;
    assert_string_equal(changes(place, NOW_MS),
                        "begins revoked nj-hub 0\nbegins fork nj-hub 1\nbegins withheld nj-hub 1\n"
                        "begins stopped-stream nj-hub 1\nbegins damage nj-hub 4\nbegins rotten nj-hub 5\n"
                        "begins older-copy nj-hub 0\nbegins backup-failed nj-hub 0\nbegins backup-old nj-hub 0\n"
                        "begins books-differ nj-hub 2\nbegins conflict nj-hub 1\n");
    status->n_withheld = 0;
    for (size_t i = 0; i < place->after.count; i++)
        assert_null(strstr(place->after.list[i].detail, "Li Si")); /* what people wrote of people */
}

static void a_hall_is_away_after_an_hour(void **state)
{
    struct place *place = *state;
    Hallsync__PeerStatus *hall = peer(place, "hall-1", "away");
    hall->has_seen_ms = true;
    hall->seen_ms = NOW_MS - HOUR_MS + 1;
    assert_string_equal(changes(place, NOW_MS), "");
    assert_string_equal(changes(place, NOW_MS + 1), "begins away hall-1 0\n");
    assert_string_equal(changes(place, NOW_MS + HOUR_MS), ""); /* longer, but told once */
    hall->state = TEXT("live");
    assert_string_equal(changes(place, NOW_MS + HOUR_MS), "ends away hall-1 0\n");
    static const char *const OTHERS[][2] = {
        {"standby", NULL}, {"twin", NULL}, {"enrolled", NULL}, {"expired", NULL}, {"away", "revoked"}};
    for (size_t i = 0; i < COUNT(OTHERS); i++) {
        hall->state = TEXT(OTHERS[i][0]);
        hall->reason = TEXT(OTHERS[i][1]);
        assert_string_equal(changes(place, NOW_MS + DAY_MS), "");
    }
    hall->state = TEXT("away");
    hall->reason = NULL;
    peer(place, "hall-1", "live"); /* under another key */
    assert_string_equal(changes(place, NOW_MS + DAY_MS), "");
    place->status.n_peers = 1;
    place->status.started_ms = NOW_MS + DAY_MS - 299999; /* a hub that has just started */
    assert_string_equal(changes(place, NOW_MS + DAY_MS), "");
    assert_string_equal(changes(place, NOW_MS + DAY_MS + 1), "begins away hall-1 0\n");
    place->status.role = TEXT("hall"); /* it knows others as well, and waits for none */
    assert_string_equal(changes(place, NOW_MS + DAY_MS + 2), "ends away hall-1 0\n");
}

static void a_hall_is_cut_off_when_no_hub_is_reached(void **state)
{
    struct place *place = *state;
    place->status.role = TEXT("hall");
    place->status.node_id = TEXT("hall-1");
    assert_string_equal(changes(place, NOW_MS), "");
    Hallsync__PeerStatus *hub = peer(place, "nj-hub", "down"), *witness = peer(place, "witness", "down");
    hub->role = TEXT("hub");
    hub->group = witness->group = TEXT("hub");
    hub->has_since_ms = witness->has_since_ms = true;
    hub->since_ms = witness->since_ms = NOW_MS - 2 * HOUR_MS;
    witness->role = TEXT("witness");
    assert_string_equal(changes(place, NOW_MS), "begins cut-off hall-1 0\n");
    witness->state = TEXT("live"); /* no hub */
    assert_string_equal(changes(place, NOW_MS), "");
    peer(place, "other-hub", "live")->group = TEXT("far");
    assert_string_equal(changes(place, NOW_MS), "ends cut-off hall-1 0\n");
}

static void of_others_their_disk_backup_clock_and_records(void **state)
{
    struct place *place = *state;
    Hallsync__PeerStatus *hall = peer(place, "hall-1", "live");
    hall->disk_level = TEXT("plenty"); /* as halls say it of themselves */
    assert_string_equal(changes(place, NOW_MS), "");
    hall->disk_level = TEXT("scarce");
    hall->has_backup_ms = hall->has_clock_offset_ms = hall->has_round_trip_ms = true;
    hall->backup_ms = NOW_MS - 4 * DAY_MS;
    hall->round_trip_ms = 500;
    hall->clock_offset_ms = -60500;
    hall->comparison = TEXT("lag");
    assert_string_equal(changes(place, NOW_MS), "begins disk hall-1 2\nbegins backup-old hall-1 0\n");
    hall->clock_offset_ms = -60501;
    hall->comparison = TEXT("damage");
    assert_string_equal(changes(place, NOW_MS), "begins differs hall-1 0\nbegins clock hall-1 0\n");
}

/* ---- what is not known goes on ---- */

static void what_a_hall_does_not_say_now_goes_on(void **state)
{
    struct place *place = *state;
    Hallsync__PeerStatus *hall = peer(place, "hall-1", "live");
    hall->disk_level = TEXT("full");
    hall->has_backup_ms = hall->has_clock_offset_ms = true;
    hall->backup_ms = NOW_MS - 4 * DAY_MS;
    hall->clock_offset_ms = 90000;
    hall->comparison = TEXT("damage");
    assert_string_equal(changes(place, NOW_MS), "begins differs hall-1 0\nbegins disk hall-1 3\nbegins clock hall-1 0\n"
                                                "begins backup-old hall-1 0\n");
    hall->state = TEXT("away"); /* the link breaks ... */
    hall->has_seen_ms = true;
    hall->seen_ms = NOW_MS;
    hall->has_clock_offset_ms = false;
    hall->comparison = NULL;
    assert_string_equal(changes(place, NOW_MS), "");
    hall->state = TEXT("live"); /* ... and a new session has said nothing yet */
    hall->has_clock_offset_ms = true;
    hall->clock_offset_ms = 90000;
    hall->disk_level = NULL;
    hall->has_backup_ms = false;
    assert_string_equal(changes(place, NOW_MS), "");
    hall->comparison = TEXT("lag"); /* which is no proof */
    assert_string_equal(changes(place, NOW_MS), "");
    hall->disk_level = TEXT("low");
    hall->has_backup_ms = true;
    hall->backup_ms = NOW_MS;
    hall->clock_offset_ms = 0;
    hall->comparison = TEXT("equal");
    assert_string_equal(changes(place, NOW_MS),
                        "ends differs hall-1 0\nends clock hall-1 0\nends backup-old hall-1 0\n");
    hall->disk_level = NULL;
    hall->reason = TEXT("revoked"); /* nobody waits for what it says */
    assert_string_equal(changes(place, NOW_MS), "ends disk hall-1 1\n");
}

static void what_the_node_cannot_tell_goes_on(void **state)
{
    struct place *place = *state;
    Hallsync__StatusReply *status = &place->status;
    Hallsync__BackupStatus backup = HALLSYNC__BACKUP_STATUS__INIT;
    Hallsync__CheckStatus checked = HALLSYNC__CHECK_STATUS__INIT;
    Hallsync__BooksStatus books = HALLSYNC__BOOKS_STATUS__INIT;
    status->backup = &backup;
    status->checked = &checked;
    status->books = &books;
    status->has_rotten = backup.has_last_ms = true;
    backup.last_ms = 1;
    checked.found = status->rotten = books.differ = 2;
    books.date = 20261121;
    assert_string_equal(changes(place, NOW_MS),
                        "begins damage nj-hub 2\nbegins rotten nj-hub 2\nbegins backup-old nj-hub 0\n"
                        "begins books-differ nj-hub 2\n");
    status->checked = NULL;
    status->books = NULL;
    status->has_rotten = backup.has_last_ms = false; /* the file is gone: that is no new backup */
    assert_string_equal(changes(place, NOW_MS), "");
    assert_string_equal(changes(place, NOW_MS), "");
    checked.found = books.differ = status->rotten = 0;
    status->checked = &checked;
    status->books = &books;
    status->has_rotten = backup.has_last_ms = true;
    backup.last_ms = NOW_MS;
    assert_string_equal(changes(place, NOW_MS), "ends damage nj-hub 2\nends rotten nj-hub 2\nends backup-old nj-hub 0\n"
                                                "ends books-differ nj-hub 2\n");
}

static void each_day_has_books_of_its_own(void **state)
{
    struct place *place = *state;
    Hallsync__BooksStatus books = HALLSYNC__BOOKS_STATUS__INIT;
    char text[HS_ALARM_TEXT_BYTES];
    place->status.books = &books;
    books.differ = 2;
    books.date = 20261121;
    assert_string_equal(changes(place, NOW_MS), "begins books-differ nj-hub 2\n");
    books.differ = 1;
    books.date = 20261122;
    assert_string_equal(changes(place, NOW_MS), "ends books-differ nj-hub 2\nbegins books-differ nj-hub 1\n");
    hs_alarm_text(&place->before.list[0], HS_ALARM_ENDS, false, text);
    assert_non_null(strstr(text, "2026-11-21")); /* and nobody has said that those agree now */
    assert_null(strstr(text, "all books"));
}

static void a_clock_at_the_edge_is_told_once(void **state)
{
    struct place *place = *state;
    Hallsync__PeerStatus *hall = peer(place, "hall-1", "live");
    hall->has_clock_offset_ms = true;
    hall->clock_offset_ms = 60001;
    assert_string_equal(changes(place, NOW_MS), "begins clock hall-1 0\n");
    hall->clock_offset_ms = 59999;
    assert_string_equal(changes(place, NOW_MS), "");
    hall->clock_offset_ms = -45000;
    assert_string_equal(changes(place, NOW_MS), "ends clock hall-1 0\n");
    hall->clock_offset_ms = 59999;
    assert_string_equal(changes(place, NOW_MS), "");
}

/* A greeting under way says nothing of how long there was none. */
static void a_greeting_is_no_absence(void **state)
{
    struct place *place = *state;
    Hallsync__PeerStatus *hall = peer(place, "hall-1", "hello");
    assert_string_equal(changes(place, NOW_MS), "");
    peer(place, "hall-1", "away")->has_seen_ms = true;
    place->peers[1].seen_ms = NOW_MS - HOUR_MS;
    assert_string_equal(changes(place, NOW_MS), "begins away hall-1 0\n");
    hall->group = TEXT("hub"); /* one that this node dials: from the start on */
    place->peers[1].seen_ms = NOW_MS;
    assert_string_equal(changes(place, NOW_MS), "");
    hall->has_seen_ms = true;
    hall->seen_ms = NOW_MS;
    assert_string_equal(changes(place, NOW_MS), "ends away hall-1 0\n");
}

static void of_several_rows_the_worst_counts(void **state)
{
    struct place *place = *state;
    peer(place, "hall-1", "live")->disk_level = TEXT("low");
    peer(place, "hall-1", "live")->disk_level = TEXT("full");
    assert_string_equal(changes(place, NOW_MS), "begins disk hall-1 3\n");
    place->peers[0].disk_level = TEXT("full");
    place->peers[1].disk_level = TEXT("low");
    assert_string_equal(changes(place, NOW_MS), "");
}

/* ---- sentences ---- */

static void each_has_a_sentence(void **state)
{
    (void)state;
    struct hs_alarm alarm = {.node = "hall-1", .count = 3, .span_s = 7200, .detail = "low"};
    char text[HS_ALARM_TEXT_BYTES];
    for (unsigned id = 0; id < HS_ALARM_COUNT; id++) {
        for (unsigned phase = HS_ALARM_BEGINS; phase <= HS_ALARM_ENDS; phase++) {
            alarm.id = (enum hs_alarm_id)id;
            hs_alarm_text(&alarm, (enum hs_alarm_phase)phase, false, text);
            assert_true(strlen(text) > 10 && strchr(text, '{') == NULL);
            hs_alarm_text(&alarm, (enum hs_alarm_phase)phase, true, text);
            assert_true(strlen(text) > 10 && strchr(text, '{') == NULL);
        }
    }
    alarm.id = HS_ALARM_AWAY;
    assert_string_equal(hs_alarm_text(&alarm, HS_ALARM_BEGINS, false, text), "hall-1 has not been connected for 2 h");
    assert_string_equal(hs_alarm_text(&alarm, HS_ALARM_BEGINS, true, text), "hall-1 已 2小时 未连接");
    assert_string_equal(hs_alarm_text(&alarm, HS_ALARM_ENDS, false, text), "hall-1 is connected again");
}

/* ---- so many an hour ---- */

static bool take(struct hs_alarm_quota *quota, struct hs_alarm *alarm, enum hs_alarm_phase phase, uint64_t at_ms)
{
    return hs_alarm_quota_take(quota, alarm, phase, at_ms);
}

static void so_many_an_hour_are_told(void **state)
{
    (void)state;
    struct hs_alarm_quota quota = {.per_hour = 2};
    struct hs_alarm away[4] = {
        {.id = HS_ALARM_AWAY}, {.id = HS_ALARM_AWAY}, {.id = HS_ALARM_AWAY}, {.id = HS_ALARM_AWAY}};
    struct hs_alarm fork = {.id = HS_ALARM_FORK};
    uint64_t at = 5;
    assert_true(take(&quota, &away[0], HS_ALARM_BEGINS, at));
    assert_true(take(&quota, &away[1], HS_ALARM_BEGINS, at + 1));
    assert_false(take(&quota, &away[2], HS_ALARM_BEGINS, at + 2));
    assert_false(take(&quota, &away[0], HS_ALARM_GROWS, at + 3));
    assert_true(take(&quota, &fork, HS_ALARM_BEGINS, at + 4));  /* of each by itself */
    assert_true(take(&quota, &away[0], HS_ALARM_ENDS, at + 5)); /* what was told, its end is told */
    assert_false(take(&quota, &away[2], HS_ALARM_ENDS, at + 6));
    assert_int_equal(hs_alarm_quota_ended(&quota, HS_ALARM_AWAY, at + HOUR_MS - 1), 0);
    assert_int_equal(hs_alarm_quota_ended(&quota, HS_ALARM_AWAY, at + HOUR_MS), 2);
    assert_int_equal(hs_alarm_quota_ended(&quota, HS_ALARM_AWAY, at + HOUR_MS), 0);
    assert_int_equal(hs_alarm_quota_ended(&quota, HS_ALARM_FORK, at + 2 * HOUR_MS), 0);
    assert_true(take(&quota, &away[3], HS_ALARM_BEGINS, at + HOUR_MS));
}

/* What was left out is said, also when the next hour begins with something that is told. */
static void what_was_left_out_is_not_forgotten(void **state)
{
    (void)state;
    struct hs_alarm_quota quota = {.per_hour = 1};
    struct hs_alarm one = {.id = HS_ALARM_DISK}, other = {.id = HS_ALARM_DISK};
    assert_true(take(&quota, &one, HS_ALARM_BEGINS, 0));
    assert_false(take(&quota, &other, HS_ALARM_BEGINS, 1));
    assert_true(take(&quota, &other, HS_ALARM_GROWS, HOUR_MS));
    assert_int_equal(hs_alarm_quota_ended(&quota, HS_ALARM_DISK, HOUR_MS), 1); /* in a storm, too: an hour at most */
    assert_int_equal(hs_alarm_quota_ended(&quota, HS_ALARM_DISK, 2 * HOUR_MS), 0);
    assert_false(take(&quota, &one, HS_ALARM_GROWS, HOUR_MS + 1)); /* ... and the next hour goes on */
    assert_int_equal(hs_alarm_quota_ended(&quota, HS_ALARM_DISK, 2 * HOUR_MS), 1);
}

/* ---- the document ---- */

static void the_document_has_all_alarms(void **state)
{
    (void)state;
    struct hs_buf doc = {0};
    hs_buf_put_format(
        &doc, "\n| alarm | severity | it begins or grows | 中文 | it ends | 中文 |\n|---|---|---|---|---|---|\n");
    for (unsigned id = 0; id < HS_ALARM_COUNT; id++) {
        const struct hs_alarm_row *row = hs_alarm_row((enum hs_alarm_id)id);
        hs_buf_put_format(&doc, "| `%s` | %s | %s | %s | %s | %s |\n", row->name, hs_severity_text(row->severity),
                          row->en, row->zh, row->over_en, row->over_zh);
    }
    made_doc_check(DOCS_PATH, MARK, &doc);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, open_place, close_place)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(it_begins_grows_and_ends),
        CASE(the_node_says_what_is_wrong_with_it),
        CASE(a_hall_is_away_after_an_hour),
        CASE(a_hall_is_cut_off_when_no_hub_is_reached),
        CASE(of_others_their_disk_backup_clock_and_records),
        CASE(what_a_hall_does_not_say_now_goes_on),
        CASE(what_the_node_cannot_tell_goes_on),
        CASE(each_day_has_books_of_its_own),
        CASE(a_clock_at_the_edge_is_told_once),
        CASE(a_greeting_is_no_absence),
        CASE(of_several_rows_the_worst_counts),
        cmocka_unit_test(each_has_a_sentence),
        cmocka_unit_test(the_document_has_all_alarms),
        cmocka_unit_test(so_many_an_hour_are_told),
        cmocka_unit_test(what_was_left_out_is_not_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
