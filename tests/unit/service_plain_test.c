/* service_plain_test.c -- kinds without rules of their own, through the local API: written by their shape, with ids
 * that follow from their fields, found by every index.  Ratings are the example. */
#include "tests/unit/service_desk.h"

#define PAYMENT_ID "00112233445566778899aabbccddeeff"
#define RATE(...)  put_rating(client, (Hallsync__Rating){MESSAGE(rating), __VA_ARGS__})

static uint8_t PAID[HS_ID_BYTES] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
                                    0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};

static const Hallsync__PutResult *put_rating(struct client *client, Hallsync__Rating rating)
{
    rating.has_score = rating.score != 0;
    rating.has_window = rating.window != 0;
    if (!rating.has_of_id && rating.of_kind != NULL) {
        rating.has_of_id = true;
        rating.of_id = (ProtobufCBinaryData){sizeof PAID, PAID};
    }
    return put(client, &(struct putting){.kind = HS_KIND_RATING, .message = &rating.base});
}

static size_t count_found(struct client *client, const char *index, const char *key, const char *then)
{
    Hallsync__FindRequest body = HALLSYNC__FIND_REQUEST__INIT;
    body.kind = HS_KIND_RATING;
    body.index = TEXT(index);
    body.key = TEXT(key);
    body.then = TEXT(then);
    const Hallsync__Reply *reply = find(client, &body);
    if (reply->error != NULL)
        fail_msg("%s: %s", reply->error, reply->text);
    return reply->records->n_records;
}

static void a_service_is_rated_once(void **state)
{
    struct desk *desk = *state;
    struct client *client = &desk->client;
    char id[HS_ID_TEXT_BYTES];
    const Hallsync__PutResult *result = RATE(.of_kind = TEXT("payment"), .score = 5, .window = 3,
                                             .comment = TEXT("好"));
    assert_result(result, HALLSYNC__RESULT__RESULT_CREATED);
    assert_int_equal(strlen(result->id), 32);
    snprintf(id, sizeof id, "%s", result->id);
    restart(desk);
    assert_result(RATE(.of_kind = TEXT("payment"), .score = 5, .window = 3, .comment = TEXT("好")),
                  HALLSYNC__RESULT__RESULT_EXISTS);
    assert_refused(RATE(.of_kind = TEXT("payment"), .score = 1, .window = 3), "id-in-use", NULL);
    /* The same number of another kind is another service. */
    assert_result(RATE(.of_kind = TEXT("ticket"), .score = 1), HALLSYNC__RESULT__RESULT_CREATED);

    const Hallsync__Record *record = get_record(client, HS_KIND_RATING, id);
    assert_int_equal(record->partition, 3201);
    Hallsync__Rating *rating = hallsync__rating__unpack(NULL, record->record.len, record->record.data);
    assert_string_equal(rating->rating_id, id); /* filled in for people */
    assert_int_equal(rating->score, 5);
    assert_string_equal(rating->comment, "好");
    hallsync__rating__free_unpacked(rating, NULL);
}

static void an_id_that_follows_may_be_named_but_not_chosen(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    char id[HS_ID_TEXT_BYTES];
    snprintf(id, sizeof id, "%s", RATE(.of_kind = TEXT("payment"), .score = 4)->id);
    assert_result(RATE(.rating_id = id, .of_kind = TEXT("payment"), .score = 4), HALLSYNC__RESULT__RESULT_EXISTS);
    assert_refused(RATE(.rating_id = id, .of_kind = TEXT("ticket"), .score = 4), "bad-value", "rating_id");
    assert_refused(RATE(.rating_id = TEXT("mine"), .of_kind = TEXT("payment"), .score = 4), "bad-value", "rating_id");
    Hallsync__Rating rating = {MESSAGE(rating), .of_kind = TEXT("ticket"), .has_of_id = true, .has_score = true};
    rating.of_id = (ProtobufCBinaryData){sizeof PAID, PAID};
    rating.score = 2;
    struct putting beside = {.kind = HS_KIND_RATING, .message = &rating.base, .id = HS_BYTES(PAID, sizeof PAID)};
    assert_refused(put(client, &beside), "bad-value", "rating_id");
}

static void bad_ratings_are_refused_by_field(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    assert_refused(RATE(.of_kind = TEXT("weather"), .score = 1), "bad-value", "of_kind");
    assert_refused(RATE(.of_kind = TEXT("payment"), .score = 6), "overflow", "score");
    assert_refused(RATE(.of_kind = TEXT("payment")), "missing-field", "score");
    assert_refused(RATE(.score = 1), "missing-field", "of_kind");
}

static void ratings_are_found_by_service_window_and_clerk(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    static const char *const KINDS[] = {"payment", "ticket", "queue_ticket", "appointment"};
    for (unsigned i = 0; i < 4; i++)
        assert_result(RATE(.of_kind = TEXT(KINDS[i]), .score = i + 1, .window = 1 + i % 2, .clerk = TEXT("li")),
                      HALLSYNC__RESULT__RESULT_CREATED);
    assert_int_equal(count_found(client, "of_id", PAYMENT_ID, NULL), 4);
    assert_int_equal(count_found(client, "window", "2", NULL), 2);
    assert_int_equal(count_found(client, "window", "3", NULL), 0);
    assert_int_equal(count_found(client, "clerk", "li", NULL), 4);
    Hallsync__FindRequest body = HALLSYNC__FIND_REQUEST__INIT;
    body.kind = HS_KIND_RATING;
    body.index = TEXT("window");
    body.key = TEXT("two");
    assert_string_equal(find(client, &body)->error, "bad-value");
    body.key = TEXT("2");
    body.then = TEXT("li");
    assert_string_equal(find(client, &body)->error, "bad-value"); /* it has no second field */
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_hall, close_desk)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_service_is_rated_once),
        CASE(an_id_that_follows_may_be_named_but_not_chosen),
        CASE(bad_ratings_are_refused_by_field),
        CASE(ratings_are_found_by_service_window_and_clerk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
