/* link_test.c -- two halls and two hubs over tcp while calls fail: what comes in is what somebody sent, whole and to
 * whom it was meant; what does not come is noticed, the connection is dropped and comes back.  Each hall dials both
 * hubs, in two groups. */
#include "tests/fault/fault.h"

#include "node/link/link.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define HALLS      2
#define HUBS       2
#define ROUNDS     3     /* a hall sends so many frames, each after the answer to the one before */
#define FAULTY_MS  150   /* what fails for good does so for so long after the first time */
#define ANSWER_MS  500   /* of silence: the hall drops the connection, as its heartbeats would */
#define HEALING_MS 20000 /* all must be well by then once nothing fails any more */
#define PAD_BYTES  3000

struct end {
    struct hs_key public_key;
    uint8_t secret[HS_KEY_BYTES];
    struct hs_link *link;
};

/* What a hall has with one of the hubs. */
struct talk {
    hs_peer hub; /* 0: not connected */
    unsigned answered;
    uint64_t answer_by_ms;
};

struct hall {
    struct end end;
    unsigned number;
    struct talk talks[HUBS];
};

struct line {
    struct end hubs[HUBS];
    struct hall halls[HALLS];
};

/* What hall @number says, or hears, in @round. */
static struct hs_bytes frame_of(const char *direction, unsigned number, unsigned round)
{
    static uint8_t bytes[PAD_BYTES];
    memset(bytes, (int)('a' + number * ROUNDS + round), sizeof bytes);
    snprintf((char *)bytes, sizeof bytes, "%s %u %u", direction, number, round);
    return HS_BYTES(bytes, sizeof bytes - number);
}

/* ---- life ---- */

static void make_keys(struct end *end)
{
    assert_int_equal(crypto_box_keypair(end->public_key.bytes, end->secret), 0);
}

static void open_end(struct end *end, struct hs_link_options *options)
{
    options->curve_public = end->public_key;
    options->curve_secret = end->secret;
    assert_int_equal(hs_link_new(options, &end->link, NULL), HS_OK);
}

/* The second hall dials by name. */
static void open_hall(struct line *line, unsigned number)
{
    struct hall *hall = &line->halls[number];
    struct hs_link_upstream upstreams[HUBS];
    struct hs_link_options options = {.upstreams = upstreams, .upstream_count = HUBS};
    for (unsigned i = 0; i < HUBS; i++) {
        const char *port = strrchr(hs_link_address(line->hubs[i].link, 0), ':');
        upstreams[i] = (struct hs_link_upstream){.curve_key = line->hubs[i].public_key, .group = i};
        snprintf(upstreams[i].address, sizeof upstreams[i].address, "tcp://%s%s",
                 number == 0 ? "127.0.0.1" : "localhost", port);
    }
    options.backoff_min_ms = 10;
    options.backoff_max_ms = 50;
    options.connect_ms = 1000;
    *hall = (struct hall){.number = number};
    make_keys(&hall->end);
    open_end(&hall->end, &options);
}

static void open_line(struct line *line)
{
    const char *address = "tcp://127.0.0.1:*";
    struct hs_link_options options = {.listen = &address, .listen_count = 1, .unknown_max = 1000};
    for (unsigned i = 0; i < HUBS; i++) {
        make_keys(&line->hubs[i]);
        open_end(&line->hubs[i], &options);
    }
    for (unsigned i = 0; i < HALLS; i++)
        open_hall(line, i);
}

static void close_line(struct line *line)
{
    for (unsigned i = 0; i < HALLS; i++)
        hs_link_free(line->halls[i].end.link);
    for (unsigned i = 0; i < HUBS; i++)
        hs_link_free(line->hubs[i].link);
}

/* ---- a turn of each end ---- */

/* False: no event was there. */
static bool next(struct hs_link *link, struct hs_link_event *event)
{
    enum hs_err err = hs_link_next(link, 0, event);
    assert_true(err == HS_OK || err == HS_ETIMEDOUT);
    return err == HS_OK;
}

static const struct hall *hall_of(const struct line *line, const struct hs_key *key)
{
    for (unsigned i = 0; i < HALLS; i++) {
        if (hs_key_equal(&line->halls[i].end.public_key, key))
            return &line->halls[i];
    }
    fail_msg("a frame of nobody");
    return NULL;
}

static unsigned round_of(struct hs_bytes data, const char *direction, unsigned number)
{
    unsigned round = 0;
    while (round < ROUNDS && !hs_bytes_equal(data, frame_of(direction, number, round)))
        round++;
    if (round == ROUNDS)
        fail_msg("%zu bytes that nobody sent to it: %.*s", data.size, data.size < 20 ? (int)data.size : 20,
                 (const char *)data.data);
    return round;
}

static void turn_hub(const struct line *line, struct hs_link *link)
{
    struct hs_link_event event;
    while (next(link, &event)) {
        if (event.type != HS_LINK_FRAME)
            continue;
        const struct hall *hall = hall_of(line, &event.curve_key);
        hs_peer peer = event.peer;
        unsigned round = round_of(event.data, "from", hall->number);
        if (hs_link_send(link, peer, frame_of("to", hall->number, round)) != HS_OK)
            hs_link_drop(link, peer, true);
    }
}

static void drop(struct hall *hall, struct talk *talk)
{
    hs_link_drop(hall->end.link, talk->hub, true);
    talk->hub = 0;
}

static void say(struct hall *hall, struct talk *talk)
{
    talk->answer_by_ms = hs_link_now_ms() + ANSWER_MS;
    if (hs_link_send(hall->end.link, talk->hub, frame_of("from", hall->number, talk->answered)) != HS_OK)
        drop(hall, talk);
}

/* A message that could not be sent whole is ended, and comes as one without bytes: no frame of the protocol. */
static void hear(struct hall *hall, struct talk *talk, struct hs_bytes data)
{
    if (data.size == 0) {
        assert_true(fault_hit());
        drop(hall, talk);
    } else if (round_of(data, "to", hall->number) == talk->answered && ++talk->answered < ROUNDS) {
        say(hall, talk);
    }
}

static struct talk *talk_with(const struct line *line, struct hall *hall, const struct hs_key *key)
{
    for (unsigned i = 0; i < HUBS; i++) {
        if (hs_key_equal(&line->hubs[i].public_key, key))
            return &hall->talks[i];
    }
    fail_msg("a connection with nobody");
    return NULL;
}

static void turn_hall(const struct line *line, struct hall *hall)
{
    struct hs_link_event event;
    while (next(hall->end.link, &event)) {
        if (event.type == HS_LINK_NOTE || event.type == HS_LINK_WOKEN)
            continue;
        struct talk *talk = talk_with(line, hall, &event.curve_key);
        if (event.type == HS_LINK_UP) {
            assert_true(talk->hub == 0); /* of a group one at a time */
            *talk = (struct talk){.hub = event.peer};
            say(hall, talk);
        } else if (event.type == HS_LINK_DOWN) {
            talk->hub = 0;
        } else {
            assert_true(event.peer == talk->hub);
            hear(hall, talk, event.data);
        }
    }
    for (unsigned i = 0; i < HUBS; i++) {
        struct talk *talk = &hall->talks[i];
        if (talk->hub != 0 && talk->answered < ROUNDS && hs_link_now_ms() >= talk->answer_by_ms)
            drop(hall, talk);
    }
}

static bool is_done(const struct hall *hall)
{
    bool done = true;
    for (unsigned i = 0; i < HUBS; i++)
        done = done && hall->talks[i].hub != 0 && hall->talks[i].answered == ROUNDS;
    return done;
}

static bool turn(struct line *line)
{
    bool done = true;
    for (unsigned i = 0; i < HUBS; i++)
        turn_hub(line, line->hubs[i].link);
    for (unsigned i = 0; i < HALLS; i++) {
        turn_hall(line, &line->halls[i]);
        done = done && is_done(&line->halls[i]);
    }
    return done;
}

/* ---- the body ---- */

static void talk_once(void *ctx)
{
    struct line line = {0};
    uint64_t faulty_until = 0;
    bool done = false;
    (void)ctx;
    open_line(&line);
    fault_begin();
    while (!done && (faulty_until == 0 || hs_link_now_ms() < faulty_until)) {
        done = turn(&line);
        if (faulty_until == 0 && fault_hit())
            faulty_until = hs_link_now_ms() + FAULTY_MS;
    }
    fault_end();
    uint64_t until = hs_link_now_ms() + HEALING_MS;
    while (!done && hs_link_now_ms() < until)
        done = turn(&line);
    assert_true(done);
    close_line(&line);
}

static void whatever_fails_frames_come_whole_and_connections_come_back(void **state)
{
    (void)state;
    fault_each("talking", FAULT_OF_MEMORY | FAULT_OF_SOCKETS, talk_once, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fault_test(whatever_fails_frames_come_whole_and_connections_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
